// A libOS that executes every sensitive instruction of the monitor's table in ring 3, and holds what happens against
// what the table says: traps and how, or runs silently. On a CPU that has not got what an entry needs, against the
// table's second word.
#include <span>

#include "libos/vmm/instructions/sensitive.hpp"
#include "tests/system/attempt.hpp"

using namespace tessera;
using namespace tessera::attack;
using namespace tessera::vmm;

namespace {

/// What `seen.vector` is when the instruction entered the kernel as a system call.
constexpr u64 kEntered = 0x100;

[[LIBOS_HANDLER, gnu::section(".guaranteed.text.unknown")]] void on_unknown_call(SaveRecord& record) {
    seen = {kEntered, 0, record.rip, 0};
}

struct Leaf {
    u32 eax, ebx, ecx, edx;
};
Leaf cpuid(u32 leaf) {
    Leaf out;
    asm volatile("cpuid" : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx) : "a"(leaf), "c"(0));
    return out;
}

bool has(Needs needs) {
    const Leaf structured = cpuid(0).eax >= 7 ? cpuid(7) : Leaf{};
    switch (needs) {
        case Needs::nothing: return true;
        case Needs::umip: return structured.ecx & 1u << 2;
        case Needs::fsgsbase: return structured.ebx & 1u << 0;
        case Needs::rdtscp: return cpuid(0x8000'0001).edx & 1u << 27;
        case Needs::rdpid: return structured.ecx & 1u << 22;
        case Needs::invpcid: return structured.ebx & 1u << 10;
    }
    return false;
}

bool is(AtCpl3 expected, u64 vector) {
    switch (expected) {
        case AtCpl3::silent: return vector == kNothing;
        case AtCpl3::gp: return vector == 13;
        case AtCpl3::ud: return vector == 6;
        case AtCpl3::ud_or_gp: return vector == 6 || vector == 13;
        case AtCpl3::db_or_ud: return vector == 1 || vector == 6;
        case AtCpl3::bp: return vector == 3;
        case AtCpl3::exit: return vector == kEntered;
    }
    return false;
}

u64 silent, trapped;

void try_one(const SensitiveInstruction& entry) {
    u8 bytes[32];
    u32 at = 0;
    const u32 length = assemble(entry.sample, bytes, at);
    run(std::span<const u8>(bytes, length), 0);
    const AtCpl3 otherwise = entry.needs == Needs::umip ? AtCpl3::silent : AtCpl3::ud;
    const AtCpl3 expected = has(entry.needs) ? entry.at_cpl3 : otherwise;
    ++(seen.vector == kNothing ? silent : trapped);
    ++attempts;
    // A fault is the instruction's own only if it is where the instruction is.
    const bool faulted = seen.vector == 6 || seen.vector == 13;
    const bool there = !faulted || seen.address == reinterpret_cast<u64>(code_page) + at;
    if (is(expected, seen.vector) && there) return;
    ++wrong;
    print("WRONG ", entry.name, ": vector ", seen.vector == kNothing ? u64{999} : seen.vector, " at ", hex(seen.address), "\n");
}

}  // namespace

int libos_main() {
    if (!prepare_attempts() || !set_handler<UpcallKind::unknown_syscall, on_unknown_call>().ok()) return 3;
    for (const SensitiveInstruction& entry : sensitive_instructions()) try_one(entry);
    print(silent, " ran silently, ", trapped, " trapped\n");
    return verdict("sensitive");
}
