// Meeting others: environments by name, and the capabilities that they posted for all to see.
#pragma once

#include <string_view>

#include "exokernel/abi/information.hpp"
#include "libos/core/call.hpp"

namespace tessera::libos {

/// The living environment of that name; zero: none.
EnvId find_environment(std::string_view name);

/// The same, waiting until there is one or the TSC reaches `deadline` (0: for ever).  Errors: asleep (not by then).
Result<EnvId> await_environment(std::string_view name, u64 deadline = 0);

/// Does `env` still live? Zero, "nobody in particular", always does.
bool is_alive(EnvId env);

/// A name on the board as the kernel keeps it: the first 8 characters.
constexpr u64 post_name(std::string_view name) {
    u64 packed = 0;
    for (u64 i = 0; i < name.size() && i < 8; ++i) packed |= u64{static_cast<u8>(name[i])} << i * 8;
    return packed;
}

/// Post a copy of `capability` under `name`, in place of what was posted under it. Everybody can read it: narrow it to
/// the presenter that it is for, unless it is for everybody.  Errors: exhausted (kPostsPerEnvironment), post's.
Outcome post(std::string_view name, const Capability& capability);

/// Take it down again; nothing happens where there is none.
void take_down(std::string_view name);

/// What `env` has posted under `name`: bytes, worth what the kernel says when they are presented.  Errors: not_found.
Result<Capability> find_post(EnvId env, std::string_view name);

/// The same by the environment's name, waiting until both are there or the TSC reaches `deadline` (0: for ever).
/// Where either will stand cannot be known before, so this looks again a few times a quantum.
/// Errors: asleep (not by then).
Result<Capability> await_post(std::string_view environment, std::string_view name, u64 deadline = 0);

}  // namespace tessera::libos
