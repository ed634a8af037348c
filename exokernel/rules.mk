# The kernel, from the same sources:
#
#   build/kernel/tessera.elf     as it is measured
#   build/checked/tessera.elf    with undefined-behaviour traps and a trace of every hop of the hot paths
#   build/unchecked/tessera.elf  for one figure of `make bench-paths`: control transfer without its checks

KERNEL_SRCS := $(wildcard exokernel/core/*.cpp exokernel/drivers/*.cpp) \
	$(filter-out %/offsets.cpp,$(wildcard exokernel/arch/x86_64/*.cpp)) $(wildcard secure_bindings/*.cpp)
KERNEL_ASMS := $(wildcard exokernel/arch/x86_64/*.S)
# DWARF 4: with 5, what is linked first in LTO loses its file name (binutils 2.40).
KERNEL_CXXFLAGS := -std=c++20 -O2 -gdwarf-4 -I. -MMD -MP -ffreestanding -fno-exceptions -fno-rtti -mgeneral-regs-only \
	-mno-red-zone -mcmodel=kernel -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-threadsafe-statics -fcf-protection=none -mpreferred-stack-boundary=3 -ffunction-sections -fdata-sections \
	-fno-strict-aliasing -flto=auto -Wall -Wextra -Werror
KERNEL_LDFLAGS := -nostdlib -static -no-pie -O2 -gdwarf-4 -flto=auto -Wl,-T,exokernel/arch/x86_64/kernel.ld -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--gc-sections -Wl,--build-id=none -Wl,--fatal-warnings
checked_flags := -DTESSERA_TRACE -fsanitize=undefined -fsanitize-undefined-trap-on-error -fno-sanitize=alignment

# $(1): folder under build/; $(2): more flags
define kernel_variant
$(1)_objs := $$(patsubst %.cpp,build/$(1)/%.o,$$(KERNEL_SRCS)) $$(patsubst %.S,build/$(1)/%.o,$$(KERNEL_ASMS))

build/$(1)/offsets.h: exokernel/arch/x86_64/offsets.cpp
	$$(call step,GEN,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) $$(KERNEL_CXXFLAGS) -fno-lto $(2) -MT $$@ -MF build/$(1)/offsets.d -S -o build/$(1)/offsets.s $$<
	$$(Q)sed -n 's/^#define \([A-Z0-9_]*\) \([0-9-]*\)$$$$/#define \1 \2/p' build/$(1)/offsets.s > $$@

build/$(1)/%.o: %.cpp
	$$(call step,CXX,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) $$(KERNEL_CXXFLAGS) $(2) -c $$< -o $$@

build/$(1)/%.o: %.S build/$(1)/offsets.h
	$$(call step,AS,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) -g -I. -Ibuild/$(1) -MMD -MP $(filter -D%,$(2)) -c $$< -o $$@

build/$(1)/tessera.elf: $$($(1)_objs) exokernel/arch/x86_64/kernel.ld
	$$(call step,LD,$$@)
	$$(Q)$$(CXX) $$(KERNEL_LDFLAGS) $(filter -f%,$(2)) -Wl,-Map,build/$(1)/tessera.map $$($(1)_objs) -l:libsodium.a -o $$@

-include $$($(1)_objs:.o=.d) build/$(1)/offsets.d
endef

$(eval $(call kernel_variant,kernel,))
$(eval $(call kernel_variant,checked,$(checked_flags)))
$(eval $(call kernel_variant,unchecked,-DTESSERA_UNCHECKED_TRANSFER))

IMAGES += build/kernel/tessera.elf build/checked/tessera.elf
