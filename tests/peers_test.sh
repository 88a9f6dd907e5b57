#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/bench-peers with peers made up for the test: what it measures, and what it refuses.
# shellcheck disable=SC2016 # programs and rows are written, not run
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

peers=$scratch/the\ peers
mkdir -p "$peers/deep/er"

# peer NAME LINE: a program below PEERS.
peer() {
	printf '#!/bin/sh\n%s\n' "$2" >"$peers/deep/er/$1"
	chmod +x "$peers/deep/er/$1"
}

# row NAME PROGRAM [LINE...]: a row about `null` by what it does to memory.
row() {
	printf 'name %s\nworkload gups\npeer %s\nthreads 1\nprogram %s\nrun "$program" $threads\n' "$1" "$2" "$2"
	printf 'metric rate: *([0-9.e+-]+)\nunit M updates/s\nours --size 1M --updates 10k\nours-factor 1000\n'
	shift 2
	for line; do echo "$line"; done
	echo
}

peer steady 'echo "old rate: 7"; echo "rate: 0.5"; echo threads $1 >>"'"$scratch"'/calls"'
# Runs take turns: the fake peer notes how many there were, and gives 1, 2, 3 ... as its time.
peer growing 'n=$(cat "'"$scratch"'/n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"'"$scratch"'/n"; echo "rate: $n"'
peer silent 'echo nothing to see'
peer dying 'echo "it hurts" >&2; exit 3'
peer slow 'sleep 30'

table=$scratch/table
{
	echo '# a comment'
	row one steady 'factor 100'
	row times growing 'factor 2' 'amount 12'
	row gone no-such-program 'factor 1'
	row lacking steady 'factor 1' 'needs no-such-launcher'
} >"$table"
csv=$scratch/out.csv
compare() { run scripts/bench-peers --peers "$peers" --table "$table" --csv "$csv" "$@"; }
# cell ROW COLUMN: by the CSV's header.
cell() { awk -F, -v row="$1" -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } $1 == row { print $c }' "$csv"; }

compare --repeat 3
[ "$status" -eq 0 ] && [ "$(cell one status)" = ok ] && [ "$(cell one peer_median)" = 50 ] &&
	[ "$(cell one runs)" = 3 ] && [ "$(grep -c 'threads 1' "$scratch/calls")" -eq 3 ]
ok "the last number of the metric's line counts, times the factor" $?
ours=$(cell one ours_median)
holds "$(cell one ratio_median) > 0.999 * $ours / 50 && $(cell one ratio_median) < 1.001 * $ours / 50"
ok "the ratio is ours by the peer's" $?
# 12 / 1 x 2, 12 / 2 x 2, 12 / 3 x 2
[ "$(cell times peer_values)" = '24;12;8' ] && [ "$(cell times peer_median)" = 12 ] &&
	[ "$(cell times peer_low)" = 8 ] && [ "$(cell times peer_high)" = 24 ]
ok "a time becomes a rate; median and range of three" $?
[ "$(cell gone status)" = 'not installed' ] && [ -z "$(cell gone peer_median)" ] &&
	[ "$(cell gone runs)" = 0 ] && grep -q '^gone .*not installed$' "$scratch/out"
ok "a missing peer is not installed, and nothing is made up" $?
[ "$(cell lacking status)" = 'not installed' ] && grep -q 'it needs no-such-launcher' "$scratch/out"
ok "nor is one whose launcher is missing" $?

rm -f "$scratch/n"
compare --repeat 9 --only times
[ "$(wc -l <"$csv")" -eq 2 ] && [ "$(cell times peer_median)" = 4.8 ] &&
	[ "$(cell times peer_low)" = 3 ] && [ "$(cell times peer_high)" = 12 ]
ok "--only takes one row; the 95% interval of nine is the second to the eighth" $?
compare --only gups --repeat 1 && [ "$status" -eq 0 ] && [ "$(wc -l <"$csv")" -eq 5 ]
ok "--only takes a workload" $?
run scripts/bench-peers --peers "$peers" --table "$table" --list
[ "$status" -eq 0 ] && grep -q '^one  *.*/the peers/deep/er/steady$' "$scratch/out" &&
	grep -q '^gone  *not installed$' "$scratch/out"
ok "--list says where programs are" $?

{ row mute silent 'factor 1'; row dies dying 'factor 1'; row after steady 'factor 1'; } >"$table"
compare --repeat 1
[ "$status" -eq 4 ] && [ "$(cell mute status)" = failed ] && [ "$(cell dies status)" = failed ] &&
	[ "$(cell after status)" = ok ] && grep -q 'status 3: it hurts' "$scratch/out" &&
	grep -q "no number where" "$scratch/out"
ok "a peer that fails is said to, and the next row runs" $?
row late slow 'factor 1' >"$table"
compare --repeat 1 --timeout 1
[ "$status" -eq 4 ] && grep -q 'longer than 1 s' "$scratch/out"
ok "a peer that does not end" $?
sed 's/--updates 10k/--updates none/' "$table" >"$table.2"
run scripts/bench-peers --peers "$peers" --table "$table.2" --csv "$csv" --repeat 1
[ "$status" -eq 4 ] && grep -q 'ours ended with status 2' "$scratch/out"
ok "our own side fails" $?

scripts/bench-peers --peers "$peers" --table "$table" --csv "$csv.int" --repeat 1 >/dev/null 2>&1 &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
[ $? -eq 130 ] && [ ! -e "$csv.int.new" ] && ! pgrep -f "$peers/deep/er/slow" >/dev/null
ok "a signal ends the peer and leaves no file" $?

row fine steady 'factor 1' >"$table"
bad() {
	name=$1 text=$2
	shift 2
	expect "$name" 2 "$text" scripts/bench-peers "$@"
}
with="--peers $scratch --table $table"
bad "no folder" 'no --peers DIR'
bad "a folder that is not there" "'/no/such'" --peers /no/such
bad "an unknown argument" "'--fast'" --fast
bad "a missing value" '--repeat takes a value' --repeat
# shellcheck disable=SC2086 # two options
{
	bad "a repeat that is no number" "--repeat 'x'" $with --repeat x
	bad "no repeat" '--repeat 0' $with --repeat 0
	bad "an unknown row" "'nobody'" $with --only nobody
	bad "a CSV that cannot be written" '/proc/x/y' $with --csv /proc/x/y
}
bad "a table that is not there" "'/no/table'" --peers "$scratch" --table /no/table
echo 'colour blue' >>"$table"
bad "a table with an unknown key" "unknown key 'colour'" --peers "$scratch" --table "$table"
row half steady >"$table"
bad "a row without a factor" "'half' has no 'factor'" --peers "$scratch" --table "$table"
{ row twin steady 'factor 1'; row twin steady 'factor 1'; } >"$table"
bad "two rows of one name" "'twin' is there twice" --peers "$scratch" --table "$table"
run scripts/bench-peers --peers "$scratch" --list
[ "$status" -eq 0 ] && [ "$(wc -l <"$scratch/out")" -ge 10 ]
ok "the project's own table is well-formed" $?
finish
