// What the compiler may call without being asked (GCC manual, 2.1), and nothing else.
#include "exokernel/abi/types.hpp"
#include "exokernel/core/panic.hpp"

using tessera::u64;
using tessera::u8;

extern "C" {

// Safety, for these: the compiler passes ranges that are good for the count.
void* memcpy(void* to, const void* from, u64 count) {
    void* result = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    return result;
}
void* memset(void* to, int value, u64 count) {
    void* result = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return result;
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
