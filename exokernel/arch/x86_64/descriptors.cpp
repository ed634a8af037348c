#include "exokernel/arch/x86_64/descriptors.hpp"

#include "exokernel/arch/x86_64/registers.hpp"

namespace tessera::kernel {
namespace {

struct Gate {  // SDM vol. 3, 6.14.1
    u16 offset_low, selector;
    u8 ist, attributes;
    u16 offset_middle;
    u32 offset_high, zero;
};
static_assert(sizeof(Gate) == 16);

alignas(16) Gate gates[256];
alignas(16) Gate guest_gates[256];  ///< As `gates`, with the entries that a guest in ring 3 has of its own.

struct [[gnu::packed]] TablePointer {
    u16 limit;
    u64 base;
};

enum Ist : u8 { kNoIst = 0, kNmiStack = 1, kDoubleFaultStack = 2, kMachineCheckStack = 3, kDebugStack = 4 };

void lead_to(Gate& gate, u64 address) {
    gate.offset_low = static_cast<u16>(address);
    gate.offset_middle = static_cast<u16>(address >> 16);
    gate.offset_high = static_cast<u32>(address >> 32);
}

void load_interrupt_table(const Gate (&table)[256]) {
    const TablePointer pointer{sizeof table - 1, reinterpret_cast<u64>(table)};
    asm volatile("lidt %0" ::"m"(pointer) : "memory");  // Safety: both tables stay where they are
}

void set_gate(u64 vector, void (*entry)(), u8 ist = kNoIst, u8 privilege = 0) {
    const u64 address = reinterpret_cast<u64>(entry);
    gates[vector] = Gate{static_cast<u16>(address),       SELECTOR_KERNEL_CODE, ist, static_cast<u8>(0x8e | privilege << 5),
                         static_cast<u16>(address >> 16), static_cast<u32>(address >> 32), 0};
}

}  // namespace

extern "C" {
void exception_0(); void exception_1(); void debug_exception(); void exception_2(); void exception_3(); void exception_4(); void exception_5();
void exception_6(); void exception_7(); void exception_8(); void exception_9(); void exception_10(); void exception_11();
void exception_12(); void exception_13(); void exception_16(); void exception_17(); void exception_18();
void exception_19(); void page_fault_plain(); void page_fault_logged(); void page_fault_unfilled();
void interrupt_timer(); void interrupt_stop(); void interrupt_other(); void syscall_entry();
void guest_trap_other(); void guest_syscall_entry();
struct GuestGate {
    u64 vector, address;
};
extern const GuestGate guest_gate_list[], guest_gate_list_end[];
}

void build_interrupt_table(PageFaultEntry page_fault) {
    for (u64 vector = 0; vector < 256; ++vector) set_gate(vector, interrupt_other);
    void (*const stubs[])() = {exception_0,  exception_1,  exception_2,  exception_3, exception_4,  exception_5,
                               exception_6,  exception_7,  exception_8,  exception_9, exception_10, exception_11,
                               exception_12, exception_13, nullptr,      nullptr,     exception_16, exception_17,
                               exception_18, exception_19};
    for (u64 vector = 0; vector < sizeof stubs / sizeof stubs[0]; ++vector)
        if (stubs[vector] != nullptr) set_gate(vector, stubs[vector]);
    set_gate(kDebug, debug_exception, kDebugStack);
    set_gate(kNmi, exception_2, kNmiStack);
    set_gate(kBreakpoint, exception_3, kNoIst, 3);
    set_gate(4, exception_4, kNoIst, 3);  // `into` in 32-bit code
    set_gate(kDoubleFault, exception_8, kDoubleFaultStack);
    set_gate(kMachineCheck, exception_18, kMachineCheckStack);
    set_gate(kPageFault, page_fault == PageFaultEntry::plain    ? page_fault_plain
                         : page_fault == PageFaultEntry::logged ? page_fault_logged
                                                                : page_fault_unfilled);
    set_gate(VECTOR_TIMER, interrupt_timer);
    set_gate(VECTOR_STOP, interrupt_stop);
    for (u64 vector = 0; vector < 256; ++vector) {
        guest_gates[vector] = gates[vector];
        if (vector >= 32) lead_to(guest_gates[vector], reinterpret_cast<u64>(&guest_trap_other));
    }
    for (const GuestGate* gate = guest_gate_list; gate != guest_gate_list_end; ++gate)
        lead_to(guest_gates[gate->vector], gate->address);
}

void divert_traps_to_guest() {
    load_interrupt_table(guest_gates);
    write_msr(msr::kLstar, reinterpret_cast<u64>(&guest_syscall_entry));
}

void restore_traps() {
    load_interrupt_table(gates);
    write_msr(msr::kLstar, reinterpret_cast<u64>(&syscall_entry));
}

void load_descriptors(Cpu& cpu) {
    const u64 block = reinterpret_cast<u64>(&cpu);
    TaskState& task = cpu.task_state;
    task.rsp[0] = block + CPU_STACK_TOP;
    task.ist[kNmiStack - 1] = block + CPU_IST1_TOP;
    task.ist[kDoubleFaultStack - 1] = block + CPU_IST2_TOP;
    task.ist[kMachineCheckStack - 1] = block + CPU_IST3_TOP;
    task.ist[kDebugStack - 1] = block + CPU_IST4_TOP;
    task.io_map = sizeof(TaskState);
    const u64 base = reinterpret_cast<u64>(&task);
    const u64 limit = sizeof(TaskState) - 1;
    u64* gdt = cpu.descriptors;
    gdt[0] = 0;
    gdt[1] = 0x00209a0000000000;  // 0x08 kernel code
    gdt[2] = 0x0000920000000000;  // 0x10 kernel data
    gdt[3] = 0x0000f20000000000;  // 0x1b user data
    gdt[4] = 0x0020fa0000000000;  // 0x23 user code
    gdt[5] = limit | (base & 0xffffff) << 16 | u64{0x89} << 40 | (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
    const TablePointer gdt_pointer{7 * 8 - 1, reinterpret_cast<u64>(gdt)};
    // Safety: the tables just built stay where they are; code and data selectors mean the same as in the boot GDT.
    // No LDT, said aloud: after a reset the register holds base 0 and limit 0xffff (SDM vol. 3, 10.1.1), which makes page
    // zero a descriptor table that a libOS can bind and put a call gate into.
    asm volatile("lgdt %0; lldt %w2; ltr %w1" ::"m"(gdt_pointer), "r"(SELECTOR_TSS), "r"(0) : "memory");
    load_interrupt_table(gates);

    cpu.self = &cpu;
    cpu.user_stack_slot = block + CPU_STACK_TOP - 16;
    cpu.entry_frame().ss = SELECTOR_USER_DATA;
    write_msr(msr::kGsBase, 0);
    write_msr(msr::kKernelGsBase, block);
    write_msr(msr::kStar, u64{SELECTOR_KERNEL_CODE} << 32 | u64{SELECTOR_USER_DATA - 8} << 48);
    write_msr(msr::kLstar, reinterpret_cast<u64>(&syscall_entry));
    write_msr(msr::kFmask, 0x47700);  // AC, NT, IOPL, DF, IF, TF: interrupts are off
    write_msr(msr::kEfer, read_msr(msr::kEfer) | 1);
}

}  // namespace tessera::kernel
