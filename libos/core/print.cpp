// What does not depend on the types: the calls, and JSON's quoting (RFC 8259, section 7).
#include "libos/core/print.hpp"

#include <algorithm>
#include <charconv>

namespace tessera::libos {

void Writer::add(std::string_view text) {
    const u64 count = std::min<u64>(text.size(), size_ - length_);
    text.copy(buffer_ + length_, count);
    length_ += count;
    full_ |= count < text.size();
}

template <class T>
static std::string_view written(char (&digits)[24], T value, int base = 10) {
    return {digits, static_cast<u64>(std::to_chars(digits, digits + sizeof digits, value, base).ptr - digits)};
}

void Writer::add_signed(std::int64_t value) {
    char digits[24];
    add(written(digits, value));
}

void Writer::add_unsigned(u64 value) {
    char digits[24];
    add(written(digits, value));
}

void Writer::add(Hex number) {
    char digits[24];
    add("0x");
    add(written(digits, number.value, 16));
}

void write_log(std::string_view text) {
    // A program cannot do anything about a log that does not take its text.
    static_cast<void>(call<LogWrite>({VirtAddr{reinterpret_cast<u64>(text.data())}, text.size()}));
}

void Json::key(std::string_view name) {
    if (!first_) text_.add(',');
    first_ = false;
    quoted(name);
    text_.add(':');
}

void Json::quoted(std::string_view text) {
    text_.add('"');
    for (char c : text) {
        if (c == '"' || c == '\\') text_.add('\\');
        const bool control = static_cast<unsigned char>(c) < 0x20;
        if (control) {
            text_.add("\\u00");
            text_.add("0123456789abcdef"[c >> 4]);
            text_.add("0123456789abcdef"[c & 15]);
        } else {
            text_.add(c);
        }
    }
    text_.add('"');
}

void Json::field(std::string_view name, std::string_view value) {
    key(name);
    quoted(value);
}

void Json::field(std::string_view name, Hex value) {
    key(name);
    text_.add('"');
    text_.add(value);
    text_.add('"');
}

std::string_view Json::finish() {
    text_.add('}');
    return text_.full() ? std::string_view{} : text_.view();
}

Outcome Json::send() {
    const std::string_view text = finish();
    if (text.empty()) return Error::bad_argument;
    TRY(call<RecordWrite>({VirtAddr{reinterpret_cast<u64>(text.data())}, text.size()}));
    return Done{};
}

}  // namespace tessera::libos
