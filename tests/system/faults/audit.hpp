// The books, counted again from outside: who owns which frame and slot, by the published tables, against the accounts.
//
// The tables move while they are read. A grant number is never used twice, so a table that shows the same numbers in two
// readings stood still in between; what is read between the two belongs to that moment.
#pragma once

#include "tests/system/revoked.hpp"

namespace tessera::faults {

using namespace tessera::attack;

struct Count {
    u64 free, bound_to_nobody, digest;
    u64 frames[kMaxEnvironments], slots[kMaxEnvironments];
};

/// By the tables alone.
inline void count(Count& books) {
    books = Count{};
    const auto note = [&](u64 grant, u64 owner, u64 more) { books.digest = (books.digest << 7 | books.digest >> 57) ^ (grant + (owner << 40) + more); };
    for (u64 i = 0; i < information().frames; ++i) {
        const volatile FrameInfo& info = frame_info(FrameNumber{i});
        const u64 grant = info.grant, owner = info.owner, state = static_cast<u64>(static_cast<FrameState>(info.state));
        note(grant, owner, state);
        ++books.frames[EnvId{owner}.index() % kMaxEnvironments];
        const bool is_free = state == static_cast<u64>(FrameState::free);
        books.free += is_free;
        books.bound_to_nobody += is_free && (info.bindings != 0 || info.large_bindings != 0) && info.grant == grant;
    }
    for (u64 i = 0; i < information().cpus * kSlotsPerCpu; ++i) {
        const volatile SlotInfo& info = slot_info(SlotNumber{i});
        const u64 grant = info.grant, owner = info.owner;
        note(grant, owner, 0);
        ++books.slots[EnvId{owner}.index() % kMaxEnvironments];
    }
}

/// What the accounts say that does not agree with a count: where, and what was counted; null: all is well.
struct Disagreement {
    const char* what;
    u64 where, counted;
};
inline Disagreement compare(const Count& books, const Count& accounts) {
    if (books.bound_to_nobody != 0) return {"free frames that are bound", 0, books.bound_to_nobody};
    if (books.free != accounts.free) return {"free frames", 0, books.free};
    for (u64 i = 1; i < kMaxEnvironments; ++i) {
        if (books.frames[i] != accounts.frames[i]) return {"frames of an environment", i, books.frames[i]};
        if (books.slots[i] != accounts.slots[i]) return {"slots of an environment", i, books.slots[i]};
    }
    return {nullptr, 0, 0};
}

/// Recount everything. False: it did not stand still in `tries` readings, and nothing is known.
inline bool books_balance(u64 tries) {
    // Another CPU can stand between a table and the account that goes with it, for as long as the host lets it stand there. A call
    // for which everything is stopped does not return before it has come to the end of that.
    const u64 doubts = information().cpus == 1 ? 1 : 64;
    static Count books, accounts, again;
    u64 doubted = 0, doubtful = 0;
    for (; tries != 0 || doubted != 0; tries -= tries != 0) {
        count(books);
        for (u64 i = 1; i < kMaxEnvironments; ++i) {
            const volatile EnvironmentInfo& info = environment_info(EnvId{i});
            accounts.frames[i] = info.frames, accounts.slots[i] = info.slots;
        }
        accounts.free = *static_cast<const volatile u64*>(&information().frames_free);
        count(again);
        if (books.digest != again.digest || (doubted != 0 && doubtful != books.digest)) {
            doubted = 0;
            continue;
        }
        const Disagreement found = compare(books, accounts);
        doubtful = books.digest;
        if (found.what != nullptr && ++doubted < doubts) {
            expect("a call that stops all", answer_to<PostCapability>({{}, 0, 0}), Error::ok);
            continue;
        }
        if (found.what != nullptr) print("counted ", found.counted, " ", found.what, " (", found.where, ")\n");
        expect_true("the books balance", found.what == nullptr, found.where);
        return true;
    }
    return false;
}

/// What must be so from the moment on at which somebody has ended, whatever others do: nothing bears its name any more.
inline bool nothing_left_of(EnvId dead) {
    u64 left = static_cast<volatile const u32&>(environment_info(dead).id) == dead.value;
    for (u64 i = 0; i < information().frames; ++i) left += static_cast<volatile const u32&>(frame_info(FrameNumber{i}).owner) == dead.value;
    for (u64 i = 0; i < information().cpus * kSlotsPerCpu; ++i) {
        const volatile SlotInfo& info = slot_info(SlotNumber{i});
        left += (info.owner == dead.value) + (info.runs == dead.value);
    }
    for (u64 i = 0; i < kMaxEnvironments * kPostsPerEnvironment; ++i) left += post_of(EnvId{i / kPostsPerEnvironment}, i % kPostsPerEnvironment).owner == dead.value;
    for (u64 i = 0; i < kMaxEnvironments * kRequests; ++i) left += request_at(i).target == dead.value && request_at(i).state != RequestState::unused && !is_done(request_at(i));
    return left == 0;
}

}  // namespace tessera::faults
