#include "exokernel/core/panic.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/drivers/debug_exit.hpp"

namespace tessera::kernel {

extern "C" u8 text_begin[], text_end[];

namespace {

/// One "#n 0x..." line a return address on the stack; the scenario runner puts the names behind them from
/// tessera.sym. The kernel keeps no frame pointers (they would cost every call an instruction or two), so an
/// address that is left over from an earlier call may stand among them.
void log_backtrace(u64 rip, u64 rsp) {
    log("backtrace (names: the scenario runner, or addr2line -e build/kernel/tessera.elf):");
    log("  #0 ", Hex{rip});
    const u64 block = reinterpret_cast<u64>(&Cpu::here());
    if (rsp < block || rsp >= block + CPU_BLOCK_SIZE || rsp % 8 != 0) return;
    // Safety: rsp lies in this CPU's stacks and is aligned.
    const u64* word = reinterpret_cast<const u64*>(rsp);
    const u64* end = reinterpret_cast<const u64*>(block + CPU_BLOCK_SIZE);
    for (u64 depth = 1; word < end && depth < 24; ++word)
        if (*word >= reinterpret_cast<u64>(text_begin) && *word < reinterpret_cast<u64>(text_end))
            log("  #", depth++, " ", Hex{*word});
}

void log_circumstances() {
    Cpu& cpu = Cpu::here();
    log("cpu ", cpu.index, ", environment ", cpu.env != nullptr ? cpu.env->info->name : "none", ", cr2 ",
        Hex{read_cr2()}, ", cr3 ", Hex{read_cr3()}, ", tsc ", read_tsc());
    log_trace();
}

}  // namespace

void panic(const char* what) {
    log("panic: ", what);
    log_circumstances();
    log_backtrace(reinterpret_cast<u64>(__builtin_return_address(0)), reinterpret_cast<u64>(__builtin_frame_address(0)));
    leave_machine(ExitCode::panic);
}

void panic_in_trap(const char* what, const TrapFrame& f) {
    log("panic: ", what, ", vector ", f.vector, ", error ", Hex{f.error});
    log("rip ", Hex{f.entry.rip}, " cs ", Hex{f.entry.cs}, " rflags ", Hex{f.entry.rflags}, " rsp ", Hex{f.entry.rsp});
    const Registers& r = f.regs;
    log("rax ", Hex{r.rax}, " rbx ", Hex{r.rbx}, " rcx ", Hex{r.rcx}, " rdx ", Hex{r.rdx}, " rsi ", Hex{r.rsi}, " rdi ",
        Hex{r.rdi}, " rbp ", Hex{r.rbp});
    log("r8 ", Hex{r.r8}, " r9 ", Hex{r.r9}, " r10 ", Hex{r.r10}, " r11 ", Hex{r.r11}, " r12 ", Hex{r.r12}, " r13 ",
        Hex{r.r13}, " r14 ", Hex{r.r14}, " r15 ", Hex{r.r15});
    log_circumstances();
    log_backtrace(f.entry.rip, reinterpret_cast<u64>(&f + 1));
    leave_machine(ExitCode::panic);
}

}  // namespace tessera::kernel

// What gcc's -fsanitize=undefined -fsanitize-undefined-trap-on-error and __builtin_unreachable lead to is ud2,
// which arrives at panic_in_trap as vector 6.
