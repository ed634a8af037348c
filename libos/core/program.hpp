// What a program finds when it runs: who it is, what it was started with, how it ends.
#pragma once

#include <string_view>

#include "exokernel/abi/boot_info.hpp"
#include "exokernel/abi/information.hpp"
#include "libos/core/call.hpp"

/// The program's own. What it returns is the environment's exit code; 0 is success.
int libos_main();

namespace tessera::libos {

/// What the kernel said at the start. Guaranteed memory, read-only.
extern const BootInfo* boot_info;
inline const BootInfo& boot() { return *boot_info; }

/// The kernel's tables, readable by everybody.
inline const Information& information() { return *reinterpret_cast<const Information*>(kInformation); }
#if __STDC_HOSTED__
/// On the host (unit tests) the test has the frame table.
const FrameInfo& frame_info(FrameNumber frame);
#else
inline const FrameInfo& frame_info(FrameNumber frame) {
    return reinterpret_cast<const FrameInfo*>(kInformation + kFrameTableOffset)[frame.value];
}
#endif
inline const EnvironmentInfo& environment_info(EnvId id) {
    return reinterpret_cast<const EnvironmentInfo*>(kInformation + kEnvironmentTableOffset)[id.index()];
}
inline const SlotInfo& slot_info(SlotNumber slot) {
    return reinterpret_cast<const SlotInfo*>(kInformation + kSlotTableOffset)[slot.value];
}
/// What an environment posted at `place` (below kPostsPerEnvironment) for all to see.
inline const Post& post_of(EnvId id, u64 place) {
    return reinterpret_cast<const Post*>(kInformation + kBoardOffset)[id.index() * kPostsPerEnvironment + place];
}
/// This environment's accounts.
inline const EnvironmentInfo& accounts() { return environment_info(boot().self); }

/// The value of `name=value` among space-separated `arguments`; empty when it is not there.
std::string_view argument_in(std::string_view arguments, std::string_view name);
/// The same as a number, decimal or 0x hexadecimal; `otherwise` when it is not there or is none.
u64 number_in(std::string_view arguments, std::string_view name, u64 otherwise);

/// One item of a list like `saver:96:8,hog:48`: a name and up to two numbers behind colons.
struct ListItem {
    std::string_view name;
    u64 number[2];  ///< 0 where none is given.
};
/// Take the first item off `list`. False: the list is empty, or its first item is not like that.
bool take_item(std::string_view& list, ListItem& item);

inline std::string_view arguments() { return boot().arguments; }
inline std::string_view argument(std::string_view name) { return argument_in(arguments(), name); }
inline u64 argument(std::string_view name, u64 otherwise) { return number_in(arguments(), name, otherwise); }

/// The time-stamp counter: information().tsc_hz ticks a second.
inline u64 ticks() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return u64{high} << 32 | low;
}

/// End this environment; everything that it holds goes back.
[[noreturn]] void exit(u64 code);

}  // namespace tessera::libos
