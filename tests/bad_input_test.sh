#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad input: one clear line on stderr that names the thing, the documented exit status, nothing left behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

results=$scratch/results

expect "unknown command" 2 frobnicate "$harness" frobnicate
expect "unknown workload" 2 gusp "$harness" run gusp LP-LD --results "$results"
expect "unknown workload names the nearest" 2 gups "$harness" run gusp LP-LD --results "$results"
expect "unknown config" 2 LP-LX "$harness" run gups LP-LX --results "$results"
expect "unknown config names the nearest" 2 LP-LD "$harness" run gups LP-LX --results "$results"
expect "unknown option" 2 --frob "$harness" run gups LP-LD --frob --results "$results"
expect "bad size" 2 12Q "$harness" run gups LP-LD --size 12Q --results "$results"
expect "bad duration" 2 soon "$harness" run gups LP-LD --timeout soon --results "$results"
expect "unknown machine" 2 pdp11 "$harness" run gups LP-LD --machine pdp11 --results "$results"
expect "unknown profile" 2 nosuch "$harness" run gups LP-LD --machine emu:nosuch --results "$results"
expect "unknown node" 2 17 "$harness" run gups LP-LD --machine native --local-node 17 --results "$results"
expect "unknown counter" 2 no_such_event "$harness" run null LP-LD --machine native \
	--counters no_such_event --results "$results"
expect "no such process" 2 999999999 "$harness" dump 999999999
expect "not a process" 2 abc "$harness" dump abc
expect "no results" 2 "$scratch/empty" "$harness" report --results "$scratch/empty" --output "$scratch/report"
[ ! -e "$results" ] || [ -z "$(ls -A "$results")" ]
ok "refused runs leave no results" $?

if [ "$(grep -l . /sys/devices/system/node/node*/meminfo 2>/dev/null | wc -l)" -lt 2 ]; then
	expect "a remote config on one node" 3 emu "$harness" run null RP-LD --machine native --results "$results"
else
	skip "a remote config on one node" "this machine has several nodes"
fi
expect "a virtual config needs a virtual machine" 3 RRI "$harness" run null RRI --machine native --results "$results"
expect "a kernel that is no file" 2 /no/such/kernel "$harness" run null LP-LD --machine emu \
	--kernel /no/such/kernel --results "$results"

# A driver that misbehaves: status 4, a record with the reason.
for how in crash hang garbage wrong; do
	run "$harness" run null LP-LD --machine native --misbehave "$how" --timeout 5s --results "$scratch/$how"
	file=$(ls "$scratch/$how"/*/run.json)
	[ "$status" -eq 4 ] && [ "$(field "$file" .exit.status)" = failed ] &&
		[ -n "$(field "$file" '.exit.reason // ""')" ]
	ok "a driver with --misbehave $how" $?
done
! pgrep -f "bench null --misbehave" >/dev/null
ok "no driver is left" $?

# A full disk.
mkdir "$scratch/full"
if mount -t tmpfs -o size=64k tmpfs "$scratch/full" 2>/dev/null; then
	head -c 65536 /dev/zero >"$scratch/full/filler" 2>/dev/null
	run "$harness" run null LP-LD --machine native --results "$scratch/full/results"
	[ "$status" -ne 0 ] && grep -q 'No space left' "$scratch/err"
	ok "a full disk" $?
	umount "$scratch/full"
else
	skip "a full disk" "cannot mount a tmpfs here"
fi

# Records by a newer suite are refused by name, others still used.
run "$harness" run null LP-LD --machine native --results "$scratch/newer"
file=$(ls "$scratch/newer"/*/run.json)
mkdir "$scratch/newer/future"
jq '.schema_version = 999' "$file" >"$scratch/newer/future/run.json"
run "$harness" report --results "$scratch/newer" --output "$scratch/report" --no-pdf
[ "$status" -eq 0 ] && grep -q 'future/run.json' "$scratch/err" && grep -q 999 "$scratch/err"
ok "a record of a newer schema is named" $?

# JSON output parses alone.
run "$harness" run null LP-LD --machine native --json --results "$scratch/json"
[ "$status" -eq 0 ] && jq -e . "$scratch/out" >/dev/null
ok "run --json is JSON" $?
for command in 'list workloads' 'list configs' 'list machines' doctor; do
	# shellcheck disable=SC2086 # split on purpose
	run "$harness" $command --json
	jq -e . "$scratch/out" >/dev/null
	ok "$command --json is JSON" $?
done

finish
