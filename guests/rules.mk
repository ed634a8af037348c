# Guests of ours: one small kernel over two machine layers, and the programs that run on it.
#
#   build/guests/trapped.elf      guests/small over guests/trapped: the bare machine. Boots on QEMU alone (multiboot) and
#                                 in a monitor (Linux's 64-bit protocol)
#   build/guests/paravirt.elf     guests/small over guests/paravirt: hypercalls (libos/vmm/paravirt/interface.hpp)

SMALL_PROGRAMS := test bench compute answer work mark swap nothing
SMALL_FLAGS := -std=c++20 -O2 -g -I. -MMD -MP -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector \
	-fno-threadsafe-statics -fno-asynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only -fno-strict-aliasing \
	-ffunction-sections -fdata-sections -Wall -Wextra -Werror
SMALL_KERNEL_FLAGS := $(SMALL_FLAGS) -mno-red-zone -fno-pic -fno-pie
SMALL_USER_FLAGS := $(SMALL_FLAGS) -fpie
SMALL_LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--fatal-warnings
GUESTS_BUILD := build/guests

small_user_common := $(patsubst %,$(GUESTS_BUILD)/user/%.o,user/start user/peer strings)
small_programs := $(SMALL_PROGRAMS:%=$(GUESTS_BUILD)/programs/%.elf)

$(GUESTS_BUILD)/user/%.o: guests/small/%.cpp
	$(call step,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(SMALL_USER_FLAGS) -c $< -o $@

$(small_programs): $(GUESTS_BUILD)/programs/%.elf: $(GUESTS_BUILD)/user/user/%.o $(small_user_common) guests/small/user/program.ld
	$(call step,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(SMALL_LDFLAGS) -Wl,-T,guests/small/user/program.ld $(filter %.o,$^) -o $@
	$(Q)$(OBJCOPY) --strip-debug $@

# The programs in the kernel's image, and the table of them.
$(GUESTS_BUILD)/programs.S: $(small_programs) guests/rules.mk
	$(call step,GEN,$@)
	$(Q){ echo '.section .rodata'; echo '.globl small_programs'; echo '.balign 8'; echo 'small_programs:'; \
	    for name in $(SMALL_PROGRAMS); do echo ".quad name_$$name, begin_$$name, end_$$name"; done; echo '.quad 0, 0, 0'; \
	    for name in $(SMALL_PROGRAMS); do echo "name_$$name: .asciz \"$$name\""; echo '.balign 4096'; \
	        echo "begin_$$name: .incbin \"$(GUESTS_BUILD)/programs/$$name.elf\""; echo "end_$$name:"; done; \
	    echo '.section .note.GNU-stack, "", @progbits'; } > $@

small_kernel_srcs := $(wildcard guests/small/*.cpp guests/small/*.S)

# $(1): the machine layer's folder in guests/, and the image's name
define small_kernel
$(1)_objs := $$(patsubst %,$(GUESTS_BUILD)/kernel/%.o,$$(basename $$(small_kernel_srcs) $$(wildcard guests/$(1)/*.cpp guests/$(1)/*.S))) \
	$(GUESTS_BUILD)/programs.o

$(GUESTS_BUILD)/$(1).elf: $$($(1)_objs) guests/small/kernel.ld
	$$(call step,LD,$$@)
	$$(Q)$$(CXX) $$(SMALL_LDFLAGS) -Wl,-T,guests/small/kernel.ld $$($(1)_objs) -o $$@
IMAGES += $(GUESTS_BUILD)/$(1).elf
endef

$(GUESTS_BUILD)/kernel/%.o: %.cpp
	$(call step,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(SMALL_KERNEL_FLAGS) -c $< -o $@

$(GUESTS_BUILD)/kernel/%.o: %.S
	$(call step,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -g -I. -MMD -MP -c $< -o $@

$(GUESTS_BUILD)/programs.o: $(GUESTS_BUILD)/programs.S
	$(call step,AS,$<)
	$(Q)$(CXX) -c $< -o $@

$(eval $(call small_kernel,trapped))
$(eval $(call small_kernel,paravirt))

# The same sequences of instructions on every machine: with the boot code of the bare form, and nothing else of the small kernel.
differ_objs := $(patsubst %,$(GUESTS_BUILD)/kernel/%.o,$(basename $(wildcard guests/differ/*.cpp guests/differ/*.S) \
	guests/trapped/boot.S guests/small/strings.cpp))

$(GUESTS_BUILD)/differ.elf: $(differ_objs) guests/small/kernel.ld
	$(call step,LD,$@)
	$(Q)$(CXX) $(SMALL_LDFLAGS) -Wl,-T,guests/small/kernel.ld $(differ_objs) -o $@
IMAGES += $(GUESTS_BUILD)/differ.elf

-include $(shell find $(GUESTS_BUILD) -name '*.d' 2>/dev/null)

# ---- tests: the bare-metal form on QEMU alone ------------------------------------------------------------

$(GUESTS_BUILD)/linux_loader.elf: tests/guests/linux_loader.S
	$(call step,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-Ttext=0x3000000 \
	    -Wl,-e,start -DTESTED_LINE='"test exit=f4"' $< -o $@

TEST_FILES   += $(GUESTS_BUILD)/trapped.elf $(GUESTS_BUILD)/linux_loader.elf
TEST_TARGETS += bare-guest-tests

## bare-guest-tests: the small guest in its bare-metal form, on QEMU alone
.PHONY: bare-guest-tests
bare-guest-tests: $(GUESTS_BUILD)/trapped.elf $(GUESTS_BUILD)/linux_loader.elf
	@$(PYTHON) tests/guests/bare.py

TEST_FILES   += $(GUESTS_BUILD)/differ.elf
TEST_TARGETS += differ-tests

## differ-tests: generated sequences of instructions, equal on QEMU alone and in each kind of guest (DIFFER='--seed 2 --count 20000')
.PHONY: differ-tests
differ-tests: $(GUESTS_BUILD)/differ.elf build/kernel/tessera.elf build/libos/linux_guest.elf build/libos/trapped_guest.elf
	@$(PYTHON) tests/guests/differ.py $(DIFFER)

## differ-soak: the same, many more
SOAK_TARGETS += differ-soak
.PHONY: differ-soak
differ-soak: $(GUESTS_BUILD)/differ.elf build/kernel/tessera.elf build/libos/linux_guest.elf build/libos/trapped_guest.elf
	@$(PYTHON) tests/guests/differ.py --seed 100 --seeds 10 --count 10000 --keep-going

## guest-lines: what porting the small guest to a monitor took, in lines of code
.PHONY: guest-lines
guest-lines:
	@$(PYTHON) tools/guest_lines.py
