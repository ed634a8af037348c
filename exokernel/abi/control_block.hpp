// The virtual machine control block of AMD's SVM (APM vol. 2, appendix B), as the CPU has it. It is the kernel's; the
// monitor can bind it readable, and finds there what `GuestState` does not repeat after an exit.
#pragma once

#include "exokernel/abi/guest.hpp"

namespace tessera {

struct ControlBlock {
    // Control area.
    u32 intercept_cr;
    u32 intercept_dr;
    u32 intercept_exceptions;
    u32 intercept_instructions[2];
    u8 reserved0[0x2c];
    u64 io_map, msr_map;  // physical
    u64 tsc_offset;
    u32 asid;
    u32 tlb_control;
    u64 interrupt_control;  // V_TPR, V_IRQ, ..., V_INTR_MASKING, vector
    u64 interrupt_shadow;
    u64 exit_code;
    u64 exit_info[2];
    u64 exit_event;         // EXITINTINFO
    u64 nested_control;     // bit 0: nested paging
    u8 reserved1[0x10];
    u64 event;              // EVENTINJ
    u64 nested_root;        // nCR3
    u64 lbr_control;
    u64 clean;
    u64 next_rip;
    u8 fetched;
    u8 instruction[15];
    u8 reserved2[0x320];
    // State save area, from offset 400h.
    GuestSegment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    u8 reserved3[0x2b];
    u8 cpl;
    u32 reserved4;
    u64 efer;
    u8 reserved5[0x70];
    u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
    u8 reserved6[0x58];
    u64 rsp;
    u8 reserved7[0x18];
    u64 rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    u8 reserved8[0x20];
    u64 pat, debug_control;
    u8 reserved9[0x988];
};
static_assert(offsetof(ControlBlock, intercept_instructions) == 0x0c && offsetof(ControlBlock, io_map) == 0x40);
static_assert(offsetof(ControlBlock, asid) == 0x58 && offsetof(ControlBlock, exit_code) == 0x70);
static_assert(offsetof(ControlBlock, event) == 0xa8 && offsetof(ControlBlock, next_rip) == 0xc8);
static_assert(offsetof(ControlBlock, es) == 0x400 && offsetof(ControlBlock, cpl) == 0x4cb && offsetof(ControlBlock, efer) == 0x4d0);
static_assert(offsetof(ControlBlock, cr4) == 0x548 && offsetof(ControlBlock, rsp) == 0x5d8 && offsetof(ControlBlock, rax) == 0x5f8);
static_assert(offsetof(ControlBlock, cr2) == 0x640 && offsetof(ControlBlock, pat) == 0x668 && sizeof(ControlBlock) <= kPageSize);

}  // namespace tessera
