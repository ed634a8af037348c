// Starting a kernel as GRUB would by multiboot, version 1: in 32-bit protected mode without paging, with a magic number
// in EAX and the address of what is known about the machine in EBX. (Multiboot Specification 0.6.96, chapter 3.)
//
// Where to load it, the kernel's multiboot header says, or else the ELF file that it is; modules come behind it.
#pragma once

#include <string_view>

#include "libos/vmm/boot/placer.hpp"
#include "libos/vmm/boot/start.hpp"

namespace tessera::vmm {

struct MultibootModule {
    std::span<const std::byte> bytes;
    std::string_view text;  ///< What the kernel is told about it.
};

struct MultibootBoot {
    std::span<const std::byte> kernel;
    std::string_view command_line;
    std::span<const MultibootModule> modules;  ///< At most 16.
};

/// Load it. Memory is as for load_linux().
BootResult load_multiboot(GuestMemory& memory, Placer& placer, const MultibootBoot& boot);

}  // namespace tessera::vmm
