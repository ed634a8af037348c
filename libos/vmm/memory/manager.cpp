#include "libos/vmm/memory/manager.hpp"

#include "libos/arbiter/policy.hpp"
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/vmm/monitor/processor.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

u64 per_millisecond() { return information().tsc_hz / 1000; }

/// Nothing to do: that an upcall came is what ends a sleep.
void on_revoke(SaveRecord&) {}

const RevocationRequest& request_at(u64 place) {
    return reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset)[boot().self.index() * kRequests + place];
}

/// Frames that are still owed for it.
u64 owed(const RevocationRequest& request) {
    if (request.state != RequestState::told || request.kind != RevocationKind::frames) return 0;
    const u64 done = request.returned + request.taken;
    return done < request.count ? request.count - done : 0;
}

}  // namespace

Outcome MemoryManager::open(const ManagerRules& rules, u64 guest_frames) {
    rules_ = rules;
    began_ = ticks();
    if (rules_.scan_idle != 0) TRY(sharing_.open(guest_frames, rules.seed != 0 ? rules.seed : began_));
    return set_plain_handler<UpcallKind::revoke, on_revoke>();
}

Outcome MemoryManager::close() {
    for (Member& each : std::span(members_).first(count_)) each.memory->close();
    supply_.trim();
    if (rules_.scan_idle != 0) TRY(sharing_.close());
    return pager_.close();
}

ManagedMemory* MemoryManager::add(Memory& memory, Processor& processor) {
    if (count_ == kMostGuests) return nullptr;
    Member& member = members_[count_++];
    member.processor = &processor;
    return &member.memory.emplace(memory, sharing_, pager_, static_cast<MemoryOwner&>(*this));
}

u64 MemoryManager::tend(u64 now) {
    use_single_frames();
    answer(now);
    deflate_some(now);
    if (rules_.scan_idle != 0) scan(all_idle() ? rules_.scan_idle : rules_.scan_busy);
    if (rules_.report != 0 && now >= next_report_) {
        tell("memory", now);
        next_report_ = now + rules_.report * per_millisecond();
    }
    return now + rules_.interval * per_millisecond() / 1000;
}

bool MemoryManager::all_idle() const {
    for (const Member& each : std::span(members_).first(count_))
        if (!each.processor->is_halted()) return false;
    return true;
}

// ---- Looking for equal pages ------------------------------------------------------------------------------------

// A page at a time is hidden again: what looking leaves behind in the window's bindings would count as use.
void MemoryManager::scan(u64 pages) {
    const u64 begin = ticks();
    for (u64 i = 0, tried = 0; i < pages && count_ != 0 && tried < 4 * pages; ++tried) {
        ManagedMemory& guest = *members_[next_guest_].memory;
        if (next_frame_ == guest.memory().frames()) {
            next_frame_ = 0;
            next_guest_ = (next_guest_ + 1) % count_;
            passes_ += next_guest_ == 0;
            continue;
        }
        i += guest.memory().entry(next_frame_).use() == FrameUse::present;
        guest.look_at(next_frame_);
        guest.memory().hide(next_frame_++);
    }
    scan_ticks_ += ticks() - begin;
}

// Where memory gets short, who gives is chosen by what each uses; and a binding of 512 frames says that all are.
void MemoryManager::use_single_frames() {
    if (information().frames_free >= frames_of(ReclaimState::high, information().frames_usable)) return;
    for (Member& each : std::span(members_).first(count_)) each.memory->memory().use_single_frames();
}

// ---- Giving back ------------------------------------------------------------------------------------------------

// A guest has more memory than the kernel lets us have: what goes out now is any page, and the next is for its balloon to choose.
// As many as the supply takes at once: frames that come one by one each need a capability, of which there are few.
bool MemoryManager::make_room() {
    const u64 gone = page_out_any(FrameSupply::kBatch);
    refused_ += gone;
    return gone != 0;
}

void MemoryManager::page_lost(const ManagedMemory& memory, u64 guest_frame) {
    for (Member& each : std::span(members_).first(count_))
        if (&*each.memory == &memory)
            each.processor->machine().stop({End::failed, "a page of its memory was lost or changed where it was kept, at guest-physical",
                                            guest_frame << kPageShift});
}

u64 MemoryManager::page_out_any(u64 count) {
    u64 frames = 0, done = 0;
    for (Member& each : std::span(members_).first(count_)) frames += each.memory->memory().frames();
    const auto owner_of = [this](u64& frame) -> ManagedMemory& {
        u64 i = 0;
        while (frame >= members_[i].memory->memory().frames()) frame -= members_[i++].memory->memory().frames();
        return *members_[i].memory;
    };
    const auto fits = [&](u64 frame) { return owner_of(frame).memory().entry(frame).use() == FrameUse::present; };
    while (done < count && pager_.is_open()) {
        const auto victim = choose_victim(frames, random_, fits);
        if (!victim) break;
        u64 frame = *victim;
        if (!owner_of(frame).page_out(frame)) break;
        ++done;
    }
    return done;
}

u64 MemoryManager::read_balloons(std::span<Balloon, kMostGuests> balloons) {
    u64 count = 0;
    for (Member& each : std::span(members_).first(count_)) {
        VirtioBalloon* const device = each.memory->balloon();
        if (device == nullptr || !each.processor->machine().is_running()) continue;
        const Memory& memory = each.memory->memory();
        balloons[count++] = {memory.frames(), memory.present(), device->actual(), device->target(),
                             refused_ != 0 ? each.memory->use().absent : 0};
    }
    return count;
}

