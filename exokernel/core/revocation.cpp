#include "exokernel/core/revocation.hpp"

#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/repossession.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/core/upcalls.hpp"

namespace tessera::kernel {

Progress progress[kMaxEnvironments * kRequests];
u64 earliest_deadline = kAny;

namespace {

u64 last_number;

/// Save records that revocation leaves free: what it stands on must be able to fault.
constexpr u32 kRecordsLeft = 4;

u64 index_of(const RevocationRequest& row) { return static_cast<u64>(&row - requests); }
u8 bit_of(u64 index) { return static_cast<u8>(1 << index % kRequests); }

/// Of the rows whose bit is in `mask`, the one with the smallest number; its bit goes. The mask is not empty.
RevocationRequest& take_oldest(RequestRows rows, u8& mask) {
    RevocationRequest* oldest = nullptr;
    for (u64 i = 0; i < kRequests; ++i)
        if ((mask >> i & 1) && (oldest == nullptr || rows[i].number < oldest->number)) oldest = &rows[i];
    mask &= static_cast<u8>(~bit_of(index_of(*oldest)));
    return *oldest;
}

/// From here on its own time counts, whether or not it wants to hear of it or has a save record for it.
void commit_told(Environment& env, RevocationRequest& row) {
    Progress& more = progress[index_of(row)];
    row.state = RequestState::told;
    row.own_deadline = add_saturating(env.info->ticks, more.own_ticks);
    more.offered_deadline = add_saturating(env.offered, more.own_ticks);
}

}  // namespace

void recount(const Environment& target, RevocationRequest& row) {
    const u32 id = static_cast<u32>(target.id.value);
    u64 held = 0;
    for (u64 i = row.first; i < row.first + row.count; ++i)
        held += (row.kind == RevocationKind::slots ? slot_infos[i].owner : frames.info(FrameNumber{i}).owner) == id;
    const u64 gone = row.count - held;
    row.returned = gone > row.taken ? gone - row.taken : 0;
}

void close_request(Environment& target, RevocationRequest& row, RequestState state) {
    row.state = state;
    row.done_at = read_tsc();
    target.outstanding &= static_cast<u8>(~bit_of(index_of(row)));
    target.untold &= static_cast<u8>(~bit_of(index_of(row)));
    target.unheard &= static_cast<u8>(~bit_of(index_of(row)));
    settle_resume(target);
}

u64 commit_request(Environment& target, EnvId requester, const RevocationSpec& spec, u64 row_number) {
    const u64 now = read_tsc();
    RevocationRequest& row = rows_of(target.id)[row_number];
    const u64 index = index_of(row);
    row = {};
    row.number = ++last_number;
    row.target = static_cast<u32>(target.id.value);
    row.requester = static_cast<u32>(requester.value);
    row.kind = spec.kind;
    row.state = RequestState::asked;
    row.first = spec.first;
    row.count = spec.count;
    row.wall_deadline = add_saturating(now, spec.wall_ticks);
    row.asked_at = now;
    progress[index] = Progress{.own_ticks = spec.own_ticks, .offered_deadline = 0, .pass = 0, .looked = 0, .found = false, .as_seeded = {}};
    ++target.info->asked;
    trace(Event::revoked, target.id.value, row.number);
    target.bereaved &= static_cast<u8>(~bit_of(index));  // what was taken for the row's last request is in the vector
    target.outstanding |= bit_of(index);
    if (is_named(row)) recount(target, row);
    if (owed(row) == 0) {
        close_request(target, row, RequestState::met);
        return row.number;
    }
    target.untold |= bit_of(index);
    call_for_attention(target);
    if (row.wall_deadline < earliest_deadline) earliest_deadline = row.wall_deadline;
    return row.number;
}

void on_given_back(Environment& owner, RevocationKind kind, u64 first, u64 count) {
    if (owner.outstanding == 0 || is_being_repossessed(owner)) return;
    const RequestRows rows = rows_of(owner.id);
    count_returned(rows, kind, first, count);
    for (RevocationRequest& row : rows) {
        if (!is_outstanding(row) || row.kind != kind || owed(row) != 0) continue;
        if (is_named(row)) recount(owner, row);
        if (owed(row) == 0) close_request(owner, row, row.taken == 0 ? RequestState::met : RequestState::repossessed);
    }
}

void on_taken(Environment& owner, RevocationKind kind, u64 count) {
    if (owner.outstanding != 0) count_taken(rows_of(owner.id), kind, count);
}

void on_charged(FrameRange range) {
    leave_reserve(range);
    if (Environment* owner = find_environment(EnvId{frames.info(range.first).owner})) on_taken(*owner, RevocationKind::kernel_memory, range.count);
}

void leave_reserve(FrameRange range) {
    for (u64 i = 0; i < range.count; ++i) {
        FrameInfo& info = frames.info(range.first + i);
        if (!(info.flags & frame_flag::kReserve)) continue;
        info.flags &= static_cast<u8>(~frame_flag::kReserve);
        if (Environment* owner = find_environment(EnvId{info.owner})) --owner->info->reserve;
    }
}

void settle_resume(Environment& env) {
    if (env.unheard != 0 && env.entry[static_cast<u64>(UpcallKind::revoke)] != 0) {
        env.untold |= env.unheard;
        env.unheard = 0;
    }
    const bool wants_begin = env.entry[static_cast<u64>(UpcallKind::slice_begin)] != 0;
    env.when_yielded = wants_begin || (env.untold | env.bereaved) != 0 ? Resume::with_begin : Resume::yielded;
    if (env.resume == Resume::yielded || env.resume == Resume::with_begin) env.resume = env.when_yielded;
}

void call_for_attention(Environment& env) {
    settle_resume(env);
    interrupt_wait(env);
    kick(env);
}

void deliver_revocations(Environment& env) {
    const RequestRows rows = rows_of(env.id);
    for (RevocationRequest& row : rows)
        if (row.state == RequestState::asked) commit_told(env, row);
    if (env.entry[static_cast<u64>(UpcallKind::revoke)] == 0) {
        env.unheard |= env.untold;
        env.untold = 0;
    }
    if (env.entry[static_cast<u64>(UpcallKind::repossessed)] == 0) env.bereaved = 0;

    const u32 depth = *static_cast<volatile u32*>(&env.save->depth);
    const u64 room = depth < kSaveRecords - kRecordsLeft ? kSaveRecords - kRecordsLeft - depth : 0;
    struct {
        UpcallKind kind;
        const RevocationRequest* row;
    } news[2 * kRequests];
    u64 count = 0;
    while (count < room && (env.bereaved | env.untold) != 0) {
        const bool lost = env.bereaved != 0;
        news[count++] = {lost ? UpcallKind::repossessed : UpcallKind::revoke, &take_oldest(rows, lost ? env.bereaved : env.untold)};
    }
    // What is delivered last is handled first.
    while (count-- != 0) {
        const RevocationRequest& row = *news[count].row;
        const bool asks = news[count].kind == UpcallKind::revoke;
        const u64 lines = env.vector != nullptr ? lines_used(*env.vector) : 0;
        if (!deliver_upcall(env, env.frame, news[count].kind, row.number, asks ? index_of(row) : lines))
            (asks ? env.untold : env.bereaved) |= bit_of(index_of(row));  // the libOS changed the depth meanwhile
    }
    settle_resume(env);
}

void close_requests_of(Environment& env) {
    for (RevocationRequest& row : rows_of(env.id))
        if (is_outstanding(row)) close_request(env, row, RequestState::repossessed);
}

}  // namespace tessera::kernel
