#include "libos/vmm/memory/peek.hpp"

#include "libos/core/call.hpp"
#include "libos/core/collisions.hpp"
#include "libos/vmm/memory/hash.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

const u64* Peek::at(SuppliedFrame frame) {
    static_cast<void>(call<Unbind>({PageSpan::make(first(), 1), {}}));
    frame_ = frame;
    failed_ = false;
    return reinterpret_cast<const u64*>(memory());
}

void Peek::close() {
    static_cast<void>(call<Unbind>({PageSpan::make(first(), 1), {}}));
    Window::close();
}

[[TESSERA_RESOLVES_FAULTS]] bool Peek::bind(u64, u64 access) {
    if (access & static_cast<u64>(AccessKind::write)) return false;
    const PageSpan span = PageSpan::make(first(), 1, Right::read, span_flags_for(access));
    if (bind_frames(supply_->capability(frame_.run), frame_.number, span)) return true;
    if (!FrameSupply::is_loan(frame_.run)) return false;
    failed_ = true;
    return bind_frames(supply_->stand_in(), FrameNumber{supply_->stand_in().first}, span);
}

bool equal_pages(const u64* one, const u64* other) {
    constexpr u64 kPiece = 64;
    u64 piece[kPiece];
    for (u64 at = 0; at < kPageWords; at += kPiece) {
        for (u64 i = 0; i < kPiece; ++i) piece[i] = one[at + i];
        for (u64 i = 0; i < kPiece; ++i)
            if (piece[i] != other[at + i]) return false;
    }
    return true;
}

}  // namespace tessera::vmm
