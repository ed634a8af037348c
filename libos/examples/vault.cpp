// A libOS that has memory for others to save in: it offers frames to those named, and waits until they have all ended.
// Arguments: offer=name:frames,name:frames,...
#include "libos/core/libos.hpp"
#include "libos/revocation/vault.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/wait.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    static Capability frames[kPostsPerEnvironment];
    EnvId savers[kPostsPerEnvironment]{};
    u64 count = 0;
    ListItem item{};
    for (std::string_view list = argument("offer"); count < kPostsPerEnvironment && take_item(list, item); ++count) {
        savers[count] = find_environment(item.name);
        if (const Outcome offered = offer_frames(item.name, item.number[0], frames[count]); !offered.ok()) {
            print("no frames for ", item.name, ": ", name_of(offered.error()), "\n");
            return 1;
        }
        print("offers ", item.number[0], " frames to ", item.name, "\n");
    }
    for (u64 i = 0; i < count; ++i)
        while (is_alive(savers[i])) static_cast<void>(sleep_until_any({}, ticks() + 10 * information().quantum));
    return count != 0 ? 0 : 1;
}
