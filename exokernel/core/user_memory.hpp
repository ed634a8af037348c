// Memory of a libOS, as the kernel reaches it: through the S-TLB and the direct map. The kernel never touches a
// user address, so there is no fault to survive and nothing for SMAP to forbid; a page has the rights that its
// binding gives, and copying in once means that nothing can change between check and use.
#pragma once

#include "exokernel/abi/result.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/core/context.hpp"

namespace tessera::kernel {

/// As `reach`, for what is not in the direct-mapped part under its own page number.
u8* reach_slowly(Context& context, VirtAddr address, bool write);

/// The kernel's address for a user address, good to the end of its page; nullptr: no binding with that right.
/// No tag is equal to the page number of an address that cannot be bound.
inline u8* reach(Context& context, VirtAddr address, bool write) {
    StlbEntry& entry = context.hot.home(page_of(address).value);
    if (entry.tag != page_of(address).value) [[unlikely]] return reach_slowly(context, address, write);
    if (write) {
        if (!(entry.pte & pte::kWritable)) return nullptr;
        entry.pte |= pte::kAccessed | pte::kDirty;  // as if the libOS had written; the hardware's copy follows lazily
    }
    return at(PhysAddr{(entry.pte & pte::kFrameMask) + (address.value & (kPageSize - 1))});
}

/// Up to two pieces of memory that were checked to be there: writing them cannot fail.
struct UserBytes {
    u8* piece[2];
    u64 size[2];
};

/// `size` bytes (at most a page) at a multiple of 8.
/// Errors: bad_address (misaligned, or outside what can be bound), not_mapped with the address.
inline Result<UserBytes> check_user(Context& context, VirtAddr address, u64 size, bool write, u64 alignment = 8) {
    constexpr u64 kEnd = kUserPages << kPageShift;
    if (address.value % alignment != 0 || address.value >= kEnd || size > kEnd - address.value) [[unlikely]]
        return Error::bad_address;
    const u64 in_first = kPageSize - (address.value & (kPageSize - 1));
    UserBytes bytes{{reach(context, address, write), nullptr}, {size, 0}};
    if (bytes.piece[0] == nullptr) [[unlikely]] return Failure{Error::not_mapped, address.value};
    if (size > in_first) [[unlikely]] {
        bytes.size[0] = in_first;
        bytes.size[1] = size - in_first;
        bytes.piece[1] = reach(context, address + in_first, write);
        if (bytes.piece[1] == nullptr) return Failure{Error::not_mapped, address.value + in_first};
    }
    return bytes;
}

/// Memory is shared with the libOS: words are read once, by accesses that the compiler may not repeat.
inline void copy_words(void* to, const void* from, u64 size) {
    // Safety: both are whole words of mapped memory; volatile so that one read means one read.
    const volatile u64* source = static_cast<const volatile u64*>(from);
    u64* target = static_cast<u64*>(to);
    for (u64 i = 0; i < size / 8; ++i) target[i] = source[i];
}

template <class T>
Outcome copy_in(Context& context, T& out, VirtAddr address, u64 size = sizeof(T)) {
    static_assert(sizeof(T) % 8 == 0);
    const UserBytes bytes = TRY(check_user(context, address, size, false));
    copy_words(&out, bytes.piece[0], bytes.size[0]);
    if (bytes.size[1] != 0) [[unlikely]]
        copy_words(reinterpret_cast<u8*>(&out) + bytes.size[0], bytes.piece[1], bytes.size[1]);
    return Done{};
}

template <class T>
void commit_copy_out(const UserBytes& to, const T& value) {
    static_assert(sizeof(T) % 8 == 0);
    copy_words(to.piece[0], &value, to.size[0]);
    if (to.size[1] != 0) copy_words(to.piece[1], reinterpret_cast<const u8*>(&value) + to.size[0], to.size[1]);
}

/// A place for a T that the libOS named.
template <class T>
Result<UserBytes> check_out(Context& context, VirtAddr address) {
    return check_user(context, address, sizeof(T), true);
}

}  // namespace tessera::kernel
