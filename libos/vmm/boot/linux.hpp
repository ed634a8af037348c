// Starting a kernel by the 64-bit Linux boot protocol: in long mode, with memory mapped one to one, and the address of
// `boot_params` in RSI. (Linux Documentation/x86/boot.rst, "64-bit Boot Protocol"; zero-page.rst.)
//
// The kernel is a vmlinux (an ELF file: entered where it says) or a bzImage (entered at 200h, unpacks itself). What is
// handed over lies in the first megabyte, where no kernel is loaded:
//
//   1000 GDT   2000 page tables: 4 GiB in 2 MiB pages   8000 boot_params   9000 command line   9FC00 MP table
#pragma once

#include <string_view>

#include "libos/vmm/boot/placer.hpp"
#include "libos/vmm/boot/start.hpp"

namespace tessera::vmm {

struct LinuxBoot {
    std::span<const std::byte> kernel;
    std::span<const std::byte> initrd;  ///< Empty: none. It is put as high as it may be.
    std::string_view command_line;
};

/// Load it. The memory ends at memory.frames(), is in one piece but for the hole from 640 KiB to 1 MiB, and is zero.
/// At most 3 GiB: behind that, a PC has other things than memory.
BootResult load_linux(GuestMemory& memory, Placer& placer, const LinuxBoot& boot);

}  // namespace tessera::vmm
