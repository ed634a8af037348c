# The ABI, as the compiler lays it out, against the committed text; and the reference page made from the headers.

golden_scripts := $(wildcard tests/golden/*.py)
golden_headers := $(wildcard exokernel/abi/*.hpp)
golden_pairs   := tests/golden/abi.txt=build/golden/abi.txt docs/abi.md=build/golden/abi.md
golden_fresh   := build/golden/abi.txt build/golden/abi.md

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

TEST_FILES   += $(golden_fresh)
TEST_TARGETS += golden-tests

## golden-tests: the ABI is what tests/golden/abi.txt and docs/abi.md say
.PHONY: golden-tests golden-update
golden-tests: $(golden_fresh)
	@$(PYTHON) tests/golden/golden.py $(golden_pairs)

## golden-update: after a change of the ABI that is meant: write both anew
golden-update: $(golden_fresh)
	@$(PYTHON) tests/golden/golden.py --update $(golden_pairs)
