#include "exokernel/arch/x86_64/fpu.hpp"

#include "exokernel/core/trace.hpp"

namespace tessera::kernel {
namespace {
// FXSAVE's image (SDM vol. 3, 13.6): the control words at their reset values, everything else zero.
constexpr u16 kControlWord = 0x37f;
constexpr u32 kMxcsr = 0x1f80;
}  // namespace

void start_fpu(Cpu& cpu) {
    write_cr0((read_cr0() & ~cr0::kEmulation) | cr0::kMonitorCoprocessor | cr0::kNumericError | cr0::kTaskSwitched);
    write_cr4(read_cr4() | cr4::kOsFxsr | cr4::kOsXmmExceptions);
    cpu.attention &= ~Cpu::kFpuLive;
    cpu.fpu_owner = nullptr;
}

void fpu_enter(Cpu& cpu) {
    clear_task_switched();
    cpu.attention |= Cpu::kFpuLive;
    if (cpu.fpu_owner == cpu.env) return;
    // Safety: both areas are 512 bytes, 16-byte aligned, in kernel memory.
    if (cpu.fpu_owner != nullptr) asm volatile("fxsave64 (%0)" ::"r"(cpu.fpu_owner->fpu) : "memory");
    asm volatile("fxrstor64 (%0)" ::"r"(cpu.env->fpu) : "memory");
    cpu.fpu_owner = cpu.env;
    trace(Event::fpu_switched, cpu.env->id.value);
}

void fpu_store(Cpu& cpu) {
    if (cpu.fpu_owner == nullptr) return;
    clear_task_switched();
    asm volatile("fxsave64 (%0)" ::"r"(cpu.fpu_owner->fpu) : "memory");  // Safety: as in fpu_enter
    cpu.fpu_owner = nullptr;
    cpu.attention &= ~Cpu::kFpuLive;
    write_cr0(read_cr0() | cr0::kTaskSwitched);
}

void fpu_reset(Environment& env) {
    for (u8& byte : env.fpu) byte = 0;
    *reinterpret_cast<u16*>(env.fpu) = kControlWord;
    *reinterpret_cast<u32*>(env.fpu + 24) = kMxcsr;
}

void fpu_forget(Environment& env) {
    for (u64 i = 0; i < kMaxCpus; ++i)
        if (cpu_at(i).fpu_owner == &env) cpu_at(i).fpu_owner = nullptr;
}

}  // namespace tessera::kernel
