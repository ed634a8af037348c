// The two ways out: the log for people (COM1) and framed records for the scenario runner (COM2).
#pragma once

#include "exokernel/abi/records.hpp"
#include "exokernel/core/text.hpp"

namespace tessera::kernel {

struct Environment;

/// How the kernel's own lines begin: a name that no environment may have.
inline constexpr std::string_view kKernelName = "tessera";

/// In one piece, whatever other CPUs have to say.
void write_log(std::string_view text);
/// From now on this CPU writes even into the middle of what another says.
void ignore_log_locks();

/// One line of the kernel's own: "[tessera] ..."
template <class... Parts>
void log(const Parts&... parts) {
    write_log(Text<400>("[", kKernelName, "] ", parts..., "\n").view());
}

/// What an environment says: line by line under its name, anything unprintable as '?'.
void log_for(Environment& env, std::string_view text);
/// The unfinished line, if any.
void flush_log_of(Environment& env);

void write_record(RecordType type, u64 env_index, std::string_view json);

/// `"key":value` pairs for a record's JSON.
template <u64 N>
class Json {
  public:
    Json() { text_.add("{"); }
    template <class T>
    Json& field(const char* key, const T& value) {
        key_(key).add(value);
        return *this;
    }
    Json& field(const char* key, const char* value) {
        key_(key).add('"').add(value).add('"');
        return *this;
    }
    std::string_view done() { return text_.add("}").view(); }

  private:
    Text<N>& key_(const char* key) {
        if (!first_) text_.add(",");
        first_ = false;
        return text_.add('"').add(key).add("\":");
    }
    Text<N> text_;
    bool first_ = true;
};

}  // namespace tessera::kernel
