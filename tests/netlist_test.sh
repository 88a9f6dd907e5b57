#!/bin/sh
# SPDX-License-Identifier: MIT
# The netlist generator and the workloads that read files, as a user runs them: an interruption, bad files, refusals.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

netlist=$PWD/bin/netlist
bench=$PWD/bin/bench
cd "$scratch" || exit 1

# --- the generator

run "$netlist" generate whole --elements 20k --block 1k
ok "generates a netlist" "$status"
[ "$(wc -c <whole)" -eq "$(sed -n 's/^bytes //p' whole.sums)" ]
ok "of the size that its checksums name" $?
run "$netlist" generate planned --elements 20k --dry-run
[ "$status" -eq 0 ] && grep -q "$(wc -c <whole) bytes" err && [ ! -e planned ]
ok "--dry-run names the exact size and writes nothing" $?
run "$netlist" check whole
[ "$status" -eq 0 ] && grep -q 'checksums right' out
ok "check accepts it" $?
run "$netlist" generate whole --elements 20k --block 1k
[ "$status" -eq 0 ] && grep -q 'complete' err
ok "the same command again finds it complete" $?
expect "another netlist does not overwrite it" 2 "is not this netlist" "$netlist" generate whole --elements 10k

# Killed without a chance to say anything: what was finished is kept.
"$netlist" generate again --elements 20k --block 50 --threads 1 2>/dev/null &
pid=$!
while [ ! -s again.partial.sums ] || [ "$(grep -c ^block again.partial.sums)" -lt 3 ]; do
	kill -0 $pid 2>/dev/null || break
	sleep 0.02
done
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
if [ -e again ]; then
	skip "the same command goes on after a kill" "it was finished before the signal came"
else
	[ -e again.partial ]
	ok "a killed generator leaves a partial file" $?
	run "$netlist" generate again --elements 20k --block 50
	[ "$status" -eq 0 ] && grep -q 'going on with the last' err && cmp -s again whole && [ ! -e again.partial ]
	ok "the same command goes on to the identical file" $?
fi

"$netlist" generate asked --elements 20k --block 50 --threads 1 2>err &
pid=$!
while [ ! -s asked.partial.sums ]; do
	kill -0 $pid 2>/dev/null || break
	sleep 0.02
done
kill -INT $pid 2>/dev/null
wait $pid
status=$?
if [ -e asked ]; then
	skip "an interrupted generator says how to go on" "it was finished before the signal came"
else
	[ "$status" -eq 130 ] && grep -q 'the same command goes on' err
	ok "an interrupted generator says how to go on" $?
fi

expect "no elements" 2 "--elements" "$netlist" generate none
expect "no file" 2 "which file?" "$netlist" generate
expect "a preset that is none" 2 "neither small nor large" "$netlist" generate none --preset medium
expect "a command that is none" 2 "neither generate nor check" "$netlist" make none
expect "a folder that is none" 2 "the folder of" "$netlist" generate /nowhere/at/all --elements 10
expect "a disk that is too small" 3 "nothing was written" "$netlist" generate huge --elements 2^38

# --- canneal

small="--swaps 5k --steps 3 --json"
# shellcheck disable=SC2086 # options
for input in "--netlist whole" "--elements 20k"; do
	run "$bench" canneal $input $small
	[ "$status" -eq 0 ] && [ "$(field out .verification.status)" = pass ]
	ok "canneal $input passes its check" $?
	field out .verification.detail >"detail$count"
done
set -- detail*
cmp -s "$1" "$2"
ok "a file gives the same placement as the netlist made in memory" $?

head -c 300000 whole >cut.netlist
expect "a truncated netlist" 2 "cut.netlist, line" "$bench" canneal --netlist cut.netlist
cp whole.sums cut.netlist.sums
expect "a truncated netlist with checksums" 2 "truncated at byte 300000" "$bench" canneal --netlist cut.netlist
cp whole bad && cp whole.sums bad.sums
printf b | dd of=bad bs=1 seek=200000 conv=notrunc 2>/dev/null
expect "a corrupt netlist" 2 "corrupt between bytes" "$bench" canneal --netlist bad
expect "a netlist that is not there" 2 "cannot read nowhere" "$bench" canneal --netlist nowhere
expect "a size for a file" 2 "--size is for a synthetic netlist" "$bench" canneal --netlist whole --size 1G
expect "a preset that does not fit" 3 "needs" "$bench" canneal --preset vmitosis-wide --memory 8G --element-bytes 4096
expect "records that are not whole cache lines" 2 "no multiple of 64" "$bench" canneal --element-bytes 100

# --- liblinear

run "$bench" liblinear --size 4M --json
[ "$status" -eq 0 ] && [ "$(field out .verification.status)" = pass ] &&
	[ "$(field out '.metrics[] | select(.name == "library_bytes_elsewhere").value')" = 0 ]
ok "liblinear learns the planted model in memory of the arena" $?
awk 'BEGIN { for (i = 0; i < 3000; i++) { y = i % 2 ? 1 : -1; print y " " 1 + i % 7 ":" y " " 10 + i % 13 ":1" } }' >data
run "$bench" liblinear --data data --json
[ "$status" -eq 0 ] && [ "$(field out .verification.status)" = pass ] &&
	[ "$(field out '.metrics[] | select(.name == "training_accuracy").value')" = 1 ]
ok "liblinear trains on a file" $?
{ head -100 data; echo "1 3:4 3:5"; } >bad
expect "a corrupt line" 2 "bad, line 101" "$bench" liblinear --data bad
expect "threads that the library has not" 2 "single-threaded" "$bench" liblinear --threads 2

finish
