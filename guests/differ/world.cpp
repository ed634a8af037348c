#include "guests/differ/world.hpp"

#include <cstring>
#include <initializer_list>

#include "guests/differ/random.hpp"
#include "guests/trapped/registers.hpp"

extern "C" const small::u8 differ_stubs[], differ_system_call[], differ_trap_stack_top[];
extern "C" small::u64 boot_pml4[512], boot_pdpt[512], boot_pd[512];  // guests/trapped/boot.S

namespace differ {
namespace {

using namespace small::trapped;

struct [[gnu::packed]] TaskState {
    u32 reserved0;
    u64 rsp[3], reserved1, ist[7], reserved2;
    u16 reserved3, io_map;
    u8 ports[0x440 / 8 + 1];  ///< Those above are closed.
};
struct Gate {
    u64 low, high;
};

constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kLarge = 0x80, kNoExecuteBit = u64{1} << 63;
constexpr u64 kDescriptors = kGdtEnd / 8, kCodePages = kSlot * kSlots / kPageSize, kFrames = kAreaPages;

alignas(kPageSize) u64 tables[2][512], directories[2][512], pointers[2][512], roots[2][512];
alignas(kPageSize) u8 frames[kFrames + 1][kPageSize];
alignas(kPageSize) u8 code[kCodePages][kPageSize];
alignas(16) u64 gdt[2][kDescriptors], ldt[2];
alignas(16) Gate idt[2][kVectors];
TaskState tasks[2];

u64 address_of(const volatile void* what) { return reinterpret_cast<u64>(what); }

constexpr u64 kRights[kAreaPages] = {7, 7, kPresent | kUser, 3, 1, 0, 7 | kNoExecuteBit, 0, 7, 7, 7 | u64{1} << 45};

/// A system descriptor's two words (SDM vol. 3, 7.2.3).
void put_system(u64* to, u64 base, u64 limit, u64 type) {
    to[0] = limit | (base & 0xff'ffff) << 16 | type << 40 | (base >> 24 & 0xff) << 56;
    to[1] = base >> 32;
}

void write_gdt(u64* to) {
    // What gates and returns load has its accessed bit set already: TCG does not set it there, as a CPU would (SDM vol. 3, 3.4.5.1).
    // And 64-bit code has a limit, which nobody but TCG looks at in a far call.
    const u64 fixed[] = {0, 0x00af'9b00'0000'ffff, 0x0000'9300'0000'0000, 0x00cf'fb00'0000'ffff, 0x00cf'f300'0000'ffff, 0x00af'fb00'0000'ffff};
    std::memcpy(to, fixed, sizeof fixed);
    put_system(to + kTask / 8, address_of(&tasks[0]), sizeof(TaskState) - 1, 0x89);
    put_system(to + kOtherTask / 8, address_of(&tasks[1]), sizeof(TaskState) - 1, 0x89);
    put_system(to + kLocal / 8, address_of(ldt), sizeof ldt - 1, 0x82);
    to[kGone / 8] = 0x0000'7200'0000'0000;
    to[kConforming / 8] = 0x00af'9e00'0000'ffff;
    to[kExecuteOnly / 8] = 0x0020'f800'0000'1234;
    to[kReadOnlyData / 8] = 0x0040'f000'0000'4321;
    to[kGate / 8] = (kData & 0xffff) | u64{kKernelCode} << 16 | u64{0xec00} << 32 | (kData >> 16 & 0xffff) << 48;
    to[kGate / 8 + 1] = kData >> 32;
}

void build_gates() {
    for (u64 vector = 0; vector < kVectors; ++vector) {
        const u64 target = address_of(differ_stubs) + vector * 16;
        const bool user = vector == 3 || vector == 4 || vector == kUserGate || vector == kEndGate;
        const u64 type = (vector == kClosedGate ? 0x0e00 : 0x8e00) | (user ? 0x6000 : 0) | 1 /* IST */;
        idt[0][vector] = {(target & 0xffff) | u64{kKernelCode} << 16 | type << 32 | (target >> 16 & 0xffff) << 48, target >> 32};
    }
    std::memcpy(idt[1], idt[0], sizeof idt[0]);
}

void build_task(TaskState& task) {
    task.ist[0] = address_of(differ_trap_stack_top);
    task.rsp[0] = task.ist[0];
    task.io_map = static_cast<u16>(offsetof(TaskState, ports));
    std::memset(task.ports, 0xff, sizeof task.ports);
    constexpr u64 kOpen = 0x3ff;  // to ring 3
    task.ports[kOpen / 8] &= static_cast<u8>(~(1 << kOpen % 8));
}

void write_pointer(u64 at, u64 base, u16 limit) {
    const TableRegister value{limit, base};
    std::memcpy(frames[kDataPage] + at, &value, sizeof value);
}

void reset_memory(u64 seed) {
    Random random(seed);
    for (u64 i : {kDataPage, kMoreData, kReadOnly, kSupervisor, kStack})
        for (u64 at = 0; at < kPageSize; at += 64) std::memset(frames[i] + at, static_cast<int>(random.word()), 64);
    std::memset(frames[kNoExecute], 0x90, kPageSize);
    std::memset(frames[kChanging], 0x11, kPageSize);
    std::memset(frames[kFrames], 0x77, kPageSize);
    write_pointer(kGdtPointer, address_of(gdt[0]), sizeof gdt[0] - 1);
    write_pointer(kOtherGdtPointer, address_of(gdt[1]), sizeof gdt[1] - 1);
    write_pointer(kIdtPointer, address_of(idt[0]), sizeof idt[0] - 1);
    write_pointer(kOtherIdtPointer, address_of(idt[1]), 0x20 * sizeof(Gate) - 1);
}

/// A store that is not made where nothing changes: a monitor may have to look at each.
void set_entry(u64& entry, u64 value) {
    volatile u64& there = entry;
    if (there != value) there = value;
}

void reset_tables() {
    for (u64 which = 0; which < 2; ++which)
        for (u64 i = 0; i < kAreaPages; ++i)
            set_entry(tables[which][i], kRights[i] == 0 ? 0 : address_of(frames[which == 1 && i == kChanging ? kFrames : i]) | kRights[i]);
}

void reset_registers() {
    const TableRegister gdt_register{sizeof gdt[0] - 1, address_of(gdt[0])}, idt_register{sizeof idt[0] - 1, address_of(idt[0])};
    // Safety: the tables are complete; data segments may then be loaded from them.
    asm volatile(
        "lgdt %0\n lidt %1\n mov %2, %%ds\n mov %2, %%es\n mov %2, %%ss\n mov %3, %%fs\n mov %3, %%gs\n lldt %w3\n ltr %w4" ::"m"(gdt_register), "m"(idt_register),
        "r"(u32{kKernelData}), "r"(0), "r"(u32{kTask})
        : "memory");
    constexpr u64 kCr0 = 0x8001'0033, kCr4 = 0x6a0, kEferSet = 0xd01;
    set_cr0(kCr0);
    set_cr4(kCr4);
    const u32 masked = 0x1f80;
    // Safety: nobody computes here but sequences.
    asm volatile("fninit\n ldmxcsr %0\n pxor %%xmm0, %%xmm0" ::"m"(masked));
    set_cr2(0);
    set_cr3(address_of(roots[0]));
    write_msr(kEfer, kEferSet);
    write_msr(kStar, u64{0x18 | 3} << 48 | u64{kKernelCode} << 32);
    write_msr(kLstar, address_of(differ_system_call));
    write_msr(kSfmask, 0x4'7700);
    for (u32 number : {0xc000'0083u, 0x174u, 0x175u, 0x176u}) write_msr(number, 0);
    write_msr(0xc000'0100, kData + 0x100);
    write_msr(kGsBase, kData + 0x200);
    write_msr(kKernelGsBase, kData + 0x300);
    // Safety: no breakpoint is enabled.
    asm volatile("mov %0, %%dr7\n mov %1, %%dr6\n mov %2, %%dr0\n mov %2, %%dr1\n mov %2, %%dr2\n mov %2, %%dr3" ::"r"(u64{0x400}), "r"(u64{0xffff'0ff0}), "r"(u64{0}));
    out8(0x3ff, 0x5c);
    out32(0xcf8, 0);
}

void observe_memory(Observer& observer, const char* name, const void* memory, u64 size) {
    u64 digest = 0xcbf2'9ce4'8422'2325;
    for (u64 at = 0; at < size; at += 8) {
        u64 word;
        std::memcpy(&word, static_cast<const u8*>(memory) + at, 8);
        digest = (digest ^ word) * 0x100'0000'01b3;
    }
    observer.word(name, digest);
}

}  // namespace

void build_world() {
    write_msr(kEfer, read_msr(kEfer) | 1 << 11);
    for (u64 i = 0; i < 512; ++i) boot_pd[i] = i << 21 | kPresent | kWritable | kLarge;
    for (u64 which = 0; which < 2; ++which) {
        roots[which][0] = address_of(pointers[which]) | 7;
        pointers[which][0] = address_of(boot_pd) | 3;
        pointers[which][1] = address_of(directories[which]) | 7;
        directories[which][0] = address_of(tables[which]) | 7;
        for (u64 i = 0; i < kCodePages; ++i) tables[which][kCodePage + i] = address_of(code[i]) | kPresent | kUser;
        build_task(tasks[which]);
    }
    ldt[0] = 0x0040'f200'0000'0fff;
    ldt[1] = 0x0040'f200'0000'ffff;
    build_gates();
    set_cr3(address_of(roots[0]));
    // What ring 0 reads through a segment of base 0 is the same everywhere.
    u64 first = 0, words = 16;
    // Safety: the memory there was the firmware's, which nobody calls any more.
    asm volatile("rep stosq" : "+D"(first), "+c"(words) : "a"(0) : "memory");
}

void reset_world(u64 seed) {
    reset_memory(seed);
    reset_tables();
    for (u64* each : gdt) write_gdt(each);
    reset_registers();
}

void observe_world(Observer& observer) {
    u64 value = 0;
#define DIFFER_SELECTOR(name, instruction)                   \
    asm volatile(instruction " %0" : "=r"(value)::"memory"); \
    observer.word(name, value & 0xffff)
    DIFFER_SELECTOR("ds", "mov %%ds,");
    DIFFER_SELECTOR("es", "mov %%es,");
    DIFFER_SELECTOR("fs", "mov %%fs,");
    DIFFER_SELECTOR("gs", "mov %%gs,");
    DIFFER_SELECTOR("ldtr", "sldt");
    DIFFER_SELECTOR("tr", "str");
#undef DIFFER_SELECTOR
    TableRegister table{};
    asm volatile("sgdt %0" : "=m"(table));
    observer.word("gdt base", table.base), observer.word("gdt limit", table.limit);
    asm volatile("sidt %0" : "=m"(table));
    observer.word("idt base", table.base), observer.word("idt limit", table.limit);
    observer.word("cr0", cr0());
    observer.word("cr2", cr2());
    observer.word("cr3", cr3());
    observer.word("cr4", cr4());
#define DIFFER_DEBUG(number)                                     \
    asm volatile("mov %%dr" #number ", %0" : "=r"(value)::"memory"); \
    observer.word("dr" #number, value)
    DIFFER_DEBUG(0);
    DIFFER_DEBUG(1);
    DIFFER_DEBUG(2);
    DIFFER_DEBUG(3);
    DIFFER_DEBUG(6);
    DIFFER_DEBUG(7);
#undef DIFFER_DEBUG
    struct {
        u32 number;
        const char* name;
    } const registers[] = {{kEfer, "efer"}, {kStar, "star"}, {kLstar, "lstar"}, {0xc000'0083, "cstar"}, {kSfmask, "sfmask"}, {0xc000'0100, "fs base"},
                           {kGsBase, "gs base"}, {kKernelGsBase, "other gs base"}, {0x174, "sysenter cs"}, {0x175, "sysenter rsp"}, {0x176, "sysenter rip"},
                           {0x277, "pat"}};
    for (const auto& each : registers) observer.word(each.name, read_msr(each.number));
    observer.word("scratch port", in8(0x3ff));
    observer.word("address port", in32(0xcf8));
    for (u64 i = 0; i < kAreaPages; ++i) observer.word("page table entry", tables[0][i]);
    for (u64 i = 0; i < kAreaPages; ++i) observer.word("other page table entry", tables[1][i]);
    for (u64 i = 0; i < kDescriptors; ++i) observer.word("descriptor", gdt[0][i]), observer.word("other descriptor", gdt[1][i]);
    observer.word("local descriptors", ldt[0] ^ ldt[1] << 1);
    for (u64 i = 0; i <= kFrames; ++i) observe_memory(observer, "page", frames[i], kPageSize);
}

u64 root_address(u64 index) { return address_of(roots[index]); }
u64 frame_address(u64 index) { return address_of(frames[index == 0 ? u64{kChanging} : kFrames]); }
u64 table_address() { return address_of(tables[0]); }
u8* code_slot(u64 index) { return &code[0][0] + index * kSlot; }

}  // namespace differ
