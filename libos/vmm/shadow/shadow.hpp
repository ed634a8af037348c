// Shadow paging: what a guest's own page tables say, as bindings of pages to guest frames, made when they are asked for
// and dropped when the guest's flushes say so.
//
// Pure: it decides. Whoever holds the contexts (ShadowHardware) binds and unbinds. The way of a fault:
//
//   fault(address, access)
//     walk the guest's tables ------ not allowed --> reflect: the guest's own fault, with its error code
//     trace each table on the way: write-protect it, keep a copy
//     entries that are not what the copy says: drop what was bound through them
//     note accessed and dirty in the guest's tables
//     a write to a traced table? --> out of sync: it may be written until the next flush
//     bind: page, guest frame, rights; with neighbours that are known to be used
//
// The hardware that this imitates may keep a translation until it is flushed and must not keep it longer (APM vol. 2,
// 5.5; SDM vol. 3, 4.10): a write of CR3 flushes all, INVLPG what it names. So a table goes out of sync with one trap, however often
// the guest then writes it, and costs one comparison at the next flush. One root a guest address space stays cached
// across writes of CR3, as its tables are watched meanwhile.
//
// One virtual CPU at a time. Large guest pages are bound as runs of small ones.
#pragma once

#include "libos/vmm/shadow/frame_records.hpp"
#include "libos/vmm/shadow/roots.hpp"
#include "libos/vmm/shadow/traced_tables.hpp"

namespace tessera::vmm {

enum class ShadowVerdict : u8 {
    bind,     ///< `mapping` is to be bound, and the guest goes on.
    reflect,  ///< The guest gets a page fault with `code`.
    nowhere,  ///< Allowed, and there is no memory at mapping.guest_frame: a device, or nothing.
    again,    ///< The tables change under the walk: let the guest go on and fault again.
};

/// Pages from `first` on, to be bound to guest frames from `guest_frame` on; the one that is needed is `page`. A binder
/// may bind fewer.
struct ShadowMapping {
    u32 root;
    PageNumber first, page;
    u64 guest_frame;
    u64 count;
    bool write, execute;
    bool user;  ///< For the guest's ring 3 too.

    u64 frame_of(PageNumber at) const { return guest_frame + (at - first); }
};

struct ShadowDecision {
    ShadowVerdict verdict;
    u32 code;
    ShadowMapping mapping;
};

/// What happened, since the beginning.
struct ShadowCounts {
    u64 faults = 0;
    u64 reflected = 0;
    u64 bound = 0;          ///< Mappings.
    u64 pages = 0;          ///< In them.
    u64 traced = 0;         ///< Tables that began to be traced.
    u64 released = 0;       ///< And no longer were.
    u64 table_writes = 0;   ///< Faults because of a write to a table.
    u64 syncs = 0;          ///< Tables compared with their copy.
    u64 changed = 0;        ///< Entries that had become others, and through which something may have been bound.
    u64 flushes = 0;
    u64 invalidations = 0;  ///< INVLPG.
    u64 loads = 0;          ///< Writes of CR3,
    u64 made = 0;           ///< of which had no root.
    u64 searches = 0;       ///< Frames whose ways had to be looked for.
};

/// Who wants to know before a frame is written: it was `watch`ed, and is not any more.
class FrameWatcher {
  public:
    virtual void on_write(u64 guest_frame) = 0;

  protected:
    ~FrameWatcher() = default;
};

struct ShadowOptions {
    u32 roots = 16;   ///< Address spaces that are kept: 1 to kMaxRoots.
    u32 around = 16;  ///< Bind neighbours within an aligned block of so many pages: a power of two.
};

class Shadow {
  public:
    /// `records`: one a guest frame, zeroed. `tables`: kLeastTables at least.
    Shadow(GuestMemory& memory, ShadowHardware& hardware, std::span<FrameRecord> records, TableMemory tables, ShadowOptions options)
        : memory_(memory), hardware_(hardware), records_(records), tables_(tables), roots_(options.roots), around_(options.around) {}
    Shadow(const Shadow&) = delete;
    Shadow& operator=(const Shadow&) = delete;

    /// The guest has loaded CR3, or changed its mode: which root it runs in from now on. All that was cached and is no longer so
    /// is dropped.
    u32 load(const PagingMode& mode);
    u32 root() const { return root_; }
    const PagingMode& mode() const { return roots_.mode(root_); }
    /// Another number after everything that makes a TLB forget; never 0.
    u64 epoch() const { return 1 + counts_.flushes + counts_.invalidations; }
    /// Another number after anything was found to have become other than it was; never one of epoch's.
    u64 changes() const { return changes_; }
    /// Until when does what a walk of the present root found hold? As epoch() or, where all tables on the way are traced and so known
    /// not to change without a word, as changes().
    u64 holds_until(const Walk& found);

    /// The guest touched `address`, and no binding allowed it.
    ShadowDecision fault(u64 address, const Access& access);
    /// INVLPG.
    void invalidate(u64 address);
    /// Anything else that flushes the TLB.
    void flush();

    /// Somebody other than the guest's CPU has written a guest frame, or will: a device, the emulator.
    void written(u64 guest_frame);
    /// Take every writable binding of a frame away, for whoever shares it.
    void protect(u64 guest_frame);
    /// The same, and tell the watcher, once, before the next write by the guest or as `written` says.
    void watch(u64 guest_frame);
    bool is_watched(u64 guest_frame) { return guest_frame < records_.size() && records_.watched(guest_frame); }
    void set_watcher(FrameWatcher& watcher) { watcher_ = &watcher; }
    /// A frame is taken from under the guest: what was bound through a table in it goes too. Its own bindings are the
    /// caller's to break, by giving up what it was bound to.
    void lose(u64 guest_frame);

    const ShadowCounts& counts() const { return counts_; }
    /// For tests: is it a table that nobody can write now?
    bool is_protected(u64 guest_frame);

  private:
    static constexpr u32 kAttempts = 8;       // for a walk whose tables change under it
    static constexpr u32 kMostOutOfSync = 32;
    static constexpr u8 kMostUnwalked = 3;    // then it is no table any more, as far as we can tell

    bool follow(const Walk& walk, PageNumber page);
    u32 trace(u64 frame);
    void release(u32 index);
    void note_use(u32 index, u32 level, PageNumber first);
    void drop(const TableUse& use, u64 first_entry, u64 entries);
    void drop_entries(u32 index, u64 first_entry, u64 entries);
    void sync_entry(u32 index, u64 entry_index, u64 now);
    void sync(u32 index);
    void go_out_of_sync(u32 index);
    void end_watch(u64 guest_frame);
    ShadowMapping make_mapping(const Walk& walk, PageNumber page, const Access& access);
    bool joins(const Walk& walk, const ShadowMapping& mapping, PageNumber page, u64 guest_frame);
    void add_neighbours(const Walk& walk, ShadowMapping& mapping);

    GuestMemory& memory_;
    ShadowHardware& hardware_;
    FrameRecords records_;
    TablePlaces tables_;
    RootCache roots_;
    u32 around_;
    FrameWatcher* watcher_ = nullptr;
    u64 walk_ = 0;  // the number of the walk that is being followed
    u32 root_ = 0;
    u64 changes_ = u64{1} << 63;
    u32 out_of_sync_ = 0;
    std::array<u32, kMostOutOfSync> list_{};  // of tables that are out of sync
    ShadowCounts counts_;
};

}  // namespace tessera::vmm
