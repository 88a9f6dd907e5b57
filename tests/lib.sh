# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# TAP for shell tests. A test sources this file, calls ok/run/expect and ends with finish.

cd "$(dirname "$0")/.." || exit 1
# shellcheck disable=SC2034 # used by the tests
harness=$PWD/bin/harness
scratch=$(mktemp -d "${TMPDIR:-/tmp}/suite-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
count=0 bad=0

# ok NAME STATUS: one verdict; STATUS 0 is good.
ok() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		bad=$((bad + 1))
		echo "not ok $count - $1"
		[ ! -s "$scratch/err" ] || sed 's/^/# stderr: /' "$scratch/err" | tail -15
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# run COMMAND...: stdout, stderr and exit status go to $scratch/out, $scratch/err and $status.
run() {
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	status=$?
}

# expect NAME STATUS TEXT COMMAND...: the exit status, and one line on stderr that contains TEXT.
expect() {
	name=$1 want=$2 text=$3
	shift 3
	run "$@"
	[ "$status" -eq "$want" ] && grep -qF -- "$text" "$scratch/err"
	verdict=$?
	[ $verdict -eq 0 ] || echo "# exit $status, wanted $want with '$text': $*"
	ok "$name" $verdict
}

# field FILE FILTER: a value of a record.
field() {
	jq -r "$2" "$1"
}

# holds EXPRESSION: whether a numeric comparison is true, "1.5 < 2" style.
holds() {
	awk "BEGIN { exit !($1) }"
}

finish() {
	echo "1..$count"
	[ "$bad" -eq 0 ]
}
