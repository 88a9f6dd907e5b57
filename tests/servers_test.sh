#!/bin/sh
# SPDX-License-Identifier: MIT
# The workloads with real servers: right work, placement, bad input, and no process or file that stays behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

bench=$PWD/bin/bench
# Names of our own for both servers: whoever else runs them is not ours to look at.
tag=suite-server-$$
mkdir "$scratch/tmp"
export TMPDIR="$scratch/tmp"
small="--size 20M --requests 20k --warm-up 1k"

have() {
	[ -x "/usr/bin/$1" ]
}

# left: servers of this test that still run, and what is in their directories.
left() {
	pgrep -f "$tag" || find "$TMPDIR" -name 'mitosis-server*'
}

# none_left NAME: waits a moment, for an end takes its time.
none_left() {
	tries=0
	while [ -n "$(left)" ] && [ $tries -lt 50 ]; do
		sleep 0.2
		tries=$((tries + 1))
	done
	[ -z "$(left)" ]
	ok "$1" $?
}

# metric NAME: of the JSON in $scratch/out.
metric() {
	jq -r --arg name "$1" '.metrics[] | select(.name == $name) | .value' "$scratch/out"
}

# waiting COMMAND...: starts it, waits until its server is there; $child and $server are their processes.
waiting() {
	"$@" >"$scratch/long.out" 2>"$scratch/long.err" </dev/null &
	child=$!
	server=
	tries=0
	while [ -z "$server" ] && [ $tries -lt 100 ]; do
		sleep 0.1
		server=$(pgrep -P "$child" -f "$tag" | head -1)
		tries=$((tries + 1))
	done
	sleep 0.5
}

# A link that has the server's name in it and ours.
link() {
	mkdir -p "$scratch/$tag"
	ln -s "/usr/bin/$1" "$scratch/$tag/$1"
}

check_work() {
	workload=$1 program=$scratch/$tag/$2
	for options in "" "--reads 100 --key-order zipf --multiget 8" "--reads 0 --client-threads 2 --pipeline 1" \
		"--transport tcp --key-order latest --value-sizes pareto --value-size 4K" \
		"--rate 20000 --arrivals constant --requests 10k --key-order sequential"; do
		# shellcheck disable=SC2086 # options are split on purpose
		run "$bench" "$workload" --server "$program" $small $options --json
		[ "$status" -eq 0 ] && [ "$(jq -r .verification.status "$scratch/out")" = pass ] &&
			[ "$(metric misses)" -eq 0 ] && [ "$(metric error_replies)" -eq 0 ] &&
			holds "$(metric operations_per_second) > 1000"
		ok "$workload${options:+ $options}: verified" $?
	done
	[ "$(jq '.series.operations | add' "$scratch/out")" -eq 10000 ] &&
		holds "$(metric read_latency_p99) >= $(metric read_latency_p50)" && holds "$(metric server_rss) > 5e6"
	ok "$workload: a series of latencies, the server's memory" $?
	# 10,000 requests at 20,000 a second: the last is due after half a second, or later when it was not in time.
	holds "$(jq .runtime_ns "$scratch/out") > 480000000"
	ok "$workload: an open loop keeps its rate" $?
	# shellcheck disable=SC2086
	run "$bench" "$workload" --server "$program" $small --requests 1G --duration 1 --json
	[ "$status" -eq 0 ] && holds "$(jq .runtime_ns "$scratch/out") > 9e8" &&
		holds "$(jq .runtime_ns "$scratch/out") < 9e9"
	ok "$workload: --duration ends it" $?
	none_left "$workload: nothing is left"
}

# The estimate of memory, by which a machine that is too small is refused, against what the server takes.
# Memcached begins a page of 1 MiB for each size of chunk that occurs: with mixed sizes that shows in so small a store.
check_footprint() {
	workload=$1 program=$scratch/$tag/$2
	for options in "--value-size 256" "--value-size 32" "--value-sizes uniform --value-size 2K"; do
		# shellcheck disable=SC2086
		run "$bench" "$workload" --server "$program" --size 48M --requests 1k --warm-up 0 $options --json
		most=1.1
		[ "$workload $options" != "memcached --value-sizes uniform --value-size 2K" ] || most=1.2
		holds "$(metric server_rss) < $most * 48 * 1048576" && holds "$(metric server_rss) > 0.75 * 48 * 1048576"
		ok "$workload $options: memory as planned ($(metric server_rss | cut -d. -f1) of 50331648 bytes)" $?
	done
}

