#include "guests/differ/generate.hpp"

namespace differ {

const Class kClassTable[kClasses] = {
    {"arithmetic", make_arithmetic},
    {"memory", make_memory},
    {"branch", make_branch},
    {"flags", make_flags},
    {"faults", make_faults},
    {"control", make_control},
    {"write-protect", make_write_protect},
    {"debug", make_debug},
    {"tables", make_tables},
    {"segments", make_segments},
    {"descriptors", make_descriptors},
    {"model-registers", make_model_registers},
    {"transfers", make_transfers},
    {"ports", make_ports},
    {"paging", make_paging},
    {"identity", make_identity},
    {"undefined", make_undefined},
    {"virtualization", make_virtualization},
    {"fpu", make_fpu},
    {"made-return", make_made_return},
};

Begin generate(u64 seed, u64 index, const Choice& choice, Code& code, u64 (&counts)[kClasses]) {
    Random random(seed * 0x1'0000'0001 + index);
    random = Random(random.word());
    Begin begin{};
    begin.user = random.below(3) == 0;
    // CF PF AF ZF SF DF OF; IF and ID; sometimes NT and AC. Interrupts are off in ring 3 as often as on.
    begin.flags = (random.word() & 0x20'0ed5) | 2 | (random.below(8) == 0 ? random.word() & 0x4'4000 : 0);
    begin.flags &= ~u64{1 << 8};
    if (begin.user && random.below(4) == 0) begin.flags |= 3 << 12;
    constexpr u64 kTelling[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff, 0x7fff'ffff'ffff'ffff, 0x8000'0000'0000'0000, ~u64{0}};
    for (u64& each : begin.registers) each = random.below(2) == 0 ? random.word() : random.one_of(kTelling);
    Maker maker{code, random, begin.user, begin.user};
    // A sequence has one class more often than others: what is rare alone meets itself.
    const u64 theme = random.below(kClasses), pieces = 3 + random.below(10);
    for (u64 i = 0; i < pieces && code.room(160); ++i) {
        const u64 number = random.below(3) == 0 ? theme : random.below(kClasses);
        if (!((maker.user ? choice.user : choice.kernel) >> number & 1)) continue;
        kClassTable[number].make(maker);
        ++counts[number];
    }
    code.add({0xcd, kEndGate});
    return begin;
}

}  // namespace differ
