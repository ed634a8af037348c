# Host tests: every tests/unit/*.cpp, and the sources that they test (UNIT_SRCS: append to it), in one program
# with AddressSanitizer and UBSan.

UNIT_SRCS += $(SECURE_BINDINGS_SRCS) exokernel/core/elf.cpp exokernel/core/multiboot2.cpp \
             exokernel/core/command_line.cpp exokernel/core/acpi.cpp

HOST_SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_CXXFLAGS   := -std=c++20 -Wall -Wextra -Werror -I.
HOST_LIBS       := -l:libsodium.a
UNIT_LIBS       := -lZydis

unit_srcs := $(sort $(wildcard tests/unit/*.cpp) $(UNIT_SRCS))
unit_objs := $(unit_srcs:%.cpp=build/unit/%.o)

$(unit_objs): build/unit/%.o: %.cpp
	$(call step,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(HOST_CXXFLAGS) -g -O1 $(HOST_SANITIZERS) $(DEPFLAGS) -c -o $@ $<

build/unit/unit_tests: $(unit_objs)
	$(call step,LINK,$@)
	$(Q)$(CXX) $(HOST_SANITIZERS) -o $@ $^ $(HOST_LIBS) $(UNIT_LIBS)

TEST_FILES   += build/unit/unit_tests
TEST_TARGETS += unit-tests

## unit-tests: the pure libraries and the kernel's logic on the host (UNIT=name: only the test cases like it)
.PHONY: unit-tests
unit-tests: build/unit/unit_tests
	@build/unit/unit_tests $(if $(UNIT),--test-case='*$(UNIT)*')

$(call depend,$(unit_objs))

# Locks, barriers and what else is shared without a lock once more under ThreadSanitizer, which does not go together with
# AddressSanitizer: it checks the orders that they give their accesses, whatever the host's own memory order hides.
thread_srcs := tests/unit/main.cpp $(wildcard tests/unit/locks_*.cpp) tests/unit/libos_pages_test.cpp
thread_objs := $(thread_srcs:%.cpp=build/unit_threads/%.o)

$(thread_objs): build/unit_threads/%.o: %.cpp
	$(call step,CXX,$< (threads))
	@mkdir -p $(@D)
	$(Q)$(CXX) $(HOST_CXXFLAGS) -g -O1 -fsanitize=thread $(DEPFLAGS) -c -o $@ $<

build/unit_threads/thread_tests: $(thread_objs)
	$(call step,LINK,$@)
	$(Q)$(CXX) -fsanitize=thread -o $@ $^

TEST_FILES   += build/unit_threads/thread_tests
TEST_TARGETS += thread-tests

## thread-tests: locks and barriers under ThreadSanitizer
.PHONY: thread-tests
thread-tests: build/unit_threads/thread_tests
	@TSAN_OPTIONS=halt_on_error=1 $<

$(call depend,$(thread_objs))
