// The smallest libOS: who am I, what was I told, what do I own?
#include "libos/core/libos.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    const BootInfo& me = boot();
    print("hello from ", me.name, ", environment ", me.self.value, "\n");
    print("arguments: ", arguments(), "\n");
    print("my image: ", me.image_pages, " frames from ", me.image_frame.value, " on, quota ", me.frame_quota, "\n");

    Capability capability;
    const auto frame = call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(capability)});
    if (!frame) {
        print("no frame: ", name_of(frame.error()), "\n");
        return 1;
    }
    print("and now frame ", frame.value().value, " too, all ", accounts().frames, " of them mine\n");
    return record("hello", me.name, "frame", frame.value().value).ok() ? 0 : 1;
}
