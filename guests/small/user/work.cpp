// Takes memory and uses a part of it: for looking at how somebody divides memory up between guests.
//
// `work wants=PAGES`: a few pages more each tick of the timer, while the kernel has free ones, and all of them used each tick;
// `idle_from=TICK uses=PAGES`: from then on it uses no more than those; `until=TICK`: it looks at all that it has and ends.
// When the kernel has little left, as a balloon takes it, what was taken last is given back.

#include "guests/small/user/user.hpp"

namespace small {
namespace {

constexpr u64 kPage = 4096, kChunks = 10, kGrow = 96;
constexpr u64 kLow = 192, kEnough = 512;  // Free frames: less than one, give some back; more than the other, take some.

u64 option(const char* name, u64 otherwise) {
    Word value;
    return find_option(command_line(), name, value) ? number_of(value, otherwise) : otherwise;
}

/// Pages in chunks, of which the last may still be growing.
class Memory {
  public:
    explicit Memory(u64 wants) : each_(wants / kChunks) {}
    u64 held() const { return held_; }
    u64 given() const { return given_; }

    void grow(u64 pages) {
        for (; pages != 0 && held_ < each_ * kChunks; --pages, ++held_) {
            if (held_ == chunks_ * each_) {
                const i64 begin = call(Call::map, each_);
                if (begin < 0) return;
                chunk_[chunks_++] = static_cast<u64>(begin);
            }
            *word(held_) = held_;
        }
    }
    void shrink() {
        if (chunks_ < 2) return;
        call(Call::unmap, chunk_[--chunks_], each_);
        given_ += held_ - chunks_ * each_;
        held_ = chunks_ * each_;
    }
    /// Does every page hold what was written there?
    bool use(u64 pages) {
        for (u64 page = 0; page < pages; ++page) {
            volatile u64* const words = word(page);
            if (words[0] != page) return false;
            words[1] = words[1] + 1;
        }
        return true;
    }

  private:
    // Safety: a page of a chunk that was mapped.
    volatile u64* word(u64 page) const { return reinterpret_cast<volatile u64*>(chunk_[page / each_] + page % each_ * kPage); }

    u64 each_, chunk_[kChunks]{}, chunks_ = 0, held_ = 0, given_ = 0;
};

}  // namespace

u64 program_main() {
    const u64 idle_from = option("idle_from", ~u64{0}), uses = option("uses", 0), until = option("until", 100);
    Memory memory(option("wants", kChunks));
    u64 turns = 0;
    for (u64 now; (now = static_cast<u64>(call(Call::clock))) < until; ++turns) {
        const u64 free = static_cast<u64>(call(Call::free_frames));
        if (free < kLow) memory.shrink();
        else if (free > kEnough) memory.grow(kGrow);
        const u64 used = now < idle_from || memory.held() < uses ? memory.held() : uses;
        if (!memory.use(used)) panic("a page is not as it was");
        call(Call::sleep, 1);
    }
    if (!memory.use(memory.held())) panic("a page is not as it was");
    print("small: work: holds ", memory.held(), " pages after ", turns, " turns, gave ", memory.given(), " back\n");
    return 0;
}

}  // namespace small