# shellcheck disable=SC2086 # options are split on purpose
check_bad_input() {
	workload=$1 program=$scratch/$tag/$2
	long="--size 20M --requests 1G --warm-up 0"
	expect "$workload: no such program" 3 "no program '/nowhere/server'" "$bench" "$workload" --server /nowhere/server
	expect "$workload: a program that is no server" 4 "ended with status" "$bench" "$workload" --server /bin/false $small
	expect "$workload: too little memory" 3 'needs' "$bench" "$workload" --server "$program" --keys 2^40
	expect "$workload: a value that is too large" 2 '--value-size' "$bench" "$workload" --server "$program" \
		--value-size 1G
	expect "$workload: more threads than connections" 2 '--connections' "$bench" "$workload" --server "$program" \
		--client-threads 4 --connections 2
	waiting "$bench" "$workload" --server "$program" $long --transport tcp --json
	port=$(ss -ltnpH 2>/dev/null | sed -n "s/.*127.0.0.1:\([0-9]*\) .*pid=$server,.*/\1/p" | head -1)
	if [ -n "$port" ]; then
		expect "$workload: a port in use" 2 "--port: $port is in use" "$bench" "$workload" --server "$program" \
			$small --transport tcp --port "$port"
	else
		skip "$workload: a port in use" "ss does not say which port the server has"
	fi
	kill -KILL "$server"
	wait "$child"
	[ $? -eq 4 ] && grep -q 'killed by SIGKILL' "$scratch/long.err" &&
		[ "$(wc -l <"$scratch/long.err")" -eq 1 ]
	ok "$workload: a server that dies in mid-run" $?
	waiting "$bench" "$workload" --server "$program" $long
	kill -KILL "$child"
	wait "$child" 2>/dev/null
	none_left "$workload: a driver that is killed takes its server along"
	waiting "$bench" "$workload" --server "$program" $long
	kill -INT "$child"
	wait "$child"
	[ $? -eq 130 ]
	ok "$workload: Ctrl-C" $?
	none_left "$workload: Ctrl-C leaves nothing"
}

# Under the harness the server is what is measured.
check_harness() {
	workload=$1 program=$scratch/$tag/$2 results=$scratch/results-$1
	# shellcheck disable=SC2086
	run "$harness" run "$workload" LP-LD --machine native --results "$results" --server "$program" $small
	record=$(ls "$results"/*/run.json)
	[ "$status" -eq 0 ] && [ "$(field "$record" .verification.status)" = pass ] &&
		[ "$(field "$record" .placement.status)" != off ] && [ "$(field "$record" '.series.operations | add')" -gt 0 ]
	ok "$workload under the harness" $?
	rm -rf "$results"
	waiting "$harness" run "$workload" LP-LD --machine native --results "$results" --server "$program" \
		--size 20M --requests 1G
	tries=0
	while ! server=$(pgrep -f "^$program" | head -1) || [ -z "$server" ]; do
		sleep 0.2
		tries=$((tries + 1))
		[ $tries -lt 100 ] || break
	done
	sleep 1
	kill -KILL "$server"
	wait "$child"
	status=$?
	record=$(ls "$results"/*/run.json)
	[ $status -eq 4 ] && [ "$(field "$record" .exit.status)" = failed ] &&
		field "$record" .exit.reason | grep -q 'killed by SIGKILL'
	ok "$workload: the record says how the server ended" $?
	rm -rf "$results"
	waiting "$harness" run "$workload" LP-LD --machine native --results "$results" --server "$program" \
		--size 20M --requests 1G
	kill -KILL "$child"
	wait "$child" 2>/dev/null
	none_left "$workload: a harness that is killed leaves no server"
	expect "$workload: M needs the kernel" 3 "$workload-inproc" "$harness" run "$workload" RPI-LDM --machine emu
}

check_emulated() {
	workload=$1 results=$scratch/emulated-$1
	run "$harness" run "$workload" RP-LD --machine emu --results "$results" --size 20M --requests 500 --warm-up 100
	if [ "$status" -eq 3 ]; then
		skip "$workload in the emulated machine" "$(tail -1 "$scratch/err")"
		return
	fi
	record=$(ls "$results"/*/run.json)
	[ "$status" -eq 0 ] && [ "$(field "$record" .clock)" = model ] &&
		[ "$(field "$record" .verification.status)" = pass ]
	ok "$workload in the emulated machine: modelled, verified" $?
	[ "$(field "$record" .placement.status)" = ok ]
	ok "$workload in the emulated machine: data local, page tables remote" $?
}

for pair in redis:redis-server memcached:memcached; do
	if ! have "${pair#*:}"; then
		skip "${pair%:*}" "${pair#*:} is not installed"
		continue
	fi
	link "${pair#*:}"
	check_work "${pair%:*}" "${pair#*:}"
	check_footprint "${pair%:*}" "${pair#*:}"
	check_bad_input "${pair%:*}" "${pair#*:}"
	check_harness "${pair%:*}" "${pair#*:}"
	check_emulated "${pair%:*}"
done

finish
