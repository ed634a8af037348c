# Measurements in the emulated machine, and the test that the switch policies do what they promise.

BENCH_TARGETS += bench-paths bench-stlb bench-scaling bench-locks bench-ways
TEST_TARGETS  += stlb-tests
TEST_FILES    += build/kernel/tessera.elf build/libos/switch.elf build/libos/scaling.elf build/libos/shootdown.elf

bench_kernel := build/kernel/tessera.elf

## bench-paths: what the kernel's paths cost in instructions; build/results/paths.json
.PHONY: bench-paths
bench-paths: bench-host $(bench_kernel) build/unchecked/tessera.elf build/libos/paths.elf build/libos/repossession.elf
	@$(PYTHON) bench/paths.py

## bench-ways: what remote calls, pipes, queues and semaphores cost in instructions; build/results/ways.json
.PHONY: bench-ways
bench-ways: $(bench_kernel) build/libos/ways.elf
	@$(PYTHON) bench/ways.py

## bench-stlb: what a switch costs under the five policies; build/results/stlb.md (QUICK=1: a part of it)
.PHONY: bench-stlb
bench-stlb: $(bench_kernel) build/libos/switch.elf
	@$(PYTHON) bench/stlb.py $(if $(QUICK),--quick)

## bench-stlb-short: the five policies at one working set, in five lines
.PHONY: bench-stlb-short
bench-stlb-short: $(bench_kernel) build/libos/switch.elf
	@$(PYTHON) bench/stlb.py --short

## bench-scaling: two CPUs beside one, and what shooting translations down costs; build/results/scaling.json
.PHONY: bench-scaling
bench-scaling: $(bench_kernel) build/libos/scaling.elf build/libos/shootdown.elf
	@$(PYTHON) bench/scaling.py

.PHONY: stlb-tests
stlb-tests: $(bench_kernel) build/libos/switch.elf
	@$(PYTHON) bench/stlb.py --check

## bench-locks: what locks and barriers cost, alone and contended; build/results/locks.json
.PHONY: bench-locks
bench-locks: build/bench_host/bench_host $(bench_kernel) build/libos/locks.elf
	@$(PYTHON) bench/locks.py

## bench-where: where the instructions of a path go, by function (WHERE="path ..."; else those that miss their mark)
.PHONY: bench-where
bench-where: $(bench_kernel) build/libos/paths.elf
	@$(PYTHON) bench/where.py $(WHERE)

## measurements: fill docs/measurements.md from build/results (SECTIONS="locks ...": only these)
.PHONY: measurements
measurements:
	@$(PYTHON) bench/measurements.py $(SECTIONS)

# ---- guests ------------------------------------------------------------------------------------------------

BENCH_TARGETS += bench-guests
TEST_TARGETS  += guest-bench-tests
TEST_FILES    += build/libos/guest_forms.elf build/libos/guest_paths.elf build/libos/guest_exits.elf build/guests/paravirt.elf

guest_bench_files := $(bench_kernel) build/libos/guest_forms.elf build/libos/guest_paths.elf build/libos/guest_exits.elf \
	build/guests/trapped.elf build/guests/paravirt.elf

## bench-guests: one small guest bare and in each form, and Linux in one; build/results/guests.json, guests.svg (QUICK=1: a check)
.PHONY: bench-guests guest-bench-tests
bench-guests: $(guest_bench_files) $(if $(QUICK),,bench-linux-boot)
	@$(PYTHON) bench/guests.py $(if $(QUICK),--check)

guest-bench-tests: $(guest_bench_files)
	@$(PYTHON) bench/guests.py --check

# ---- how memory is divided up ----------------------------------------------------------------------------

BENCH_TARGETS += bench-idle-tax
TEST_TARGETS  += idle-tax-tests
idle_tax_files := build/libos/arbiter.elf build/libos/tenant.elf build/libos/managed_guests.elf build/guests/trapped.elf
TEST_FILES    += $(idle_tax_files)

## bench-idle-tax: memory of an idle and a busy libOS, and guest, over time, with and without a tax; build/results/{idle,guest}_tax.svg
.PHONY: bench-idle-tax idle-tax-tests
bench-idle-tax: $(bench_kernel) $(idle_tax_files)
	@$(PYTHON) bench/idle_tax.py

idle-tax-tests: $(bench_kernel) $(idle_tax_files)
	@$(PYTHON) bench/idle_tax.py --check

# ---- the network between guests and libOSes --------------------------------------------------------------

BENCH_TARGETS += bench-network

## bench-network: what a frame costs over the switch; build/results/network_costs.md
.PHONY: bench-network bench-guest-isolation
bench-network: $(bench_kernel) build/libos/net_switch.elf build/libos/net_load.elf \
		build/libos/paravirt_guest.elf build/libos/echo.elf build/guests/paravirt.elf
	@$(PYTHON) bench/network.py

## bench-guest-isolation: what a libOS loses beside Linux guests that idle, crash and fork; build/results/guest_isolation.md
bench-guest-isolation: $(bench_kernel) build/libos/net_switch.elf build/libos/linux_guest.elf build/libos/neighbour.elf linux-guest-image
	@$(PYTHON) bench/network.py guests

# ---- memory across guests: minutes, so not a part of `make bench` ---------------------------------------------

## bench-guest-memory: Linux guests that share memory and give it back, over time; build/results/guest_memory_*.svg
.PHONY: bench-guest-memory
bench-guest-memory: $(bench_kernel) build/libos/managed_guests.elf build/libos/asker.elf build/libos/page_lender.elf build/libos/frame_keeper.elf \
		build/guests/linux/vmlinux build/guests/linux/initrd build/guests/linux/disk
	@$(PYTHON) bench/guest_memory.py
