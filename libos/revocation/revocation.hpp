// Answering visible revocation: a program says who can give what (giver.hpp), and goes on with its work.
//
//   expect_repossession();                                   // nothing of the image is taken; what is taken is found out
//   add_giver(RevocationKind::frames, unused_frames);        // asked in this order
//   add_giver(RevocationKind::frames, pages);
//   answer_revocation();                                     // requests are answered from now on
//
// Both upcalls, `revoke` and `repossessed`, are dealt with at the program's next safe point (libos/core/safe_point.hpp), which is
// a few hundred instructions away at most unless it holds preemption off: well within any deadline.
#pragma once

#include "libos/core/call.hpp"
#include "libos/revocation/giver.hpp"

namespace tessera::libos {

/// What has come and gone so far.
struct RevocationCounts {
    u64 requests;     ///< Told of, and answered.
    u64 given;        ///< Units given back for them.
    u64 owed;         ///< Units that could not be given: at the deadline the kernel takes them.
    u64 lines;        ///< Lines that were in the vector.
    u64 lost;         ///< Units that those lines named.
    u64 unreported;   ///< Units lost that the vector had no line for.
};
const RevocationCounts& revocation_counts();

/// Have what is taken by force found out and forgotten (Giver::forget_lost), so that it can be paged in again. The image goes into
/// the reserve, from which nothing is taken: it has nowhere to come back from.
/// Errors: quota (the image has more than kMaxReserve frames), of upcall_set.
Outcome expect_repossession();

/// Answer requests too. Without it they are ignored.  Errors: of expect_repossession, upcall_set.
Outcome answer_revocation();

/// From now on `giver` is asked, behind those that are there already. It must stay. False: no room.
bool add_giver(RevocationKind kind, Giver& giver);

/// Be told of each line of the vector, before it is taken off. Called at a safe point.
void observe_losses(void (*observer)(const Repossession& line));

}  // namespace tessera::libos
