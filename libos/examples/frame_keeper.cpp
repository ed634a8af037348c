// Owns the frames that a lender lends to monitors, and does nothing else, so that it has no reason to fail.
//
//   lender=NAME        who fills and lends them
//   for=NAME,NAME,...  the monitors: it ends when all of these have
#include <span>

#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/frame_keeper.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    use_shared_memory();
    static vmm::FrameKeeper keeper;
    EnvId monitors[kMaxEnvironments]{};
    u64 count = 0;
    ListItem item{};
    for (std::string_view list = argument("for"); count < kMaxEnvironments && take_item(list, item); ++count) monitors[count] = find_environment(item.name);
    if (const Outcome opened = keeper.open(argument("lender")); !opened.ok()) return print("no frames to offer: ", name_of(opened.error()), "\n"), 1;
    const auto is_needed = [&] {
        for (const EnvId each : std::span(monitors, count))
            if (each && is_alive(each)) return true;
        return false;
    };
    while (is_needed()) keeper.serve(ticks() + information().tsc_hz / 10);
    static_cast<void>(record("what", "keeper", "given", keeper.given(), "held", accounts().frames));
    return 0;
}
