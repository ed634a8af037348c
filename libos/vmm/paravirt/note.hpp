// How an image says that it is a paravirtual kernel of this interface: an ELF note (System V ABI, chapter 5).
#pragma once

#include <span>

#include "libos/vmm/paravirt/interface.hpp"

namespace tessera::vmm::paravirt {

/// Is this a 64-bit ELF file with a note of kNoteName, kNoteType and kVersion? Any bytes may be asked about.
bool has_note(std::span<const std::byte> file);

}  // namespace tessera::vmm::paravirt
