// What is done at a safe point: first what was lost is forgotten, then what is asked for is given back.
#include "libos/revocation/revocation.hpp"

#include <algorithm>

#include "libos/core/program.hpp"
#include "libos/core/safe_point.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/paging/losses.hpp"

namespace tessera::libos {
namespace {

constexpr u64 kMaxGivers = 8;

/// A page of its own: the kernel writes it.
union alignas(kPageSize) VectorPage {
    RepossessionVector vector;
    char bytes[kPageSize];
};
constinit VectorPage page{};

struct Givers {
    Giver* of[kMaxGivers];
    u64 count;
};
constinit Givers givers[kRevocationKinds]{};
constinit RevocationCounts counts{};
constinit bool answers = false;
constinit u64 answered[kRequests]{};  // the number of the request in each place that was answered last
using Observer = void (*)(const Repossession& line);
constinit Observer observer = nullptr;

u64 forget_lost() {
    u64 lost = 0;
    for (const Givers& kind : givers)
        for (u64 i = 0; i < kind.count; ++i) lost += kind.of[i]->forget_lost();
    return lost;
}

void look_at(const Repossession& line) {
    ++counts.lines;
    counts.lost += line.count;
    if (observer != nullptr) observer(line);
}

void settle() {
    u32 seen = 0;
    counts.unreported += settle_losses(page.vector, [&] {
        for (; seen < page.vector.used; ++seen) look_at(page.vector.line[seen]);
        forget_lost();
    });
}

const RevocationRequest& request_at(u64 place) {
    return reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset)[boot().self.index() * kRequests + place];
}

u64 owed(const RevocationRequest& request) {
    const u64 done = request.returned + request.taken;
    return done < request.count ? request.count - done : 0;
}

// What is given counts towards the oldest request first, so what is owed is read anew each time.
void answer(const RevocationRequest& request) {
    const Givers& able = givers[static_cast<u64>(request.kind) % kRevocationKinds];
    ++counts.requests;
    u64 left = owed(request);
    for (u64 i = 0; i < able.count && left != 0; ++i) {
        const u64 given = request.first == kAny ? able.of[i]->give(left) : able.of[i]->give_named(request.first, request.count);
        counts.given += given;
        left -= std::min(given, left);
    }
    counts.owed += left;
}

void answer_all() {
    for (u64 place = 0; place < kRequests; ++place) {
        const RevocationRequest& request = request_at(place);
        if (request.state != RequestState::told || request.number == answered[place]) continue;
        answered[place] = request.number;
        answer(request);
    }
}

void see_to_it() {
    settle();
    if (answers) answer_all();
}

// In the middle of something the page is lent another frame, until that is over. Else all that was lost can be forgotten now.
bool on_loss(VirtAddr address, bool inside) {
    if (!inside) return forget_lost() != 0;
    for (const Givers& kind : givers)
        for (u64 i = 0; i < kind.count; ++i)
            if (kind.of[i]->stand_in(address)) return true;
    return false;
}

void answer_at_safe_point(SaveRecord& record) { do_at_safe_point(record, see_to_it); }

}  // namespace

const RevocationCounts& revocation_counts() { return counts; }
void observe_losses(void (*with)(const Repossession& line)) { observer = with; }

bool add_giver(RevocationKind kind, Giver& giver) {
    Givers& able = givers[static_cast<u64>(kind)];
    if (able.count == kMaxGivers) return false;
    able.of[able.count++] = &giver;
    return true;
}

Outcome expect_repossession() {
    const BootInfo& info = boot();
    TRY(call<Reserve>({address(info.image), info.image_frame, info.image_pages, 1}));
    TRY(set_repossession_vector(&page.vector));
    repossessions = &page.vector;
    set_loss_policy(on_loss);
    return set_plain_handler<UpcallKind::repossessed, answer_at_safe_point>();
}

Outcome answer_revocation() {
    TRY(expect_repossession());
    answers = true;
    return set_plain_handler<UpcallKind::revoke, answer_at_safe_point>();
}

}  // namespace tessera::libos
