// The rows of one environment in the published table of requests, and the lines of its repossession vector: which unit
// counts towards which request, which row is used next, how a line is written. Pure: revocation.cpp and repossession.cpp do
// with it what needs the machine.
#pragma once

#include <span>

#include "exokernel/abi/revocation.hpp"

namespace tessera::kernel {

using RequestRows = std::span<RevocationRequest, kRequests>;

constexpr bool is_outstanding(const RevocationRequest& row) {
    return row.state == RequestState::asked || row.state == RequestState::told;
}
/// These very units, or whichever the libOS likes?
constexpr bool is_named(const RevocationRequest& row) { return row.first != kAny; }
/// What was asked for and has not come. A whole context may be more than was asked for.
constexpr u64 owed(const RevocationRequest& row) {
    const u64 come = row.returned + row.taken;
    return row.count > come ? row.count - come : 0;
}

bool canonical(const RevocationSpec& spec);

/// The outstanding row with the smallest number above `number`; nullptr: there is none.
RevocationRequest* next_outstanding(RequestRows rows, u64 number);

/// Where another request goes: a row not in use, else the one done longest ago. kRequests: all are outstanding.
u64 free_row(RequestRows rows);

/// `count` units from `first` on came back: each counts towards the oldest outstanding request that it fits.
void count_returned(RequestRows rows, RevocationKind kind, u64 first, u64 count);

/// The libOS took `count` units: that is less given back, where it had the choice. The youngest request first.
void count_taken(RequestRows rows, RevocationKind kind, u64 count);

/// Write a line into the vector, or make the last one longer. The page is the libOS's: each word of it is read once, and
/// may say anything. What finds no line free is added to `unreported`.
/// The first `seen` lines are left as they are: the libOS may have read them, and would not notice that one has grown.
void append_line(RepossessionVector& vector, const Repossession& line, u64 seen = 0);
/// Lines in use, whatever the libOS wrote there.
u64 lines_used(const RepossessionVector& vector);

}  // namespace tessera::kernel
