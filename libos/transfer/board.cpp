// The board and the environment table, read where the kernel keeps them.
#include "libos/transfer/board.hpp"

#include "libos/core/program.hpp"

namespace tessera::libos {
namespace {

const Post& post_at(u64 env_index, u64 place) {
    return reinterpret_cast<const Post*>(kInformation + kBoardOffset)[env_index * kPostsPerEnvironment + place];
}

/// The place of `env`'s post of that name; kPostsPerEnvironment: none.
u64 place_of(EnvId env, u64 name) {
    for (u64 place = 0; place < kPostsPerEnvironment; ++place) {
        const Post& each = post_at(env.index(), place);
        if (each.owner == env.value && each.name == name) return place;
    }
    return kPostsPerEnvironment;
}

u64 free_place() {
    for (u64 place = 0; place < kPostsPerEnvironment; ++place)
        if (post_at(boot().self.index(), place).owner == 0) return place;
    return kPostsPerEnvironment;
}

/// What `look()` finds, looking again a few times a quantum.
template <class Look>
auto look_until(u64 deadline, Look look) -> decltype(look()) {
    for (;;) {
        if (const auto found = look(); found.ok()) return found;
        const u64 now = ticks();
        if (deadline != 0 && now >= deadline) return Error::asleep;
        static_cast<void>(call<Wait>({{}, 0, now + information().quantum / 4, 0}));
    }
}

}  // namespace

EnvId find_environment(std::string_view name) {
    for (u64 i = 1; i < kMaxEnvironments; ++i) {
        const EnvironmentInfo& info = environment_info(EnvId{i});
        const EnvId id{info.id};
        if (id && name == info.name && is_alive(id)) return id;
    }
    return {};
}

bool is_alive(EnvId env) {
    const volatile u32& id = environment_info(env).id;
    return !env || id == env.value;
}

Outcome post(std::string_view name, const Capability& capability) {
    u64 place = place_of(boot().self, post_name(name));
    if (place == kPostsPerEnvironment) place = free_place();
    if (place == kPostsPerEnvironment) return Error::exhausted;
    TRY(call<PostCapability>({address(capability), place, post_name(name)}));
    return Done{};
}

void take_down(std::string_view name) {
    const u64 place = place_of(boot().self, post_name(name));
    if (place != kPostsPerEnvironment) static_cast<void>(call<PostCapability>({VirtAddr{0}, place, 0}));
}

Result<Capability> find_post(EnvId env, std::string_view name) {
    const u64 place = env ? place_of(env, post_name(name)) : kPostsPerEnvironment;
    if (place == kPostsPerEnvironment) return Error::not_found;
    return post_at(env.index(), place).capability;
}

Result<Capability> await_post(std::string_view environment, std::string_view name, u64 deadline) {
    return look_until(deadline, [&] { return find_post(find_environment(environment), name); });
}

Result<EnvId> await_environment(std::string_view name, u64 deadline) {
    return look_until(deadline, [&]() -> Result<EnvId> {
        const EnvId found = find_environment(name);
        return found ? Result<EnvId>(found) : Error::not_found;
    });
}

}  // namespace tessera::libos
