// Guests that mean harm, one after the other: random code, random state, random writes to every port of the PC, page tables
// of nonsense. Each must end alone, or go on harmlessly until it is stopped; what it had must come back, and the guest that is
// run behind all of them must be as well as ever. Arguments: rounds= (of each kind)  seed=
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/heap/heap.hpp"
#include "libos/vmm/devices/cow_disk.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte guest_code[], guest_code_end[], guest_well[], guest_well_end[];

// Random values to random ports and back, for ever: rdi is the state of xorshift64*, and the ports are those of the
// devices more often than not.
asm(R"(
    .section .rodata.guest, "a"
    .globl guest_code, guest_code_end, guest_well, guest_well_end
guest_code:
    mov %rdi, %rax
    shr $12, %rax
    xor %rax, %rdi
    mov %rdi, %rax
    shl $25, %rax
    xor %rax, %rdi
    mov %rdi, %rax
    shr $27, %rax
    xor %rax, %rdi
    mov $0x2545f4914f6cdd1d, %rax
    imul %rdi, %rax
    mov %rax, %rdx
    shr $48, %rdx           # any port
    bt $0, %rax
    jc 1f
    mov %rdx, %rcx
    and $15, %rcx
    lea ports(%rip), %rdx
    movzwl (%rdx,%rcx,2), %edx
    mov %rax, %rcx          # or one of a device's
    shr $8, %rcx
    and $31, %ecx
    add %ecx, %edx
1:  shr $13, %rax
    bt $0, %rax
    jc 2f
    out %al, %dx
    jmp 4f
2:  bt $1, %rax
    jc 3f
    out %ax, %dx
    jmp 4f
3:  out %eax, %dx
4:  in %dx, %eax
    jmp guest_code
ports:
    .word 0x20, 0xa0, 0x40, 0x60, 0x70, 0x3f8, 0xcf8, 0xcfc, 0x4d0, 0xc000, 0xc020, 0xc040, 0xc060, 0xc080, 0x1000, 0xe000
guest_code_end:

guest_well:
    mov $0x5a, %eax
    cpuid
    movl $0x1234567, 0x20000
    hlt
guest_well_end:
    .previous
)");

namespace {

constexpr u64 kFrames = 1024;
constinit FrameSupply supply;
RunWindow heap_memory, disk_memory;
u64 state_of_random;

u64 random() {  // xorshift64* (Vigna 2016)
    state_of_random ^= state_of_random >> 12;
    state_of_random ^= state_of_random << 25;
    state_of_random ^= state_of_random >> 27;
    return state_of_random * 0x2545'f491'4f6c'dd1d;
}

/// What came of the guests of one kind: how many ended for which reason, and the first of each in full.
class Endings {
  public:
    void count(Processor& processor) {
        const End& end = processor.machine().end();
        if (end.kind == End::running) {
            ++stopped_;
            return;
        }
        for (Reason& each : std::span(reasons_, used_))
            if (each.text == std::string_view(end.reason)) {
                ++each.count;
                return;
            }
        if (used_ == kMost) return;
        reasons_[used_++] = {end.reason, 1};
        if (end.kind == End::failed) report(processor);
    }
    void tell(const char* kind) const {
        print(kind, ": ", stopped_, " were stopped\n");
        for (const Reason& each : std::span(reasons_, used_)) print(kind, ": ", each.count, " ended: ", each.text, "\n");
    }

  private:
    static constexpr u64 kMost = 16;
    struct Reason {
        std::string_view text;
        u64 count;
    };
    Reason reasons_[kMost];
    u64 used_ = 0, stopped_ = 0;
};

class ZeroImage final : public DiskImage {
  public:
    ZeroImage() : DiskImage(64 * kPageSize) {}
    const std::byte* block(u64) override { return block_; }

