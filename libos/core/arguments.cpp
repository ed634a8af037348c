// `name=value` pairs from the command line.
#include <charconv>

#include "libos/core/program.hpp"

namespace tessera::libos {

// No `find`, no `substr`: they call the hosted library.
static std::string_view take_until(std::string_view& text, char end) {
    u64 length = 0;
    while (length < text.size() && text[length] != end) ++length;
    const std::string_view taken{text.data(), length};
    text.remove_prefix(length < text.size() ? length + 1 : length);
    return taken;
}

std::string_view argument_in(std::string_view arguments, std::string_view name) {
    while (!arguments.empty()) {
        std::string_view word = take_until(arguments, ' ');
        if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
            word.remove_prefix(name.size() + 1);
            return word;
        }
    }
    return {};
}

bool take_item(std::string_view& list, ListItem& item) {
    std::string_view text = take_until(list, ',');
    item = {take_until(text, ':'), {}};
    for (u64& number : item.number) {
        const std::string_view digits = take_until(text, ':');
        if (digits.empty()) break;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error != std::errc{} || end != digits.data() + digits.size()) return false;
    }
    return !item.name.empty() && text.empty();
}

u64 number_in(std::string_view arguments, std::string_view name, u64 otherwise) {
    std::string_view text = argument_in(arguments, name);
    const bool hexadecimal = text.starts_with("0x");
    if (hexadecimal) text.remove_prefix(2);
    u64 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
    return !text.empty() && error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

}  // namespace tessera::libos
