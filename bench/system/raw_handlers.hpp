// Upcall entries in a few instructions of assembly, straight from the kernel: what a libOS pays at the least.
//
// They stand on the upcall stack and resume with `iretq`, as the library's do (libos/core/upcall.S), but are not
// made to be interrupted by another upcall. In guaranteed memory, so that they never fault on themselves.
#pragma once

#include "libos/core/upcalls.hpp"

namespace tessera::bench {

// What the assembly below takes for granted.
static_assert(offsetof(SaveRecord, rip) == 0 && offsetof(SaveRecord, rflags) == 8 && offsetof(SaveRecord, rsp) == 16);
static_assert(offsetof(SaveRecord, address) == 40 && offsetof(SaveRecord, rax) == 48 && offsetof(SaveRecord, rcx) == 56);
static_assert(offsetof(SaveRecord, rdx) == 64 && offsetof(SaveRecord, scratch) == 72);
static_assert(Rebind::number == 10 && Protect::number == 12);

#define RAW_HANDLER extern "C" [[gnu::naked, gnu::used, gnu::section(".guaranteed.text")]] inline void

// Back to what was interrupted; rax = the record.
#define RAW_RESUME              \
    "mov $libos_upcall_stack_base + 8, %esp\n" \
    "push $0x1b\n"              \
    "push 16(%rax)\n"           \
    "push 8(%rax)\n"            \
    "push $0x23\n"              \
    "push (%rax)\n"             \
    "mov 56(%rax), %rcx\n"      \
    "mov 64(%rax), %rdx\n"      \
    "mov 48(%rax), %rax\n"      \
    "decl libos_save_area\n"    \
    "iretq\n"

// What a system call loses is kept in the record's scratch words; rbx = the record meanwhile.
#define RAW_KEEP                \
    "mov %rdi, 72(%rax)\n"      \
    "mov %rsi, 80(%rax)\n"      \
    "mov %r8, 88(%rax)\n"       \
    "mov %r9, 96(%rax)\n"       \
    "mov %r10, 104(%rax)\n"     \
    "mov %r11, 112(%rax)\n"     \
    "mov %rbx, 120(%rax)\n"     \
    "mov %rax, %rbx\n"
#define RAW_RESTORE             \
    "mov %rbx, %rax\n"          \
    "mov 72(%rax), %rdi\n"      \
    "mov 80(%rax), %rsi\n"      \
    "mov 88(%rax), %r8\n"       \
    "mov 96(%rax), %r9\n"       \
    "mov 104(%rax), %r10\n"     \
    "mov 112(%rax), %r11\n"     \
    "mov 120(%rax), %rbx\n"

// The faulting page as a span of one page, readable and writable, counted as dirty at once.
#define RAW_SPAN_IN(reg)        \
    "mov 40(%rbx), %" reg "\n"  \
    "and $-4096, %" reg "\n"    \
    "bts $48, %" reg "\n"       \
    "or $0x23, %" reg "\n"

/// Where raw_resolve finds the TLB-entry capability to present, and raw_delivery leaves its reading.
extern "C" {
[[gnu::used, gnu::section(".guaranteed.data")]] inline u64 bench_tlb_entry = 0;
[[gnu::used, gnu::section(".guaranteed.data")]] inline volatile u32 bench_delivered = 0;
}

/// After a breakpoint, which is behind its instruction already: just go on.
RAW_HANDLER raw_resume() { asm(RAW_RESUME); }

/// After `ud2`: go on behind it.
RAW_HANDLER raw_skip_ud2() { asm("addq $2, (%rax)\n" RAW_RESUME); }

/// Read the counter at the first instruction that can (one `mov` earlier saves the record's address).
RAW_HANDLER raw_delivery() {
    asm("mov %rax, %rcx\n"
        "rdtsc\n"
        "mov %eax, bench_delivered\n"
        "mov %rcx, %rax\n" RAW_RESUME);
}

/// Bind the page again with a TLB-entry capability.
RAW_HANDLER raw_resolve() {
    asm(RAW_KEEP
        "mov bench_tlb_entry, %rdi\n" RAW_SPAN_IN("rsi")
        "xor %edx, %edx\n"
        "mov $10, %eax\n"
        "syscall\n" RAW_RESTORE RAW_RESUME);
}

/// Make the page writable again.
RAW_HANDLER raw_unprotect() {
    asm(RAW_KEEP RAW_SPAN_IN("rdi")
        "xor %esi, %esi\n"
        "mov $12, %eax\n"
        "syscall\n" RAW_RESTORE RAW_RESUME);
}

}  // namespace tessera::bench
