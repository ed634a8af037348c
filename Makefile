# The one way in. `make help` lists the verbs; `V=1` shows the commands; everything made goes under build/.
#
# Called for a verb, make first lets tools/setup.sh install what is missing, then calls itself with READY=1:
# only then are the fragments read. A fragment is a rules.mk one or two folders deep; it needs no leave
# from here, and tells what it has by appending to these:
#
#   IMAGES        ELF files that `make all` builds, each with .asm (disassembly) and .sym (symbols) beside it
#   TEST_FILES    what the tests need built: made first, by one make, so that the layers may run side by side
#   TEST_TARGETS  test layers: phony targets that run, end with a line `N passed, N failed`, and fail if any did
#   TEST_SCENARIOS scenarios that are tests although they are not in tests/system
#   BENCH_TARGETS phony targets of `make bench`
#
# and says what its own verbs do in a comment that starts with `## verb: `, which `make help` shows. A recipe
# begins with $(call step,CXX,$<) and puts $(Q) before its commands. Programs (a .cpp in libos/examples,
# bench/system or tests/system) become build/libos/NAME.elf by libos/rules.mk; scenarios (tests/system/*.toml)
# are found by the test runner: neither is listed anywhere.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
JOBS ?= $(shell nproc)
goals := $(or $(MAKECMDGOALS),help)

ifeq ($(READY)$(filter-out help clean,$(goals)),)
# ---- help and clean need nothing installed ---------------------------------------------------------------

## help: this list
.PHONY: help clean
help:
	@echo 'make VERB [V=1]'
	@sed -n 's/^## \([a-z-]*\): /\1#/p' Makefile $(wildcard tools/mk/run.mk tools/mk/test.mk tools/mk/images.mk */rules.mk */*/rules.mk) | \
	    while IFS='#' read -r verb text; do printf '  %-16s %s\n' "$$verb" "$$text"; done

## clean: remove everything that was made
clean:
	rm -rf build

else ifndef READY
# ---- outer call: set up, then build ----------------------------------------------------------------------

own_jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))
.PHONY: $(goals) inner
$(goals): inner ;
inner:
	@$(if $(filter no,$(SETUP)),:,tools/setup.sh $(sort $(filter test-bochs debug format model-tests,$(goals)) $(if $(filter test,$(goals)),test-bochs debug model-tests)))
	+@$(MAKE) $(own_jobs) READY=1 $(goals)

else
# ---- inner call: the packages are there ------------------------------------------------------------------

include tools/mk/common.mk
-include $(wildcard */rules.mk */*/rules.mk)
include tools/mk/images.mk
include tools/mk/run.mk
include tools/mk/test.mk

endif
