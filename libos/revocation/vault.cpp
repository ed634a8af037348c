// Offering and finding frames to save in.
#include "libos/revocation/vault.hpp"

#include "libos/core/program.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::libos {
namespace {

const EnvironmentInfo& environment_at(u64 index) {
    return reinterpret_cast<const EnvironmentInfo*>(kInformation + kEnvironmentTableOffset)[index];
}

std::string_view name_of(const EnvironmentInfo& info) {
    u64 length = 0;
    while (length < sizeof info.name && info.name[length] != 0) ++length;
    return {info.name, length};
}

}  // namespace

EnvId find_environment(std::string_view name) {
    for (u64 i = 0; i < kMaxEnvironments; ++i)
        if (environment_at(i).id != 0 && name_of(environment_at(i)) == name) return EnvId{environment_at(i).id};
    return {};
}

// Everybody can post, so it is looked for where its owner alone can.
Result<Capability> find_post(std::string_view owner, std::string_view name) {
    const EnvId poster = find_environment(owner);
    if (!poster) return Error::not_found;
    const Post* posts = reinterpret_cast<const Post*>(kInformation + kBoardOffset) + poster.index() * kPostsPerEnvironment;
    for (u64 i = 0; i < kPostsPerEnvironment; ++i)
        if (posts[i].owner == poster.value && posts[i].name == post_name(name)) return posts[i].capability;
    return Error::not_found;
}

Outcome offer_frames(std::string_view reader, u64 count, u64 place, Capability& frames) {
    const EnvId presenter = find_environment(reader);
    if (!presenter) return Error::not_found;
    TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(frames)}));
    const Capability for_reader = TRY(attenuate(frames, only_presenter(presenter)));
    const Capability offer = TRY(attenuate(for_reader, only_rights(Right::read | Right::write)));
    TRY(call<PostCapability>({address(offer), place, post_name(reader)}));
    return Done{};
}

Outcome VaultStore::open(std::string_view vault, std::string_view name) {
    capability_ = TRY(find_post(vault, name));
    if (capability_.count < pages_.count()) return Error::out_of_range;
    return pages_.open(capability_, FrameNumber{capability_.first});
}

// Nothing depends on its success: a page that could not be seeded is lost with its frame, and that shows.
void VaultStore::seed(const Capability& frames, FrameNumber frame, u64 slot) {
    AutosaveSpec spec{AutosaveKind::none, 0, {}, {}};
    if (slot != kAny) spec = {AutosaveKind::copy, 0, address(capability_), FrameNumber{capability_.first} + slot};
    static_cast<void>(enter_kernel<Autosave>({address(frames), frame, 1, address(spec)}));
}

}  // namespace tessera::libos
