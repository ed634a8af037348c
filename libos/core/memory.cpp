// The four functions that the compiler takes for granted. No SSE: handlers use them too.
//
// One loop instruction each way; under an instruction count every byte of `rep movsb` counts, so whole words
// go as words.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
    void* destination = to;
    std::size_t words = size / 8, bytes = size % 8;
    asm volatile("rep movsq\n\tmov %[bytes], %%rcx\n\trep movsb"
                 : "+D"(destination), "+S"(from), "+c"(words)
                 : [bytes] "r"(bytes)
                 : "memory");
    return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
    auto* destination = static_cast<unsigned char*>(to);
    const auto* source = static_cast<const unsigned char*>(from);
    if (reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from) >= size)
        return memcpy(to, from, size);
    // Overlapping with the destination behind: from the end down.
    destination += size - 1;
    source += size - 1;
    asm volatile("std\n\trep movsb\n\tcld" : "+D"(destination), "+S"(source), "+c"(size) : : "memory", "cc");
    return to;
}

void* memset(void* to, int value, std::size_t size) {
    void* destination = to;
    std::uint64_t pattern = 0x0101'0101'0101'0101 * static_cast<unsigned char>(value);
    std::size_t words = size / 8, bytes = size % 8;
    asm volatile("rep stosq\n\tmov %[bytes], %%rcx\n\trep stosb"
                 : "+D"(destination), "+c"(words)
                 : "a"(pattern), [bytes] "r"(bytes)
                 : "memory");
    return to;
}

int memcmp(const void* left, const void* right, std::size_t size) {
    const auto* a = static_cast<const unsigned char*>(left);
    const auto* b = static_cast<const unsigned char*>(right);
    for (std::size_t i = 0; i < size; ++i)
        if (a[i] != b[i]) return a[i] - b[i];
    return 0;
}

std::size_t strlen(const char* text) {
    std::size_t length = 0;
    for (const volatile char* each = text; *each != 0; ++each) ++length;
    return length;
}
}
