// Guests in ring 3 that are made of nonsense: random code in the mode of a kernel or a user, random tables (that point at themselves, at
// each other, at devices, beyond memory), descriptor tables anywhere, any control registers that a CPU can have. Each runs for a
// little while. It may end badly; its monitor must not, and a page that the guest does not have stays as it is.
//
//   rounds=N seed=N
#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/heap/heap.hpp"
#include "libos/vmm/deprivileged/guest.hpp"
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

constexpr u64 kFrames = 48, kTables = 6, kExitsARound = 3000;
constexpr u64 kGdt = 3, kIdt = 4, kTaskState = 5;  // of a guest that is to live for a while

u64 state;
u64 random_word() {
    u64 z = (state += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
}
u64 below(u64 limit) { return random_word() % limit; }

constinit FrameSupply supply;
RunWindow heap_memory;

/// An address that may mean something.
u64 random_address() {
    switch (below(8)) {
    case 0: return random_word();
    case 1: return below(1 << 22) + (u64{255} << 39);
    case 2: return below(1 << 22) + (u64{511} << 39 | u64{0xffff} << 48);
    default: return below(kFrames << kPageShift);
    }
}

/// Code, without the one byte that an emulator may execute wrongly in ring 3: it is tried by virtual_8086.cpp.
u64 random_code() {
    constexpr u64 kIret = 0xcf, kNop = 0x90;
    u64 word = random_word();
    for (u64 i = 0; i < 64; i += 8)
        if ((word >> i & 0xff) == kIret) word ^= (kIret ^ kNop) << i;
    return word;
}

u64 random_entry() {
    u64 value = below(4) == 0 ? random_word() & 0xff'ffff'f000 : below(below(2) ? kTables : kFrames) << kPageShift;
    if (below(8) != 0) value |= entry::kPresent;
    if (below(3) != 0) value |= entry::kWrite;
    if (below(3) != 0) value |= entry::kUser;
    if (below(6) == 0) value |= entry::kLarge;
    if (below(6) == 0) value |= entry::kNoExecute;
    return value | (random_word() & 0x160);
}

void fill(DeprivilegedGuest& guest, bool sane) {
    for (u64 frame = 0; frame < kFrames; ++frame) {
        guest.processor().note_write(frame);
        auto* const words = reinterpret_cast<u64*>(guest.memory().page(frame, true));
        for (u64 i = 0; i < kEntries; ++i) words[i] = frame < kTables ? (below(4) ? random_entry() : 0) : random_code();
    }
    if (!sane) return;
    // The first 2 MiB as they lie, by the tables in frames 0 to 2.
    const auto word = [&](u64 frame, u64 index) -> u64& { return reinterpret_cast<u64*>(guest.memory().page(frame, true))[index]; };
    for (u64 i = 0; i < 3; ++i) guest.processor().note_write(i);
    word(0, 0) = 0x1007;
    word(1, 0) = 0x2007;
    word(2, 0) = 0x87;
    // Descriptors and gates that are good, so that it does not end with its first exception: they lead anywhere.
    constexpr u64 kKernelCode = 0x00af'9b00'0000'ffff, kData = 0x00cf'9300'0000'ffff, kUserData = 0x00cf'f300'0000'ffff,
                  kUserCode = 0x00af'fb00'0000'ffff;
    const u64 table[] = {0, kKernelCode, kData, kUserData, kUserCode};
    for (u64 i = 0; i < 5; ++i) word(kGdt, i) = table[i];
    for (u64 gate = 0; gate < kEntries; gate += 2) {
        const u64 to = (kTables << kPageShift) + below((kFrames - kTables) << kPageShift);
        word(kIdt, gate) = (to & 0xffff) | 8 << 16 | u64{0xee00} << 32 | (to >> 16 & 0xffff) << 48;
        word(kIdt, gate + 1) = 0;
    }
    for (u64 i = 0; i < 16; ++i) word(kTaskState, i) = 0x0004'0000'0002'0000;  // stacks, at offset 4 of each pair of words
}

VirtualCpu random_cpu(bool sane) {
    VirtualCpu cpu = make_long_mode_cpu(DeprivilegedProcessor::model(), random_address(), sane ? 0 : below(kTables) << kPageShift);
    if (!is_canonical(cpu.rip)) cpu.rip &= 0xffff'ffff;
    for (u64& each : cpu.gpr) each = random_address();
    cpu.cpl = below(2) ? 0 : 3;
    cpu.rflags = (random_word() & rflags::kAll & ~rflags::kTrap) | rflags::kFixed;
    if (below(4) == 0) cpu.cr0 &= ~cr0::kWriteProtect;
    if (below(2) == 0) cpu.efer |= efer::kNoExecute | efer::kSyscall;
    cpu.gdtr = {random_address() & 0xf'ffff, static_cast<u16>(random_word())};
    cpu.idtr = {random_address() & 0xf'ffff, static_cast<u16>(below(3) ? 0xfff : random_word())};
    cpu.tr.base = random_address() & 0xf'ffff;
    if (sane) {
        cpu.rip = (kTables << kPageShift) + below((kFrames - kTables) << kPageShift);
        cpu.gdtr = {kGdt << kPageShift, 39};
        cpu.idtr = {kIdt << kPageShift, 0xfff};
        cpu.tr = {0x28, 0x8b, 0x67, kTaskState << kPageShift};
        cpu.cs.selector = cpu.cpl == 3 ? 0x23 : 0x08;
        cpu.ss.selector = cpu.cpl == 3 ? 0x1b : 0x10;
    }
    cpu.lstar = random_address();
    if (!is_canonical(cpu.lstar)) cpu.lstar = 0;
    cpu.star = random_word();
    return cpu;
}

}  // namespace

int libos_main() {
    state = argument("seed", 1);
    constexpr u64 kHeapPages = 128;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;
    auto* const guest = new DeprivilegedGuest(supply, {.name = "nonsense", .frames = kFrames, .shadow = {4, 16}});
    if (!guest->open().ok()) return 2;
    Capability frames;
    const auto page = map_guaranteed(1, frames);
    if (!page.ok()) return 2;
    auto* const beside = reinterpret_cast<u64*>(address_of(page.value()).value);
    for (u64 i = 0; i < kEntries; ++i) beside[i] = i * 0x1234'5678'9abc'def1;

    u64 ends[4]{};
    const u64 rounds = argument("rounds", 300);
    for (u64 round = 0; round < rounds; ++round) {
        const bool sane = below(2) != 0;
        guest->machine().restart();
        fill(*guest, sane);
        guest->processor().start(random_cpu(sane));
        const u64 before = guest->processor().exits().total();
        Turn turn = Turn::over;
        for (u64 turns = 0; turn == Turn::over && turns < 4 && guest->processor().exits().total() - before < kExitsARound; ++turns)
            turn = guest->processor().run(ticks() + information().quantum / 4);
        const End::Kind end = guest->machine().end().kind;
        attack::expect_true("an end has a reason", end != End::failed || guest->machine().end().reason[0] != 0, round);
        ++ends[end];
        if (end == End::failed && ends[end] == 1) guest->processor().tell_end();
    }
    for (u64 i = 0; i < kEntries; ++i) attack::expect_true("a page that the guest has not got", beside[i] == i * 0x1234'5678'9abc'def1, i);
    print("nonsense: ", rounds, " guests, ", ends[End::running], " were stopped, ", ends[End::power_off], " powered off, ", ends[End::reset],
          " reset, ", ends[End::failed], " failed\n");
    report_deprivileged(guest->processor(), "nonsense");
    attack::expect_true("some went on and some did not", ends[End::failed] != 0 && ends[End::failed] != rounds);
    if (!guest->close().ok()) return 1;
    return attack::verdict("nonsense");
}
