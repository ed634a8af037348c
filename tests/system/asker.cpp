// Asks a libOS for frames, once it says that it is ready, and waits until it has given them: to be loaded with `arbiter=1`.
//
//   whom=NAME   frames=COUNT   milliseconds=DEADLINE   patience=SECONDS
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    const auto ready = await_post(argument("whom"), "ready", ticks() + argument("patience", 60) * information().tsc_hz);
    const EnvId target = find_environment(argument("whom"));
    const u64 count = argument("frames", 64), deadline = argument("milliseconds", 1000) * (information().tsc_hz / 1000);
    const RevocationSpec spec{RevocationKind::frames, 0, kAny, count, deadline, deadline};
    const auto number = ready.ok() ? call<Revoke>({address(boot().every_environment), target, address(spec)}) : Result<u64>{Error::not_found};
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
