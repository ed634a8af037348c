// `name=value` pairs from the command line.
#include <charconv>

#include "libos/core/program.hpp"

namespace tessera::libos {

// No `find`, no `substr`: they call the hosted library.
std::string_view argument_in(std::string_view arguments, std::string_view name) {
    while (!arguments.empty()) {
        u64 length = 0;
        while (length < arguments.size() && arguments[length] != ' ') ++length;
        std::string_view word{arguments.data(), length};
        arguments.remove_prefix(length < arguments.size() ? length + 1 : length);
        if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
            word.remove_prefix(name.size() + 1);
            return word;
        }
    }
    return {};
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
