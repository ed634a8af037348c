#include "guests/trapped/self_test.hpp"

#include <initializer_list>

#include "guests/small/address_space.hpp"
#include "guests/small/frames.hpp"
#include "guests/small/kernel.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/process.hpp"
#include "guests/trapped/code_test.hpp"
#include "guests/trapped/descriptors.hpp"
#include "guests/trapped/fpu.hpp"
#include "guests/trapped/interrupts.hpp"
#include "guests/trapped/registers.hpp"

namespace small {
namespace trapped {
namespace {

// ---- instructions that ring 3 may execute, and that then answer with somebody else's state ------------------------

bool flags_show_interrupts() {
    cli();
    const bool off = !(flags() & kInterruptFlag);
    sti();
    return off && flags() & kInterruptFlag;
}

bool popf_sets_interrupts() {
    const u64 before = flags();
    set_flags(before & ~kInterruptFlag);
    const bool off = !(flags() & kInterruptFlag);
    set_flags(before | kInterruptFlag);
    return off && flags() & kInterruptFlag;
}

/// Return by IRETQ to the next instruction, in ring 0, with these flags.
void iret_with(u64 value) {
    // Safety: the frame is this place, with this stack; only the flags change. The red zone is not in use.
    asm volatile(
        "mov %%rsp, %%rax\n"
        "mov %%ss, %%edx\n pushq %%rdx\n pushq %%rax\n pushq %0\n"
        "mov %%cs, %%edx\n pushq %%rdx\n leaq 1f(%%rip), %%rax\n pushq %%rax\n iretq\n1:" ::"r"(value)
        : "rax", "rdx", "memory", "cc");
}

bool iret_sets_interrupts() {
    const u64 before = flags();
    iret_with(before & ~kInterruptFlag);
    const bool off = !(flags() & kInterruptFlag);
    iret_with(before | kInterruptFlag);
    return off && flags() & kInterruptFlag;
}

bool selectors_are_the_kernels() {
    u64 code = 0, stack = 0;
    asm volatile("mov %%cs, %0\n mov %%ss, %1" : "=r"(code), "=r"(stack));
    return code == kKernelCode && stack == kKernelData;
}

bool table_registers_read_back() {
    TableRegister gdt{}, idt{};
    u64 task = 0, local = 1;
    asm volatile("sgdt %0\n sidt %1" : "=m"(gdt), "=m"(idt));
    asm volatile("str %0\n sldt %1" : "=r"(task), "=r"(local));
    return gdt.base == gdt_address() && idt.base == idt_address() && (task & 0xffff) == kTaskState && (local & 0xffff) == 0;
}

bool machine_status_is_cr0() {
    u64 status = 0;
    asm volatile("smsw %0" : "=r"(status));
    return (status & 0xffff) == (cr0() & 0xffff) && status & 1;
}

bool segments_can_be_asked_about() {
    u32 rights = 0, limit = 1;
    bool found = false, readable = false, writable = true;
    asm volatile("lar %2, %0\n setz %1" : "=r"(rights), "=q"(found) : "r"(u32{kKernelCode}) : "cc");
    asm volatile("lsl %1, %0" : "+r"(limit) : "r"(u32{kTaskState}) : "cc");
    asm volatile("verr %w1\n setz %0" : "=q"(readable) : "r"(u32{kKernelData}) : "cc");
    asm volatile("verw %w1\n setz %0" : "=q"(writable) : "r"(u32{kKernelCode}) : "cc");
    return found && (rights & 0x20'9a00) == 0x20'9a00 && limit == 103 && readable && !writable;
}

bool cpuid_has_long_mode() { return cpuid(0x8000'0000).eax >= 0x8000'0001 && cpuid(0x8000'0001).edx & 1 << 29; }

// ---- registers ----------------------------------------------------------------------------------------------------

bool model_registers_read_back() {
    constexpr u64 kPattern = 0x1234'5678'9abc;
    const u64 before = read_msr(kKernelGsBase);
    write_msr(kKernelGsBase, kPattern);
    const bool written = read_msr(kKernelGsBase) == kPattern;
    write_msr(kKernelGsBase, before);
    return written && read_msr(kKernelGsBase) == before && read_msr(kSfmask) & kInterruptFlag;
}

bool swapgs_exchanges() {
    Masked masked;
    const u64 inside = read_msr(kGsBase), outside = read_msr(kKernelGsBase);
    asm volatile("swapgs" ::: "memory");
    const bool swapped = read_msr(kGsBase) == outside && read_msr(kKernelGsBase) == inside;
    asm volatile("swapgs" ::: "memory");
    return swapped && read_msr(kGsBase) == inside && inside == reinterpret_cast<u64>(&cpu);
}

bool control_registers_read_back() {
    constexpr u64 kPattern = 0x5555'0000;
    Masked masked;
    set_cr2(kPattern);
    const u64 root = cr3();
    return cr2() == kPattern && root == current().space.root().address && (cr0() >> 31 & 1) && (cr4() >> 5 & 1);
}

bool debug_registers_read_back() {
    const u64 before = dr0();
    set_dr0(0x1'2345);
    const bool written = dr0() == 0x1'2345;
    set_dr0(before);
    return written;
}

// ---- page tables: a root of its own, with two frames behind one page, of which the first is mapped -----------------

struct Window {
    Frame root = allocate_zeroed_frame(), frames[2] = {allocate_zeroed_frame(), allocate_zeroed_frame()}, tables[3];
    machine::Entry* entry = nullptr;

    static constexpr u64 kPage = kUserBegin + (u64{5} << 30);
    volatile u64* word() { return reinterpret_cast<volatile u64*>(kPage); }

    Window() {
        using namespace machine;
        frames[0].as<u64>()[0] = 100, frames[1].as<u64>()[0] = 101;
        create_root(root);
        entry = root.as<Entry>() + (kPage >> 39 & 511);
        for (int level = 0; level < 3; ++level) {
            tables[level] = allocate_zeroed_frame();
            write_entry(entry, tables[level].address | kPresent | kWritable, 0);
            entry = tables[level].as<Entry>() + (kPage >> (30 - 9 * level) & 511);
        }
        *entry = frames[0].address | kPresent | kWritable;
        load_root(root);
    }
    ~Window() {
        machine::load_root(current().space.root());
        machine::retire_root(root);
        for (Frame frame : {root, frames[0], frames[1], tables[0], tables[1], tables[2]}) release_frame(frame);
    }
};

bool invlpg_shows_change() {
    Window window;
    const u64 before = *window.word();
    *window.entry = window.frames[1].address | machine::kPresent;
    invlpg(Window::kPage);
    return before == 100 && *window.word() == 101;
}

bool loading_root_shows_change() {
    Window window;
    const u64 before = *window.word();
    *window.entry = window.frames[1].address | machine::kPresent;
    set_cr3(cr3());
    return before == 100 && *window.word() == 101;
}

bool use_is_noted() {
    using namespace machine;
    Window window;
    volatile Entry& entry = *window.entry;
    const bool unused = !(entry & (kAccessed | kDirty));
    (void)*window.word();
    const bool read = entry & kAccessed && !(entry & kDirty);
    *window.word() = 1;
    return unused && read && entry & kDirty;
}

bool remapped_table_is_seen() {
    using namespace machine;
    Window window;
    // The same last-level table a second time, 2 MiB further, then written through: one change, two translations.
    window.tables[1].as<Entry>()[(Window::kPage >> 21 & 511) + 1] = window.tables[2].address | kPresent | kWritable;
    volatile u64* other = window.word() + (2 << 20) / sizeof(u64);
    const bool same = *other == 100 && *window.word() == 100;
    *window.entry = window.frames[1].address | kPresent;
    invlpg(Window::kPage);
    invlpg(Window::kPage + (2 << 20));
    return same && *other == 101 && *window.word() == 101;
}

// ---- exceptions, interrupts, devices ------------------------------------------------------------------------------

bool breakpoint_returns() {
    const u64 before = breakpoints;
    asm volatile("int3" ::: "memory");
    return breakpoints == before + 1;
}

/// The trap flag counts from the instruction behind the POPF that sets it to the one that clears it. (No STI or MOV of a control register among them: TCG
/// does not trap behind those.)
bool steps_are_single() {
    constexpr u64 kSteps = 8, kRounds = 50;
    const u64 before = steps;
    for (u64 i = 0; i < kRounds; ++i) {
        // Safety: the flags come back, and the stack. The red zone is not in use.
        asm volatile(
            "pushfq\n orq $0x100, (%%rsp)\n popfq\n"
            "nop\n call 1f\n jmp 2f\n 1: ret\n 2: nop\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n nop" ::
                : "memory", "cc");
    }
    return steps == before + kSteps * kRounds;
}

bool halt_ends_with_timer() {
    const u64 before = clock();
    while (clock() < before + 3) {
        Masked masked;
        machine::idle();
    }
    return true;
}

bool masked_line_is_held() {
    mask_line(kTimerLine, true);
    const u64 before = clock();
    // Longer than a tick, by the timer's own count: its output goes on while the line is masked.
    u16 last = 0xffff;
    for (int turns = 0; turns < 3;) {
        out8(0x43, 0);  // latch channel 0
        const u8 low = in8(0x40);
        const u16 now = static_cast<u16>(low | in8(0x40) << 8);
        turns += now > last;
        last = now;
    }
    const bool held = clock() == before;
    mask_line(kTimerLine, false);
    while (clock() == before) machine::unmask_interrupts();
    return held;
}

bool disabled_interrupts_wait() {
    cli();
    const u64 before = clock();
    u16 last = 0xffff;
    for (int turns = 0; turns < 3;) {
        out8(0x43, 0);
        const u8 low = in8(0x40);
        const u16 now = static_cast<u16>(low | in8(0x40) << 8);
        turns += now > last;
        last = now;
    }
    const bool held = clock() == before;
    sti();
    while (clock() == before) asm volatile("pause");
    return held;
}

bool interrupt_masks_read_back() {
    Masked masked;
    const u8 before = in8(0x21);
    out8(0x21, 0x5a);
    const bool written = in8(0x21) == 0x5a;
    out8(0x21, before);
    return written && in8(0x21) == before;
}

bool serial_port_remembers() {
    out8(0x3ff, 0xa5);
    const bool first = in8(0x3ff) == 0xa5;
    out8(0x3ff, 0x5a);
    return first && in8(0x3ff) == 0x5a;
}

struct Test {
    const char* name;
    bool (*passes)();
};
constexpr Test kTests[] = {
    {"pushf shows the interrupt flag", flags_show_interrupts},
    {"popf sets the interrupt flag", popf_sets_interrupts},
    {"iretq to the same ring sets the interrupt flag", iret_sets_interrupts},
    {"selectors are the kernel's", selectors_are_the_kernels},
    {"sgdt, sidt, str, sldt read back", table_registers_read_back},
    {"smsw is cr0", machine_status_is_cr0},
    {"lar, lsl, verr, verw know the kernel's segments", segments_can_be_asked_about},
    {"cpuid has long mode", cpuid_has_long_mode},
    {"model-specific registers read back", model_registers_read_back},
    {"swapgs exchanges", swapgs_exchanges},
    {"control registers read back", control_registers_read_back},
    {"debug registers read back", debug_registers_read_back},
    {"the fpu is switched lazily", fpu_is_switched_lazily},
    {"wait heeds cr0.mp", wait_heeds_the_monitor_bit},
    {"invlpg shows a changed entry", invlpg_shows_change},
    {"loading cr3 shows a changed entry", loading_root_shows_change},
    {"accessed and dirty are noted", use_is_noted},
    {"a table used twice translates twice", remapped_table_is_seen},
    {"a breakpoint in the kernel returns", breakpoint_returns},
    {"steps are single", steps_are_single},
    {"a halt ends with the timer", halt_ends_with_timer},
    {"a masked line is held", masked_line_is_held},
    {"disabled interrupts wait", disabled_interrupts_wait},
    {"interrupt masks read back", interrupt_masks_read_back},
    {"the serial port remembers", serial_port_remembers},
    {"a made return leads to a page that was never entered", made_return_to_new_page},
    {"a made return leads between code that was", made_return_to_known_page},
    {"the load of a root goes on in that root's code", roots_have_their_own_code},
    {"an instruction whose end is changed is another one", code_changes_across_pages},
    {"code reads itself", code_reads_itself},
    {"code writes beside itself", code_writes_beside_itself},
    {"code changes the next instruction", code_changes_the_next_instruction},
    {"code overlaps itself", code_overlaps_itself},
    {"code is replaced by other code", code_is_replaced},
    {"memory is wherever tables say", memory_is_where_tables_say},
};

}  // namespace

volatile u64 breakpoints, steps;

}  // namespace trapped

bool machine::self_test(u64 index, const char*& name, bool& passed) {
    if (index >= sizeof trapped::kTests / sizeof trapped::kTests[0]) return false;
    name = trapped::kTests[index].name;
    passed = trapped::kTests[index].passes();
    return true;
}

}  // namespace small
