// The network between guests and libOSes of one machine: a switch that exchanges frames with whoever asks for a port.
//
//   ports=N       how many there can be at once
//   users=N       it ends when so many environments have had ports and have ended; as many as ports if nothing is said
//   roads=0       renew every frame that it lends (libos/net/roads.hpp)
//   uplink=NAME   the environment behind whose port there may be other addresses than its own
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/net/switch_program.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    use_shared_memory();
    const u64 ports = std::clamp<u64>(argument("ports", 2), 1, Switch::kPorts);
    static SwitchProgram program(ports, argument("uplink"), argument("roads", 1) != 0);
    if (const Outcome opened = program.open(); !opened.ok()) return print("no bell: ", name_of(opened.error()), "\n"), 2;
    if (const Outcome ran = program.run(argument("users", ports)); !ran.ok()) return print("WRONG: frames were lost\n"), 1;
    return 0;
}
