// A program that has less memory than data and keeps the rest on the disk, oldest first, as kernels do with processes:
// `swap pages=COUNT keeps=COUNT rounds=COUNT`. It goes through all pages in order again and again, and looks at each whether it is
// as it was. What it writes to the disk is the page that it has not touched for longest.

#include "guests/small/user/user.hpp"

namespace small {
namespace {

constexpr u64 kWords = 512, kSectors = 8, kMost = 1024;

struct alignas(4096) Page {
    u64 word[kWords];
};

Page pages[kMost];       // What is in memory,
u64 holds[kMost];        // and which of the data that is.
u64 place_of[kMost];     // Where data is in memory: 1 + place; 0: on the disk, if it ever was.
u64 version[kMost];      // How often it has been written; 0: never.
u64 written, read_again;

u64 option(const char* name, u64 otherwise, u64 most) {
    Word value;
    const u64 number = find_option(command_line(), name, value) ? number_of(value, otherwise) : otherwise;
    return number < most ? number : most;
}

u64 word_of(u64 data, u64 times, u64 i) { return (data << 32 ^ times << 16 ^ i) * 0x9e37'79b9'7f4a'7c15; }

void move(Call way, u64 data, Page& page, u64& count) {
    if (call(way, data * kSectors, address_of(&page)) <= 0) panic("the disk refuses");
    ++count;
}

/// The page that holds `data`: at `place`, which may hold something else that has to go first.
Page& bring(u64 data, u64 place) {
    if (place_of[data] != 0) return pages[place_of[data] - 1];
    Page& page = pages[place];
    const u64 old = holds[place];
    if (place_of[old] == place + 1) {
        move(Call::block_write, old, page, written);
        place_of[old] = 0;
    }
    if (version[data] != 0) move(Call::block_read, data, page, read_again);
    holds[place] = data;
    place_of[data] = place + 1;
    return page;
}

}  // namespace

u64 program_main() {
    const u64 count = option("pages", 256, kMost), keeps = option("keeps", 128, count), rounds = option("rounds", 4, 1000);
    u64 next = 0;
    for (u64 round = 0; round < rounds; ++round) {
        for (u64 data = 0; data < count; ++data) {
            Page& page = bring(data, next);
            next = (next + 1) % keeps;
            for (u64 i = 0; version[data] != 0 && i < kWords; ++i)
                if (page.word[i] != word_of(data, version[data], i)) panic("a page is not as it was");
            ++version[data];
            for (u64 i = 0; i < kWords; ++i) page.word[i] = word_of(data, version[data], i);
        }
    }
    print("small: swap: ", written, " pages written to the disk, ", read_again, " read again\n");
    return 0;
}

}  // namespace small
