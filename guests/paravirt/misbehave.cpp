// Ways to be a bad paravirtual guest, each a word of the command line: see guests/trapped/misbehave.cpp for the bare ones.

#include "guests/paravirt/hypercall.hpp"
#include "guests/small/frames.hpp"
#include "guests/small/machine.hpp"
#include "guests/paravirt/misbehave.hpp"

namespace small {
namespace {

using paravirt::Hypercall;

void hang(Random&, u64) {
    machine::mask_interrupts();
    for (;;) asm volatile("pause");
}

/// A trap entry that traps.
void triple_fault(Random&, u64) {
    hypercall(Hypercall::set_trap_entry, 8);
    asm volatile("ud2");
}

/// A number that may be meant seriously, or not at all.
u64 plausible(Random& random) {
    const u64 word = random.next();
    switch (random.below(4)) {
        case 0: return random.below(4);
        case 1: return word & 0xff'f000;
        case 2: return word % paravirt_layer::start->memory_end;
        default: return word;
    }
}

void wild_hypercalls(Random& random, u64 rounds) {
    for (u64 i = 0; i < rounds; ++i) {
        const auto number = static_cast<Hypercall>(random.below(static_cast<u64>(Hypercall::count) + 2));
        // These end it at once, or for ever.
        if (number == Hypercall::power_off || number == Hypercall::return_from_trap || number == Hypercall::wait ||
            number == Hypercall::set_trap_entry)
            continue;
        hypercall(number, plausible(random), plausible(random), plausible(random));
    }
}

/// Frames to return by that are anything, with a trap entry that is anything: whoever tries to go on ends here.
void wild_frames(Random& random, u64) {
    static u64 frame[sizeof(TrapFrame) / sizeof(u64)];
    for (u64& word : frame) word = plausible(random);
    hypercall(Hypercall::set_trap_entry, plausible(random) % paravirt_layer::start->memory_end);
    paravirt_layer::shared->kernel_stack = plausible(random);
    hypercall(Hypercall::return_from_trap, address_of(frame));
}

/// Random bytes, run as the kernel.
void random_code(Random& random, u64) {
    static u8 bytes[kPageSize];
    for (u8& byte : bytes) byte = static_cast<u8>(random.next() >> 32);
    // Safety: none; that is the point.
    reinterpret_cast<void (*)()>(bytes)();
}

void wild_tables(Random& random, u64 rounds) {
    Frame tables[8];
    for (Frame& table : tables) table = allocate_zeroed_frame();
    hypercall(Hypercall::create_root, tables[0].address);
    static paravirt::Update updates[paravirt::kMaxUpdates];
    for (u64 i = 0; i < rounds; ++i) {
        for (paravirt::Update& update : updates) {
            const u64 table = tables[random.below(8)].address, next = tables[random.below(8)].address;
            update = {table + 8 * random.below(512), random.below(4) != 0 ? next | 7 : plausible(random)};
        }
        hypercall(Hypercall::update_entries, address_of(updates), paravirt::kMaxUpdates);
        if (random.below(16) == 0) hypercall(Hypercall::switch_root, tables[0].address);
        if (random.below(64) == 0) hypercall(Hypercall::destroy_root, tables[0].address), hypercall(Hypercall::create_root, tables[0].address);
    }
}

void lying_rings(Random& random, u64 rounds) {
    alignas(kPageSize) static u64 ring[kPageSize / sizeof(u64)];
    for (u64 kind = 0; kind < static_cast<u64>(paravirt::RingKind::count); ++kind) hypercall(Hypercall::start_ring, kind, address_of(ring));
    for (u64 i = 0; i < rounds; ++i) {
        for (u64& word : ring) word = plausible(random);
        hypercall(Hypercall::notify_ring, random.below(3));
    }
}

constexpr Way kWays[] = {{"hang", hang},          {"triple", triple_fault}, {"wild", wild_hypercalls}, {"frames", wild_frames},
                         {"code", random_code}, {"tables", wild_tables},  {"rings", lying_rings},
                         {"lent", lie_about_lent_pages}};

}  // namespace

void machine::misbehave(const char* command_line) { try_ways(kWays, command_line); }

}  // namespace small
