// The numbers that cross the boundary, each with its own type.
//
// A frame number, a page number, an environment and an address are all 64-bit words to the machine.
// Here they are different types, so that one can never be passed for another by accident. They are
// plain aggregates of one register each: a system call passes them in registers unchanged.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace tessera {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

inline constexpr u64 kPageShift = 12;
inline constexpr u64 kPageSize = u64{1} << kPageShift;
inline constexpr u64 kLargeShift = 21;
inline constexpr u64 kPagesPerLarge = u64{1} << (kLargeShift - kPageShift);

/// A number of one kind. `Tag` keeps kinds apart; arithmetic is only what makes sense for a position:
/// a distance can be added, two of one kind subtract to a distance.
template <class Tag>
struct Position {
    u64 value{};
    constexpr auto operator<=>(const Position&) const = default;
    constexpr Position operator+(u64 distance) const { return Position{value + distance}; }
    constexpr u64 operator-(Position other) const { return value - other.value; }
};

using FrameNumber = Position<struct FrameTag>;  ///< Physical address / 4096.
using PageNumber = Position<struct PageTag>;    ///< Virtual address / 4096.
using PhysAddr = Position<struct PhysTag>;
using VirtAddr = Position<struct VirtTag>;      ///< An address in the caller's address context.
using SlotNumber = Position<struct SlotTag>;    ///< CPU * slots per CPU + position in its vector.

constexpr PhysAddr address_of(FrameNumber frame) { return PhysAddr{frame.value << kPageShift}; }
constexpr VirtAddr address_of(PageNumber page) { return VirtAddr{page.value << kPageShift}; }
constexpr FrameNumber frame_of(PhysAddr address) { return FrameNumber{address.value >> kPageShift}; }
constexpr PageNumber page_of(VirtAddr address) { return PageNumber{address.value >> kPageShift}; }

/// Index and generation of a table entry: a stale id fails, it never names somebody else.
/// Zero is nobody. The index is in the low 8 bits: `value & 0xff`.
template <class Tag>
struct Id {
    u64 value{};
    constexpr bool operator==(const Id&) const = default;
    constexpr u64 index() const { return value & 0xff; }
    constexpr u64 generation() const { return value >> 8; }
    constexpr explicit operator bool() const { return value != 0; }
    static constexpr Id make(u64 index, u64 generation) { return Id{generation << 8 | index}; }
};

using EnvId = Id<struct EnvTag>;          ///< An environment; 32 bits are used.
using ContextId = Id<struct ContextTag>;  ///< An address context; 32 bits are used.

inline constexpr u64 kMaxEnvironments = 64;
inline constexpr u64 kMaxContexts = 256;
inline constexpr u64 kMaxCpus = 8;
inline constexpr u64 kSlotsPerCpu = 64;
inline constexpr u64 kEntriesPerEnvironment = 8;  ///< Entry points that an environment can publish.
inline constexpr u64 kGatesPerEnvironment = 16;   ///< Entry points of others that it can call.
inline constexpr u64 kPostsPerEnvironment = 4;    ///< Capabilities that it can post for all to see.

/// "Whichever you like", where a call takes a position.
inline constexpr u64 kAny = ~u64{0};

/// Pages below this one can be bound by a libOS; the information pages are above it.
inline constexpr u64 kUserPages = u64{255} << 27;
/// The same for a guest in a machine mode of its own: all that four levels of tables translate.
inline constexpr u64 kGuestPages = u64{1} << 36;

}  // namespace tessera
