#!/bin/sh
# SPDX-License-Identifier: MIT
# bin/fragment: small amounts on this machine, all of a node's free memory in the emulated one, and the F of FT configs.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

fragment=$PWD/bin/fragment

expect "an unknown option" 2 "'--fast'" "$fragment" --fast
expect "an argument" 2 "'all'" "$fragment" all
expect "a missing value" 2 '--goal takes a value' "$fragment" --goal
expect "a goal of 100%" 2 "--goal '100%'" "$fragment" --goal 100%
expect "a goal that is no number" 2 "--goal 'low'" "$fragment" --goal low
expect "nodes that are no list" 2 "--nodes '0-'" "$fragment" --nodes 0-
expect "nodes in the wrong order" 2 "--nodes '3-1'" "$fragment" --nodes 3-1
expect "a node that is not there" 2 'node 63' "$fragment" --nodes 63
expect "no limit" 2 '--limit 0' "$fragment" --limit 0
expect "a reserve that nobody has" 3 'stays in reserve' "$fragment" --limit 2M --reserve 1024T

# 20 blocks: others use the machine's memory meanwhile, so that the exact sums are for the emulated machine.
run "$fragment" --limit 40M --goal 0 --json
if [ "$status" -eq 3 ]; then
	skip "a small amount on this machine" "$(cat "$scratch/err")"
else
	[ "$status" -eq 0 ] && [ "$(field "$scratch/out" '.nodes[0].blocks')" -eq 20 ] &&
		[ "$(field "$scratch/out" '.nodes[0].pinned_blocks')" -eq 20 ] &&
		[ "$(field "$scratch/out" '.nodes[0].held_bytes')" -eq 81920 ] &&
		[ "$(field "$scratch/out" '.nodes[0].stopped_by')" = limit ]
	ok "a small amount on this machine" $?

	"$fragment" --limit 4M --hold >"$scratch/held" 2>&1 &
	pid=$!
	tries=0
	until [ -s "$scratch/held" ] || [ $tries -eq 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	[ "$(cat /proc/$pid/oom_score_adj)" -eq 1000 ] && grep -q '^node 0: ' "$scratch/held"
	ok "--hold holds, and would be the first to go if memory ran short" $?
	kill -INT $pid
	wait $pid
	ok "SIGINT ends it" $?
fi

# large_share FILE TITLE NODE: by awk on the lines of /proc/buddyinfo below the title, nothing of ours.
large_share() {
	awk -v title="== $2" -v node="$3," '
	/^==/ { on = $0 == title }
	on && $2 == node && $4 != "DMA" { for (i = 5; i <= NF; i++) { n = $i * 2 ^ (i - 5); all += n; if (i >= 14) large += n } }
	END { print all ? large / all : "nothing" }' "$1"
}
available() { awk -v title="== $2" '/^==/ { on = $0 == title } on && /^MemAvailable/ { print $2 }' "$1"; }

# The guest has a shell and sleep, which come as arguments, and what the shell has built in.
cat >"$scratch/inside" <<'EOF'
show() {
	echo "== $1"
	while read -r line; do echo "$line"; done </proc/buddyinfo
	while read -r line; do echo "$line"; done </proc/meminfo
}
show before
/suite/bin/fragment --nodes 1 --goal 1% --hold --json >held.json &
pid=$!
closed=no
until [ $closed = yes ] || ! kill -0 $pid; do
	"$1" 0.2
	while read -r line; do [ "$line" != '}' ] || closed=yes; done <held.json
done
echo 1 >/proc/sys/vm/compact_memory
show held
kill -KILL $pid
wait $pid
# Single pages that were just freed wait in the CPU's list and keep their blocks apart, until memory is used.
/suite/bin/bench null --size 192M --data-policy bind:1 --thp never
show after
EOF
results=$scratch/results
run "$harness" exec TLP-LD --machine emu --memory 128M --results "$results" --timeout 300s -- sh "$scratch/inside" "$(command -v sleep)"
if [ "$status" -eq 3 ]; then
	skip "a node of the emulated machine" "$(tail -1 "$scratch/err")"
	finish
	exit
fi
held=$(echo "$results"/*/held.json)
log=$(echo "$results"/*/program-stdout.log)
[ "$status" -eq 0 ] && [ "$(field "$held" .reached)" = true ] && [ "$(field "$held" '.nodes | length')" -eq 1 ] &&
	[ "$(field "$held" '.nodes[0].blocks == .nodes[0].pinned_blocks')" = true ]
ok "a node of the emulated machine is fragmented to 1%" $?
echo "# large blocks: before $(large_share "$log" before 1), held $(large_share "$log" held 1), after $(large_share "$log" after 1)"
holds "$(large_share "$log" before 1) > 0.8" && holds "$(large_share "$log" held 1) < 0.02" &&
	holds "$(large_share "$log" held 0) > 0.5"
ok "as /proc/buddyinfo shows, that node and no other, and compaction does not mend it" $?
holds "$(available "$log" held) > 0.95 * $(available "$log" before)"
ok "nearly all of the memory is there to be used" $?
holds "$(large_share "$log" after 1) > 0.8"
ok "after SIGKILL the blocks grow together again" $?

rm -rf "$results"
run "$harness" run gups FTLP-LD,TLP-LD --machine emu --size 64M --updates 1000 --results "$results" --strict
fragmented=$(echo "$results"/*-FTLP-LD-r1/run.json)
plain=$(echo "$results"/*-TLP-LD-r1/run.json)
# huge_fraction RECORD: of the bytes that the dump found mapped.
huge_fraction() {
	field "$1" '[.page_tables.done.leaves[] | {size: .page_size_bytes, bytes: (.page_size_bytes * .count)}]
		| (map(select(.size > 4096).bytes) | add // 0) / (map(.bytes) | add)'
}
[ "$status" -eq 0 ] && [ "$(field "$fragmented" .fragmentation.status)" = ok ] &&
	[ "$(field "$fragmented" .placement.status)" = ok ] && [ "$(field "$plain" .fragmentation)" = null ]
ok "FTLP-LD fragments memory before it runs, and the record says so" $?
echo "# in huge pages: FTLP-LD $(huge_fraction "$fragmented"), TLP-LD $(huge_fraction "$plain")"
holds "$(huge_fraction "$fragmented") < 0.2 && $(huge_fraction "$plain") > 0.9"
ok "the kernel finds few huge pages then" $?
expect "fragmented memory without huge pages" 2 FT "$harness" run gups FLP-LD --machine emu
finish
