# SPDX-License-Identifier: MIT
# One non-recursive Makefile. Objects go to build/$(VARIANT)/, programs to bin/ (release) or
# build/$(VARIANT)/bin/. New sources are found by name: FILE.c belongs to the library of its folder,
# FILE_test.c beside it is its unit test, and programs are listed in PROGRAMS.

VARIANT ?= release
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc

BUILD := build/$(VARIANT)
BIN   := $(if $(filter release,$(VARIANT)),bin,$(BUILD)/bin)

VERSION := 0.1.0
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla
FLAGS_release := -O2 -g
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g -fsanitize=address -fno-omit-frame-pointer
FLAGS_ubsan   := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all
ifeq ($(FLAGS_$(VARIANT)),)
$(error VARIANT=$(VARIANT) is none of: release debug asan ubsan)
endif
WERROR  ?=
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -I$(BUILD) $(WARNINGS) $(WERROR) $(FLAGS_$(VARIANT)) -pthread $(CFLAGS)
ALL_LDFLAGS = $(FLAGS_$(VARIANT)) -pthread $(LDFLAGS)

LIBS_harness := -ljansson -lnuma -lpapi -lpfm -lbpf -lelf -lz -linih -lm
LIBS_bench   := -ljansson -lnuma -levent_core -lhiredis -llinear -lm
LIBS_model   := -lcapstone -linih -lm
LIBS_fragment := -ljansson -lnuma -lm

