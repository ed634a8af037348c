# libos: what programs link, and the programs of the tree.
#
#   libos-images                  every program in libos/examples, bench/system and tests/system
#   build/libos/NAME.elf          one of them (NAME.sym and NAME.asm beside it: tools/mk/images.mk)
#   build/libos/user-NAME.elf     from LIBOS_SRC=path/to/NAME.cpp, which may lie anywhere
#
# Everything of libos.a is built without SSE: it runs in handlers, where SSE registers are the program's.

LIBOS_BUILD := build/libos
LIBOS_ARCHIVE := $(LIBOS_BUILD)/libos.a
LIBOS_CAPABILITIES := $(LIBOS_BUILD)/capabilities.a

LIBOS_CXXFLAGS := -std=c++20 -O2 -g -I. -Ibuild/rpc -MMD -MP -ffreestanding -fno-exceptions -fno-rtti -fno-pic -fno-pie \
	-fno-stack-protector -fno-threadsafe-statics -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \
	-fcf-protection=none -mno-avx -Wall -Wextra -Werror
LIBOS_CORE_CXXFLAGS := $(LIBOS_CXXFLAGS) -mgeneral-regs-only
LIBOS_ASFLAGS := -g -I. -MMD -MP

# To link: $(CXX) $(LIBOS_LDFLAGS) program.o $(LIBOS_OBJS) -o program.elf
# The archive stands whole and first: where a program and libos.a have the same inline function, the guaranteed
# one is kept.
LIBOS_LDFLAGS := -static -no-pie -nostdlib -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--gc-sections \
	-Wl,--build-id=none -Wl,--fatal-warnings -Wl,-T,libos/libos.ld \
	-Wl,--whole-archive $(LIBOS_ARCHIVE) -Wl,--no-whole-archive
LIBOS_OBJS := $(LIBOS_ARCHIVE) $(LIBOS_CAPABILITIES) $(shell $(CXX) -print-libgcc-file-name) -l:libsodium.a

LIBOS_SRCS := $(filter-out libos/examples/% libos/vmm/%,$(wildcard libos/*/*.cpp libos/*/*.S))
libos_objs := $(patsubst %,$(LIBOS_BUILD)/obj/%.o,$(basename $(LIBOS_SRCS)))

# Interface files, compiled to build/rpc/PATH.rpc.hpp: included as "PATH.rpc.hpp".
RPC_HEADERS := $(patsubst %,build/rpc/%.hpp,$(wildcard libos/examples/*.rpc bench/system/*.rpc tests/system/*.rpc tests/unit/*.rpc))

build/rpc/%.rpc.hpp: %.rpc $(wildcard tools/rpc/*.py)
	$(call step,RPC,$<)
	$(Q)$(PYTHON) -m rpc $< $@

LIBOS_PROGRAMS := $(wildcard libos/examples/*.cpp bench/system/*.cpp tests/system/*.cpp)
LIBOS_IMAGES := $(patsubst %.cpp,$(LIBOS_BUILD)/%.elf,$(notdir $(LIBOS_PROGRAMS)))

.PHONY: libos-images
libos-images: $(LIBOS_IMAGES)

$(LIBOS_BUILD)/obj/libos/%.o: libos/%.cpp
	$(call step,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(LIBOS_CORE_CXXFLAGS) -c $< -o $@

# What narrows capabilities: the kernel's own source, linked where it is used; of libsodium only the MAC is.
$(LIBOS_CAPABILITIES): $(LIBOS_BUILD)/obj/secure_bindings/capability.o
	$(call step,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $<

$(LIBOS_BUILD)/obj/secure_bindings/%.o: secure_bindings/%.cpp
	$(call step,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(LIBOS_CORE_CXXFLAGS) -c $< -o $@

$(LIBOS_BUILD)/obj/libos/%.o: libos/%.S
	$(call step,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(LIBOS_ASFLAGS) -c $< -o $@

$(LIBOS_ARCHIVE): $(libos_objs)
	$(call step,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(libos_objs)

define libos_link
	$(call step,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(LIBOS_LDFLAGS) $(1) $(LIBOS_OBJS) -o $@
endef

define libos_program
$(LIBOS_BUILD)/obj/programs/$(basename $(notdir $(1))).o: $(1) | $(RPC_HEADERS)
	$$(call step,CXX,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) $$(LIBOS_CXXFLAGS) -c $$< -o $$@

$(LIBOS_BUILD)/$(basename $(notdir $(1))).elf: $(LIBOS_BUILD)/obj/programs/$(basename $(notdir $(1))).o \
		$(LIBOS_ARCHIVE) $(LIBOS_CAPABILITIES) libos/libos.ld
	$$(call libos_link,$$<)
endef
$(foreach program,$(LIBOS_PROGRAMS),$(eval $(call libos_program,$(program))))

# What is pure enough for the host, for tests/unit/libos_*.cpp and tests/fuzz/fuzz_net.cpp.
NET_PURE_SRCS := libos/net/mac_table.cpp libos/net/switch_core.cpp
UNIT_SRCS += libos/core/arguments.cpp libos/core/call.cpp libos/core/print.cpp \
	$(NET_PURE_SRCS) libos/net/frame_bank.cpp \
	libos/heap/heap.cpp libos/ipc/message_queue.cpp libos/ipc/pipe.cpp libos/ipc/semaphore.cpp \
	libos/ipc/shared_memory.cpp libos/paging/address_space.cpp libos/paging/backing_store.cpp libos/paging/frame_pool.cpp \
	libos/paging/paged_region.cpp libos/paging/regions.cpp libos/revocation/givers.cpp

# The user's file may be another one each time: always compiled.
ifdef LIBOS_SRC
.PHONY: libos-user-source
$(LIBOS_BUILD)/obj/programs/user-$(basename $(notdir $(LIBOS_SRC))).o: $(LIBOS_SRC) libos-user-source | $(RPC_HEADERS)
	$(call step,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(LIBOS_CXXFLAGS) -I$(dir $(LIBOS_SRC)) -c $< -o $@

$(LIBOS_BUILD)/user-$(basename $(notdir $(LIBOS_SRC))).elf: \
		$(LIBOS_BUILD)/obj/programs/user-$(basename $(notdir $(LIBOS_SRC))).o $(LIBOS_ARCHIVE) $(LIBOS_CAPABILITIES) libos/libos.ld
	$(call libos_link,$<)
endif

-include $(shell find $(LIBOS_BUILD)/obj -name '*.d' 2>/dev/null)
