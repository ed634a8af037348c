// Text for the log, numbers from <charconv>; and records for the results, as JSON. No format strings: the
// compiler knows what it is given.
//
//   print("page ", page.value, " at ", hex(address), "\n");
//   record("rounds", rounds, "sum", hex(sum), "policy", "clock");
#pragma once

#include <concepts>
#include <string_view>

#include "libos/core/call.hpp"

namespace tessera::libos {

/// A number to be written as 0x...
struct Hex {
    u64 value;
};
constexpr Hex hex(u64 value) { return {value}; }

/// Writes characters into somebody's buffer; what does not fit is dropped, and full() says so.
class Writer {
  public:
    constexpr Writer(char* buffer, u64 size) : buffer_(buffer), size_(size) {}

    void add(std::string_view text);
    void add(const char* text) { add(std::string_view(text)); }
    void add(char c) { add(std::string_view(&c, 1)); }
    void add(bool value) { add(value ? "true" : "false"); }
    void add(Hex number);
    template <std::integral T>
    void add(T value) {
        if constexpr (std::is_signed_v<T>)
            add_signed(value);
        else
            add_unsigned(value);
    }

    std::string_view view() const { return {buffer_, length_}; }
    bool full() const { return full_; }

  private:
    void add_signed(std::int64_t value);
    void add_unsigned(u64 value);

    char* buffer_;
    u64 size_;
    u64 length_ = 0;
    bool full_ = false;
};

/// Write `text` to the log as it is.
void write_log(std::string_view text);

/// Write all that is given to the log, in one piece up to 512 characters.
template <class... T>
void print(const T&... items) {
    char buffer[512];
    Writer writer(buffer, sizeof buffer);
    (writer.add(items), ...);
    write_log(writer.view());
}

/// A JSON object under construction: `Json json; json.field("pages", 3); json.send();`
class Json {
  public:
    Json() : text_(buffer_, sizeof buffer_) { text_.add('{'); }
    Json(const Json&) = delete;
    Json& operator=(const Json&) = delete;
    void field(std::string_view name, std::string_view value);
    void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
    void field(std::string_view name, Hex value);
    template <class T>
    requires std::integral<T>
    void field(std::string_view name, T value) {
        key(name);
        text_.add(value);
    }
    /// Close it. Empty when it did not fit.
    std::string_view finish();
    /// Close it and send it as this environment's record.  Errors: bad_argument when it did not fit.
    Outcome send();

  private:
    void key(std::string_view name);
    void quoted(std::string_view text);

    char buffer_[2048];
    Writer text_;
    bool first_ = true;
};

inline void add_fields(Json&) {}
template <class Value, class... Rest>
void add_fields(Json& json, std::string_view name, const Value& value, const Rest&... rest) {
    json.field(name, value);
    add_fields(json, rest...);
}

/// Send one record: names and values in turn.
template <class... T>
Outcome record(const T&... names_and_values) {
    static_assert(sizeof...(T) % 2 == 0, "names and values in turn");
    Json json;
    add_fields(json, names_and_values...);
    return json.send();
}

}  // namespace tessera::libos
