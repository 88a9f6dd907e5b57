# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What build-kernel and build-kernel-deb share: source, series, packages, a build that shows its progress. A script that
# sources this is in the suite's root and sets jobs, tree (sources) and objects (output).
# shellcheck disable=SC2154

me=$(basename "$0")
# Absolute, because make runs in the folder of the objects.
build=$(realpath -m "${MITOSIS_SUITE_KERNEL_BUILD:-build/kernel}")
series=kernel/series
# shellcheck disable=SC2034 # set by find_source
source_archive=

say() { echo "$me: $*"; }
fail() {
	echo "$me: $*" >&2
	exit 1
}
refuse() {
	echo "$me: $*" >&2
	exit 2
}

names_of_variants() {
	for file in kernel/config/*.config; do
		name=$(basename "$file" .config)
		[ "$name" = emulator ] || printf '%s ' "$name"
	done
}

# --- series ---

patches_of_series() { # absolute paths, in order
	place_of_series=$(dirname "$series")
	while read -r name rest; do
		case $name in '' | '#'*) continue ;; esac
		[ -z "$rest" ] || refuse "the list of patches has '$name $rest': one file name a line"
		case $name in
		/*) place=$name ;;
		*) place=$place_of_series/$name ;;
		esac
		[ -f "$place" ] || place=$place_of_series/patches/$name
		[ -f "$place" ] || refuse "the list of patches names '$name', which is not there"
		realpath "$place"
	done <"$series"
}

check_series() {
	[ -r "$series" ] || refuse "cannot read the list of patches '$series'"
	patches_of_series >/dev/null
}

count_of_series() { patches_of_series | wc -l; }

checksum_of_series() {
	patches_of_series | while read -r patch; do
		echo "$(sha256sum <"$patch" | cut -d ' ' -f 1)  $(basename "$patch")"
	done
}

# --- packages ---

packages="gcc make bc bison flex libelf-dev libssl-dev dwarves cpio kmod rsync xz-utils zstd patch"

find_source() { # sets source_archive, empty when there is none
	source_archive=${MITOSIS_SUITE_KERNEL_SOURCE:-}
	if [ -n "$source_archive" ]; then
		[ -r "$source_archive" ] || refuse "MITOSIS_SUITE_KERNEL_SOURCE='$source_archive' cannot be read"
		return
	fi
	[ ! -r /usr/src/linux-source-6.12.tar.xz ] || source_archive=/usr/src/linux-source-6.12.tar.xz
}

source_description() {
	version=$(dpkg-query -W -f '${Version}' linux-source-6.12 2>/dev/null || true)
	if [ "$source_archive" = /usr/src/linux-source-6.12.tar.xz ] && [ -n "$version" ]; then
		echo "linux-source-6.12 $version"
	else
		basename "$source_archive"
	fi
}

plan_packages() { # sets missing, prints it
	missing=
	command -v dpkg-query >/dev/null || {
		say "this is no Debian or Ubuntu; needed are the counterparts of: $packages"
		return
	}
	[ -n "$source_archive" ] || missing=linux-source-6.12
	for package in $packages; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
			missing="$missing $package"
	done
	[ -z "$missing" ] || say "missing packages: $missing"
}

install_packages() {
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			fail "not root and no sudo; run as root: apt-get install --no-install-recommends $missing"
		as_root=sudo
	fi
	# shellcheck disable=SC2086 # both are meant to be split
	$as_root apt-get update -qq || say "'apt-get update' failed; going on with the lists at hand"
	# shellcheck disable=SC2086
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}

# --- source tree ---

# Two builds in one folder would destroy each other's objects.
lock_build() {
	mkdir -p "$build"
	exec 9>"$build/lock"
	flock -n 9 || fail "another build works in $build; wait for it, or set MITOSIS_SUITE_KERNEL_BUILD"
}

unpack_source() { # makes $build/pristine
	sum=$(sha256sum <"$source_archive" | cut -d ' ' -f 1)
	if [ -f "$build/pristine/.unpacked" ] && [ "$(cat "$build/pristine/.unpacked")" = "$sum" ]; then
		return
	fi
	say "unpacking $source_archive (1.5 GB, about a minute)"
	rm -rf "$build/pristine" "$build/pristine.new" "$build/patched"
	mkdir -p "$build/pristine.new"
	tar -x -f "$source_archive" -C "$build/pristine.new" --strip-components=1
	echo "$sum" >"$build/pristine.new/.unpacked"
	mv "$build/pristine.new" "$build/pristine"
}

# One patch on or off. Context must match exactly: a hunk that only fits roughly may land in the wrong function.
patch_tree() { # PATCH [-R]
	patch_options="-p1 -s -f --fuzz=0 --no-backup-if-mismatch -r - -d $tree"
	# shellcheck disable=SC2086 # options
	patch $patch_options ${2:+"$2"} --dry-run <"$1" >"$build/patch.log" 2>&1 || return 1
	# shellcheck disable=SC2086
	patch $patch_options ${2:+"$2"} -E <"$1" >"$build/patch.log" 2>&1
}

# Brings $tree to the series: patches that have changed, and those after them, are taken off and put on again, so that
# only files they touch are compiled again. $tree.applied/ has what is on, numbered.
apply_series() {
	applied=$tree.applied
	if [ ! -d "$tree" ] || [ ! -d "$applied" ]; then
		rm -rf "$tree" "$applied"
		# Hard links: patch(1) replaces a file and never writes into it.
		cp -al "$build/pristine" "$tree"
		mkdir "$applied"
	fi
	number=0
	patches_of_series >"$build/series"
	while read -r patch; do
		number=$((number + 1))
		name=$(printf '%04d' $number)
		[ -f "$applied/$name" ] && cmp -s "$patch" "$applied/$name" && continue
		pop_from "$number"
		patch_tree "$patch" || {
			sed 's/^/  /' "$build/patch.log" >&2
			fail "$patch does not apply to $(source_description) without fuzz"
		}
		cp "$patch" "$applied/$name"
	done <"$build/series"
	pop_from $((number + 1))
}

pop_from() { # NUMBER: takes off every patch from this one on, the last first
	for on in $(find "$applied" -type f | sort -r); do
		[ "$(basename "$on" | sed 's/^0*//')" -ge "$1" ] || break
		if ! patch_tree "$on" -R; then
			rm -rf "$tree" "$applied"
			fail "the tree in $tree was changed by hand and is removed; run it again"
		fi
		rm "$on"
	done
}

