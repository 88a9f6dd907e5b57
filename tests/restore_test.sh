#!/bin/sh
# SPDX-License-Identifier: MIT
# Settings of the system are put back: after a run, after Ctrl-C, and after SIGKILL by the next start or by restore.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

knob=/sys/kernel/mm/transparent_hugepage/enabled
export MITOSIS_SUITE_STATE="$scratch/state"
if ! [ -w $knob ]; then
	skip "settings are restored" "$knob cannot be written here"
	finish
	exit
fi
before=$(cat $knob)
other=always
case $before in *"[always]"*) other=madvise ;; esac
trap 'echo "$before" | sed "s/.*\[\(.*\)\].*/\1/" >$knob; rm -rf "$scratch"' EXIT
[ $other = always ] || echo madvise >$knob
base=$(cat $knob)

run "$harness" run null TLP-LD --machine native --results "$scratch/r"
[ "$status" -eq 0 ] && [ "$(cat $knob)" = "$base" ]
ok "a finished run puts THP back" $?
file=$(ls "$scratch"/r/*/run.json)
field "$file" '.machine.changed[].path' | grep -q transparent_hugepage/enabled
ok "the record names what was changed" $?

start_long_run() {
	"$harness" run null TLP-LD --machine native --misbehave hang --timeout 60s --results "$scratch/$1" \
		>"$scratch/out" 2>"$scratch/err" </dev/null &
	pid=$!
	tries=0
	until grep -q '\[always\]' $knob || [ $tries -ge 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	sleep 0.5
}

start_long_run interrupted
kill -INT "$pid"
wait "$pid"
status=$?
[ $status -eq 130 ] && [ "$(cat $knob)" = "$base" ]
ok "Ctrl-C puts THP back, exit 130" $?
file=$(ls "$scratch"/interrupted/*/run.json)
[ "$(field "$file" .exit.status)" = interrupted ]
ok "an interrupted run leaves its record" $?

start_long_run killed
kill -KILL "$pid"
wait "$pid" 2>/dev/null
[ "$(cat $knob)" != "$base" ]
ok "SIGKILL leaves THP changed (else this test shows nothing)" $?
sleep 0.5
! pgrep -f "bench null" >/dev/null
ok "the driver dies with a killed harness" $?
run "$harness" restore
[ "$status" -eq 0 ] && [ "$(cat $knob)" = "$base" ]
ok "harness restore puts it back" $?

start_long_run killed-again
kill -KILL "$pid"
wait "$pid" 2>/dev/null
run "$harness" run null LP-LD --machine native --results "$scratch/next"
[ "$status" -eq 0 ] && [ "$(cat $knob)" = "$base" ]
ok "the next run puts it back" $?

finish