void MemoryManager::set_balloons(std::span<const Balloon> balloons) {
    u64 next = 0;
    for (Member& each : std::span(members_).first(count_)) {
        if (each.memory->balloon() == nullptr || !each.processor->machine().is_running()) continue;
        each.memory->balloon()->set_target(static_cast<u32>(balloons[next++].target));
    }
}

// Half of the time on the clock, from when we heard of it: the other half is for us. Our own CPU time says nothing, as what the
// kernel offers a sleeper counts, too.
bool MemoryManager::is_late(const RevocationRequest& request, u64 place, u64 now) {
    Heard& heard = heard_[place];
    if (heard.request != request.number) {
        heard = {request.number, now};
        frames_asked_ += request.count;
    }
    const u64 wall = request.wall_deadline > request.asked_at ? request.wall_deadline - request.asked_at : 0;
    return now >= heard.tsc + wall / 2;
}

void MemoryManager::give_named(const RevocationRequest& request) {
    for (u64 frame = request.first; frame < request.first + request.count; ++frame)
        for (Member& each : std::span(members_).first(count_))
            if (const auto at = each.memory->memory().guest_frame_of(FrameNumber{frame})) each.memory->page_out(*at);
}

// A few at a time, so that guests go on meanwhile: they may be about to give more.
void MemoryManager::answer(u64 now) {
    constexpr u64 kAtOnce = 128;
    u64 missing = 0, late = 0;
    for (u64 place = 0; place < kRequests; ++place) {
        const RevocationRequest& request = request_at(place);
        const u64 frames = owed(request);
        if (frames == 0) continue;
        const bool is_due = is_late(request, place, now);
        if (request.first != kAny) {
            give_named(request);
            continue;
        }
        missing += frames;
        late += is_due ? frames : 0;
    }
    if (missing + refused_ == 0) return;
    asked_last_ = now;
    if (missing != 0) missing -= std::min(missing, supply_.trim());
    std::array<Balloon, kMostGuests> balloons{};
    const u64 count = read_balloons(balloons);
    static_cast<void>(inflate(std::span(balloons).first(count), missing + refused_, rules_.kept));
    if (refused_ != 0) withdraw(std::span(balloons).first(count), rules_.kept);
    refused_ = 0;
    set_balloons(std::span(balloons).first(count));
    page_out_any(std::min(count == 0 ? missing : late, kAtOnce));
}

// Who has not been asked for some time takes more, as long as we may own it, and until memory is really short: by then the
// arbiter has asked those that it is due least.
void MemoryManager::deflate_some(u64 now) {
    if (now < asked_last_ + rules_.deflate_after * per_millisecond()) return;
    const u64 enough = frames_of(ReclaimState::hard, information().frames_usable);
    if (information().frames_free < enough + rules_.deflate_step) return;
    if (accounts().frame_quota < accounts().frames + rules_.deflate_step) return;
    std::array<Balloon, kMostGuests> balloons{};
    const u64 count = read_balloons(balloons);
    if (deflate(std::span(balloons).first(count), rules_.deflate_step) != 0) set_balloons(std::span(balloons).first(count));
}

// ---- Telling ------------------------------------------------------------------------------------------------------

void MemoryManager::tell(const char* what, u64 now) {
    MemoryUse all{};
    u64 frames = 0, target = 0, copies = 0, given = 0;
    for (Member& each : std::span(members_).first(count_)) {
        const MemoryUse use = each.memory->use();
        all = {all.own + use.own, all.shared + use.shared, all.paged_out + use.paged_out, all.ballooned + use.ballooned, all.absent + use.absent};
        frames += each.memory->memory().frames();
        copies += each.memory->memory().copies();
        given += each.memory->pages_given();
        if (each.memory->balloon() != nullptr) target += each.memory->balloon()->target();
    }
    const SharingCounts& sharing = sharing_.counts();
    const PagingCounts& paging = pager_.counts();
    const u64 microsecond = per_millisecond() / 1000;
    Json json;
    json.field("what", what);
    json.field("microseconds", (now - began_) / microsecond);
    json.field("guest_frames", frames);
    json.field("own", all.own);
    json.field("shared", all.shared);
    json.field("shared_on", sharing_.table().frames());
    json.field("saved", sharing_.saved());
    json.field("borrowed", sharing_.borrowed());
    json.field("ballooned", all.ballooned);
    json.field("balloon_target", target);
    json.field("balloon_given", given);
    json.field("paged_out", all.paged_out);
    json.field("absent", all.absent);
    json.field("taken", supply_.taken());
    json.field("held", accounts().frames);
    json.field("looked", sharing.looked);
    json.field("compared", sharing.compared);
    json.field("different", sharing.different);
    json.field("came_to_share", sharing.shared);
    json.field("zeros", sharing.zeros);
    json.field("copies", copies);
    json.field("passed", sharing.passed);
    json.field("scan_microseconds", scan_ticks_ / microsecond);
    json.field("passes", passes_);
    json.field("pages_out", paging.out);
    json.field("pages_in", paging.in);
    json.field("pages_in_for_others", paging.in_for_others);
    json.field("pages_lost", paging.lost);
    json.field("frames_asked", frames_asked_);
    static_cast<void>(json.send());
}

}  // namespace tessera::vmm
