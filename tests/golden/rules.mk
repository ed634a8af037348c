# The ABI, as the compiler lays it out, against the committed text; and the reference pages made from the sources.

golden_scripts := $(wildcard tests/golden/*.py)
golden_headers := $(wildcard exokernel/abi/*.hpp)
golden_pairs   := tests/golden/abi.txt=build/golden/abi.txt docs/abi.md=build/golden/abi.md \
                  docs/sensitive-instructions.md=build/golden/sensitive.md
golden_fresh   := build/golden/abi.txt build/golden/abi.md build/golden/sensitive.md

build/golden/dump.cpp: $(golden_headers) $(golden_scripts)
	$(call step,PY,$@)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tests/golden/dump.py . > $@

build/golden/abi.txt: build/golden/dump.cpp
	$(call step,CXX,$<)
	$(Q)$(CXX) $(HOST_CXXFLAGS) -o build/golden/dump $<
	$(Q)build/golden/dump > $@

build/golden/abi.md: $(golden_headers) $(golden_scripts)
	$(call step,PY,$@)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tests/golden/document.py . > $@

build/golden/sensitive.md: tests/golden/sensitive.cpp $(wildcard libos/vmm/instructions/*sitive.?pp) libos/vmm/instructions/instruction.hpp
	$(call step,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(HOST_CXXFLAGS) -o build/golden/sensitive $(filter %.cpp,$^)
	$(Q)build/golden/sensitive > $@

TEST_FILES   += $(golden_fresh)
TEST_TARGETS += golden-tests

## golden-tests: the ABI and the reference pages are what tests/golden/abi.txt and docs say
.PHONY: golden-tests golden-update
golden-tests: $(golden_fresh)
	@$(PYTHON) tests/golden/golden.py $(golden_pairs)

## golden-update: after a change of the ABI that is meant: write them anew
golden-update: $(golden_fresh)
	@$(PYTHON) tests/golden/golden.py --update $(golden_pairs)
