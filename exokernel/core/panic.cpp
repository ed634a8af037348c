#include "exokernel/core/panic.hpp"

#include <initializer_list>

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/drivers/debug_exit.hpp"

namespace tessera::kernel {

extern "C" u8 text_begin[], text_end[];

namespace {

/// The end of the stack that a kernel stack pointer is in; a pointer that ran into the guard page counts as the main
/// stack's. nullptr: on none of them.
const u64* stack_end(u64& rsp) {
    const u64 block = reinterpret_cast<u64>(&Cpu::here());
    if (rsp < block || rsp >= block + CPU_BLOCK_SIZE || rsp % 8 != 0) return nullptr;
    u64 top = CPU_STACK_TOP;
    for (const u64 ist : {CPU_IST3_TOP, CPU_IST2_TOP, CPU_IST1_TOP, CPU_IST4_TOP})
        if (rsp < block + ist) top = ist;
    if (top == CPU_STACK_TOP && rsp < block + CPU_GUARD + kPageSize) rsp = block + CPU_GUARD + kPageSize;
    return reinterpret_cast<const u64*>(block + top);
}

/// One "#n 0x..." line a return address on the stack; the scenario runner puts the names behind them from
/// tessera.sym. The kernel keeps no frame pointers (they would cost every call an instruction or two), so an
/// address that is left over from an earlier call may stand among them.
void log_backtrace(u64 rip, u64 rsp) {
    log("backtrace (names: the scenario runner, or addr2line -e build/kernel/tessera.elf):");
    log("  #0 ", Hex{rip});
    const u64* const end = stack_end(rsp);
    // Safety: from an aligned address in one of this CPU's stacks to that stack's end.
    const u64* word = reinterpret_cast<const u64*>(rsp);
    for (u64 depth = 1; end != nullptr && word < end && depth < 24; ++word)
        if (*word >= reinterpret_cast<u64>(text_begin) && *word < reinterpret_cast<u64>(text_end))
            log("  #", depth++, " ", Hex{*word});
}

/// A panic within a panic says no more than that.
void begin_panic() {
    static bool panicking;
    ignore_log_locks();
    if (panicking) {
        log("panic while panicking");
        leave_machine(ExitCode::panic);
    }
    panicking = true;
}

void log_circumstances() {
    Cpu& cpu = Cpu::here();
    log("cpu ", cpu.index, ", environment ", cpu.env != nullptr ? cpu.env->info->name : "none", ", cr2 ",
        Hex{read_cr2()}, ", cr3 ", Hex{read_cr3()}, ", tsc ", read_tsc());
    log_trace();
}

}  // namespace

void panic(const char* what) {
    begin_panic();
    log("panic: ", what);
    log_circumstances();
    log_backtrace(reinterpret_cast<u64>(__builtin_return_address(0)), reinterpret_cast<u64>(__builtin_frame_address(0)));
    leave_machine(ExitCode::panic);
}

void panic_in_trap(const char* what, const TrapFrame& f) {
    begin_panic();
    log("panic: ", what, ", vector ", f.vector, ", error ", Hex{f.error});
    log("rip ", Hex{f.entry.rip}, " cs ", Hex{f.entry.cs}, " rflags ", Hex{f.entry.rflags}, " rsp ", Hex{f.entry.rsp});
    const Registers& r = f.regs;
    log("rax ", Hex{r.rax}, " rbx ", Hex{r.rbx}, " rcx ", Hex{r.rcx}, " rdx ", Hex{r.rdx}, " rsi ", Hex{r.rsi}, " rdi ",
        Hex{r.rdi}, " rbp ", Hex{r.rbp});
    log("r8 ", Hex{r.r8}, " r9 ", Hex{r.r9}, " r10 ", Hex{r.r10}, " r11 ", Hex{r.r11}, " r12 ", Hex{r.r12}, " r13 ",
        Hex{r.r13}, " r14 ", Hex{r.r14}, " r15 ", Hex{r.r15});
    log_circumstances();
    log_backtrace(f.entry.rip, f.entry.rsp);
    leave_machine(ExitCode::panic);
}

}  // namespace tessera::kernel

// What gcc's -fsanitize=undefined -fsanitize-undefined-trap-on-error and __builtin_unreachable lead to is ud2,
// which arrives at panic_in_trap as vector 6.
