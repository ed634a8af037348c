#include "libos/vmm/monitor/files.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

bool BootFileWindow::open(std::string_view name) {
    for (const BootFile& each : libos::boot().files) {
        if (name.empty() || std::string_view(each.name) != name) continue;
        window_.open_run(each.frames, Right::read);
        bytes_ = {window_.memory(), each.bytes};
        return true;
    }
    return false;
}

}  // namespace tessera::vmm
