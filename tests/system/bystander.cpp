// The well-behaved neighbour of hostile programs: it owns memory, computes on it and looks again and again whether
// anything that it owns has changed under it: its pages, its registers, its frames in the kernel's tables.
//
//   rounds=N   how often at least; it then goes on while anybody else has a slot to run in
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kPages = 48;
Memory memory;
u64 expected[kPages];

[[gnu::target("general-regs-only")]] bool bind_again(VirtAddr address, u64) {
    const u64 page = page_of(address).value - memory.page.value;
    if (page >= kPages) return false;
    const PageSpan span = PageSpan::make(page_of(address), 1, Right::read | Right::write);
    const u64 capability = reinterpret_cast<u64>(&memory.capability);
    return raw_call(Bind::number, {capability, (memory.frame + page).value, span.bits, 0, 0}).error == Error::ok;
}

u64 sum_of(u64 page) {
    const u64* words = memory.words() + page * kPageSize / 8;
    u64 sum = 0;
    for (u64 i = 0; i < kPageSize / 8; i += 7) sum = (sum << 5 | sum >> 59) ^ words[i];
    return sum;
}

/// New contents for a page, and what they must add up to.
void write(u64 page, u64& state) {
    u64* words = memory.words() + page * kPageSize / 8;
    for (u64 i = 0; i < kPageSize / 8; i += 7) words[i] = random_word(state);
    expected[page] = sum_of(page);
}

/// Everything that can be seen of its holdings in the kernel's tables.
bool holdings_are_whole(u64 frames, u64 slots) {
    bool whole = accounts().frames == frames && accounts().slots == slots && accounts().id == boot().self.value;
    for (u64 i = 0; i < kPages; ++i) {
        const FrameInfo& info = frame_info(memory.frame + i);
        whole &= info.owner == boot().self.value && info.grant == memory.capability.grant && info.state == FrameState::owned;
    }
    for (u64 i = 0; i < slots; ++i) whole &= slot_info(SlotNumber{boot().slots[i].first}).owner == boot().self.value;
    return whole;
}

bool somebody_else_runs() {
    for (u64 i = 0; i < information().cpus * kSlotsPerCpu; ++i) {
        const u32 runs = slot_info(SlotNumber{i}).runs;
        if (runs != 0 && runs != boot().self.value) return true;
    }
    return false;
}

}  // namespace

int libos_main() {
    if (!take(memory, kPages)) return 3;
    set_fault_policy(bind_again);
    u64 state = boot().self.value * 0x9e37'79b9'7f4a'7c15;
    for (u64 page = 0; page < kPages; ++page) write(page, state);
    const u64 frames = accounts().frames, slots = accounts().slots, least = argument("rounds", 50);
    volatile double real = 1.0;
    double sum = 0;
    u64 rounds = 0;
    for (; rounds < least || somebody_else_runs(); ++rounds) {
        for (u64 page = 0; page < kPages; ++page) expect_true("a page changed", sum_of(page) == expected[page], page);
        write(rounds % kPages, state);
        for (u64 i = 0; i < 100; ++i) sum += real;
        expect_true("a sum in SSE registers changed", sum == 100.0 * static_cast<double>(rounds + 1), rounds);
        expect_true("holdings changed", holdings_are_whole(frames, slots), rounds);
        if (wrong != 0) break;
        yield();
    }
    print("nothing noticed in ", rounds, " rounds\n");
    return verdict("bystander");
}
