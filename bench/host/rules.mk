# Native benchmarks of the pure libraries (Google Benchmark): every bench/host/*.cpp, and the sources that it
# measures (BENCH_HOST_SRCS: append to it), in one program. No sanitizers, -O2, as in the kernel.

BENCH_HOST_SRCS += $(SECURE_BINDINGS_SRCS)
BENCH_TARGETS   += bench-host
TEST_FILES      += build/bench_host/bench_host

bench_host_objs := $(patsubst %.cpp,build/bench_host/%.o,$(sort $(wildcard bench/host/*.cpp) $(BENCH_HOST_SRCS)))

$(bench_host_objs): build/bench_host/%.o: %.cpp
	$(call step,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(HOST_CXXFLAGS) -O2 $(DEPFLAGS) -c -o $@ $<

build/bench_host/bench_host: $(bench_host_objs)
	$(call step,LINK,$@)
	$(Q)$(CXX) -o $@ $^ $(HOST_LIBS) -lbenchmark -pthread

# Locks and barriers are timed by bench-locks: with threads, and for longer.
## bench-host: time the pure libraries natively; build/results/host.json
.PHONY: bench-host
bench-host: build/bench_host/bench_host
	@mkdir -p build/results
	@build/bench_host/bench_host --benchmark_repetitions=5 --benchmark_report_aggregates_only=true \
	    --benchmark_min_time=0.1 --benchmark_filter='-^(lock|barrier)/' \
	    --benchmark_out=build/results/host.json --benchmark_out_format=json

$(call depend,$(bench_host_objs))
