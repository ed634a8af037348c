// A paravirtual guest, but for its memory and its devices: who of it runs, its traps, its hypercalls, its events.
//
// Pure: the run loop calls `on_syscall` or `on_exception` behind an exit, `go_on` before it runs the guest again, and
// does what `Next` says. It finds in `user_mode` and `root` which shadow is to be loaded, and fills it by `find_page`.
// A guest that breaks the protocol so that it cannot go on is `broken`, with the reason in words.
#pragma once

#include <string_view>

#include "exokernel/abi/guest.hpp"
#include "libos/vmm/paravirt/page_tables.hpp"

namespace tessera::vmm::paravirt {

/// What hypercalls do beyond the guest's registers and tables. Frames are checked: in the memory, and no tables.
class GuestEffects : public TableEffects {
  public:
    virtual u64 nanoseconds() = 0;             ///< Since the start.
    virtual void set_timer(u64 period) = 0;    ///< `tick` so often, in nanoseconds; 0: never.
    virtual bool start_ring(RingKind kind, u64 frame) = 0;  ///< All zero. False: there is no such device.
    virtual bool notify_ring(RingKind kind) = 0;
    virtual void print(std::string_view text) = 0;
    virtual bool zero_frame(u64 frame) = 0;
    virtual void free_frame(u64 frame) = 0;

  protected:
    ~GuestEffects() = default;
};

/// What is to be done with the guest.
enum class Next {
    run,
    yield,   ///< Run it, once somebody else had a turn.
    wait,    ///< Run it when `has_events`.
    off,     ///< It switched itself off, well.
    failed,  ///< It switched itself off, saying that it failed.
    broken,  ///< It cannot go on: `reason`.
};

class Guest {
  public:
    /// `information` goes to the guest at its start, `memory_end`, `version` and `shared_page` filled in here. The two last
    /// frames of the memory are for it and for the shared page; `uses` has a word for each of the others.
    Guest(GuestMemory& memory, GuestEffects& effects, std::span<PageTables::FrameUse> uses)
        : effects_(effects), tables_(memory, effects, uses), memory_(memory, tables_) {}

    /// Registers at the entry of its image. False: no memory for that.
    bool start(StartInformation information, u64 entry, GuestState& state);

    /// The guest executed `syscall`.
    Next on_syscall(GuestState& state);
    /// It raised an exception that is its own to handle; `address` is a page fault's.
    Next on_exception(GuestState& state, u64 vector, u64 error, u64 address);
    /// Last thing before it runs: the clock, and a trap if there is an event.
    Next go_on(GuestState& state);

    /// Event channels, from outside.
    void post(Event event);
    void tick(u64 ticks);
    bool has_events() const;

    bool user_mode() const { return user_mode_; }
    u64 root() const { return root_; }  ///< Frame; 0: the kernel alone.
    const char* reason() const { return reason_; }
    PageTables& tables() { return tables_; }
    GuestMemory& memory() { return memory_; }  ///< For its devices: without a way to write to tables.

    /// What a page fault of the guest is about: what the shadow is to be given, with the rights that the running mode has; or a
    /// fault of the guest's own, and then `error` is as its kernel is to see it.
    bool find_page(u64 address, u64& error, Translation& translation);

  private:
    Next trap(GuestState& state, u64 vector, u64 error);
    Next broken(const char* reason);
    volatile SharedPage* shared() const;
    volatile u64* words_at(u64 address, u64 count, bool write);
    u64 memory_end() const { return (memory_.frames() - 2) << kPageShift; }

    Next return_from_trap(GuestState& state);
    i64 update_entries(u64 address, u64 count);
    i64 change_frames(u64 address, u64 count, bool zero);
    i64 print(u64 address, u64 size);
    i64 start_ring(u64 kind, u64 address);
    i64 switch_root(u64 address);
    i64 answer(Hypercall number, u64 a, u64 b);
    bool root_frame(u64 address, u64& frame) const;

    GuestEffects& effects_;
    PageTables tables_;
    mutable OrdinaryMemory memory_;  // Looking at a page may bring it back.
    u64 trap_entry_ = 0, root_ = 0;
    bool user_mode_ = false;
    const char* reason_ = "";
};

}  // namespace tessera::vmm::paravirt
