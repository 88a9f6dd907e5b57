#!/bin/sh
# SPDX-License-Identifier: MIT
# harness exec: a program that knows nothing of the suite, on this machine and in the emulated one.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

results=$scratch/results
native="--machine native --results $results"

# last FILTER: a value of the newest record.
last() {
	# shellcheck disable=SC2012 # names are times
	field "$(ls -d "$results"/*/ | sort | tail -1)run.json" "$1"
}

# shellcheck disable=SC2086 # options are split on purpose
{
	run "$harness" exec LP-LD $native -- sh -c 'echo out; sleep 0.4'
	[ "$status" -eq 0 ] && grep -q '^out$' "$scratch/out" && holds "$(last .runtime_ns) > 400000000" &&
		[ "$(last .verification.status)" = skipped ] && [ "$(last '.metrics[0].name')" = runtime ]
	ok "a program runs, its output passes through" $?

	rm -rf "$results"
	run "$harness" exec LP-LD $native --json -- sh -c 'echo out; sleep 0.1'
	[ "$status" -eq 0 ] && jq -e .runtime_ns "$scratch/out" >/dev/null &&
		grep -q '^out$' "$results"/*/program-stdout.log
	ok "with --json its output goes to a log" $?

	rm -rf "$results"
	run "$harness" exec LP-LD $native --ready-when output:^ready -- sh -c 'sleep 0.6; echo ready; sleep 0.3'
	[ "$status" -eq 0 ] && holds "$(last .runtime_ns) < 550000000" &&
		holds "$(last '.phases[] | select(.name == "setup") | .duration_ns') > 600000000"
	ok "the region begins with --ready-when" $?

	rm -rf "$results"
	expect "a program that is never ready" 4 'before it was ready' "$harness" exec LP-LD $native \
		--ready-when output:^ready -- true
	expect "a program that fails" 4 'status 7' "$harness" exec LP-LD $native -- sh -c 'exit 7'
	expect "a program that crashes" 4 SIGSEGV "$harness" exec LP-LD $native -- sh -c 'kill -SEGV $$'
	expect "a program that does not end" 4 time-out "$harness" exec LP-LD $native --timeout 1s -- \
		sh -c 'trap "" TERM; sleep 987 & sleep 987'
	! pgrep -f 'sleep 987' >/dev/null
	ok "it and what it started are gone" $?
	expect "a program that does not exist" 2 no-such-program "$harness" exec LP-LD $native -- no-such-program
	expect "M for somebody else's program" 3 RPI-LDM "$harness" exec RPI-LDM --machine emu \
		--results "$results" -- true
}

rm -rf "$results"
# dd keeps one buffer of 64 MiB and fills it again and again.
run "$harness" exec RP-LD --machine emu --results "$results" --ready-when 1s -- \
	dd if=/dev/zero of=/dev/null bs=64M count=100
if [ "$status" -eq 3 ]; then
	skip "a program in the emulated machine" "$(tail -1 "$scratch/err")"
else
	[ "$status" -eq 0 ] && [ "$(last .provenance)" = modelled ] && [ "$(last .clock)" = model ]
	ok "a program in the emulated machine" $?
	[ "$(last .placement.status)" = ok ]
	ok "its data are local, its page tables remote" $?
fi

finish
