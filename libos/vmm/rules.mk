# The monitor's library: an archive of its own, so that what it is made of are ordinary pages. In libos.a it would stand
# in guaranteed mappings, of which there are few; a monitor's devices may well fault.
#
# All of it is built without SSE: the guest's SSE registers are in the CPU while the monitor handles an exit.

VMM_ARCHIVE := $(LIBOS_BUILD)/vmm.a
VMM_SRCS    := $(wildcard libos/vmm/*.cpp libos/vmm/*/*.cpp)
vmm_objs    := $(VMM_SRCS:%.cpp=$(LIBOS_BUILD)/obj/%.o)

$(VMM_ARCHIVE): $(vmm_objs)
	$(call step,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(vmm_objs)

LIBOS_OBJS += $(VMM_ARCHIVE)
$(LIBOS_IMAGES): $(VMM_ARCHIVE)
ifdef LIBOS_SRC
$(LIBOS_BUILD)/user-$(basename $(notdir $(LIBOS_SRC))).elf: $(VMM_ARCHIVE)
endif

# What is pure, for the host: tests/unit/vmm_*.cpp and tests/fuzz/fuzz_vmm_*.cpp.
VMM_PURE_SRCS := libos/vmm/guest_memory.cpp libos/vmm/platform.cpp \
	$(wildcard libos/vmm/devices/*.cpp libos/vmm/boot/*.cpp libos/vmm/instructions/*.cpp libos/vmm/shadow/*.cpp \
	libos/vmm/paravirt/*.cpp) libos/vmm/memory/shared_frames.cpp libos/vmm/deprivileged/code_pages.cpp \
	libos/vmm/lending/lending_desk.cpp
UNIT_SRCS += $(VMM_PURE_SRCS)
# Makes calls, which a test answers.
UNIT_SRCS += $(addprefix libos/vmm/monitor/,frame_supply.cpp windows.cpp memory.cpp paging.cpp paravirt_shadows.cpp guest_context.cpp guest_cpu.cpp guest_walk.cpp) \
	$(addprefix libos/vmm/memory/,sharing.cpp peek.cpp guest_pager.cpp lent_store.cpp managed_memory.cpp)
