# Programs of this folder that forge capability chains of their own need the same MAC as the kernel.

# Kernel logic that runs on the host as it is, for tests/unit/kernel_*.cpp.
UNIT_SRCS += exokernel/core/frames.cpp exokernel/core/requests.cpp

build/libos/adversary_capabilities.elf build/libos/adversary_revocation.elf build/libos/fuzzer.elf build/libos/reaper.elf: LIBOS_OBJS += -l:libsodium.a

TEST_FILES   += build/checked/tessera.elf build/libos/one_fault.elf
TEST_TARGETS += trace-tests

## trace-tests: one page fault, followed hop by hop through the checked kernel
.PHONY: trace-tests
trace-tests: build/checked/tessera.elf build/libos/one_fault.elf
	@$(PYTHON) tests/system/trace/golden.py
