// Visible revocation: units are asked back, the libOS is told and chooses (abi/revocation.hpp has the sequence). The state
// is the published table; what it does not say is in `Progress`. What happens at the deadline: repossession.cpp.
//
//   asked --- the target's next slice ---> told --- nothing is owed ------------------------> met
//     |                                     +------ both halves of the deadline passed ---> repossessed
//     +---- nobody gives it a slice, eight times the deadline has passed ----------------------^
#pragma once

#include "exokernel/abi/revocation.hpp"
#include "exokernel/core/frames.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/requests.hpp"

namespace tessera::kernel {

struct Environment;

/// What a row of the published table does not say.
struct Progress {
    u64 own_ticks;         ///< Of the spec.
    u64 offered_deadline;  ///< What Environment::offered must reach, the other way for its own time to be over; set when it is told.
    u64 pass, looked;      ///< How far the search for frames to take has come (repossession.cpp).
    bool found;            ///< It has found any since it began from the top.
    u64 as_seeded[3];      ///< Frames taken, by AutosaveKind: none, discard, copy.
};
extern Progress progress[kMaxEnvironments * kRequests];

inline RequestRows rows_of(EnvId id) { return RequestRows{requests + id.index() * kRequests, kRequests}; }

/// Ask `target` for units; it has a row free. The request's number.
u64 commit_request(Environment& target, EnvId requester, const RevocationSpec& spec, u64 row);

/// `owner` has lost units, by its own doing or because somebody did it who may: they count towards its requests. Not when
/// the kernel takes them.
void on_given_back(Environment& owner, RevocationKind kind, u64 first, u64 count);
/// `owner` has got units.
void on_taken(Environment& owner, RevocationKind kind, u64 count);
/// Owned frames of one owner become kernel memory.
void on_charged(FrameRange range);
/// These frames change hands or use: in nobody's reserve any more.
void leave_reserve(FrameRange range);

/// `env` is being resumed, its registers are in its frame: it is told what it has not been told yet, the oldest request
/// first, and before that what was taken from it.
void deliver_revocations(Environment& env);
/// `env` has something to be told: no shortcut into it, and nothing that it waits for comes first.
void call_for_attention(Environment& env);
/// Its entries or what it is to be told have changed. How `env` goes on after a yield: by the shortcut, unless slice_begin
/// is wanted or there is something to tell.
void settle_resume(Environment& env);

/// What counts of a named request is who holds the units now: a unit can come back twice.
void recount(const Environment& target, RevocationRequest& row);
/// The request is done.
void close_request(Environment& target, RevocationRequest& row, RequestState state);
/// The environment ends, and everything that it was asked for goes back.
void close_requests_of(Environment& env);

/// TSC before which no request can be overdue; kAny: none is outstanding.
extern u64 earliest_deadline;

}  // namespace tessera::kernel
