#!/bin/sh
# SPDX-License-Identifier: MIT
# A program of the user's own that marks its region: built against the installed suite, run alone, under harness exec on
# this machine, and in the emulated one.
# shellcheck disable=SC2016 # expanded by the shell within
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

prefix=$scratch/the\ prefix
results=$scratch/results
run make -s install PREFIX=/opt/suite DESTDIR="$scratch/image"
[ "$status" -eq 0 ] && [ -f "$scratch/image/opt/suite/include/mitosis-suite/roi.h" ] &&
	[ -x "$scratch/image/opt/suite/lib/mitosis-suite/bin/fragment" ] &&
	grep -q '^prefix=/opt/suite$' "$scratch/image/opt/suite/lib/pkgconfig/mitosis-suite.pc" && [ ! -e /opt/suite ]
ok "make install honours DESTDIR" $?
run make -s uninstall PREFIX=/opt/suite DESTDIR="$scratch/image"
[ "$status" -eq 0 ] && [ -z "$(find "$scratch/image" -type f -o -type l)" ]
ok "make uninstall takes all of it away" $?

prefix=$scratch/prefix
make -s install PREFIX="$prefix" >/dev/null 2>&1
harness=$prefix/bin/harness
if ! command -v pkg-config >/dev/null; then
	flags=-I$prefix/include
	skip "pkg-config finds the header" "no pkg-config"
else
	flags=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags mitosis-suite)
	[ "${flags% }" = "-I$prefix/include" ]
	ok "pkg-config finds the header" $?
fi
# build NAME FILE: as a user would; in a directory where the source tree is not in reach.
build() {
	# shellcheck disable=SC2086 # flags are words
	(cd "$scratch" && cc -std=gnu11 -O2 -Wall -Wextra -Werror $flags "$2" -o "$1")
}
build list_walk "$prefix/share/doc/mitosis-suite/examples/list_walk.c"
ok "the example builds against what was installed" $?
echo 'extern "C" int f(); int f() { return mitosis_roi_begin() + mitosis_roi_end(); }' >"$scratch/f.cpp"
if command -v c++ >/dev/null; then
	# shellcheck disable=SC2086 # flags are words
	c++ -std=c++11 -Wall -Wextra -Werror $flags -include mitosis-suite/roi.h -c "$scratch/f.cpp" -o "$scratch/f.o"
	ok "the header is C++ as well" $?
else
	skip "the header is C++ as well" "no C++ compiler"
fi
run "$scratch/list_walk" 1 1000
[ "$status" -eq 0 ] && [ ! -s "$scratch/err" ] && grep -q '^after 1000 steps' "$scratch/out"
ok "alone it runs as if there were no marks" $?
cp "$scratch/out" "$scratch/alone"
run env MITOSIS_SUITE_WIRE_FD=0 "$scratch/list_walk" 1 1000
cmp -s "$scratch/out" "$scratch/alone"
ok "a descriptor that is no socket is none of the harness" $?

cat >"$scratch/marks.c" <<'EOF'
#include <mitosis-suite/roi.h>
static void wait_ms(long ms) { struct timespec t = {0, ms * 1000000}; nanosleep(&t, NULL); }
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int failed = 0;

		errno = 0;
		if (argv[i][0] == 'b') failed = mitosis_roi_begin();
		else if (argv[i][0] == 'e') failed = mitosis_roi_end();
		else if (argv[i][0] == 'x') return 5;
		else wait_ms(atol(argv[i]));
		if (failed) printf("%s refused: %s\n", argv[i], strerror(errno));
	}
	return 0;
}
EOF
build marks marks.c || exit 1
record() { echo "$results"/*/run.json; }
marks() {
	rm -rf "$results"
	run "$harness" exec LP-LD --machine native --results "$results" --ready-when roi -- "$@"
}

marks "$scratch/marks" 300 b 200 e 300
[ "$status" -eq 0 ] && holds "$(field "$(record)" .runtime_ns) >= 200000000" &&
	holds "$(field "$(record)" .runtime_ns) < 500000000" &&
	holds "$(field "$(record)" '.phases[] | select(.name == "setup") | .duration_ns') >= 300000000"
ok "the region is what lies between the marks" $?
[ "$(field "$(record)" '.counters | type')" = object ] && [ "$(field "$(record)" .exit.status)" = ok ]
ok "with its counters" $?
marks sh -c "'$scratch/marks' 10 b 200 e; sleep 0.4"
[ "$status" -eq 0 ] && holds "$(field "$(record)" .runtime_ns) < 400000000"
ok "also of a child of the program" $?
marks "$scratch/marks" b 100 e b e
[ "$status" -eq 0 ] && [ "$(grep -c 'refused: Operation already in progress' "$scratch/out")" -eq 2 ]
ok "a second region is refused" $?
marks "$scratch/marks" e b 100 e
[ "$status" -eq 0 ] && [ "$(grep -c refused "$scratch/out")" -eq 1 ] &&
	holds "$(field "$(record)" .runtime_ns) >= 100000000"
ok "so is an end before the beginning" $?
marks "$scratch/marks" b 200
[ "$status" -eq 0 ] && holds "$(field "$(record)" .runtime_ns) >= 200000000"
ok "a region that is not ended ends with the program" $?
marks "$scratch/marks" 10
[ "$status" -eq 4 ] && grep -q 'mitosis_roi_begin' "$scratch/err"
ok "a program that never begins" $?
marks "$scratch/marks" b 10 x
[ "$status" -eq 4 ] && grep -q 'status 5' "$scratch/err"
ok "a program that fails within its region" $?
marks sh -c 'echo nonsense >&$MITOSIS_SUITE_WIRE_FD; sleep 1'
[ "$status" -eq 4 ] && grep -q "markers of 'sh'.*nonsense" "$scratch/err"
ok "garbage on the channel" $?
run "$harness" exec LP-LD --machine native --results "$results" -- "$scratch/marks" b 10 e
[ "$status" -eq 0 ] && ! grep -q refused "$scratch/out"
ok "without --ready-when roi the marks mean nothing" $?

rm -rf "$results"
run "$harness" exec RP-LD --machine emu --results "$results" --ready-when roi -- "$scratch/list_walk" 16 20000
if [ "$status" -eq 3 ]; then
	skip "in the emulated machine" "$(tail -1 "$scratch/err")"
else
	[ "$status" -eq 0 ] && [ "$(field "$(record)" .clock)" = model ] &&
		[ "$(field "$(record)" .placement.status)" = ok ]
	ok "in the emulated machine, its tables remote and its data local" $?
	# 20,000 loads of the list; building it takes millions.
	loads=$(field "$(record)" '.counters.events[] | select(.name == "loads") | .value')
	echo "# $loads loads"
	holds "${loads:-0} >= 20000 && ${loads:-0} < 60000"
	ok "the model covers just the region" $?
fi
finish
