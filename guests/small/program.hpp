// The programs in the kernel's image: static ELF files, each a `guests/small/user/NAME.cpp`.
#pragma once

#include "guests/small/address_space.hpp"

namespace small {

inline constexpr u64 kStackTop = kUserBegin + (u64{1} << 31), kStackPages = 16;

struct Program {
    const char* name;
    const u8* begin;
    const u8* end;
};

/// Null if there is none.
const Program* find_program(const char* name);
/// Its segments and a stack become regions. False if it is no such program or does not fit.
bool load_program(const Program& program, AddressSpace& space, u64& entry);

}  // namespace small
