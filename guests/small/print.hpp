// Printing, for the kernel and for its programs: each gives `print` a place to put characters.
#pragma once

#include "guests/small/types.hpp"

namespace small {

/// A number to be printed in hexadecimal.
struct Hex {
    u64 value;
};

/// Text with no allocation: collected, then taken out by `text`.
class Line {
  public:
    Line& operator<<(const char* text) {
        for (; *text != 0; ++text) put(*text);
        return *this;
    }
    Line& operator<<(u64 number) { return digits(number, 10); }
    Line& operator<<(Hex number) { return *this << "0x", digits(number.value, 16); }
    const char* text() const { return text_; }
    u64 size() const { return size_; }

  private:
    void put(char c) {
        if (size_ + 1 < sizeof text_) text_[size_++] = c;
    }
    Line& digits(u64 number, u64 base) {
        char reversed[20];
        int count = 0;
        do reversed[count++] = "0123456789abcdef"[number % base];
        while ((number /= base) != 0);
        while (count != 0) put(reversed[--count]);
        return *this;
    }

    char text_[200]{};
    u64 size_ = 0;
};

void print_text(const char* text, u64 size);

template <class... Parts>
void print(const Parts&... parts) {
    Line line;
    (line << ... << parts);
    print_text(line.text(), line.size());
}

/// What an inconsistent kernel, or a program that cannot go on, does.
[[noreturn]] void panic(const char* why);

}  // namespace small
