// Leaves marks on the disk, and looks for those that an earlier boot left: `mark as=NUMBER`. Block 3 says how often it was marked
// and by whom; eight more blocks hold what goes with that.

#include "guests/small/user/user.hpp"

namespace small {
namespace {

constexpr u64 kSectors = 8, kWords = 512, kFirst = 3, kBlocks = 8;
constexpr u64 kMagic = 0x6d61'726b'6564'2121;

alignas(4096) u64 block[kWords];

void read(u64 number) {
    if (call(Call::block_read, number * kSectors, address_of(block)) <= 0) panic("a block cannot be read");
}
void write(u64 number) {
    if (call(Call::block_write, number * kSectors, address_of(block)) <= 0) panic("a block cannot be written");
}
u64 word(u64 who, u64 times, u64 number, u64 i) { return (who << 48 ^ times << 32 ^ number << 16 ^ i) * 0x9e37'79b9'7f4a'7c15; }

}  // namespace

u64 program_main() {
    Word value;
    const u64 self = find_option(command_line(), "as", value) ? number_of(value, 0) : 0;
    read(kFirst);
    u64 times = block[0] == kMagic ? block[1] : 0;
    const u64 who = times != 0 ? block[2] : self;
    for (u64 number = kFirst + 1; times != 0 && number <= kFirst + kBlocks; ++number) {
        read(number);
        for (u64 i = 0; i < kWords; ++i)
            if (block[i] != word(who, times, number, i)) panic("a block is not as it was left");
    }
    if (who != self) panic("somebody else's mark");
    print("small: mark: marked ", times, " times before\n");
    ++times;
    for (u64 number = kFirst + 1; number <= kFirst + kBlocks; ++number) {
        for (u64 i = 0; i < kWords; ++i) block[i] = word(self, times, number, i);
        write(number);
    }
    block[0] = kMagic, block[1] = times, block[2] = self;
    write(kFirst);
    return 0;
}

}  // namespace small
