// Lends frames to a monitor that keeps its guests' pages in them, and is not to be relied upon: `to=NAME frames=N does=WHAT`, when
// the monitor says that pages are there, and says so itself when it is done.
//
//   nothing   change: a byte of the first frame   swap: the first two   replay: the first one, as it was the time before   leave
#include <cstring>

#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/revocation/vault.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/wait.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constinit Capability frames;
PageNumber first;
char before[kPageSize], other[kPageSize];

bool bind_lent(VirtAddr touched, u64) {
    const u64 index = page_of(touched) - first;
    if (index >= frames.count) return false;
    const PageSpan span = PageSpan::make(first + index, 1, Right::read | Right::write);
    return enter_kernel<Bind>({address(frames), FrameNumber{frames.first + index}, span, {}, {}}).error == Error::ok;
}

char* page(u64 index) { return static_cast<char*>(memory_of(first + index)); }

void spoil(std::string_view how) {
    if (how == "change") page(0)[kPageSize / 2] ^= 1;
    if (how == "replay") std::memcpy(page(0), before, kPageSize);
    if (how != "swap") return;
    std::memcpy(before, page(0), kPageSize);
    std::memcpy(other, page(1), kPageSize);
    std::memcpy(page(0), other, kPageSize);
    std::memcpy(page(1), before, kPageSize);
}

}  // namespace

int libos_main() {
    const std::string_view monitor = argument("to"), how = argument("does");
    if (!await_environment(monitor).ok() || !offer_frames(monitor, argument("frames", 64), frames).ok()) return 1;
    first = reserve_pages(frames.count);
    set_fault_policy(bind_lent);
    if (!await_post(monitor, "once").ok()) return 1;
    std::memcpy(before, page(0), kPageSize);
    if (!post("once", boot().image).ok() || !await_post(monitor, "twice").ok()) return 1;
    if (how == "leave") return 0;
    spoil(how);
    if (!post("twice", boot().image).ok()) return 1;
    const EnvId id = find_environment(monitor);
    while (is_alive(id)) static_cast<void>(sleep_until_any({}, ticks() + 10 * information().quantum));
    return 0;
}
