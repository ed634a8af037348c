// Offering and finding frames to save in.
#include "libos/revocation/vault.hpp"

#include "libos/transfer/board.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::libos {
Outcome offer_frames(std::string_view saver, u64 count, Capability& frames) {
    const EnvId presenter = find_environment(saver);
    if (!presenter) return Error::not_found;
    TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(frames)}));
    const Capability for_saver = TRY(attenuate(frames, only_presenter(presenter)));
    return post(saver, TRY(attenuate(for_saver, only_rights(Right::read | Right::write))));
}

Outcome VaultStore::open(std::string_view vault, std::string_view name) {
    capability_ = TRY(await_post(vault, name));
    if (capability_.count < pages_.count()) return Error::out_of_range;
    return pages_.open(capability_, FrameNumber{capability_.first});
}

// Nothing depends on its success: a page that could not be seeded is lost with its frame, and that shows.
bool VaultStore::seed(const Capability& frames, FrameNumber frame, u64 slot) {
    AutosaveSpec spec{AutosaveKind::none, 0, {}, {}};
    if (slot != kAny) spec = {AutosaveKind::copy, 0, address(capability_), FrameNumber{capability_.first} + slot};
    return enter_kernel<Autosave>({address(frames), frame, 1, address(spec)}).error == Error::ok && slot != kAny;
}

}  // namespace tessera::libos