sources = $(filter-out %_test.c $(MAINS),$(sort $(wildcard $(addsuffix /*.c,$(1)))))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

# One word a line, so that two changes can add a program without touching the same line.
MAINS        := bench/main.c \
	datasets/main.c \
	fragment/main.c \
	harness/main.c \
	pgtablectl/main.c
COMMON_SRCS  := $(call sources,common)
# A workload of several files has a folder of its own below bench/.
BENCH_DIRS   := bench $(patsubst %/,%,$(sort $(wildcard bench/*/)))
BENCH_SRCS   := $(call sources,$(BENCH_DIRS)) emulator/roi_client.c
DATASETS_SRCS := $(call sources,datasets)
HARNESS_SRCS := $(call sources,harness analysis emulator)
MODEL_SRCS   := $(call sources,emulator/plugin)
FRAGMENT_SRCS := $(call sources,fragment)
PGTABLE_SRCS := $(call sources,pgtablectl)
COUNT_SRCS   := $(call sources,emulator/count)
TEST_DIRS    := common $(BENCH_DIRS) datasets fragment harness analysis emulator emulator/plugin emulator/count \
	pgtablectl
TEST_SRCS    := $(sort $(wildcard $(addsuffix /*_test.c,$(TEST_DIRS))))
ALL_SRCS     := $(COMMON_SRCS) $(BENCH_SRCS) $(DATASETS_SRCS) $(FRAGMENT_SRCS) $(HARNESS_SRCS) $(MODEL_SRCS) \
	$(PGTABLE_SRCS) $(COUNT_SRCS) $(MAINS) $(TEST_SRCS)

PROGRAMS := $(BIN)/bench \
	$(BIN)/fragment \
	$(BIN)/harness \
	$(BIN)/netlist \
	$(BIN)/page_table_dump \
	$(BIN)/pgtablectl \
	$(BIN)/emu_model.so
TESTS    := $(patsubst %.c,$(BUILD)/tests/%,$(TEST_SRCS))

.DEFAULT_GOAL := all
.PHONY: all
all: $(PROGRAMS) ## Build the programs into bin/

.PHONY: help
help: ## Show this list
	@echo "make [TARGET] [VARIANT=release|debug|asan|ubsan] [PREFIX=/usr/local] [-jN]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

# --- compile and link -----------------------------------------------------------------------------

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The plugin lives inside QEMU: position-independent, only its two entry points visible. It reads the
# same profiles as the harness, so that reader and common/ are position-independent as well.
MODEL_SHARED := $(BUILD)/emulator/profile.o $(BUILD)/libcommon.a
$(BUILD)/emulator/plugin/%.o $(BUILD)/emulator/count/%.o: ALL_CFLAGS += -fPIC -fvisibility=hidden $(if $(filter release,$(VARIANT)),-O3)
$(BUILD)/common/%.o $(BUILD)/emulator/profile.o: ALL_CFLAGS += -fPIC

# Kernels that are compared with other programs' own. Sums must not depend on what a compiler makes of them.
$(BUILD)/bench/xsbench/%.o $(BUILD)/bench/hashjoin/%.o: ALL_CFLAGS += -ffp-contract=off $(if $(filter release,$(VARIANT)),-O3)

# Commit and version change with every commit; only one small object depends on them.
$(BUILD)/suite_version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define SUITE_VERSION "%s"\n#define SUITE_COMMIT "%s"\n' '$(VERSION)' '$(COMMIT)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
$(BUILD)/common/version.o: $(BUILD)/suite_version.h

$(BUILD)/libcommon.a: $(call objects,$(COMMON_SRCS))
$(BUILD)/libbench.a: $(call objects,$(BENCH_SRCS))
$(BUILD)/libdatasets.a: $(call objects,$(DATASETS_SRCS))
$(BUILD)/libharness.a: $(call objects,$(HARNESS_SRCS))
$(BUILD)/libmodel.a: $(call objects,$(MODEL_SRCS))
$(BUILD)/libpgtable.a: $(call objects,$(PGTABLE_SRCS))
$(BUILD)/libfragment.a: $(call objects,$(FRAGMENT_SRCS))
$(BUILD)/%.a:
	@rm -f $@
	$(AR) qcs $@ $^

$(BIN)/bench: $(BUILD)/bench/main.o $(BUILD)/libbench.a $(BUILD)/libdatasets.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_bench) -o $@

# Of the driver it uses the parser of options alone.
$(BIN)/netlist: $(BUILD)/datasets/main.o $(BUILD)/libdatasets.a $(BUILD)/libbench.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -ljansson -lm -o $@

$(BIN)/harness: $(BUILD)/harness/main.o $(BUILD)/libharness.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_harness) -o $@

$(BIN)/pgtablectl: $(BUILD)/pgtablectl/main.o $(BUILD)/libpgtable.a $(BUILD)/libharness.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_harness) -o $@

$(BIN)/page_table_dump: $(BIN)/harness
	ln -sf harness $@

$(BIN)/fragment: $(BUILD)/fragment/main.o $(BUILD)/libfragment.a $(BUILD)/libharness.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_fragment) -o $@

# Unresolved qemu_plugin_* symbols are QEMU's to provide.
$(BIN)/emu_model.so: $(call objects,$(MODEL_SRCS)) $(MODEL_SHARED)
	@mkdir -p $(@D)
	$(CC) -shared $(filter-out -fsanitize=%,$(ALL_LDFLAGS)) $^ $(LIBS_model) -o $@

# Counts instructions of the guest's kernel; for kernel/tests/cost only.
$(BUILD)/emu_count.so: $(call objects,$(COUNT_SRCS))
	$(CC) -shared $(filter-out -fsanitize=%,$(ALL_LDFLAGS)) $^ -o $@

# --- tests ----------------------------------------------------------------------------------------

$(BUILD)/tests/common/%: $(BUILD)/common/%.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka $(LIBS_bench) -o $@
$(BUILD)/tests/bench/%: $(BUILD)/bench/%.o $(BUILD)/libbench.a $(BUILD)/libdatasets.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka $(LIBS_bench) -o $@
$(BUILD)/tests/datasets/%: $(BUILD)/datasets/%.o $(BUILD)/libdatasets.a $(BUILD)/libbench.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka -ljansson -lm -o $@
$(BUILD)/tests/emulator/plugin/%: $(BUILD)/emulator/plugin/%.o $(BUILD)/libmodel.a $(MODEL_SHARED)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka -ljansson $(LIBS_model) -o $@
$(BUILD)/tests/emulator/count/%: $(BUILD)/emulator/count/%.o $(BUILD)/emulator/count/regions.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka -o $@
$(BUILD)/tests/pgtablectl/%: $(BUILD)/pgtablectl/%.o $(BUILD)/libpgtable.a $(BUILD)/libharness.a \
		$(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka $(LIBS_harness) -o $@
$(BUILD)/tests/fragment/%: $(BUILD)/fragment/%.o $(BUILD)/libfragment.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka $(LIBS_fragment) -o $@
$(BUILD)/tests/%: $(BUILD)/%.o $(BUILD)/libharness.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ -lcmocka $(LIBS_harness) -o $@

.SECONDARY: $(call objects,$(ALL_SRCS))
-include $(patsubst %.c,$(BUILD)/%.d,$(ALL_SRCS))

.PHONY: unit
unit: $(TESTS) $(PROGRAMS) ## Build and run the unit tests of this VARIANT
	scripts/run-tests $(TESTS)

.PHONY: unit-programs
unit-programs: $(TESTS)

# --- the two commands of a fresh machine -----------------------------------------------------------

# A recipe, not a prerequisite: the packages must be there before make looks at the sources.
.PHONY: setup
setup: ## Install missing Debian/Ubuntu packages (prints them first)
	@scripts/setup

.PHONY: quickstart
quickstart: ## Emulated machine, GUPS and BTree under the placements of Mitosis figure 6, report
	@scripts/setup
	@$(MAKE) --no-print-directory -j$$(nproc) all kernel-image
	@scripts/quickstart

.PHONY: check
check: ## Install what is missing and run every test
	@scripts/setup
	@$(MAKE) --no-print-directory kernel-image
	@scripts/check

.PHONY: kernel-image
kernel-image: ## Unpack a distribution kernel for the emulated machine into precompiled/
	@scripts/get-kernel

.PHONY: kernel
kernel: ## Build the emulated machine's kernel with the series into precompiled/kernel-mitosis/
	@scripts/build-kernel

.PHONY: kernel-deb
kernel-deb: ## Build installable packages of the distribution's kernel with the series
	@scripts/build-kernel-deb

.PHONY: check-kernel
check-kernel: $(PROGRAMS) ## Test the kernel of 'make kernel' in the emulated machine (a subset: tests/kernel_check --help)
	scripts/run-tests tests/kernel_check

.PHONY: kernel-cost
kernel-cost: $(PROGRAMS) ## Instructions of mmap, fork, ... with and without replication, into results/kernel-cost/
	kernel/tests/cost

.PHONY: report
report: $(PROGRAMS) ## Make report/ from results/
	$(BIN)/harness report --results results --output report

.PHONY: bench-peers
bench-peers: $(PROGRAMS) ## Our workloads beside the peers below PEERS=DIR: table and CSV (docs/PEERS.md)
	scripts/bench-peers --peers "$(PEERS)" $(PEER_OPTIONS)

.PHONY: lint
lint: ## Check format, function and file lengths, and shell scripts
	scripts/lint

.PHONY: format
format: ## Apply the project's clang-format
	clang-format -i $(shell git ls-files -co --exclude-standard '*.c' '*.h')

# The installed tree has the layout of the source tree, so programs find their files in the same way.
SUITE := $(DESTDIR)$(PREFIX)/lib/mitosis-suite
# For programs of the user's own that mark their region (docs/OWN_PROGRAM.md).
HEADERS        := $(DESTDIR)$(PREFIX)/include/mitosis-suite
PKG_CONFIG_DIR := $(DESTDIR)$(PREFIX)/lib/pkgconfig
EXAMPLES       := $(DESTDIR)$(PREFIX)/share/doc/mitosis-suite/examples

.PHONY: install
install: all ## Install below PREFIX (DESTDIR is honoured)
	install -d $(SUITE)/bin $(SUITE)/emulator/profiles $(SUITE)/analysis/reference \
		$(SUITE)/precompiled/kernel $(SUITE)/scripts $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/doc/mitosis-suite
	install -m 755 $(filter-out %/page_table_dump,$(PROGRAMS)) $(SUITE)/bin
	install -m 755 scripts/get-kernel $(SUITE)/scripts
	install -m 644 emulator/profiles/* $(SUITE)/emulator/profiles
	install -m 644 analysis/reference/* $(SUITE)/analysis/reference
	install -m 644 precompiled/README.md $(SUITE)/precompiled
	if [ -f precompiled/kernel/manifest ]; then \
		install -m 644 precompiled/kernel/* $(SUITE)/precompiled/kernel; fi
	install -m 644 README.md LICENSE docs/*.md $(DESTDIR)$(PREFIX)/share/doc/mitosis-suite
	install -d $(HEADERS) $(PKG_CONFIG_DIR) $(EXAMPLES)
	install -m 644 include/mitosis-suite/*.h $(HEADERS)
	install -m 644 examples/*.c $(EXAMPLES)
	printf 'prefix=%s\nincludedir=$${prefix}/include\n\nName: mitosis-suite\nDescription: %s\nVersion: %s\nCflags: -I$${includedir}\n' \
		'$(PREFIX)' 'marks the region of interest of a program for harness exec' '$(VERSION)' \
		> $(PKG_CONFIG_DIR)/mitosis-suite.pc
	chmod 644 $(PKG_CONFIG_DIR)/mitosis-suite.pc
	ln -sf harness $(SUITE)/bin/page_table_dump
	for program in bench fragment harness netlist page_table_dump pgtablectl; do \
		ln -sf ../lib/mitosis-suite/bin/$$program $(DESTDIR)$(PREFIX)/bin/$$program; done

.PHONY: uninstall
uninstall: ## Remove what install put there
	rm -rf $(SUITE) $(DESTDIR)$(PREFIX)/share/doc/mitosis-suite $(HEADERS) \
		$(PKG_CONFIG_DIR)/mitosis-suite.pc
	for program in bench fragment harness netlist page_table_dump pgtablectl; do \
		if [ -L $(DESTDIR)$(PREFIX)/bin/$$program ]; then rm $(DESTDIR)$(PREFIX)/bin/$$program; fi; done

.PHONY: clean
clean: ## Remove build/ and bin/ (results/, report/, precompiled/ and build/kernel/ stay)
	rm -rf bin
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name kernel -exec rm -rf {} +; fi
