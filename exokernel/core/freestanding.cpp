// What the compiler may call without being asked (GCC manual, 2.1), and nothing else.
#include "exokernel/abi/types.hpp"
#include "exokernel/arch/x86_64/registers.hpp"

using tessera::u64;
using tessera::u8;

extern "C" {

void* memcpy(void* to, const void* from, u64 count) {
    tessera::kernel::copy_bytes(to, from, count);
    return to;
}
void* memset(void* to, int value, u64 count) {
    tessera::kernel::fill_bytes(to, static_cast<u8>(value), count);
    return to;
}
void* memmove(void* to, const void* from, u64 count) {
    if (to <= from) return memcpy(to, from, count);
    u8* target = static_cast<u8*>(to);
    const u8* source = static_cast<const u8*>(from);
    while (count-- != 0) target[count] = source[count];
    return to;
}
int memcmp(const void* a, const void* b, u64 count) {
    const u8* x = static_cast<const u8*>(a);
    const u8* y = static_cast<const u8*>(b);
    for (u64 i = 0; i < count; ++i)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}
u64 strlen(const char* text) {
    u64 length = 0;
    while (text[length] != 0) ++length;
    return length;
}
}
