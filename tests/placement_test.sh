#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots the emulated machine with two and four nodes and checks that each thin config really places data and page
# tables where its name says (by reading the page tables), and that modelled runtimes come in the right order.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

two=xeon-e7-4850v3-2s
four=xeon-e7-4850v3-4s
thin=LP-LD,LP-RD,LP-RDI,RP-LD,RPI-LD,RP-RD,RPI-RDI,RPI-LDM

# record PROFILE CONFIG: the run.json of a cell, one per config and profile.
record() {
	for file in "$scratch/$1"/*/run.json; do
		[ "$(field "$file" .config)" = "$2" ] && echo "$file"
	done
}

cycles() {
	field "$(record "$1" "$2")" .runtime_ns
}

check_placements() {
	profile=$1 configs=$2
	for config in $(echo "$configs" | tr , ' '); do
		file=$(record "$profile" "$config")
		[ -n "$file" ] && [ "$(field "$file" .exit.status)" = ok ]
		ok "$profile $config: ran" $?
		[ -n "$file" ] || continue
		[ "$(field "$file" .placement.status)" = ok ] &&
			holds "$(field "$file" .placement.page_tables_off_fraction) < 0.01"
		ok "$profile $config: page tables and data where the config wants them" $?
		[ "$(field "$file" .provenance)" = modelled ] && [ "$(field "$file" .verification.status)" = pass ]
		ok "$profile $config: labelled modelled, work verified" $?
	done
}

# check_order PROFILE PAIR...: FASTER:SLOWER. GUPS hides most of its data misses, so its pairs differ in page tables.
check_order() {
	profile=$1
	shift
	for pair in "$@"; do
		holds "1.02 * $(cycles "$profile" "${pair%:*}") < $(cycles "$profile" "${pair#*:}")"
		ok "$profile: ${pair%:*} is faster than ${pair#*:}" $?
	done
}

check_remedy() {
	profile=$1
	holds "$(cycles "$profile" RPI-LDM) < 1.05 * $(cycles "$profile" LP-LD)"
	ok "$profile: migrated page tables (RPI-LDM) are as good as local ones" $?
}

for profile in $two $four; do
	run "$harness" run gups "$thin" --machine "emu:$profile" --size 256M --updates 200k \
		--results "$scratch/$profile" --jobs 2
	ok "$profile: gups under $thin" "$status"
	check_placements "$profile" "$thin"
	check_order "$profile" LP-LD:RP-LD RP-LD:RPI-LD LP-RD:RP-RD RP-RD:RPI-RDI
	check_remedy "$profile"
done

run "$harness" run btree LP-LD,LP-RD,LP-RDI,RP-LD,RP-RD --machine emu --size 128M --lookups 50k \
	--results "$scratch/btree" --jobs 2
ok "btree under remote data" "$status"
check_placements btree LP-LD,LP-RD,LP-RDI,RP-LD,RP-RD
check_order btree LP-LD:LP-RD LP-RD:LP-RDI LP-LD:RP-LD RP-LD:RP-RD

run "$harness" run btree TLP-LD,TRP-LD,TRPI-LDM --machine emu --size 256M --lookups 50k \
	--results "$scratch/thp" --jobs 2
ok "btree with 2 MiB pages" "$status"
check_placements thp TLP-LD,TRP-LD,TRPI-LDM

file=$(record thp TLP-LD)
[ "$(field "$file" '.page_tables.ready | [.leaves[]? | select(.page_size_bytes == 2097152) | .count] | add // 0')" -gt 100 ]
ok "TLP-LD maps 2 MiB pages" $?

finish
