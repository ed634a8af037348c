# Fuzzers of everything that takes bytes apart. A fuzzer is a tests/fuzz/fuzz_X.cpp; build/fuzz/fuzz_X runs it.

FUZZERS      := $(patsubst tests/fuzz/%.cpp,%,$(wildcard tests/fuzz/fuzz_*.cpp))
FUZZ_ROUNDS  ?= 150000
SECONDS      ?= 60
FUZZ_CLANG   := $(firstword $(foreach c,clang++-14 clang++,$(shell command -v $(c) 2>/dev/null)))

# The sources under test, as the unit tests build them; libFuzzer needs its own build of them.
fuzzed_srcs  := secure_bindings/capability.cpp exokernel/core/elf.cpp exokernel/core/multiboot2.cpp \
                exokernel/core/command_line.cpp exokernel/core/acpi.cpp $(VMM_PURE_SRCS) $(NET_PURE_SRCS)
fuzzed_objs  := $(fuzzed_srcs:%.cpp=build/unit/%.o)
fuzz_objs    := $(patsubst %,build/fuzz/%.o,$(FUZZERS) driver)
fuzz_bins    := $(FUZZERS:%=build/fuzz/%)

$(fuzz_objs): build/fuzz/%.o: tests/fuzz/%.cpp
	$(call step,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(HOST_CXXFLAGS) -g -O1 $(HOST_SANITIZERS) $(DEPFLAGS) -c -o $@ $<

$(fuzz_bins): build/fuzz/%: build/fuzz/%.o build/fuzz/driver.o $(fuzzed_objs)
	$(call step,LINK,$@)
	$(Q)$(CXX) $(HOST_SANITIZERS) -o $@ $^ $(HOST_LIBS)

TEST_FILES   += $(fuzz_bins)
TEST_TARGETS += fuzz-short

## fuzz-short: every fuzzer for a few seconds, the same inputs each time
.PHONY: fuzz-short
fuzz-short: $(fuzz_bins)
	@passed=0; failed=0; for fuzzer in $(fuzz_bins); do \
	    if $$fuzzer -iterations=$(FUZZ_ROUNDS); then passed=$$((passed + 1)); else failed=$$((failed + 1)); fi; \
	done; echo "$$passed passed, $$failed failed"; [ $$failed = 0 ]

## fuzz: every fuzzer for SECONDS=60 each, with libFuzzer where clang is installed
.PHONY: fuzz
ifdef FUZZ_CLANG
fuzz: $(FUZZERS:%=build/fuzz/%.long)
	@for fuzzer in $(FUZZERS); do mkdir -p build/fuzz/corpus/$$fuzzer; \
	    build/fuzz/$$fuzzer -write-seeds=build/fuzz/corpus/$$fuzzer || exit 1; \
	    build/fuzz/$$fuzzer.long -max_total_time=$(SECONDS) -max_len=65536 -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/$$fuzzer. build/fuzz/corpus/$$fuzzer >build/fuzz/$$fuzzer.log 2>&1 || \
	        { cat build/fuzz/$$fuzzer.log; exit 1; }; \
	    sed -n "s/^stat::number_of_executed_units: */$$fuzzer: inputs: /p" build/fuzz/$$fuzzer.log; \
	done
else
fuzz: $(fuzz_bins)
	@for fuzzer in $(fuzz_bins); do $$fuzzer -seconds=$(SECONDS) -seed=$$(date +%s) || exit 1; done
endif

build/fuzz/%.long: tests/fuzz/%.cpp $(fuzzed_srcs) build/fuzz/%
	$(call step,CLANG,$@)
	$(Q)$(FUZZ_CLANG) -std=c++20 -I. -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -o $@ $(filter %.cpp,$^) $(HOST_LIBS)

$(call depend,$(fuzz_objs))
