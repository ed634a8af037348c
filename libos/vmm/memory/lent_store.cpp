#include "libos/vmm/memory/lent_store.hpp"

#include <sodium/crypto_shorthash_siphash24.h>

#include <algorithm>

#include "libos/core/collisions.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/paging/losses.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

Outcome LentStore::open(const Capability& frames) {
    frames_ = frames;
    TRY(tags_.take((frames.count * sizeof(Tag) + kPageSize - 1) / kPageSize));
    TRY(nothing_.take(1));
    Window::open(frames.count);
    return Done{};
}

Outcome LentStore::close() {
    // Order: these addresses are another window's behind Window::close, and nothing that was lent may be left there.
    for (u64 done = 0; done < count(); done += PageSpan::kMaxPages)
        static_cast<void>(call<Unbind>({PageSpan::make(first() + done, std::min(PageSpan::kMaxPages, count() - done)), {}}));
    Window::close();
    TRY(nothing_.close());
    return tags_.close();
}

// The key is the tag of a capability that nobody else has ever seen, which is as good as drawn: the kernel made it under a key
// of its own. The guest's SSE registers are in the CPU, and the library may use them.
LentStore::Tag LentStore::mac(const void* page) const {
    static_assert(sizeof(Tag) == crypto_shorthash_siphashx24_BYTES && sizeof(Capability::tag) == crypto_shorthash_siphashx24_KEYBYTES);
    const SseGuard guard;
    Tag tag;
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(&tag), static_cast<const unsigned char*>(page), kPageSize,
                                reinterpret_cast<const unsigned char*>(nothing_.capability().tag));
    return tag;
}

bool LentStore::write(u64 slot, const void* from) {
    if (slot >= count()) return false;
    copy_page(memory() + (slot << kPageShift), from);
    reinterpret_cast<Tag*>(tags_.memory())[slot] = mac(from);
    return holds(frames_, FrameNumber{frames_.first + slot});
}

// Of what has been copied: what is in the lent frame may be another thing each time that it is read.
bool LentStore::read(u64 slot, void* to) {
    if (slot >= count()) return false;
    copy_page(to, memory() + (slot << kPageShift));
    return mac(to) == reinterpret_cast<const Tag*>(tags_.memory())[slot];
}

[[TESSERA_RESOLVES_FAULTS]] bool LentStore::bind(u64 index, u64 access) {
    const PageSpan span = PageSpan::make(first() + index, 1, Right::read | Right::write, span_flags_for(access));
    if (bind_frames(frames_, FrameNumber{frames_.first + index}, span)) return true;
    return bind_frames(nothing_.capability(), FrameNumber{nothing_.capability().first}, span);
}

}  // namespace tessera::vmm
