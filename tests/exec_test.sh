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
	run "$harness" exec LP-LD $native --ready-when output:^ready -- sh -c 'echo ready >&2; sleep 0.2'
	[ "$status" -eq 0 ] && grep -q '^ready$' "$scratch/err" && ! grep -q ready "$scratch/out"
	ok "also with a line on stderr" $?

	rm -rf "$results"
	if [ "$(id -u)" -eq 0 ] && command -v runuser >/dev/null; then
		run "$harness" exec LP-LD $native --ready-when output:^ready --timeout 30s -- \
			runuser -u nobody -- sh -c 'echo ready; sleep 0.5'
		ok "a program that watches a child, as su does" "$status"
	else
		skip "a program that watches a child, as su does" "not root, or no runuser"
	fi

	rm -rf "$results"
	port=$((20000 + $$ % 20000))
	run "$harness" exec LP-LD $native --ready-when "file:$scratch/there" -- \
		sh -c "sleep 0.3; touch '$scratch/there'; sleep 0.2"
	[ "$status" -eq 0 ] && holds "$(last '.phases[] | select(.name == "setup") | .duration_ns') >= 300000000"
	ok "the region begins when a file is there" $?
	expect "a file that is there before" 2 'remove it first' "$harness" exec LP-LD $native \
		--ready-when "file:$scratch/there" -- true
	if command -v memcached >/dev/null; then
		rm -rf "$results"
		run "$harness" exec LP-LD $native --ready-when "tcp:$port" -- \
			timeout 1 memcached -u nobody -l 127.0.0.1 -p $port
		[ "$status" -eq 4 ] && grep -q 'status 124' "$scratch/err" && [ "$(last .phases[0].name)" = setup ] &&
			holds "$(last .phases[0].duration_ns) < 900000000"
		ok "the region begins when a port answers" $?
	else
		skip "the region begins when a port answers" "no memcached"
	fi

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

	# The interpreter goes along, the output comes back.
	# shellcheck disable=SC2016 # the script expands it
	printf '#!/usr/bin/env -S sh -e\nn=0\nwhile [ $n -lt 20000 ]; do n=$((n + 1)); done\necho "script $n"\n' \
		>"$scratch/script"
	chmod +x "$scratch/script"
	run "$harness" exec LP-LD --machine emu --results "$results" -- "$scratch/script"
	[ "$status" -eq 0 ] && grep -q '^script 20000$' "$scratch/out"
	ok "a script in the emulated machine, its output on the terminal" $?
fi

finish
