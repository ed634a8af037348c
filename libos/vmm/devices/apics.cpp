// Interrupt commands (SDM vol. 3A, 10.6.1; for x2APIC 10.12.9).
#include "libos/vmm/devices/apics.hpp"

#include <algorithm>

namespace tessera::vmm {
namespace {

enum Shorthand : u32 { kNone = 0, kSelf = 1, kAll = 2, kOthers = 3 };

}  // namespace

Apics::Apics(u32 cpus, u64 tsc_hz) : cpus_(std::min(cpus, kMaxGuestCpus)), waiting_(~u32{1}) {
    for (u32 i = 0; i < cpus_; ++i) apics_[i].power_up(i, tsc_hz);
}

bool Apics::write(u32 cpu, u32 msr, u64 value, u64 now) {
    const bool done = apics_[cpu].write(msr, value, now);
    if (const auto command = apics_[cpu].take_command()) carry_out(cpu, *command);
    return done;
}

void Apics::carry_out(u32 from, u64 command) {
    const u8 vector = static_cast<u8>(command);
    const auto delivery = static_cast<Delivery>(command >> 8 & 7);
    const bool logical = (command >> 11 & 1) != 0;
    const u32 shorthand = command >> 18 & 3;
    // INIT with "level" low was for CPUs before the Pentium 4: it starts nothing and stops nothing.
    if (delivery == Delivery::init && (command >> 14 & 3) == 2) return;
    for (u32 i = 0; i < cpus_; ++i) {
        const bool named = shorthand == kNone   ? apics_[i].is_named(static_cast<u32>(command >> 32), logical)
                           : shorthand == kSelf ? i == from
                                                : shorthand == kAll || i != from;
        if (!named) continue;
        deliver(i, delivery, vector);
        // "Lowest priority" is one of those that are named; which, is the machine's choice.
        if (delivery == Delivery::lowest) return;
    }
}

void Apics::deliver(u32 cpu, Delivery delivery, u8 vector) {
    const u32 bit = 1u << cpu;
    switch (delivery) {
        case Delivery::fixed:
        case Delivery::lowest:
            return apics_[cpu].request(vector);
        case Delivery::nmi:
            nmis_ |= bit;
            return;
        case Delivery::init:
            apics_[cpu].reset();
            waiting_ |= bit;
            inits_ |= bit;
            startups_ &= ~bit;
            return;
        case Delivery::startup:
            if (runs(cpu)) return;
            waiting_ &= ~bit;
            startups_ |= bit;
            startup_vectors_[cpu] = vector;
            return;
        default:
            return;  // SMI: there is no such mode here; ExtINT is nobody's to send.
    }
}

std::optional<u8> Apics::take_startup(u32 cpu) {
    if (!take(startups_, cpu)) return std::nullopt;
    return startup_vectors_[cpu];
}

void Apics::advance(u64 now) {
    for (u32 i = 0; i < cpus_; ++i) apics_[i].advance(now);
}

u64 Apics::next_event() const {
    u64 next = kNever;
    for (u32 i = 0; i < cpus_; ++i) next = std::min(next, apics_[i].next_event());
    return next;
}

}  // namespace tessera::vmm
