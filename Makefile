# Builds clair: the library that PostgreSQL loads, its two helpers and its SQL, all into build/.
#
#   make              everything
#   make install      into the PostgreSQL that PG_CONFIG names (DESTDIR is honoured)
#   make uninstall
#   make deps         installs what building and testing need, or names it
#   make demo         from an image and real feeds to findings, in a throwaway server (IMAGE=path)
#   make check        every test, in throwaway servers (JOBS=number at once); check-long: also what takes long
#   make check-debian make check in another release of Debian (SUITE=sid), see test/debian
#   make check-more   of what takes long, what CI has time for: valgrind, sanitizers, analysis of the code
#   make analyze      that analysis alone
#   make installcheck the SQL tests, in the running server that PGHOST, PGPORT and PGUSER name
#   make bench        the measurements of test/bench
#   make fuzz         the fuzzers of test/fuzz (TIME=seconds for each, FUZZ='name ...')
#   make fuzz-seeds   what the unit tests give to readers becomes part of the fuzzers' corpora
#   make release      freezes the version that clair.control names: src/release tells
#   make deb dist image   Debian packages, the archive for PGXN, a container image: see test/deploy
#   make clean
#
# PG_CONFIG=path chooses the server, CC=clang the compiler, WITH_ISAL=no builds the helpers on zlib
# alone, WARNINGS= builds with compilers that warn of more than ours do, TESTS='unit regress' says
# what is checked. A new source file needs no line here; a new .sql file one in SQL_FILES.
#
# This file is read twice. The first half builds the helpers with plain rules and calls the second
# half, with CLAIR_PGXS set and in a folder of its own, for what PGXS builds and installs: PGXS
# brings an "all" and a "check" of its own, so the two cannot share one make.

TOP := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
WARNINGS = -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wundef -Wvla -Wpointer-arith -Werror
PG_CONFIG ?= pg_config
export PG_CONFIG

