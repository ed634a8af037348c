// The image's ordinary pages. Their bindings can go at any time (another page took the S-TLB entry, or the
// switch policy is `none`); the frames stay, one run behind one run of pages, so binding one again is a
// subtraction. Nothing here may lie in an ordinary page itself.
#include "libos/core/collisions.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"

extern "C" char libos_rodata[], libos_data[];

namespace tessera::libos {
namespace {

/// What the program header of the segment says (libos.ld). None: not an ordinary page of the image.
Rights rights_at(VirtAddr at) {
    const char* place = reinterpret_cast<const char*>(at.value);
    if (place < libos_text || place >= libos_image_end) return {};
    if (place >= libos_data) return Right::read | Right::write;
    if (place >= libos_rodata) return Right::read;
    return Right::read | Right::execute;
}

Rights needed_for(u64 access) {
    if (access & static_cast<u64>(AccessKind::write)) return Right::write;
    if (access & static_cast<u64>(AccessKind::fetch)) return Right::execute;
    return Right::read;
}

}  // namespace

bool bind_image_page(VirtAddr at, u64 access) {
    const Rights rights = rights_at(at);
    if (rights.bits == 0 || !rights.has(needed_for(access))) return false;
    const BootInfo& info = boot();
    const PageNumber page = page_of(at);
    const PageSpan span = PageSpan::make(page, 1, rights, span_flags_for(access));
    const FrameNumber frame = info.image_frame + (page - info.image_page);
    return enter_kernel<Bind>({address(info.image), frame, span, {}, {}}).error == Error::ok;
}

}  // namespace tessera::libos