# --- compile ---

kernel_make() { (exec_kernel_make "$@"); }

exec_kernel_make() { # in a subshell: a signal to it reaches make
	compiler=gcc
	! command -v ccache >/dev/null || compiler="ccache gcc"
	# The same input makes the same kernel, and ccache finds it. It takes dependencies from the compiler, which is
	# quicker than a second preprocessor.
	export CCACHE_DEPEND=1 CCACHE_BASEDIR="$build"
	exec nice -n 3 make -C "$tree" O="$objects" CC="$compiler" HOSTCC="$compiler" ARCH=x86_64 \
		KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_USER=suite \
		KBUILD_BUILD_HOST=suite "$@"
}

# Kconfig drops a line with an unmet dependency in silence.
require_config() { # FRAGMENT
	lost=$(grep -vxF -f "$objects/.config" "$1" | tr '\n' ' ')
	# "is not set" is also true for a symbol that Kconfig does not show.
	lost=$(for line in $lost; do case $line in CONFIG_*=*) echo "$line" ;; esac; done | tr '\n' ' ')
	[ -z "$lost" ] || fail "Kconfig did not take: $lost"
}

show_progress() { # LOG START EXPECTED-STEPS EXPECTED-SECONDS
	steps=$(grep -cE '^  (CC|AS|LD|AR|HOSTCC|BTF)' "$1" 2>/dev/null) || true
	elapsed=$(($(date +%s) - $2))
	expected=$4
	# Of this build, as soon as it says something; the last one may have been on an idle machine.
	[ "$steps" -lt 100 ] || expected=$((elapsed * $3 / steps))
	[ "$expected" -gt "$elapsed" ] || expected=$elapsed
	if [ "$5" = tty ]; then
		printf '\r%s: %d of about %d steps, %d of about %d s   ' "$me" "$steps" "$3" "$elapsed" "$expected"
	else
		say "$steps of about $3 steps, $elapsed of about $expected s"
	fi
}

compile() { # TARGETS
	log=$objects/build.log
	expected_steps=${default_steps:-2300} expected_seconds=${default_seconds:-600}
	[ ! -f "$objects/last-build" ] || read -r expected_steps expected_seconds <"$objects/last-build"
	start=$(date +%s)
	kind=plain pause=30
	[ ! -t 1 ] || { kind=tty pause=2; }
	say "building in $objects with ${jobs:?} jobs; log: $log"
	# shellcheck disable=SC2086 # several targets
	exec_kernel_make -j"${jobs:?}" $1 >"$log" 2>&1 9>&- &
	maker=$!
	trap 'kill $maker 2>/dev/null; wait $maker 2>/dev/null; echo; say "stopped; run it again to go on"; exit 130' INT TERM
	waited=0
	while kill -0 $maker 2>/dev/null; do
		sleep 1
		waited=$((waited + 1))
		[ $((waited % pause)) -ne 0 ] || show_progress "$log" "$start" "$expected_steps" "$expected_seconds" $kind
	done
	[ $kind = plain ] || echo
	trap - INT TERM
	if ! wait $maker; then
		grep -E -B2 -A8 '(error|Error|undefined reference)' "$log" | tail -n 30 >&2
		fail "the build failed; see $log"
	fi
	steps=$(grep -cE '^  (CC|AS|LD|AR|HOSTCC|BTF)' "$log") || true
	# A build that had little to do says nothing about the next whole one.
	[ "$steps" -lt 500 ] || echo "$steps $(($(date +%s) - start))" >"$objects/last-build"
	say "built $steps steps in $(($(date +%s) - start)) s"
}
