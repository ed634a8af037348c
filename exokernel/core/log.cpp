#include "exokernel/core/log.hpp"

#include "exokernel/core/environment.hpp"
#include "exokernel/core/lock.hpp"
#include "exokernel/drivers/uart.hpp"

namespace tessera::kernel {

namespace {
LeafLock log_lock, record_lock;  // a port each: what one CPU says is not cut in two by another
bool last_words;                 // a panic takes no locks: it may have come while one was held

class PortGuard {
  public:
    explicit PortGuard(LeafLock& lock) : lock_(lock), taken_(!last_words) {
        if (taken_) lock_.acquire();
    }
    ~PortGuard() {
        if (taken_) lock_.release();
    }
    PortGuard(const PortGuard&) = delete;
    PortGuard& operator=(const PortGuard&) = delete;

  private:
    LeafLock& lock_;
    bool taken_;
};
}  // namespace

void ignore_log_locks() { last_words = true; }

void write_log(std::string_view text) {
    PortGuard guard(log_lock);
    for (const char c : text) {
        if (c == '\n') com1.write('\r');
        com1.write(static_cast<u8>(c));
    }
}

void flush_log_of(Environment& env) {
    if (env.log_length == 0) return;
    write_log(Text<200>("[", static_cast<const char*>(env.info->name), "] ",
                        std::string_view{env.log_line, env.log_length}, "\n")
                  .view());
    env.log_length = 0;
}

void log_for(Environment& env, std::string_view text) {
    for (const char c : text) {
        if (c != '\n') env.log_line[env.log_length++] = c >= ' ' && c < 0x7f ? c : '?';
        if (c == '\n' && env.log_length == 0) env.log_line[env.log_length++] = ' ';
        if (c == '\n' || env.log_length == sizeof env.log_line) flush_log_of(env);
    }
}

void write_record(RecordType type, u64 env_index, std::string_view json) {
    u32 low = 0, high = 0;
    for (const char c : json) {
        low = (low + static_cast<u8>(c)) % 255;
        high = (high + low) % 255;
    }
    const u8 header[kRecordHeader] = {'T', 'R', static_cast<u8>(type), static_cast<u8>(env_index),
                                      static_cast<u8>(json.size()), static_cast<u8>(json.size() >> 8),
                                      static_cast<u8>(low), static_cast<u8>(high)};
    PortGuard guard(record_lock);
    for (const u8 byte : header) com2.write(byte);
    for (const char c : json) com2.write(static_cast<u8>(c));
}

}  // namespace tessera::kernel
