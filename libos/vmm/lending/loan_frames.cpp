#include "libos/core/collisions.hpp"
#include "libos/vmm/lending/lender_program.hpp"
#include "libos/vmm/memory/peek.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

Outcome LoanFrames::open(std::string_view keeper, u64 loans) {
    TRY(root_memory_.take((loans * sizeof(Capability) + kPageSize - 1) / kPageSize));
    roots_ = {reinterpret_cast<Capability*>(root_memory_.memory()), loans};
    Window::open(1);
    return source_.open(keeper);
}

std::byte* LoanFrames::look_at(u64 place, Rights rights) {
    static_cast<void>(call<Unbind>({PageSpan::make(first(), 1), {}}));
    place_ = place;
    rights_ = rights;
    return memory();
}

[[TESSERA_RESOLVES_FAULTS]] bool LoanFrames::bind(u64, u64 access) {
    if (access & static_cast<u64>(AccessKind::write) && !rights_.has(Right::write)) return false;
    const Capability& root = roots_[place_];
    return bind_frames(root, FrameNumber{root.first}, PageSpan::make(first(), 1, rights_, span_flags_for(access)));
}

// What is shown may change meanwhile: whatever comes to stand in the frame, it stays.
bool LoanFrames::fill(u64 place, const std::byte* shown) {
    if (!source_.take(roots_[place])) return false;
    std::memcpy(look_at(place, Right::read | Right::write), shown, kPageSize);
    static_cast<void>(look_at(place, Right::read));
    return true;
}

bool LoanFrames::is_equal(u64 place, const std::byte* shown) {
    return equal_pages(reinterpret_cast<const u64*>(look_at(place, Right::read)), reinterpret_cast<const u64*>(shown));
}

Capability LoanFrames::lend(u64 place, EnvId to) {
    const auto narrowed = attenuate(roots_[place], only_rights(Right::read | Right::execute));
    const auto lent = narrowed.ok() ? attenuate(narrowed.value(), only_presenter(to)) : narrowed;
    return lent.ok() ? lent.value() : Capability{};
}

void LoanFrames::drop(u64 place) {
    static_cast<void>(call<FrameRelease>({address(roots_[place]), FrameNumber{roots_[place].first}, 1}));
}

}  // namespace tessera::vmm
