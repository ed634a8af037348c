// Asks a libOS for frames, once it, or another one, says that it is ready, or after some time, and waits until it has given them: to be
// loaded with `arbiter=1`.
//
//   whom=NAME   ready=NAME   frames=COUNT   milliseconds=DEADLINE   after=SECONDS
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

bool sleep_to(u64 tsc) {
    while (ticks() < tsc) static_cast<void>(call<Wait>({{}, 0, tsc, 0}));
    return true;
}

/// However long that takes. False: it has ended.
bool await_ready(EnvId who) {
    while (who && is_alive(who) && !find_post(who, "ready").ok()) sleep_to(ticks() + information().tsc_hz / 1000);
    return find_post(who, "ready").ok();
}

}  // namespace

int libos_main() {
    const u64 after = argument("after", 0) * information().tsc_hz;
    const bool ready = after != 0 ? sleep_to(ticks() + after) : await_ready(find_environment(argument(argument("ready").empty() ? "whom" : "ready")));
    const EnvId target = find_environment(argument("whom"));
    const u64 count = argument("frames", 64), deadline = argument("milliseconds", 1000) * (information().tsc_hz / 1000);
    const RevocationSpec spec{RevocationKind::frames, 0, kAny, count, deadline, deadline};
    const auto number = ready ? call<Revoke>({address(boot().every_environment), target, address(spec)}) : Result<u64>{Error::not_found};
    if (!number.ok()) return print("WRONG: cannot ask: ", name_of(number.error()), "\n"), 1;
    const auto* requests = reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset) + target.index() * kRequests;
    for (;;) {
        for (u64 i = 0; i < kRequests; ++i) {
            const RevocationRequest request = requests[i];
            if (request.number != number.value() || request.done_at == 0) continue;
            const bool met = request.state == RequestState::met;
            print(met ? "was given " : "WRONG: took ", met ? request.returned : request.taken, " frames\n");
            return met ? 0 : 1;
        }
        static_cast<void>(call<Wait>({{}, 0, ticks() + information().tsc_hz / 1000, 0}));
    }
}
