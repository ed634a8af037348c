#include "guests/trapped/descriptors.hpp"

#include "guests/small/machine.hpp"
#include "guests/trapped/registers.hpp"

extern "C" const small::u8 trap_stubs[];  // entry.S: one every 16 bytes
extern "C" const small::u8 system_call_entry[];
extern "C" [[noreturn]] void trapped_enter_user(small::TrapFrame* frame);

namespace small {
namespace trapped {
namespace {

struct [[gnu::packed]] TaskState {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3, io_map;
};
static_assert(sizeof(TaskState) == 104, "SDM vol. 3, 7.7");

struct Gate {
    u64 low, high;
};

constexpr u64 kVectors = 48, kDoubleFault = 8, kBreakpoint = 3;
constexpr u64 kInterruptGate = 0x8e00, kUserMayCall = 0x6000;

TaskState task_state;
alignas(16) u8 double_fault_stack[4096];

// Code and data of ring 3 where SYSRET looks for them: data, then code, behind an unused 32-bit one.
u64 gdt[] = {0, 0x00209a00'00000000, 0x00009200'00000000, 0, 0x0000f200'00000000, 0x0020fa00'00000000, 0, 0};
Gate idt[kVectors];

void make_task_state() {
    const u64 base = reinterpret_cast<u64>(&task_state);
    task_state.ist[0] = reinterpret_cast<u64>(double_fault_stack + sizeof double_fault_stack);
    task_state.io_map = sizeof task_state;
    gdt[6] = (sizeof task_state - 1) | (base & 0xff'ffff) << 16 | u64{0x89} << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
}

void make_gates() {
    for (u64 vector = 0; vector < kVectors; ++vector) {
        const u64 target = reinterpret_cast<u64>(trap_stubs) + vector * 16;
        const u64 stack = vector == kDoubleFault ? 1 : 0;
        const u64 type = kInterruptGate | (vector == kBreakpoint ? kUserMayCall : 0) | stack;
        idt[vector] = {(target & 0xffff) | u64{kKernelCode} << 16 | type << 32 | (target >> 16 & 0xffff) << 48, target >> 32};
    }
}

}  // namespace

Cpu cpu;

u64 gdt_address() { return reinterpret_cast<u64>(gdt); }
u64 idt_address() { return reinterpret_cast<u64>(idt); }

void load_descriptors() {
    make_task_state();
    make_gates();
    const TableRegister gdt_register{sizeof gdt - 1, gdt_address()}, idt_register{sizeof idt - 1, idt_address()};
    // Safety: both tables are complete and stay; the far return reloads CS with this GDT's code segment.
    asm volatile(
        "lgdt %0\n"
        "pushq %1\n"
        "leaq 1f(%%rip), %%rax\n"
        "pushq %%rax\n"
        "lretq\n"
        "1: mov %2, %%ds\n mov %2, %%es\n mov %2, %%ss\n mov %3, %%fs\n mov %3, %%gs\n"
        "lidt %4\n"
        "ltr %5\n" ::"m"(gdt_register),
        "i"(kKernelCode), "r"(u32{kKernelData}), "r"(0), "m"(idt_register), "r"(kTaskState)
        : "rax", "memory");
    constexpr u64 kSystemCalls = 1;
    write_msr(kEfer, read_msr(kEfer) | kSystemCalls);
    write_msr(kStar, u64{0x18 | 3} << 48 | u64{kKernelCode} << 32);
    write_msr(kLstar, reinterpret_cast<u64>(system_call_entry));
    write_msr(kSfmask, 0x4'7700);  // AC, NT, IOPL, OF, DF, IF, TF: the kernel starts without any of them.
    write_msr(kGsBase, reinterpret_cast<u64>(&cpu));
    write_msr(kKernelGsBase, 0);
}

}  // namespace trapped

namespace machine {

void set_kernel_stack(u64 top) { trapped::cpu.kernel_stack = trapped::task_state.rsp[0] = top; }
void enter_user(TrapFrame* frame) { trapped_enter_user(frame); }

}  // namespace machine
}  // namespace small
