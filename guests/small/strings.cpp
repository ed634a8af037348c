// What the compiler and the kernel expect of a C library.

#include <cstddef>

#include "guests/small/words.hpp"

extern "C" {

// By words, then the rest: where instructions are counted, each repetition is one.
void* memcpy(void* to, const void* from, std::size_t size) {
    void* out = to;
    std::size_t words = size / 8, rest = size % 8;
    // Safety: moves `size` bytes between the two, as the caller asked.
    asm volatile("rep movsq\n mov %3, %2\n rep movsb" : "+D"(out), "+S"(from), "+c"(words) : "r"(rest) : "memory");
    return to;
}

void* memset(void* to, int value, std::size_t size) {
    void* out = to;
    std::size_t words = size / 8, rest = size % 8;
    // Safety: as above.
    asm volatile("rep stosq\n mov %2, %1\n rep stosb"
                 : "+D"(out), "+c"(words)
                 : "r"(rest), "a"(0x0101'0101'0101'0101 * static_cast<unsigned char>(value))
                 : "memory");
    return to;
}

int memcmp(const void* left, const void* right, std::size_t size) {
    auto *a = static_cast<const unsigned char*>(left), *b = static_cast<const unsigned char*>(right);
    for (; size != 0; --size, ++a, ++b)
        if (*a != *b) return *a - *b;
    return 0;
}

int strcmp(const char* left, const char* right) {
    for (; *left != 0 && *left == *right; ++left, ++right) {
    }
    return static_cast<unsigned char>(*left) - static_cast<unsigned char>(*right);
}

}

namespace small {

bool next_word(const char*& rest, Word& word) {
    while (*rest == ' ') ++rest;
    word = {rest, 0};
    for (; *rest != 0 && *rest != ' '; ++rest) ++word.size;
    return word.size != 0;
}

bool Word::is(const char* text) const {
    for (u64 i = 0; i < size; ++i)
        if (text[i] == 0 || text[i] != begin[i]) return false;
    return text[size] == 0;
}

bool find_option(const char* line, const char* name, Word& value) {
    for (Word word; next_word(line, word);) {
        u64 i = 0;
        while (i < word.size && name[i] != 0 && name[i] == word.begin[i]) ++i;
        if (name[i] != 0 || i >= word.size || word.begin[i] != '=') continue;
        value = {word.begin + i + 1, word.size - i - 1};
        return true;
    }
    return false;
}

u64 number_of(Word word, u64 otherwise) {
    if (word.size == 0 || word.size > 18) return otherwise;
    u64 number = 0;
    for (u64 i = 0; i < word.size; ++i) {
        if (word.begin[i] < '0' || word.begin[i] > '9') return otherwise;
        number = number * 10 + static_cast<u64>(word.begin[i] - '0');
    }
    return number;
}

}  // namespace small
