# Verbs that boot the machine.
#
#   SCENARIO=file.toml   another scenario           FIRMWARE=uefi   another firmware
#   LIBOS=path/to/my.cpp   build that file, wherever it is, and boot it alone; ARGS="..." are its arguments

SCENARIO ?= scenarios/default.toml
tessera_flags = $(if $(FIRMWARE),--firmware $(FIRMWARE)) $(TESSERA_FLAGS)

libos_image := $(if $(LIBOS_SRC),build/libos/user-$(basename $(notdir $(LIBOS_SRC))).elf)
what_to_run = $(if $(libos_image),--alone $(libos_image) --title "$$LIBOS",$(SCENARIO))

## run: build everything, boot the default scenario and print its result (SCENARIO=file, LIBOS=my.cpp ARGS=...)
.PHONY: run
run: all $(libos_image)
	@tools/tessera $(what_to_run) $(if $(ARGS),--arguments "$$ARGS") $(tessera_flags)
export ARGS LIBOS

## debug: QEMU waiting, gdb attached with kernel and libOS symbols (SCENARIO=file)
.PHONY: debug
debug: all $(libos_image)
	@tools/tessera $(what_to_run) --gdb $(tessera_flags)

## test-bochs: scenarios under Bochs, which has PCID, with the policy `tagged`: correctness, no times
.PHONY: test-bochs
test-bochs: all
	@$(PYTHON) tools/run_tests.py --bochs --jobs $(JOBS) $(wildcard scenarios/hello.toml scenarios/default.toml)

# Scenarios that are too long for `make test`.
## soak: the long scenarios, tests/system/soak/*.toml
.PHONY: soak
soak: all
	@$(PYTHON) tools/run_tests.py --jobs $(JOBS) $(wildcard tests/system/soak/*.toml)
