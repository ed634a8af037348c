# Kernel logic that runs on the host as it is, for tests/unit/kernel_*.cpp.
UNIT_SRCS += exokernel/core/frames.cpp exokernel/core/requests.cpp

# An example that is worth as much as a test.
TEST_SCENARIOS += scenarios/memory_short.toml

TEST_FILES   += build/checked/tessera.elf build/libos/one_fault.elf
TEST_TARGETS += trace-tests

## trace-tests: one page fault, followed hop by hop through the checked kernel
.PHONY: trace-tests
trace-tests: build/checked/tessera.elf build/libos/one_fault.elf
	@$(PYTHON) tests/system/trace/golden.py
