# lead_scoring: `make && make install` builds and installs with PGXS; PG_CONFIG=... chooses the server.
# `make check` and `make demo` need nothing but make: they fetch what is missing, then build and run in a
# directory and a server of their own. See test/harness/ for what they do.

EXTENSION = lead_scoring
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control)
PG_CONFIG ?= pg_config

ALONE := $(filter check demo,$(MAKECMDGOALS))

ifneq ($(ALONE),)

# PGXS has a `check` of its own, which only says that it is not supported, so PGXS stays out here.
# No standard input: a script that has no terminal can react to signals at once (see with_cluster).
.PHONY: check demo
check demo:
	@test/harness/$@ </dev/null

# The other goals of the same command line, for example `make clean check`.
OTHERS := $(filter-out check demo,$(MAKECMDGOALS))
ifneq ($(OTHERS),)
.NOTPARALLEL:
.PHONY: $(OTHERS)
$(OTHERS):
	@$(MAKE) --no-print-directory $@
endif

else

PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

ifeq ($(PGXS),)

.PHONY: all install installcheck clean
all install installcheck clean:
	@echo 'No PGXS found by "$(PG_CONFIG) --pgxs": install the server development package' >&2
	@echo '(Debian: postgresql-server-dev-all) or set PG_CONFIG.' >&2
	@false

else

MODULE_big = $(EXTENSION)
OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/core/*.cpp src/pg/*.cpp)))

SQL_SCRIPT = $(EXTENSION)--$(EXTVERSION).sql
DATA = $(wildcard sql/updates/$(EXTENSION)--*--*.sql)
DATA_built = $(SQL_SCRIPT)

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=$(EXTENSION)
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=$(EXTENSION)

# Where libraries of headers are, unless the compiler knows; Eigen has a folder of its own.
include_dirs = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I $(1) 2>/dev/null))
HEADER_DIRS := $(or $(call include_dirs,eigen3),-isystem /usr/include/eigen3) $(call include_dirs,nlohmann_json)

# The server's headers as system headers: they do not compile without warnings, and clang refuses some
# of them in C++20 otherwise. Never -ffast-math: it changes the floating point mode of the whole backend.
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) $(HEADER_DIRS) -DFMT_HEADER_ONLY
PG_CXXFLAGS = -std=c++20 -O2 -Wall -Wextra -fno-math-errno -fvisibility=hidden -fvisibility-inlines-hidden -MMD -MP
# Last, so that they win: whoever does not debug compiles faster without -g
PG_CXXFLAGS += $(EXTRA_CXXFLAGS)
# PGXS hands clang the options that g++ was configured with.
ifneq ($(findstring clang,$(CXX)),)
PG_CXXFLAGS += -Wno-unknown-warning-option
endif
# PGXS links with the C compiler.
SHLIB_LINK += -lstdc++ -ldl
# The rule for JIT bitcode ignores PG_CXXFLAGS, and nothing here gains from inlining into queries.
override with_llvm := no

EXTRA_CLEAN = $(OBJS:.o=.d) build

include $(PGXS)

.DELETE_ON_ERROR:

# The directory too, so that removing or renaming a part rebuilds the script.
$(SQL_SCRIPT): sql/install $(sort $(wildcard sql/install/*.sql)) $(EXTENSION).control
	cat $(filter %.sql,$^) > $@

# PGXS knows nothing of headers; the compiler does.
$(OBJS): Makefile
-include $(OBJS:.o=.d)

endif
endif
