// An environment that is made to be killed: a stack, a kind of work, and a diary that says what it was doing when it
// died. It runs code of the nursery's image (nursery.cpp), in the nursery's context or in one of its own, without upcalls.
#pragma once

#include "tests/system/children.hpp"

namespace tessera::faults {

using namespace tessera::attack;

/// What a victim writes into its diary before it does it.
enum class Doing : u32 { starting, computing, binding, touching, memory, contexts, slots, yielding, breeding, calling, serving, waiting, sending, sleeping, told, guests, in_guest, leaving };
inline constexpr const char* kDoingNames[] = {"starting", "computing", "binding",  "touching", "memory",
                                              "contexts", "slots",     "yielding", "breeding", "calling",  "serving",  "waiting", "sending", "sleeping", "told", "guests", "in_guest", "leaving"};
inline constexpr u64 kDoings = sizeof kDoingNames / sizeof kDoingNames[0];

inline constexpr u64 kPlaces = 18;  ///< Of victims in a nursery, at most; behind them, as many for children of victims.

/// Who is at which place and what he was doing last. One page, which the nursery shows to the reaper.
struct alignas(kPageSize) Diary {
    EnvId id[2 * kPlaces];
    Doing doing[2 * kPlaces];
};
static_assert(sizeof(Diary) == kPageSize);
inline constexpr u64 kDiaryPost = 1, kCommonsPost = 2;  ///< Where on the board: place 0 is for entries.

struct Victim {
    Child child;
    u64 kind;          ///< Of work: an index of kKinds (nursery.cpp).
    u64 place;         ///< Among the nursery's; says which pages are its own to play with.
    u64 random;        ///< State of its random numbers.
    u64 fuse;          ///< Steps after which it ends by itself, in a way of its own.
    u64 quota;         ///< Frames that it may own.
    Capability entry;  ///< The TLB entry that it got last.
    ContextGrant own;  ///< Its context's, if it has one of its own: the nursery's to destroy.
    ContextGrant grant;  ///< What it makes itself.
    Capability scratch;
    Capability area;   ///< Of its save area, repossession vector and upcall stack, if it listens.
    BatchedCall batch[4];
    WakeTerm terms[2];
    UpcallTable table;
};

alignas(kPageSize) inline Victim victims[2 * kPlaces];

/// What all victims of a nursery use together. Its frames change hands while they do.
struct Commons {
    static constexpr u64 kFrames = 16;
    Capability frames;
    FrameNumber first;
};
inline Commons commons;
inline Diary diary;

/// While the reaper has this slot, all nurseries end their victims and keep still: so that it can count the books.
inline constexpr SlotNumber kStillness{kSlotsPerCpu - 1};
inline EnvId who_wants_stillness() { return EnvId{static_cast<volatile const u32&>(slot_info(kStillness).owner)}; }

inline u64 below(u64& state, u64 bound) { return random_word(state) % bound; }
inline u64 below(Victim& victim, u64 bound) { return below(victim.random, bound); }
inline bool one_in(Victim& victim, u64 n) { return below(victim, n) == 0; }

/// Write into the diary. Volatile: it is read by others, and the writer may never come to another line.
inline void enter(const Victim& victim, Doing doing) { *static_cast<volatile Doing*>(&diary.doing[victim.place]) = doing; }

inline constexpr u64 kOwnPages = 64, kFirstOwnPage = 0x2'0000;
inline PageNumber own_page(const Victim& victim, u64 n) { return PageNumber{kFirstOwnPage + victim.place * kOwnPages + n}; }
inline u64* words_at(PageNumber page) { return reinterpret_cast<u64*>(address_of(page).value); }

inline bool alive(EnvId id) { return id && static_cast<volatile const u32&>(environment_info(id).id) == id.value; }

/// A call whose error nobody minds: units are given back and taken meanwhile by others.
template <class Call>
Answer attempt(const typename Call::Args& args) {
    const Answer answer = enter_kernel<Call>(args);
    expect_true("a known error", static_cast<u64>(answer.error) < kErrorCount, Call::number);
    return answer;
}

/// Ends the caller in one of many ways.
[[noreturn]] inline void end_itself(Victim& victim) {
    enter(victim, Doing::leaving);
    switch (below(victim, 6)) {
        case 0: asm volatile("ud2"); break;
        case 1: *reinterpret_cast<volatile u64*>(0x7ead'0000) = 1; break;
        case 2: asm volatile("hlt"); break;
        case 3: asm volatile("mov %0, %%rsp; push %0" ::"r"(u64{8}) : "memory"); break;
        case 4: attempt<EnvDestroy>({address(victim.child.environment)}); break;
        default: break;
    }
    exit(below(victim, 3));
}

}  // namespace tessera::faults
