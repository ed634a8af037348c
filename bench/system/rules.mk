# Measurements in the emulated machine.

BENCH_TARGETS += bench-paths

## bench-paths: what the kernel's paths cost in instructions; build/results/paths.json
.PHONY: bench-paths
bench-paths: build/kernel/tessera.elf build/libos/paths.elf
	@$(PYTHON) bench/paths.py
