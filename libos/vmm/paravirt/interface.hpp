// What a paravirtual guest and its monitor say to each other: the one file that both include.
//
// The guest's kernel and its programs run in ring 3 (or, under SVM, wherever the monitor puts them). The monitor
// knows which of the two is running. A `syscall` of the kernel is a hypercall: number in rax, arguments in rdi, rsi,
// rdx, the answer in rax, rcx and r11 lost. A `syscall` of a program is a trap like any other.
//
// Memory: the kernel sees guest-physical [0, memory_end) at the same virtual addresses, and nothing else; frames that
// are page tables are read-only to it. Programs see what the loaded root table says, but for its slots 0 and 256 to 511,
// which are not the guest's. All addresses in hypercalls are the kernel's; an argument that is not one is refused.
//
// Page tables are x86's, four levels, 4 KiB pages, read by the guest as it likes and written by `update_entries` only,
// which checks: a frame is a table of one level, or may be mapped writable, never both at a time. So no translation can lead out of the
// guest's memory. Barham et al., "Xen and the Art of Virtualization" (SOSP 2003), 3.3, is where this comes from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera::vmm::paravirt {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

inline constexpr u64 kVersion = 1;
/// An image says that it is a paravirtual kernel by a note of this name and type; its four bytes are kVersion.
inline constexpr char kNoteName[] = "Tessera";
inline constexpr u32 kNoteType = 1;

enum class Hypercall : u64 {
    // ---- traps ----
    set_trap_entry = 1,  ///< address: where every trap goes (see TrapFrame).
    return_from_trap,    ///< TrapFrame: go on as it says. Does not come back, unless the frame is refused.
    take_events,         ///< Events are unmasked and some are pending: trap now.
    wait,                ///< The guest is idle: comes back when an event is pending, masked or not by `events_masked`.
    yield,               ///< Somebody else may have the rest of the time slice.
    // ---- address spaces ----
    create_root,         ///< frame, all zero: becomes a root table.
    destroy_root,        ///< frame: it and the tables below it are ordinary frames again. Not while it is loaded.
    switch_root,         ///< frame, or 0 for the kernel alone.
    update_entries,      ///< Update*, count (kMaxUpdates at most): in this order; stops at one that is refused. Answers how many were done.
    // ---- time and devices ----
    set_timer,           ///< nanoseconds between ticks, 0 for none.
    start_ring,          ///< RingKind, frame, all zero: becomes a Ring.
    notify_ring,         ///< RingKind: there are new requests.
    print,               ///< text, size (kMaxPrint at most).
    // ---- hints: the guest is right whether or not anything comes of them ----
    zero_frames,         ///< frames (u64*), count: make all zero, the cheapest way there is.
    free_frames,         ///< frames (u64*), count: nobody needs what is in them. They read as anything afterwards.
    power_off,           ///< 0: all went well.
    count
};
inline constexpr u64 kMaxUpdates = 128, kMaxFrames = 64, kMaxPrint = 256;

/// Answers. What is not negative went well.
enum class Error : i64 { bad_argument = -1, refused = -2, no_memory = -3, no_such_call = -4 };

/// One page-table entry to be written. What was cached of it is forgotten at once, in whatever address space it was.
struct Update {
    u64 entry;  ///< Its address: 8-byte aligned, in a frame that is a table.
    u64 value;  ///< In x86's format. Present entries above the last level make their frame a table, which must be all zero or one of that level.
};

/// How the kernel is entered: the monitor writes this below the kernel's stack pointer, sets rdi to its address, and calls the trap
/// entry with events masked. From a program, the stack is `kernel_stack`; from the kernel, its own, with the 128 bytes
/// below rsp left alone and rounded down to 16.
struct TrapFrame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector;      ///< An exception's, or one of those below.
    u64 error;       ///< An exception's error code, else 0.
    u64 rip;
    u64 mode;        ///< kUserMode or kKernelMode, in the two lowest bits.
    u64 rflags;      ///< IF: events are not masked.
    u64 rsp;
    u64 reserved;    ///< 0 from the monitor, ignored by it.
};
static_assert(sizeof(TrapFrame) == 22 * 8);
inline constexpr u64 kKernelMode = 0, kUserMode = 3;
inline constexpr u64 kEventVector = 32, kSystemCallVector = 0x80;

