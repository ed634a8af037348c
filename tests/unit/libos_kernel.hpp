// The kernel as a libOS sees it, on the host: frames are pages of a memory file, and a binding is a mapping of
// one of them with the rights asked for. So what the libOS code reads and writes are really the frames that it
// bound, and a page without a binding is really not there.
#pragma once

#include <signal.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "exokernel/abi/information.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/paging/entry.hpp"
#include "stlb/stlb.hpp"

namespace tessera::test {

class HostKernel {
  public:
    static constexpr u64 kFrames = 4096;
    static constexpr u64 kPages = 4096;
    static constexpr u64 kStlbEntries = 128;

    HostKernel();
    ~HostKernel();
    HostKernel(const HostKernel&) = delete;
    HostKernel& operator=(const HostKernel&) = delete;

    /// The one that host_kernel() talks to.
    static HostKernel* current;
    /// What the fault policy could not resolve goes here (libos::set_last_resort); `nested`: libOS code touched the page.
    static bool (*last_resort)(VirtAddr address, bool nested);

    libos::Answer on_call(u64 number, const std::array<u64, 5>& words);

    /// kPages pages of addresses, for the regions of a test.
    PageNumber first_page() const { return first_page_; }

    /// Use `page` as a program would: on a miss ask the fault policy, as often as it takes. False: fatal fault.
    bool touch(PageNumber page, Right access);
    bool write(PageNumber page, u64 word, u64 value);
    bool read(PageNumber page, u64 word, u64& value);

    /// What switch policy `none` does: no binding is left.
    void drop_all();
    /// What becomes of frames that their owner gives back: no binding is left, and none can be made.
    void take_away(FrameNumber first, u64 count);
    bool is_bound(PageNumber page) const { return bound_.contains(page.value); }
    struct Binding {
        u64 frame;
        Rights rights;
    };
    std::optional<Binding> binding(PageNumber page) const {
        const auto found = bound_.find(page.value);
        return found != bound_.end() ? std::optional(found->second) : std::nullopt;
    }
    /// A word of a frame, past all bindings: as somebody else would see it.
    u64 word(u64 frame, u64 number);
    void set_word(u64 frame, u64 number, u64 value);

    /// Take a frame by force, as the kernel does at a deadline: no binding is left, the bytes go where they were seeded to go, the
    /// vector says so, if there is one. Not for frames that nobody owns.
    void repossess(u64 frame);
    bool is_owned(u64 frame) const { return table_[frame].state == FrameState::owned; }
    const FrameInfo& info(u64 frame) const { return table_[frame]; }
    RepossessionVector vector{};

    /// Asked before: what it answers, the kernel here does not see.
    std::function<std::optional<libos::Answer>(u64 number, const std::array<u64, 5>& words)> instead;
    /// Called at the end of every system call: what may happen between any two of them.
    std::function<void()> between_calls;

    const StlbEntry* stlb() const { return stlb_.data(); }
    u64 calls(u64 number) const { return calls_[number]; }

  private:
    libos::Answer bind(u64 frame, PageSpan span);
    void drop(u64 page);

    struct sigaction before_;
    int file_;
    PageNumber first_page_;
    std::map<u64, Binding> bound_;
    // An entry's slot: where the hardware has the page, so that accesses go unnoticed; nullptr: it will be refilled.
    std::vector<StlbEntry> stlb_;
    u64 hardware_ = 0;
    std::array<u64, Syscalls::count> calls_{};
    std::set<u64> taken_away_;
    u64 next_frame_ = 16;
    std::vector<FrameInfo> table_;
    u64 next_grant_ = 1;

    libos::Answer answer(u64 number, const std::array<u64, 5>& words);
    bool good(const Capability& capability, u64 first, u64 count) const;
    void free(u64 frame);
    char* bytes_of(u64 frame);
};

}  // namespace tessera::test
