// From the boot protocol to the kernel: what memory there is, what the command line says, then each part of the machine.

#include <cstring>

#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"
#include "guests/trapped/cards.hpp"
#include "guests/trapped/descriptors.hpp"
#include "guests/trapped/devices.hpp"
#include "guests/trapped/interrupts.hpp"
#include "guests/trapped/paging.hpp"

extern "C" const small::u8 image_end[];  // trapped.ld

namespace small {
namespace trapped {
namespace {

constexpr u32 kMultiboot = 0x2bad'b002;
constexpr u32 kUsable = 1;  // In both protocols' memory maps.

char line[1024];
BootInformation boot{line, 0, 0};

/// A word of what the loader left, at any alignment.
template <class T>
T word_at(u64 address) {
    T value;
    std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
    return value;
}

void keep_command_line(u64 address) {
    if (address == 0) return;
    const char* from = reinterpret_cast<const char*>(address);
    for (u64 i = 0; i + 1 < sizeof line && from[i] != 0; ++i) line[i] = from[i];
}

/// The kernel takes what follows its image, in the run of memory that holds it.
void consider_memory(u64 begin, u64 size, u32 type) {
    const u64 image = reinterpret_cast<u64>(image_end);
    const u64 end = begin + size < kMappedEnd ? begin + size : kMappedEnd;
    if (type == kUsable && begin <= image && image < end) boot.memory_begin = image, boot.memory_end = end & ~(kPageSize - 1);
}

/// Part of that memory is taken: keep the larger side.
void avoid(u64 begin, u64 end) {
    end = (end + kPageSize - 1) & ~(kPageSize - 1);
    if (begin >= boot.memory_end || end <= boot.memory_begin || begin >= end) return;
    if (begin > boot.memory_begin && begin - boot.memory_begin > boot.memory_end - end) boot.memory_end = begin & ~(kPageSize - 1);
    else boot.memory_begin = end;
}

/// Multiboot 1 (specification 0.6.96, 3.3).
void read_multiboot(u64 information) {
    constexpr u32 kHasLine = 1 << 2, kHasMap = 1 << 6;
    const u32 flags = word_at<u32>(information);
    if (flags & kHasLine) keep_command_line(word_at<u32>(information + 16));
    if (!(flags & kHasMap)) return;
    const u64 map = word_at<u32>(information + 48), end = map + word_at<u32>(information + 44);
    for (u64 at = map; at < end; at += word_at<u32>(at) + 4)
        consider_memory(word_at<u64>(at + 4), word_at<u64>(at + 12), word_at<u32>(at + 20));
}

/// Linux's boot_params (Documentation/x86/zero-page.rst).
void read_boot_params(u64 params) {
    keep_command_line(word_at<u32>(params + 0x228));
    const u64 entries = word_at<u8>(params + 0x1e8);
    for (u64 at = params + 0x2d0; at < params + 0x2d0 + entries * 20; at += 20)
        consider_memory(word_at<u64>(at), word_at<u64>(at + 8), word_at<u32>(at + 16));
    const u64 ramdisk = word_at<u32>(params + 0x218);
    if (ramdisk != 0) avoid(ramdisk, ramdisk + word_at<u32>(params + 0x21c));
}

}  // namespace

extern "C" [[noreturn]] void trapped_start(u32 magic, u64 information) {
    if (magic == kMultiboot) read_multiboot(information);
    else read_boot_params(information);
    start_console();
    start_power(line);
    if (boot.memory_end == 0) panic("no memory around the kernel");
    start_paging();
    load_descriptors();
    start_interrupts();
    start_timer();
    start_disk();
    start_network();
    start_balloon();
    kernel_main(boot);
}

}  // namespace trapped
}  // namespace small
