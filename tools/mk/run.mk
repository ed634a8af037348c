# Verbs that boot the machine.
#
#   SCENARIO=file.toml   another scenario           FIRMWARE=uefi   another firmware
#   LIBOS=path/to/my.cpp   build that file, wherever it is, and boot it alone; ARGS="..." are its arguments

SCENARIO ?= scenarios/default.toml
tessera_flags = $(if $(FIRMWARE),--firmware $(FIRMWARE)) $(TESSERA_FLAGS)

ifdef LIBOS
# The program's name is its file's, in what a libOS may be called: lower case, at most 15 characters.
libos_name := $(shell basename '$(LIBOS)' .cpp | tr 'A-Z' 'a-z' | tr -c 'a-z0-9_\n-' _ | cut -c1-15)
libos_image := build/custom/$(libos_name).elf
ifneq ($(words $(LIBOS)),1)
$(error LIBOS=$(LIBOS): one file, and make cannot take a path with a space)
endif
ifeq ($(wildcard $(LIBOS)),)
$(error LIBOS=$(LIBOS): there is no such file)
endif
ifneq ($(suffix $(LIBOS)),.cpp)
$(error LIBOS=$(LIBOS): not a .cpp file)
endif
what_to_run = --alone $(libos_image)
else
what_to_run = $(SCENARIO)
endif

## run: build everything, boot the default scenario and print its result (SCENARIO=file, LIBOS=my.cpp ARGS=...)
.PHONY: run
run: all $(libos_image)
	@tools/tessera $(what_to_run) $(if $(ARGS),--arguments "$$ARGS") $(tessera_flags)
export ARGS

build/custom/$(libos_name).o: $(LIBOS)
	$(call step,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(LIBOS_CXXFLAGS) -I. -I$(dir $(abspath $<)) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

build/custom/$(libos_name).elf: build/custom/$(libos_name).o $(LIBOS_OBJS)
	$(call step,LINK,$@)
	$(Q)$(CXX) $(LIBOS_LDFLAGS) $< $(LIBOS_OBJS) -o $@

ifdef LIBOS
-include build/custom/$(libos_name).d
endif

## debug: QEMU waiting, gdb attached with kernel and libOS symbols (SCENARIO=file)
.PHONY: debug
debug: all $(libos_image)
	@tools/tessera $(what_to_run) --gdb $(tessera_flags)

## test-bochs: scenarios under Bochs, which has PCID, with the policy `tagged`: correctness, no times
.PHONY: test-bochs
test-bochs: all
	@$(PYTHON) tools/run_tests.py --bochs --jobs $(JOBS) $(wildcard scenarios/hello.toml scenarios/default.toml)