/// Event channels: bits of `pending` and `masked_channels`.
enum class Event : u64 { timer = 0, disk, transmit, receive };
constexpr u64 bit(Event event) { return u64{1} << static_cast<u64>(event); }

/// What would be privileged registers, as a page that both sides read and write: no hypercall for any of them.
/// The monitor trusts nothing in it, and reads each word once.
struct SharedPage {
    // The guest's.
    u64 events_masked;    ///< Not 0: no trap for events. Set by the monitor at each trap; clear it, look at `pending`, `take_events`.
    u64 masked_channels;  ///< These stay pending without a trap.
    u64 kernel_stack;     ///< Where traps from programs put their frame.
    // The monitor's.
    u64 pending;          ///< Set by the monitor, cleared by the guest; both atomically.
    u64 fault_address;    ///< Of the last page fault (CR2).
    u64 timer_ticks;      ///< Since set_timer; several may go by before one event is seen.
    u64 time;             ///< Nanoseconds since the start, as of the last time that the guest was gone on with.
};

/// At the entry of the image, rdi is the address of this. Events are masked, there is no stack.
struct StartInformation {
    u64 version;
    u64 memory_end;       ///< Bytes of guest-physical memory, from 0.
    u64 shared_page;      ///< Addresses of pages beyond memory_end.
    u64 disk_sectors;     ///< Of 512 bytes; 0: no disk.
    u8 network_address[6];
    u8 has_network;
    u8 reserved;
    u64 lent_pages;       ///< Address of the first of the pages beyond memory_end that the network's frames are lent at,
    u64 lent_page_count;  ///< and how many there may be; 0: none are ever lent.
    char command_line[1024];  ///< Ends with a zero.
};

// ---- rings: one frame each, a disk's, a transmitter's, a receiver's -------------------------------------------------
//
// Four indices: requests_produced (the guest's) and responses_produced (the monitor's) are shared; how far either side
// has consumed is its own secret. All run freely modulo 2^32 and are taken modulo kRingSlots. At most kRingSlots requests are without
// a response that was consumed. Responses come in any order; the id says which request is meant, and is unique
// among those under way. Frames belong to the monitor from request to response.
//
// Lent pages: where frames of the network are the guest's kernel to use as they are, without being copied by anybody. One is the
// guest's from the response that names it to the request that gives it away; what is there otherwise means nothing, and touching it
// may be a page fault. They are no part of memory: no page table may be one, nor lead to one. Whoever sends or is sent a frame may
// see it as long as somebody has it.

enum class RingKind : u64 { disk = 0, transmit, receive, count };
enum class Operation : u32 {
    read,     ///< disk: `size` bytes (whole sectors) from `sector` on, to `address`.
    write,    ///< disk
    barrier,  ///< disk: what is before it is done before anything behind it is begun.
    send,     ///< transmit: an Ethernet frame. At a lent page that was to be filled, and longer than kLeastLent, it goes as it lies;
              ///< `Response::address` is then another to fill for the same destination, or 0.
    buffer,   ///< receive: room for one, a frame of memory. `lent`: a page that was read goes back. What comes longer than kLeastLent may
              ///< be lent: then there is the header at `address`, and behind that many bytes of `Response::address` is the rest.
    room,     ///< transmit: `Response::address` is a lent page to fill, for a frame to the hardware address in `lent`, its first byte the
              ///< lowest; failed: there is none just now.
};
inline constexpr u32 kRingSlots = 64;
inline constexpr u64 kLeastLent = 174;  ///< Bytes: up to here copying costs less than anything else.

struct Request {
    u64 id;
    Operation operation;
    u32 size;             ///< Bytes at `address`, all within one frame.
    union {
        u64 sector;       ///< disk
        u64 lent;         ///< receive: a lent page, or 0.  room: a hardware address.
    };
    u64 address;
};

struct Response {
    u64 id;
    u32 failed;           ///< 0: done.
    u32 size;             ///< Bytes that were written to the request's `address`, or of the frame that came.
    u64 address;          ///< A lent page, which is the guest's now; 0: none.
};

struct Ring {
    u32 requests_produced;
    u32 responses_produced;
    u32 reserved[14];
    Request requests[kRingSlots];
    Response responses[kRingSlots];
};
static_assert(sizeof(Request) == 32 && sizeof(Response) == 24 && sizeof(Ring) <= 4096);

}  // namespace tessera::vmm::paravirt