  private:
    std::byte block_[kPageSize]{};
};

/// Long enough for what it wants to do; then it is stopped.
void run(Processor& processor) {
    const u64 limit = ticks() + information().tsc_hz / 1000;
    while (ticks() < limit)
        if (processor.run(limit) != Turn::over) return;
}

/// A guest with a disk, made, `prepared`, run and taken apart again.
template <class Prepare, class Judge>
void with_guest(Prepare prepare, Judge judge) {
    static ZeroImage image;
    BlockPool pool({disk_memory.memory(), disk_memory.count() << kPageShift});
    u32 places[64];
    CowDisk disk(image, pool, places);
    auto* const guest = new PcGuest(supply, {.name = "hostile", .frames = kFrames});
    expect("opened", guest->open().ok());
    guest->platform().add_disk(disk, "hostile");
    expect("tables", write_tables(guest->memory()));
    write_start(guest->processor().cpu().state(), kCode);
    prepare(*guest);
    run(guest->processor());
    judge(*guest);
    expect("closed", guest->close().ok());
    delete guest;
    expect("everything came back", supply.taken() == 0, supply.taken());
}

void fill_randomly(Memory& memory, u64 address, u64 bytes) {
    for (u64 i = 0; i < bytes; i += 8) memory.write(address + i, random());
}

void put(Memory& memory, const std::byte* from, const std::byte* to) {
    expect("code", memory.copy_out(kCode, {from, static_cast<u64>(to - from)}));
}

void run_random_code(PcGuest& guest) { fill_randomly(guest.memory(), kCode, 16 * kPageSize); }

// A few words of the proposals are anything at all; so are the registers.
void run_random_state(PcGuest& guest) {
    put(guest.memory(), guest_well, guest_well_end);
    auto* const words = reinterpret_cast<u64*>(&guest.processor().cpu().state());
    constexpr u64 kWords = sizeof(GuestState) / sizeof(u64), kChanged = offsetof(GuestState, changed) / sizeof(u64);
    for (u64 i = random() % 8 + 1; i != 0; --i) {
        const u64 at = random() % kWords;
        words[at] = random() >> random() % 64;
    }
    words[kChanged] = random() % 2 == 0 ? kAllGuestParts : random();
}

void run_random_ports(PcGuest& guest) {
    put(guest.memory(), guest_code, guest_code_end);
    guest.processor().cpu().state().rdi = random() | 1;
}

// Tables that point at themselves, at each other, beyond the memory, at nothing.
void run_nonsense_tables(PcGuest& guest) {
    Memory& memory = guest.memory();
    put(memory, guest_well, guest_well_end);
    for (u64 i = 0; i < 3 * 512; ++i) {
        const u64 target = random() % 4 == 0 ? random() : (random() % 16) << kPageShift;
        memory.write(kTables + 8 * i, (target & ~u64{0xfff}) | (random() & 0xfff) | 1);
    }
}

void run_all(const char* kind, u64 rounds, void (*prepare)(PcGuest&)) {
    Endings endings;
    for (u64 i = 0; i < rounds; ++i) with_guest(prepare, [&](PcGuest& guest) { endings.count(guest.processor()); });
    endings.tell(kind);
}

}  // namespace

int libos_main() {
    const u64 rounds = argument("rounds", 10);
    state_of_random = argument("seed", 1);
    constexpr u64 kHeapPages = 64;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;
    if (!disk_memory.take(16).ok()) return 2;
    run_all("random code", rounds, run_random_code);
    run_all("random state", rounds, run_random_state);
    run_all("random ports", rounds, run_random_ports);
    run_all("nonsense tables", rounds, run_nonsense_tables);
    with_guest([](PcGuest& guest) { put(guest.memory(), guest_well, guest_well_end); },
               [](PcGuest& guest) {
                   expect("the last one is well", guest.memory().read<u32>(0x2'0000) == 0x123'4567);
                   expect("and switched itself off", guest.machine().end().kind == End::power_off);
               });
    print(wrong == 0 ? "all of " : "NOT all of ", 4 * rounds, " hostile guests harmed nobody but themselves\n");
    return wrong == 0 ? 0 : 1;
}
