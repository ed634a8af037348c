#include "libos/vmm/monitor/guest_start.hpp"

#include <initializer_list>

namespace tessera::vmm {

void start(GuestState& state, const StartState& from) {
    const auto segment = [](const SegmentStart& each) { return GuestSegment{each.selector, each.attributes, each.limit, each.base}; };
    for (u64* each : {&state.rcx, &state.rdi, &state.rbp, &state.r8, &state.r9, &state.r10, &state.r11, &state.r12, &state.r13,
                      &state.r14, &state.r15, &state.cr2, &state.event, &state.wishes, &state.star, &state.lstar, &state.cstar,
                      &state.sfmask, &state.kernel_gs_base, &state.sysenter_cs, &state.sysenter_esp, &state.sysenter_eip})
        *each = 0;
    state.rip = from.rip;
    state.rsp = from.rsp;
    state.rax = from.rax;
    state.rbx = from.rbx;
    state.rdx = from.rdx;
    state.rsi = from.rsi;
    state.rflags = from.rflags;
    state.cr0 = from.cr0;
    state.cr3 = from.cr3;
    state.cr4 = from.cr4;
    state.efer = from.efer;
    state.cpl = 0;
    state.cs = segment(from.cs);
    state.ds = state.es = state.ss = state.fs = state.gs = segment(from.data);
    state.tr = segment(from.tr);
    state.ldtr = segment(from.ldtr);
    state.gdtr = segment(from.gdtr);
    state.idtr = segment(from.idtr);
    state.changed = kAllGuestParts;
}

}  // namespace tessera::vmm
