# Verbs that boot the machine.
#
#   SCENARIO=file.toml   another scenario (a bare NAME is scenarios/NAME.toml)    FIRMWARE=uefi   another firmware
#   LIBOS=path/to/my.cpp   build that file, wherever it is, and boot it alone; ARGS="..." are its arguments

SCENARIO ?= scenarios/default.toml
tessera_flags = $(if $(FIRMWARE),--firmware $(FIRMWARE)) $(TESSERA_FLAGS)

libos_image := $(if $(LIBOS_SRC),build/libos/user-$(basename $(notdir $(LIBOS_SRC))).elf)
what_to_run = $(if $(libos_image),--alone $(libos_image) --title "$$LIBOS",$(SCENARIO))

# What the scenario loads as data is made first, where it is something that is made. A scenario that is wrong says so when it
# is run.
data_files := $(if $(libos_image),,$(if $(filter run debug,$(goals)),$(shell tools/tessera --needs $(SCENARIO) 2>/dev/null)))

## run: build everything, boot the default scenario and print its result (SCENARIO=file, LIBOS=my.cpp ARGS=...)
.PHONY: run
run: all $(libos_image) $(data_files)
	@tools/tessera $(what_to_run) $(if $(ARGS),--arguments "$$ARGS") $(tessera_flags)
export ARGS LIBOS

## debug: QEMU waiting, gdb attached with kernel and libOS symbols (SCENARIO=file)
.PHONY: debug
debug: all $(libos_image) $(data_files)
	@tools/tessera $(what_to_run) --gdb $(tessera_flags)

# The short ones are also a layer of `make test`.
bochs_short := scenarios/hello.toml scenarios/default.toml
bochs_long := $(addprefix tests/system/adversary_,$(addsuffix .toml,arguments capabilities ends))
run_bochs = $(PYTHON) tools/run_tests.py --bochs --jobs $(JOBS)

## test-bochs: scenarios under Bochs, which has PCID, with the policy `tagged`: correctness, no times
.PHONY: test-bochs bochs-tests
test-bochs: all
	@$(run_bochs) $(bochs_short) $(bochs_long)
bochs-tests: all
	@$(run_bochs) $(bochs_short)

# Scenarios that are too long for `make test`.
## soak: the long scenarios, tests/system/soak/*.toml, and what else takes long
.PHONY: soak
soak: all
	@$(PYTHON) tools/run_tests.py --jobs $(JOBS) --time-limit 7600 $(wildcard tests/system/soak/*.toml)
	@$(MAKE) --no-print-directory $(SOAK_TARGETS)
