#include "exokernel/core/repossession.hpp"

#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/guest.hpp"
#include "exokernel/core/frame_bindings.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/core/trace.hpp"

namespace tessera::kernel {
namespace {

const Environment* losing;  // whose units are being taken
u64 lines_seen;             // of its vector, before this step

/// Frames are looked for in three passes, from the highest down: what the libOS minds least goes first.
constexpr AutosaveKind kPasses[] = {AutosaveKind::discard, AutosaveKind::copy, AutosaveKind::none};
constexpr u64 kPassCount = sizeof kPasses / sizeof kPasses[0];

/// What will be done with the frame's own bytes.
AutosaveKind seeded(const FrameInfo& info) {
    const AutosaveSeed seed{info.autosave};
    return seed.is_destination() ? AutosaveKind::none : seed.kind();
}

bool can_be_taken(const Environment& env, const FrameInfo& info) {
    return info.state == FrameState::owned && info.owner == env.id.value &&
           (info.flags & (frame_flag::kSaveArea | frame_flag::kReserve)) == 0;
}

/// The request is settled: say so in the table, on the log, and at the target's next slice.
void settle(Environment& env, RevocationRequest& row, const Progress& more) {
    if (is_named(row)) recount(env, row);
    const bool in_time = row.taken == 0 && owed(row) == 0;
    close_request(env, row, in_time ? RequestState::met : RequestState::repossessed);
    if (in_time) return;
    Text<120> how;
    if (row.kind == RevocationKind::frames)
        how.add(": ").add(more.as_seeded[1]).add(" discarded, ").add(more.as_seeded[2]).add(" copied, ").add(more.as_seeded[0]).add(" not seeded");
    log("took ", row.taken, " of ", row.count, ' ', kRevocationNames[static_cast<u64>(row.kind)], " from ",
        static_cast<const char*>(env.info->name), how.view());
}

void report(Environment& env, const RevocationRequest& row, u64 first, u64 count, AutosaveKind saved = AutosaveKind::none,
            u64 destination = 0) {
    if (env.vector != nullptr) append_line(*env.vector, Repossession{row.kind, saved, first, count, destination, row.number}, lines_seen);
    env.bereaved |= static_cast<u8>(1 << static_cast<u64>(&row - requests) % kRequests);
    call_for_attention(env);
    trace(Event::repossessed, env.id.value, first);
}

/// Bytes that nobody can change any more, to where they were seeded to go.
void save(FrameNumber frame, FrameNumber destination) {
    FrameInfo& to = frames.info(destination);
    if (frames.info(frame).flags & frame_flag::kDirty)  // never bound: it would have been zero
        zero_words(at(address_of(destination)), kPageSize / 8);
    else
        copy_page(at(address_of(destination)), at(address_of(frame)));
    to.flags &= static_cast<u8>(~frame_flag::kDirty);
    note_written(destination);
}

void take_frames(Environment& env, RevocationRequest& row, Progress& more, const FrameNumber* chosen, u64 count) {
    for (u64 i = 0; i < count; ++i) frames.commit_new_grants(FrameRange{chosen[i], 1});
    for (u64 i = 0; i < count; ++i) shoot_down(FrameRange{chosen[i], 1});
    for (u64 i = 0; i < count; ++i) {
        const FrameInfo& info = frames.info(chosen[i]);
        const AutosaveKind kind = seeded(info);
        const FrameNumber destination = kind == AutosaveKind::copy ? AutosaveSeed{info.autosave}.other() : FrameNumber{};
        if (kind == AutosaveKind::copy) save(chosen[i], destination);
        ++more.as_seeded[static_cast<u64>(kind)];
        give_back(FrameRange{chosen[i], 1});
        report(env, row, chosen[i].value, 1, kind, destination.value);
    }
    row.taken += count;
    env.info->repossessed += count;
}

/// The next frame to look at; kAny: they have all been looked at, and none was there to take.
u64 next_frame(const RevocationRequest& row, Progress& more) {
    if (is_named(row)) return more.looked < row.count ? row.first + more.looked++ : kAny;
    if (more.looked == frames.count()) {
        more.looked = 0;
        if (++more.pass == kPassCount) {
            // The libOS can have got frames where the search had been already.
            if (!more.found) return kAny;
            more.pass = 0;
            more.found = false;
        }
    }
    return frames.count() - 1 - more.looked++;
}

/// True: there is no more to take.
bool take_some_frames(Environment& env, RevocationRequest& row, Progress& more) {
    FrameNumber chosen[kFramesAStep];
    u64 count = 0;
    bool over = false;
    const u64 wanted = is_named(row) || owed(row) > kFramesAStep ? kFramesAStep : owed(row);
    for (u64 looks = 0; looks < kLooksAStep && count < wanted && !over; ++looks) {
        const u64 frame = next_frame(row, more);
        if (frame == kAny) {
            over = true;
        } else if (const FrameInfo& info = frames.info(FrameNumber{frame});
                   can_be_taken(env, info) && (is_named(row) || seeded(info) == kPasses[more.pass])) {
            chosen[count++] = FrameNumber{frame};
            more.found = true;
        }
    }
    take_frames(env, row, more, chosen, count);
    return over || (!is_named(row) && owed(row) == 0);
}

/// One context that no environment lives in, whatever guest is loaded with it, else one guest, else one environment, the
/// youngest. True: there is none.
bool take_some_kernel_memory(Environment& env, RevocationRequest& row) {
    const auto pays = [&](FrameRange memory) { return frames.info(memory.first).owner == env.id.value; };
    Context* context = nullptr;
    for (u64 i = 0; i < kMaxContexts; ++i)
        if (Context* one = context_at(i); one != nullptr && pays(one->memory) &&
                                          (one->residents == 0 || one->kind != ContextKind::libos) && (context == nullptr || one->grant > context->grant))
            context = one;
    u64 guest = 0;
    while (guest < kGuestsPerEnvironment && env.guests[guest] == nullptr) ++guest;
    if (context == nullptr && guest < kGuestsPerEnvironment) {
        const FrameRange memory = env.guests[guest]->memory;
        destroy_guest(env, guest);
        row.taken += memory.count;
        report(env, row, memory.first.value, memory.count);
        return owed(row) == 0;
    }
    Environment* other = nullptr;
    for (Environment* one : environments)
        if (one != nullptr && one != &env && pays(one->memory) && (other == nullptr || one->grant > other->grant)) other = one;
    if (context == nullptr && other == nullptr) return true;
    const FrameRange memory = context != nullptr ? context->memory : other->memory;
    if (context != nullptr) {
        unload_everywhere(*context);
        destroy_context(*context);
    } else {
        end_environment(*other, EndReason::because("its memory was repossessed from ", static_cast<const char*>(env.info->name)));
    }
    row.taken += memory.count;
    report(env, row, memory.first.value, memory.count);
    return owed(row) == 0;
}

bool take_slots(Environment& env, RevocationRequest& row) {
    const u64 all = kMaxCpus * kSlotsPerCpu;
    const u64 begin = is_named(row) ? row.first : 0, end = is_named(row) ? row.first + row.count : all;
    for (u64 slot = begin; slot < end && (is_named(row) || owed(row) != 0); ++slot) {
        if (slot_infos[slot].owner != env.id.value) continue;
        commit_slot_release(SlotNumber{slot}, 1);
        ++row.taken;
        report(env, row, slot, 1);
    }
    return true;
}

void take_some(Environment& env, RevocationRequest& row) {
    Progress& more = progress[&row - requests];
    losing = &env;
    lines_seen = env.vector != nullptr ? lines_used(*env.vector) : 0;
    const bool over = row.kind == RevocationKind::frames          ? take_some_frames(env, row, more)
                      : row.kind == RevocationKind::kernel_memory ? take_some_kernel_memory(env, row)
                                                                  : take_slots(env, row);
    losing = nullptr;
    if (over) settle(env, row, more);
}

// Who calls gives its slices to the callee, by its own choice.
bool has_slices(const Environment& env) {
    if (env.resume == Resume::calling && env.home->env != &env) return false;
    const SlotInfo* slot = &slot_infos[env.home->index * kSlotsPerCpu];
    for (u64 i = 0; i < kSlotsPerCpu; ++i)
        if (slot[i].runs == env.id.value) return true;
    return false;
}

// Slices that were offered count as used, or a libOS that yields at once would be asked for ever.
bool is_overdue(const Environment& env, const RevocationRequest& row, u64 now) {
    if (now < row.wall_deadline) return false;
    if (row.state == RequestState::told && (env.info->ticks >= row.own_deadline ||
                                            env.offered >= progress[&row - requests].offered_deadline))
        return true;
    return (now - row.asked_at) / kNoSliceFactor >= row.wall_deadline - row.asked_at && !has_slices(env);
}

/// The oldest request whose deadline has passed; nullptr: none. Notes when it is worth looking again. Nobody ends and no
/// request is made meanwhile: that stops this CPU, which is in the kernel.
RevocationRequest* find_overdue(u64 now) {
    RevocationRequest* oldest = nullptr;
    u64 earliest = kAny;
    for (const Environment* env : environments) {
        if (env == nullptr || env->outstanding == 0) continue;
        for (RevocationRequest& row : rows_of(env->id)) {
            if (!is_outstanding(row)) continue;
            // Past the one half of a deadline the other is looked at whenever a slot ends.
            const u64 next_look = row.wall_deadline > now ? row.wall_deadline : 0;
            if (next_look < earliest) earliest = next_look;
            if (is_overdue(*env, row, now) && (oldest == nullptr || row.number < oldest->number)) oldest = &row;
        }
    }
    earliest_deadline = earliest;
    return oldest;
}

}  // namespace

bool is_being_repossessed(const Environment& env) { return &env == losing; }

void repossess_overdue(Cpu& cpu) {
    if (find_overdue(read_tsc()) == nullptr) return;
    if (cpu.env != nullptr) account(cpu);
    cpu.env = nullptr;  // nobody is charged for what follows,
    const u64 begin = read_tsc();
    {
        Exclusive exclusive;
        RevocationRequest* row = find_overdue(begin);  // another CPU can have been faster
        if (row != nullptr) take_some(*find_environment(EnvId{row->target}), *row);
    }
    cpu.boundary += read_tsc() - begin;  // nor has a shorter slice
}

}  // namespace tessera::kernel
