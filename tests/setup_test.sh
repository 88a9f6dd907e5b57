#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/setup with apt, dpkg and systemd played by scripts that note what is asked of them: nothing is installed.
# shellcheck disable=SC2016 # the players' scripts are written, not run
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

players=$scratch/players
log=$scratch/log
mkdir "$players"
player() {
	printf '#!/bin/sh\necho "%s $*" >>"%s"\n%s\n' "$1" "$log" "$2" >"$players/$1"
	chmod +x "$players/$1"
}
# machine MISSING SYSTEMD UNITS: packages that are missing, systemd's state, units that are there before.
machine() {
	player dpkg-query 'for p in '"$1"'; do [ "$p" != "$4" ] || exit 1; done; echo "install ok installed"'
	player systemctl 'case "$1" in
		is-system-running) echo '"$2"' ;;
		cat) for u in '"$3"' $(cat "'"$scratch"'/installed" 2>/dev/null); do [ "$u.service" != "$2" ] || exit 0; done; exit 1 ;;
		esac'
	player update-rc.d ''
	player id 'echo 0'
	# What installing does: a service is there, and starts if it may.
	player apt-get '[ "$1" = install ] || exit 0
		for p; do echo "$p"; done >"'"$scratch"'/installed"
		[ ! -e "'"$scratch"'/policy" ] || for s in redis-server memcached cron; do
			"'"$scratch"'/policy" $s start; echo "policy $s $?" >>"'"$log"'"; done
		[ ! -e "'"$scratch"'/broken" ] || exit 100'
	rm -f "$log" "$scratch/installed"
}
setup() { run env PATH="$players:$PATH" MITOSIS_SETUP_POLICY="$scratch/policy" scripts/setup "$@"; }
line() { grep -n -x -- "$1" "$log" | head -1 | cut -d: -f1; }

machine nothing running ''
setup
[ "$status" -eq 0 ] && grep -q 'nothing to install' "$scratch/out" && ! grep -q apt-get "$log"
ok "nothing is missing: nothing is done" $?

machine 'redis-server memcached jq' running ''
setup --dry-run
[ "$status" -eq 0 ] && grep -q 'missing packages:.*memcached' "$scratch/out" && ! grep -q 'apt-get\|mask' "$log"
ok "--dry-run does nothing" $?
setup
[ "$status" -eq 0 ] && grep -q '^setup: installed without being started.*redis-server memcached' "$scratch/out"
ok "it says that services are not started" $?
for service in redis-server memcached; do
	mask=$(line "systemctl mask --quiet --runtime $service.service")
	install=$(grep -n '^apt-get install' "$log" | cut -d: -f1)
	unmask=$(line "systemctl unmask --quiet --runtime $service.service")
	disable=$(line "systemctl disable --quiet --now $service.service")
	[ -n "$mask" ] && [ "$mask" -lt "$install" ] && [ "$install" -lt "$unmask" ] && [ "$unmask" -lt "$disable" ]
	ok "$service is masked while it is installed, then unmasked and disabled" $?
done
[ ! -e "$scratch/policy" ]
ok "systemd needs no policy file" $?

machine 'memcached' degraded ''
setup
! grep -q redis-server.service "$log" && grep -q 'mask --quiet --runtime memcached' "$log"
ok "a server that was installed before is left alone" $?
machine 'redis-server memcached' running memcached
setup
! grep -q 'mask.*memcached\|disable.*memcached' "$log" && grep -q 'disable.*redis-server' "$log"
ok "so is a unit of the user's own" $?
machine jq running ''
setup
[ "$status" -eq 0 ] && ! grep -q 'mask\|disable' "$log" && ! grep -q 'without being started' "$scratch/out"
ok "packages without services touch none" $?

touch "$scratch/broken"
machine memcached running ''
setup
[ "$status" -ne 0 ] && grep -q unmask "$log"
ok "a failed installation leaves no mask behind" $?
rm "$scratch/broken"

machine 'redis-server memcached' offline ''
setup
[ "$status" -eq 0 ] && grep -q '^policy redis-server 101$' "$log" && grep -q '^policy memcached 101$' "$log" &&
	grep -q '^policy cron 0$' "$log" && [ ! -e "$scratch/policy" ] && grep -q 'update-rc.d memcached disable' "$log"
ok "without systemd a policy file forbids these two, for as long as it takes" $?
printf '#!/bin/sh\nexit 0\n' >"$scratch/policy"
chmod +x "$scratch/policy"
machine memcached offline ''
setup
grep -q 'exit 0' "$scratch/policy" && ! grep -q 'update-rc.d' "$log"
ok "a policy file of the user's stays" $?
rm "$scratch/policy"

run scripts/setup --list
grep -qx memcached "$scratch/out" && grep -qx redis-server "$scratch/out"
ok "--list has the servers" $?
expect "an unknown argument" 2 "'--fast'" scripts/setup --fast
finish
