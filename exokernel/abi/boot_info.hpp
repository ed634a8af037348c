// What a libOS that GRUB loaded finds when it starts: rdi points here. One page, its own.
#pragma once

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera {

inline constexpr u64 kBootInfoAddress = 0x20'0000;  ///< Where the page is bound, guaranteed, read-only.
inline constexpr u64 kImageAddress = 0x40'0000;     ///< Where libos.ld puts an image.

/// In an ELF segment's p_flags (the OS-specific bits): bind this segment as guaranteed mappings.
inline constexpr u32 kElfGuaranteed = 0x0010'0000;

/// A file of the boot loader's that was given to this environment, among others perhaps: read-only, and nobody's.
struct BootFile {
    char name[16];
    u64 bytes;
    Capability frames;         ///< Rights: read, execute.
};
inline constexpr u64 kBootFiles = 4;

struct BootInfo {
    u64 abi_version;
    EnvId self;
    PageNumber image_page;     ///< The image is one run of pages over one run of frames.
    FrameNumber image_frame;
    u64 image_pages;
    u64 stlb_entries;
    u64 guaranteed_entries;
    u64 frame_quota;
    u64 cpu;                   ///< Where it lives: slots of this CPU can run it.
    Capability environment;    ///< This one.  Rights: release, use, revoke.
    Capability context;        ///< Rights: use.
    Capability stlb;           ///< To be bound readable.
    Capability image;          ///< The image's frames, all rights.
    Capability slots[8];       ///< One a slot it was started with; kind none behind the last.
    Capability every_environment;  ///< With the option `arbiter=1`: all of them, now and later.  Rights: release, use, revoke.
    BootFile files[kBootFiles];    ///< One a module `data=NAME for=...` that names it; an empty name behind the last.
    char name[16];
    char arguments[1024];      ///< What stood behind `--`, zero-terminated.
};
static_assert(sizeof(BootInfo) <= kPageSize);

}  // namespace tessera