# The C files of rooms, relative to the top.
sources = $(patsubst $(TOP)/%,%,$(sort $(wildcard $(patsubst %,$(TOP)/%/*.c,$(1)))))

# What helpers and server share: of common/, what needs nothing but C; of version/, the encoders.
SHARED_SOURCES = $(patsubst %,src/common/%.c,arena error glob text wire) \
	$(patsubst %,src/version/%.c,apk dpkg rpm version_key)

# The order in which CREATE EXTENSION runs them.
SQL_FILES = \
	src/common/schema.sql \
	src/version/version.sql \
	src/server/server.sql \
	src/server/audit.sql \
	src/index/tables.sql \
	src/index/tenant.sql \
	src/index/namespace.sql \
	src/index/flavour.sql \
	src/index/repository.sql \
	src/index/detector.sql \
	src/index/reader.sql \
	src/update/tables.sql \
	src/update/metadata.sql \
	src/update/advisory.sql \
	src/update/own_updater.sql \
	src/update/local_advisory.sql \
	src/index/index.sql \
	src/index/images.sql \
	src/index/index_layer.sql \
	src/index/index_sbom.sql \
	src/index/layers.sql \
	src/update/updater.sql \
	src/update/operations.sql \
	src/update/export.sql \
	src/match/exception.sql \
	src/match/match.sql \
	src/match/stale.sql \
	src/match/vex.sql \
	src/match/export_vex.sql \
	src/match/range.sql \
	src/notify/notify.sql \
	src/notify/images.sql \
	src/notify/consumer.sql \
	src/notify/webhook.sql \
	src/notify/policy.sql \
	src/report/sbom_component.sql \
	src/report/sbom_cyclonedx.sql \
	src/report/sbom_spdx.sql \
	src/report/status.sql \
	src/report/clean_up.sql \
	src/report/health.sql \
	src/report/report.sql \
	src/report/text.sql \
	src/report/markdown.sql \
	src/report/csv.sql \
	src/report/json.sql \
	src/report/sarif.sql \
	src/report/gitlab.sql \
	src/report/junit.sql \
	src/report/registry.sql \
	src/report/api.sql \
	src/report/api_v1_layer.sql \
	src/report/api_v1_vulnerability.sql \
	src/report/api_v1.sql \
	src/report/api_v4_report.sql \
	src/report/api_v4.sql \
	src/report/tenant.sql \
	src/report/access.sql

ifndef CLAIR_PGXS

# ---------------------------------------------------------------------------
# Helpers
# ---------------------------------------------------------------------------

PKG_CONFIG ?= pkg-config
READER_PACKAGES = libarchive libzstd liblzma zlib json-c libxml-2.0 sqlite3 libcrypto libseccomp
FETCH_PACKAGES = libcurl libseccomp
ifndef WITH_ISAL
WITH_ISAL := $(shell $(PKG_CONFIG) --exists libisal 2>/dev/null && echo yes || echo no)
endif
ifeq ($(WITH_ISAL),yes)
READER_PACKAGES += libisal
ISAL_CPPFLAGS = -DCLAIR_WITH_ISAL
HELPERS = build/isal
else
HELPERS = build/zlib
endif

# What pkg-config says, asked once and only when something is compiled.
READER_CFLAGS = $(eval READER_CFLAGS := $$(shell $$(PKG_CONFIG) --cflags $(READER_PACKAGES) $(FETCH_PACKAGES)))$(READER_CFLAGS)
READER_LIBS = $(eval READER_LIBS := $$(shell $$(PKG_CONFIG) --libs $(READER_PACKAGES)) -lbz2)$(READER_LIBS)
FETCH_LIBS = $(eval FETCH_LIBS := $$(shell $$(PKG_CONFIG) --libs $(FETCH_PACKAGES)))$(FETCH_LIBS)

LANGUAGE_FLAGS = -std=c11 -D_GNU_SOURCE -Isrc -I. $(ISAL_CPPFLAGS) $(READER_CFLAGS)
HARDENING = -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -O2 -g
COMPILE = $(CC) $(LANGUAGE_FLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) -MMD -MP
LINK = -fPIE -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# Every helper file but the two main.c lies in one archive: programs and tests take what they use.
HELPER_MAINS = src/reader/main.c src/fetch/main.c
HELPER_SOURCES = $(filter-out $(HELPER_MAINS),$(sort $(SHARED_SOURCES) \
	$(call sources,src/common src/image src/package src/feed src/reader src/fetch updaters)))
HELPER_OBJECTS = $(HELPER_SOURCES:%.c=$(HELPERS)/%.o)
ARCHIVE = $(HELPERS)/libclair.a

# test/unit/*_test.c are unit tests; test/t/*.c are programs that the TAP tests start.
TEST_PROGRAMS = $(patsubst %.c,$(HELPERS)/%,$(filter %_test.c,$(call sources,test/unit)) \
	$(call sources,test/t))

all: server helpers

helpers: $(HELPERS)/clair-reader $(HELPERS)/clair-fetch

test-programs: $(TEST_PROGRAMS)

$(HELPERS)/clair-reader: $(HELPERS)/src/reader/main.o $(ARCHIVE)
	$(CC) $(LINK) -o $@ $^ $(READER_LIBS)

$(HELPERS)/clair-fetch: $(HELPERS)/src/fetch/main.o $(ARCHIVE)
	$(CC) $(LINK) -o $@ $^ $(FETCH_LIBS)

$(ARCHIVE): $(HELPER_OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(HELPERS)/%.o: %.c | prerequisites
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(TEST_PROGRAMS): $(HELPERS)/test/%: test/%.c $(ARCHIVE) | prerequisites
	@mkdir -p $(@D)
	$(COMPILE) -Wno-format-nonliteral -Itest/unit -MF $@.d $(LINK) -o $@ $< $(ARCHIVE) $(READER_LIBS) $(FETCH_LIBS)

# Helpers and library once more, with the points at which tests let something go wrong
# (src/common/fault.h). Only what has such points is compiled anew. None of it is installed.
HELPER_FAULTS = $(HELPERS)/faults
FAULT_OBJECTS = $(patsubst %.c,$(HELPER_FAULTS)/%.o,$(filter-out $(HELPER_MAINS),$(shell \
	grep -l FAULT_POINT $(HELPER_SOURCES))) test/faults/plan.c test/faults/helper.c)

fault-programs: $(HELPER_FAULTS)/clair-reader $(HELPER_FAULTS)/clair-fetch server
	+@$(PGXS_MAKE) faults/clair.so

$(HELPER_FAULTS)/%.o: %.c | prerequisites
	@mkdir -p $(@D)
	$(COMPILE) -DCLAIR_FAULT_POINTS -c -o $@ $<

$(HELPER_FAULTS)/clair-reader: $(HELPER_FAULTS)/src/reader/main.o $(FAULT_OBJECTS) $(ARCHIVE)
	$(CC) $(LINK) -o $@ $(filter-out $(HELPER_FAULTS)/src/fetch/%,$^) $(READER_LIBS)

$(HELPER_FAULTS)/clair-fetch: $(HELPER_FAULTS)/src/fetch/main.o $(FAULT_OBJECTS) $(ARCHIVE)
	$(CC) $(LINK) -o $@ $(filter $(HELPER_FAULTS)/src/fetch/% $(HELPER_FAULTS)/src/common/% \
		$(HELPER_FAULTS)/test/% $(ARCHIVE),$^) $(FETCH_LIBS)

# Says what is missing before the compiler does.
prerequisites:
	@$(PKG_CONFIG) --exists --print-errors $(READER_PACKAGES) $(FETCH_PACKAGES) || \
		{ echo 'Libraries are missing; "make deps" installs or names them.' >&2; exit 1; }

# Our version order against the one of libdpkg and librpm, where these are installed.
ORACLES := $(foreach package,libdpkg rpm,$(shell $(PKG_CONFIG) --exists $(package) 2>/dev/null && echo $(package)))
ORACLE_CPPFLAGS = $(if $(filter libdpkg,$(ORACLES)),-DWITH_LIBDPKG) $(if $(filter rpm,$(ORACLES)),-DWITH_LIBRPM)
# libdpkg is an archive, which does not name what it needs.
ORACLE_LIBS = $(foreach package,$(ORACLES),$$($(PKG_CONFIG) $(if $(filter libdpkg,$(package)),--static) --libs $(package)))
DIFFERENTIAL = $(HELPERS)/test/unit/version_differential

differential: $(if $(ORACLES),$(DIFFERENTIAL))

$(DIFFERENTIAL): test/unit/version_differential.c $(ARCHIVE)
	@mkdir -p $(@D)
	$(COMPILE) -MF $@.d -Itest/unit $(ORACLE_CPPFLAGS) $$($(PKG_CONFIG) --cflags $(ORACLES)) \
		$(LINK) -o $@ $< $(ARCHIVE) $(ORACLE_LIBS)

# Fuzzers, and the unit tests once more, are built with clang's sanitizers, from the sources, so that
# all of them are watched.
FUZZ_CC = clang
FUZZ_FLAGS = -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_OBJECTS = $(HELPER_SOURCES:%.c=build/fuzz/%.o)
FUZZER = build/fuzz/clair-fuzz
# Whether the compiler is there, with the libraries of its own that this takes.
FUZZ_WORKS = echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	$(FUZZ_CC) -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null
FUZZ_TARGETS = $(patsubst %.c,build/fuzz/%.o,$(call sources,test/fuzz))
# The server's side of the row stream. Whatever of the server is neither there nor called by
# test/fuzz/server is a trap.
FUZZ_SERVER = $(patsubst %.c,build/fuzz/%.o,$(call sources,test/fuzz/server) \
	$(patsubst %,src/%.c,server/progress server/sql server/transfer server/url update/stage \
	index/choose index/detect index/merge))
FUZZ_LINK = -fsanitize=fuzzer,address,undefined -Wl,--as-needed -Wl,--wrap=curl_easy_init
SANITIZED_TESTS = $(patsubst %.c,build/fuzz/%,$(filter %_test.c,$(call sources,test/unit)))

fuzz: deps
	+$(BUILD) fuzz-program
	@test/fuzz/run $(FUZZ)

fuzz-seeds: deps
	+$(BUILD) fuzz-program harvesters
	@test/fuzz/seeds/make $(FUZZ)

fuzz-program: $(FUZZER)

sanitized-tests: $(SANITIZED_TESTS)

build/fuzz/%.o: %.c | prerequisites
	@mkdir -p $(@D)
	$(FUZZ_CC) $(LANGUAGE_FLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

build/fuzz/libclair.a: $(FUZZ_OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(FUZZ_SERVER): build/fuzz/%.o: %.c | prerequisites pgxs-prerequisites
	@mkdir -p $(@D)
	$(FUZZ_CC) -std=gnu11 -D_GNU_SOURCE -DCLAIR_VERSION='"fuzz"' -Isrc -I. -isystem \
		$$($(PG_CONFIG) --includedir-server) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

build/fuzz/trap.o: $(FUZZ_SERVER)
	{ nm -D --defined-only "$$($(PG_CONFIG) --bindir)/postgres" | awk '{ print $$3, "server" }'; \
	  nm -u $^ | awk '$$1 == "U" { print $$2, "wanted" }'; } | \
		awk '$$2 == "server" || $$1 ~ /^[A-Z]/ { seen[$$1] = 1 } $$2 == "wanted" && seen[$$1] { print $$1 }' | \
		sort -u | awk '{ print ".weak " $$1; print $$1 ":" } END { print "hlt\n.section .note.GNU-stack" }' | $(AS) -o $@

$(FUZZER): $(FUZZ_TARGETS) $(FUZZ_SERVER) build/fuzz/trap.o build/fuzz/libclair.a
	$(FUZZ_CC) $(FUZZ_LINK) -o $@ $^ $(READER_LIBS) $(FETCH_LIBS)

# The unit tests once more, which write down what they give to readers: seeds for the fuzzers.
HARVESTERS = $(patsubst test/unit/%.c,build/harvest/%,$(filter %_test.c,$(call sources,test/unit)))

harvesters: $(HARVESTERS)

$(HARVESTERS): build/harvest/%: test/unit/%.c build/harvest/harvest.o $(ARCHIVE)
	$(COMPILE) -Itest/unit -MF $@.d $(LINK) -o $@ $< build/harvest/harvest.o $(ARCHIVE) \
		$$(nm build/harvest/harvest.o | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') \
		$(READER_LIBS) $(FETCH_LIBS)

build/harvest/harvest.o: test/fuzz/seeds/harvest.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(SANITIZED_TESTS): build/fuzz/test/unit/%: test/unit/%.c build/fuzz/libclair.a
	@mkdir -p $(@D)
	$(FUZZ_CC) $(LANGUAGE_FLAGS) $(FUZZ_FLAGS) -Itest/unit -MMD -MP -MF $@.d -Wl,--as-needed -o $@ $< \
		build/fuzz/libclair.a $(READER_LIBS) $(FETCH_LIBS)

# What test/analyze asks for: how compilers are called, and for what.
helper-flags:
	@echo '$(LANGUAGE_FLAGS)'

helper-sources:
	@echo '$(HELPER_MAINS) $(HELPER_SOURCES)'

server-flags server-sources: pgxs-prerequisites
	+@$(PGXS_MAKE) $@

-include $(wildcard $(HELPERS)/*/*.d $(HELPERS)/*/*/*.d $(HELPER_FAULTS)/*/*/*.d build/fuzz/*/*/*.d build/fuzz/*/*/*/*.d)

# ---------------------------------------------------------------------------
# Server, and everything that needs both
# ---------------------------------------------------------------------------

PG_MAJOR = $(shell $(PG_CONFIG) --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
SERVER = $(eval SERVER := build/postgresql-$$(PG_MAJOR))$(SERVER)
PGXS_MAKE = mkdir -p $(SERVER) && $(MAKE) --no-print-directory -C $(SERVER) -f $(TOP)/Makefile \
	CLAIR_PGXS=1 VPATH=$(TOP) with_llvm=no autodepend=no

server: pgxs-prerequisites
	+@$(PGXS_MAKE) all

pgxs-prerequisites:
	@test -f "$$($(PG_CONFIG) --pgxs)" || \
		{ echo 'The server development files are missing; "make deps" installs or names them.' >&2; exit 1; }

install: all
	+@$(PGXS_MAKE) install
	+@$(PGXS_MAKE) install-helpers HELPERS=$(TOP)/$(HELPERS)

uninstall: pgxs-prerequisites
	+@$(PGXS_MAKE) uninstall uninstall-helpers

installcheck: pgxs-prerequisites
	+@$(PGXS_MAKE) installcheck

deps:
	@test/deps

# What needs the packages that "deps" brings is made by another make, which looks for them anew.
# Compiling takes all processors, unless the caller said how many, and says only what went wrong.
BUILD = @echo 'building, see build/' && $(MAKE) -s --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$$(nproc))

demo: deps
	+$(BUILD) all
	@test/demo

check: deps
	@test/schemas build/schemas
	+$(BUILD) all check-programs $$($(FUZZ_WORKS) && echo fuzz-program)
	@test/run $(TESTS)

# The same in a throwaway Debian of another release.
check-debian:
	@CC=$(CC) test/debian $(or $(SUITE),$(error SUITE names the release, as in "make check-debian SUITE=sid")) $(TESTS)

check-more:
	@test/deps --long
	+$(BUILD) all check-programs sanitized-tests
	@test/run analysis/warnings analysis/cppcheck valgrind sanitizers

analyze: deps
	+$(BUILD) all
	@test/run analysis

check-long:
	@test/deps --long
	@test/schemas build/schemas
	+$(BUILD) all check-programs fuzz-program sanitized-tests
	@test/run --long

# The tests' programs; and, where the helpers stand on isa-l, all of it once more on zlib alone.
check-programs: helpers test-programs fault-programs differential
ifeq ($(WITH_ISAL),yes)
	+$(MAKE) --no-print-directory WITH_ISAL=no helpers test-programs
endif

bench: deps
	+$(BUILD) all test-programs
	@test/bench/run $(BENCH)

release: deps
	+$(BUILD) all helpers
	@test/release

# Packages and images, and the tests of them; SUITE is a release of Debian.
deb dist image check-deb check-dist check-image:
	@test/deploy/$@

check-package:
	@test/deploy/check-package $(SUITE)

clean:
	rm -rf build

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:
.PHONY: all helpers test-programs fault-programs prerequisites differential fuzz fuzz-program fuzz-seeds harvesters \
	sanitized-tests server pgxs-prerequisites install uninstall installcheck deps demo check check-debian check-more analyze helper-flags helper-sources \
	server-flags server-sources check-long \
	check-programs bench release deb dist image check-deb check-dist check-image check-package clean

else

# ---------------------------------------------------------------------------
# What PGXS builds: clair.so and the extension's script. The working folder is build/postgresql-N.
# ---------------------------------------------------------------------------

EXTENSION = clair
EXTENSION_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(TOP)/clair.control)

MODULE_big = clair
SERVER_SOURCES = $(sort $(SHARED_SOURCES) \
	$(call sources,src/version src/server src/index src/update src/match src/notify src/report))
OBJS = $(SERVER_SOURCES:.c=.o)
DATA_built = clair--$(EXTENSION_VERSION).sql

# From released versions to later ones; src/release tells.
DATA = $(patsubst $(TOP)/%,%,$(sort $(wildcard $(TOP)/src/release/clair--*--*.sql)))

# The server's headers as system headers: our warnings are for our code. Our symbols are bound
# within the library: the server's own, often of like names, must not take their place.
PG_CPPFLAGS = -DCLAIR_VERSION='"$(EXTENSION_VERSION)"' -I$(TOP)/src -isystem $(includedir_server)
PG_CFLAGS = -std=gnu11 $(WARNINGS) -MMD -MP
SHLIB_LINK = -Wl,-Bsymbolic -Wl,--version-script=clair.map
SHLIB_PREREQS = clair.map
# The server's flags may be for gcc.
ifneq ($(findstring clang,$(shell $(CC) --version)),)
PG_CFLAGS += -Wno-ignored-optimization-argument -Wno-unknown-warning-option
endif

REGRESS = $(patsubst $(TOP)/sql/%.sql,%,$(sort $(wildcard $(TOP)/sql/*.sql)))
REGRESS_OPTS = --load-extension=clair
# Later ones than that of 14 set it themselves.
installcheck: export PG_ABS_SRCDIR = $(TOP)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Folders cannot be targets: make would find the ones of the sources.
$(shell mkdir -p $(sort $(dir $(OBJS))))

# CLAIR_VERSION
$(OBJS): $(TOP)/clair.control

$(DATA_built): $(addprefix $(TOP)/,$(SQL_FILES)) $(TOP)/Makefile
	{ printf '%s\n' '\echo Use "CREATE EXTENSION clair" to load this file. \quit'; \
	  for file in $(addprefix $(TOP)/,$(SQL_FILES)); do echo && cat $$file || exit 1; done; } > $@

server-flags:
	@echo '$(filter-out -DCLAIR_VERSION%,$(CPPFLAGS)) -std=gnu11'

server-sources:
	@echo '$(SERVER_SOURCES)'

# What the library shows to the server, which before 16 would be shown all: what PostgreSQL calls.
clair.map: $(OBJS)
	{ echo '{ global: _PG_init; Pg_magic_func; *WorkerMain; pg_finfo_*;'; \
	  nm $^ | sed -n 's/.* T pg_finfo_\(.*\)/\1;/p'; echo 'local: *; };'; } > $@

$(shlib): clair.map

install-helpers:
	$(INSTALL_PROGRAM) $(HELPERS)/clair-reader $(HELPERS)/clair-fetch '$(DESTDIR)$(pkglibdir)/'

uninstall-helpers:
	rm -f '$(DESTDIR)$(pkglibdir)/clair-reader' '$(DESTDIR)$(pkglibdir)/clair-fetch'

# The library of "make fault-programs".
FAULT_SOURCES := $(shell cd $(TOP) && grep -l FAULT_POINT $(SERVER_SOURCES))
FAULT_OBJS = $(patsubst %.c,faults/%.o,$(FAULT_SOURCES) test/faults/plan.c test/faults/server.c)

faults/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -DCLAIR_FAULT_POINTS -c -o $@ $<

faults/clair.so: $(filter-out $(FAULT_SOURCES:.c=.o),$(OBJS)) $(FAULT_OBJS)
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(LDFLAGS_SL) -shared -o $@ $(filter-out %clair.map,$(SHLIB_LINK))

.PHONY: install-helpers uninstall-helpers server-flags server-sources

-include $(OBJS:.o=.d) $(FAULT_OBJS:.o=.d)

endif
