// Visible revocation: how units are asked back, what a libOS wants done with its bytes, and what it finds when units were
// taken by force (Engler et al., SOSP 1995, 3.4 and 3.5).
//
//   revoke -> the request stands in the published table, the libOS gets the upcall `revoke` first thing in its next
//   slice -> it gives back what it chooses (frame_release, context_destroy, env_destroy, slot_release), and each unit
//   counts towards its oldest request that it fits -> nothing is owed: done
//   else, at the deadline -> the abort protocol: bindings are broken on every CPU, the bytes go where they were seeded
//   to go, the vector says what was taken, and the upcall `repossessed` that there is something in it
//
// The deadline has two halves, and both must have passed: time on the clock, and CPU time that the libOS itself had
// since it was told; a slice that it gave away was its own. Whom no slot runs, or who waits for somebody's answer, chooses
// not to run: for it the clock alone counts, eight times as long.
//
// Counted is what it has less. Where it may choose, units that it takes while it is asked count off again; of named units
// only who holds them counts. The reserve, the save area and the vector are never taken, also when they are named.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

/// What can be asked back.
enum class RevocationKind : u32 {
    frames,         ///< Frames that it owns, `count` of its choice, or these very ones.
    kernel_memory,  ///< Frames charged to it for contexts and environments besides its own: `count` frames' worth of its choice.
    slots,          ///< Slots of its choice, or these very ones.
};
inline constexpr u64 kRevocationKinds = 3;
inline constexpr const char* kRevocationNames[kRevocationKinds] = {"frames", "kernel_memory", "slots"};

inline constexpr u64 kRequests = 8;       ///< Requests that can be outstanding at one environment.
inline constexpr u64 kMaxReserve = 64;    ///< Frames of an environment that cannot be repossessed.

/// What `revoke` reads.
struct RevocationSpec {
    RevocationKind kind;
    u32 zero;
    u64 first;       ///< The first of `count` named units (frames, slots); kAny: whichever it likes.
    u64 count;       ///< 1 to 65536.
    u64 own_ticks;   ///< The deadline: CPU time of its own since it was told, in TSC ticks,
    u64 wall_ticks;  ///< and time on the clock since the request. Both at least the kernel's grace.
};
static_assert(sizeof(RevocationSpec) == 40);

enum class RequestState : u32 {
    unused,
    asked,        ///< Not told yet: it has not run since.
    told,
    met,          ///< Everything was given back in time.
    repossessed,  ///< What was owed was taken, or nothing of the kind was left to take.
};

/// One request, in the published table: place `i` of the environment with index `e` is number e * kRequests + i. A place
/// is used again once its request is met or repossessed.
struct RevocationRequest {
    u64 number;          ///< Never used twice.
    u32 target;          ///< EnvId.
    u32 requester;       ///< EnvId.
    RevocationKind kind;
    RequestState state;
    u64 first, count;    ///< As in the spec.
    u64 returned;        ///< Units given back so far that count.
    u64 taken;           ///< Units repossessed.
    u64 wall_deadline;   ///< TSC.
    u64 own_deadline;    ///< What its `ticks` must reach, or as much be offered to it; set when it is told.
    u64 asked_at;        ///< TSC of the request.
    u64 done_at;         ///< TSC at which it was met or repossessed; 0: outstanding.
    u64 reserved[3];
};
static_assert(sizeof(RevocationRequest) == 112);

/// What becomes of a frame's bytes when it is repossessed.
enum class AutosaveKind : u32 {
    none,     ///< Nothing was seeded: discarded, and reported as that.
    discard,  ///< They can be computed again.
    copy,     ///< To a frame that somebody offers by giving a capability to write it.
    extent,   ///< To a disk. No disk yet: bad_argument.
};

/// What `autosave` reads.
struct AutosaveSpec {
    AutosaveKind kind;
    u32 zero;
    VirtAddr destination;         ///< copy: capability of the frames that take the bytes.  Rights: frames.write.
    FrameNumber first_destination;  ///< copy: frame i goes to first_destination + i.
};
static_assert(sizeof(AutosaveSpec) == 24);

/// FrameInfo::autosave: bits 0-1 AutosaveKind; bit 2: this frame is a destination; bits 12-63: the other frame.
struct AutosaveSeed {
    u64 bits{};
    static constexpr u64 kDestination = 1 << 2;
    static constexpr AutosaveSeed make(AutosaveKind kind, FrameNumber other = {}, bool destination = false) {
        return {static_cast<u64>(kind) | (destination ? kDestination : 0) | other.value << kPageShift};
    }
    constexpr AutosaveKind kind() const { return static_cast<AutosaveKind>(bits & 3); }
    constexpr bool is_destination() const { return bits & kDestination; }
    constexpr FrameNumber other() const { return FrameNumber{bits >> kPageShift}; }
};

/// One line of the repossession vector: `count` units from `first` on.
struct Repossession {
    RevocationKind kind;
    AutosaveKind saved;      ///< frames: what was done with the bytes; `none`: discarded unasked.
    u64 first, count;        ///< Frames, slots; kernel_memory: the first frame of what was destroyed.
    u64 destination;         ///< copy: the frame that has the bytes of the first; the others follow.
    u64 request;             ///< Number of the request.
};
static_assert(sizeof(Repossession) == 40);

/// The repossession vector: one page of the libOS's, which the kernel writes through its own mapping. The kernel adds lines
/// at any time between two instructions of the libOS's, but changes none that the libOS can have seen. So the libOS takes
/// lines off, when it has dealt with them, by a compare-and-exchange of `used` for 0: where that fails, there are more.
struct RepossessionVector {
    static constexpr u64 kLines = (kPageSize - 16) / sizeof(Repossession);
    u32 used;         ///< Lines in use.
    u32 zero;
    u64 unreported;   ///< Units taken while there was no line free for them.
    Repossession line[kLines];
};
static_assert(sizeof(RepossessionVector) <= kPageSize);

}  // namespace tessera
