# SPDX-License-Identifier: GPL-2.0-or-later
#
# make demo         see it work on a recorded dump
# make demo-crash   the same in crash, on the same dump; fetches debug symbols, 1 GB
# make check        all tests that need no network, QEMU or other crash
# make check-real   boots kernels, takes dumps, runs three crash versions
# make bench        measurements, each beside its target
# make install      PREFIX=/usr/local, DESTDIR=
#
# demo and check install what is missing when root runs them on Debian; DEPS=no forbids it.

VERSION = 0.3
PREFIX = /usr/local
DESTDIR =
DEPS = yes
V = 0
CC = gcc
PYTHON = python3
CFLAGS = -O2 -g
WARN = -Wall -Wextra -Wconversion -Wshadow -Werror
CRASH_INCLUDE = /usr/include/crash
CRASH_EXTENSIONS = $(if $(wildcard /usr/lib64/crash),/usr/lib64,/usr/lib)/crash/extensions

ARENA_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DARENA_VERSION='"$(VERSION)"' -MMD -MP $(WARN)
SAN = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
Q = $(if $(filter 1,$(V)),,@)

CORE = $(patsubst %.c,%.o,$(wildcard core/*.c))
BATCH = $(patsubst %.c,%.o,$(wildcard batch/*.c))
SYNTH = $(patsubst %.c,%.o,$(filter-out fixtures/synth/mkdump.c,$(wildcard fixtures/synth/*.c)))
SUITES = $(patsubst tests/%.c,%,$(wildcard tests/check_*.c))

all: arenasnap $(if $(wildcard $(CRASH_INCLUDE)/defs.h),arena.so)
	@$(if $(wildcard $(CRASH_INCLUDE)/defs.h),,echo "arena.so is not built: no $(CRASH_INCLUDE)/defs.h (Debian: apt-get install crash)")

# One tree of objects for each way to build: build/plain, build/san, build/cov, build/pic
build/plain/tests/%.o build/san/tests/%.o build/cov/tests/%.o: WARN += -Wno-conversion
build/plain/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ARENA_CFLAGS) $(CFLAGS) -c -o $@ $<
build/san/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ARENA_CFLAGS) -O1 -g $(SAN) -c -o $@ $<
build/cov/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ARENA_CFLAGS) -O0 -g --coverage -c -o $@ $<
build/pic/core/%.o: core/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ARENA_CFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<
build/pic/batch/%.o: batch/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ARENA_CFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<
# crash's header is not ours: it does not pass our warnings
build/pic/extension/%.o: extension/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ARENA_CFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -isystem $(CRASH_INCLUDE) -c -o $@ $<

arenasnap: $(addprefix build/plain/,$(CORE) $(BATCH))
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lkdumpfile -lz -ldw -lelf
build/san/arenasnap: $(addprefix build/san/,$(CORE) $(BATCH))
	$(Q)$(CC) $(SAN) -o $@ $^ -lkdumpfile -lz -ldw -lelf

# of batch/ only what needs libc alone
EXTENSION = $(addprefix build/pic/,$(CORE) $(patsubst %.c,%.o,$(wildcard extension/*.c)) \
	batch/folder.o batch/newfile.o batch/fileio.o)
arena.so: $(EXTENSION)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-z,now -Wl,-Bsymbolic -o $@ $^

# Check suites: one program for each module, in each build
define SUITE_RULES
build/$(1)/check_%: build/$(1)/tests/check_%.o $$(addprefix build/$(1)/,$$(SYNTH) $$(CORE))
	$$(Q)$$(CC) $(2) -o $$@ $$^ $$$$(pkg-config --libs check) -lz $$(SUITE_LIBS)
build/$(1)/check_vmlinux: SUITE_LIBS = -ldw -lelf
build/$(1)/check_vmlinux: build/$(1)/batch/vmlinux.o build/$(1)/batch/dwarf.o
build/$(1)/mkdump: $$(addprefix build/$(1)/,fixtures/synth/mkdump.o $$(SYNTH) $$(CORE))
	$$(Q)$$(CC) $(2) -o $$@ $$^ -lz
endef
$(eval $(call SUITE_RULES,plain,))
$(eval $(call SUITE_RULES,san,$(SAN)))
$(eval $(call SUITE_RULES,cov,--coverage))

deps-demo deps-check: deps-%:
	@DEPS=$(DEPS) tests/deps.sh $*

demo: deps-demo
	@$(MAKE) --no-print-directory arenasnap
	@tests/demo.sh

demo-crash: all
	@tests/real/crash-demo.sh

# Programs are built in a second make: the first may just have installed the compiler
check: deps-check
	@$(MAKE) --no-print-directory check-built

CHECK_PROGRAMS = $(foreach d,plain san,$(addprefix build/$(d)/,$(SUITES) mkdump))
check-built: arenasnap arena.so build/san/arenasnap $(CHECK_PROGRAMS)
	@CC="$(CC)" PYTHON="$(PYTHON)" tests/run.sh $(SUITES)

check-layers:
	@tests/layers.sh

check-real: all build/plain/mkdump
	@tests/real/run.sh $(REAL)

# bench/scan.c: not part of arenasnap, but made of it
build/plain/bench_scan: $(addprefix build/plain/,bench/scan.o $(CORE) $(filter-out batch/main.o,$(BATCH)))
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lkdumpfile -lz -ldw -lelf

bench: all build/plain/bench_scan
	@bench/run.sh

coverage: deps-check
	@$(MAKE) --no-print-directory $(addprefix build/cov/,$(SUITES))
	@tests/coverage.sh $(SUITES)

install: all
	install -D -m 755 arenasnap $(DESTDIR)$(PREFIX)/bin/arenasnap
	install -D -m 644 arenasnap.1 $(DESTDIR)$(PREFIX)/share/man/man1/arenasnap.1
	install -D -m 644 arenasnap.schema.json $(DESTDIR)$(PREFIX)/share/arenasnap/arenasnap.schema.json
	$(if $(wildcard arena.so),install -D -m 644 arena.so $(DESTDIR)$(CRASH_EXTENSIONS)/arena.so)
	$(if $(wildcard arena.so),install -D -m 644 arena.8 $(DESTDIR)$(PREFIX)/share/man/man8/arena.8)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/arenasnap $(DESTDIR)$(PREFIX)/share/man/man1/arenasnap.1
	rm -rf $(DESTDIR)$(PREFIX)/share/arenasnap
	rm -f $(DESTDIR)$(CRASH_EXTENSIONS)/arena.so $(DESTDIR)$(PREFIX)/share/man/man8/arena.8

clean:
	rm -rf build arenasnap arena.so

.PHONY: all demo demo-crash check check-built check-layers check-real bench coverage install uninstall clean
.PHONY: deps-demo deps-check
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
