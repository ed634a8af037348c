// What visible revocation costs, in instructions.
//
//   revoke_one_frame_end_to_end     from the request for a frame of another libOS, through its upcall and its answer, to
//                                   the frame being free and the asker running again: two directed yields are part of it
//   repossess_64_frames[_copied]    what taking 64 frames by force adds to the end of a slot: each is bound once
//
// Force is used where slots end, so its cost shows as a gap between two readings of the TSC, of which the gap at the end
// of a slot in which nothing was asked is taken off.
#include "bench/system/path_calls.hpp"
#include "exokernel/abi/revocation.hpp"

using namespace tessera;
using namespace tessera::bench;

namespace {

constexpr u64 kStep = 64;  // what the kernel takes at the end of one slot

const RevocationRequest& request_at(u64 row) {
    return reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset)[row];
}
bool is_done(const RevocationRequest& row) { return *static_cast<const volatile RequestState*>(&row.state) > RequestState::told; }

const RevocationRequest& ask(EnvId target, u64 first, u64 count, u64 wall) {
    const RevocationSpec spec{RevocationKind::frames, 0, first, count, information().grace, wall};
    const u64 number = sure("revoke", call<Revoke>({address(boot().every_environment), target, address(spec)}));
    for (u64 i = 0; i < kRequests; ++i)
        if (const auto& row = request_at(target.index() * kRequests + i); row.number == number) return row;
    give_up("revoke", "no such row");
}

// ------------------------------------------------------------------------------------------------ who is asked

Capability pool;
u64 given;

void give_one(SaveRecord&) { sure("giver", call<FrameRelease>({address(pool), FrameNumber{pool.first + given++}, 1})); }

int be_giver(EnvId asker) {
    sure("giver", call<FrameAlloc>({FrameNumber{kAny}, kRounds + 8, 1, address(pool)}));
    sure("giver", set_plain_handler<UpcallKind::revoke, give_one>());
    while (given <= kRounds) enter_yield(asker);  // one more than is measured: then it is over
    return 0;
}

// --------------------------------------------------------------------------------------------------- who asks

void measure_willing(EnvId giver) {
    while (environment_info(giver).yields == 0) enter_yield(giver);  // it is ready
    static RevocationSpec spec;
    spec = {RevocationKind::frames, 0, kAny, 1, information().grace, 1000 * information().quantum};
    const u64 had = environment_info(giver).frames;
    measure("revoke_one_frame_end_to_end", nothing, [giver](u64) {
        const Answer answer = enter_kernel<Revoke>({address(boot().every_environment), giver, address(spec)});
        yield_to(giver);
        return answer;
    });
    if (environment_info(giver).frames != had - kRounds) give_up("revoke_one_frame_end_to_end", "frames were not given");
    ask(giver, kAny, 1, spec.wall_ticks);
    while (environment_info(giver).id == giver.value) enter_yield(giver);
}

/// The longest time that passes between two instructions of ours until `over()`.
template <class Over>
u32 longest_gap(Over over) {
    u32 longest = 0;
    for (u64 last = ticks(); !over();) {
        const u64 now = ticks();
        if (now - last > longest) longest = static_cast<u32>(now - last);
        last = now;
    }
    return longest;
}

u32 gap_at_the_end_of_a_slot() {
    const u64 slices = accounts().slices;
    const auto* volatile begun = &accounts().slices;
    return longest_gap([&] { return *static_cast<const volatile u64*>(begun) >= slices + 3; });
}

void measure_forced(const char* name, bool copied) {
    static Capability lost, vault;
    Series series;
    for (u64 round = 0; round < kRounds; ++round) {
        const FrameNumber first = sure(name, call<FrameAlloc>({FrameNumber{kAny}, kStep, 1, address(lost)}));
        const PageSpan span = PageSpan::make(kArena, kStep, kReadWrite);
        sure(name, call<Bind>({address(lost), first, span, {}, {}}));
        for (u64 page = 0; page < kStep; ++page) store(address_of(kArena + page));
        if (copied) {
            const FrameNumber to = sure(name, call<FrameAlloc>({FrameNumber{kAny}, kStep, 1, address(vault)}));
            const AutosaveSpec spec{AutosaveKind::copy, 0, address(vault), to};
            sure(name, call<Autosave>({address(lost), first, kStep, address(spec)}));
        }
        const u32 usual = gap_at_the_end_of_a_slot();
        const RevocationRequest& row = ask(boot().self, first.value, kStep, information().grace);
        const u32 gap = longest_gap([&] { return is_done(row); });
        if (row.taken != kStep) give_up(name, "frames were not taken");
        if (copied) sure(name, call<FrameRelease>({address(vault), FrameNumber{vault.first}, kStep}));
        if (round >= kWarmUp) series.add(gap - usual);
    }
    report(name, series, 0);
}

}  // namespace

int libos_main() {
    if (arguments() == "role=giver") return be_giver(find_environment("repossession"));
    calibrate();
    const EnvId giver = find_environment("giver");
    if (!giver) give_up("revoke_one_frame_end_to_end", "there is nobody to ask");
    measure_willing(giver);
    measure_forced("repossess_64_frames", false);
    measure_forced("repossess_64_frames_copied", true);
    return 0;
}
