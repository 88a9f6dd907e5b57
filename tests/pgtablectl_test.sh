#!/bin/sh
# SPDX-License-Identifier: MIT
# pgtablectl from outside: help that teaches, bad input, and a kernel without the series.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
make -s bin/pgtablectl >&2 || exit 1
ctl=$PWD/bin/pgtablectl

for command in '' show run replicate migrate off auto; do
	# shellcheck disable=SC2086 # none is no argument
	run "$ctl" $command --help
	[ "$status" -eq 0 ] && grep -q pgtablectl "$scratch/out" && [ ! -s "$scratch/err" ]
	ok "help of '${command:-all}'" $?
done
run "$ctl"
[ "$status" -eq 2 ]
ok "no command is exit status 2" $?

expect "a misspelt command" 2 "did you mean 'show'" "$ctl" shwo
expect "no process id" 2 "show takes a process id" "$ctl" show
expect "not a process id" 2 "'abc' is no process id" "$ctl" show abc
expect "a negative process id" 2 "does not take '-5'" "$ctl" show -5
expect "two process ids" 2 "does not take '2'" "$ctl" show 1 2
expect "nodes that are none" 2 "not '3-1'" "$ctl" replicate $$ 3-1
expect "a node too high" 2 "not '64'" "$ctl" migrate $$ 64
expect "a node with text" 2 "not '1x'" "$ctl" migrate $$ 1x
expect "run without a command" 2 "no command" "$ctl" run --replicate all
expect "run without a wish" 2 "nothing to do" "$ctl" run -- true
expect "run with a bad list" 2 "not '0-'" "$ctl" run --replicate 0- -- true
expect "run with an unknown option" 2 "unknown option '--fast'" "$ctl" run --fast -- true
expect "run without a value" 2 "no value for '--place'" "$ctl" run --place
expect "auto without a selection" 2 "--pids, --names or --cgroup" "$ctl" auto --dry-run
expect "auto with a bad interval" 2 "--interval takes 100ms to 24h" "$ctl" auto --pids 1 --interval 1ms

if [ -e /proc/self/pgtable_numa ]; then
	run "$ctl" show $$
	[ "$status" -eq 0 ] && grep -q 'level 1' "$scratch/out"
	ok "the tables of this shell" $?
	expect "a process that is gone" 2 "there is no process 4194305" "$ctl" show 4194305
else
	expect "show on a kernel without the series" 3 "kernel/README.md" "$ctl" show $$
	expect "migrate on a kernel without the series" 3 "kernel/README.md" "$ctl" migrate $$ 0
	expect "run --replicate on a kernel without the series" 3 "cannot replicate page tables" \
		"$ctl" run --replicate all -- true
	expect "run --place on a kernel without the series" 3 "kernel/README.md" "$ctl" run --place 0 -- true
	expect "auto on a kernel without the series" 3 "kernel/README.md" "$ctl" auto --pids $$
fi
finish
