#include "libos/vmm/lending/frame_keeper.hpp"

#include "libos/core/program.hpp"
#include "libos/ipc/ring.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {
constexpr std::string_view kStockPost = "frames";
}

Outcome FrameKeeper::open(std::string_view lender) {
    TRY(page_.create(1));
    return page_.offer(kStockPost, TRY(await_environment(lender)), Right::read | Right::write);
}

// A place is free again when the lender wants what would go there: it wants no more than kStock that it has not taken.
void FrameKeeper::serve(u64 deadline) {
    FrameStock& stock = page_.at<FrameStock>(0);
    const u64 wanted = read_once(stock.wanted);
    bool short_of_memory = false;
    while (given_ != wanted && wanted - given_ <= FrameStock::kStock && !short_of_memory) {
        Capability frame;
        short_of_memory = !call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(frame)}).ok();
        if (short_of_memory) break;
        stock.capability[given_ % FrameStock::kStock] = frame;
        publish(stock.given, ++given_);
    }
    // Order: what has come since is a reason not to sleep, as the word is not what it was.
    const WakeTerm term = changes_from(stock.wanted, wanted);
    static_cast<void>(sleep_until_any({&term, 1}, deadline));
}

Outcome KeptFrames::open(std::string_view keeper) {
    TRY(page_.accept(keeper, kStockPost, 1, Right::read | Right::write));
    keeper_ = find_environment(keeper);
    go_on();
    return Done{};
}

// The keeper is believed: it owns the frames.
bool KeptFrames::take_next(Capability& frame) {
    if (read_once(stock().given) == taken_ || page_.lost()) return false;
    frame = stock().capability[taken_++ % FrameStock::kStock];
    return true;
}

bool KeptFrames::take(Capability& frame) {
    if (!take_next(frame)) return false;
    if (!held_back_) publish(stock().wanted, taken_ + FrameStock::kStock);
    return true;
}

// The keeper may be about to give some more of what was wanted: those are taken the next time.
void KeptFrames::hold_back() {
    held_back_ = true;
    Capability frame;
    while (take_next(frame)) static_cast<void>(call<FrameRelease>({address(frame), FrameNumber{frame.first}, 1}));
}

void KeptFrames::go_on() {
    held_back_ = false;
    publish(stock().wanted, taken_ + FrameStock::kStock);
}

}  // namespace tessera::vmm
