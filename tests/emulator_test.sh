#!/bin/sh
# SPDX-License-Identifier: MIT
# The emulated machine: boots real guests; see tests/emulator_boot.c. Seventeen boots, about two minutes.
set -u
cd "$(dirname "$0")/.." || exit 1
program=build/release/tests/tests/emulator_boot
make -s "$program" bin/emu_model.so >&2 || exit 1
MITOSIS_SUITE_ROOT=$PWD exec "$program" "$@"
