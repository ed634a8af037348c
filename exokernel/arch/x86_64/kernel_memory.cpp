#include "exokernel/arch/x86_64/kernel_memory.hpp"

#include "exokernel/abi/information.hpp"
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/panic.hpp"

namespace tessera::kernel {

extern "C" u8 text_begin[], text_end[], rodata_end[];

BootAllocator boot_allocator;

namespace {

constexpr u64 kPresent = 1, kWrite = 2, kUser = 4, kNoCache = 0x18, kLarge = 0x80, kGlobal = 0x100;
constexpr u64 kNoExecute = u64{1} << 63, kAddress = 0x000f'ffff'ffff'f000;
constexpr u64 kDevices = 0xffff'c000'0000'0000;  // PML4 slot 384

u64* root;
u64 next_device = kDevices;

u64 index_at(u64 address, int level) { return address >> (kPageShift + 9 * static_cast<u64>(level)) & 511; }

/// The table below an entry, made if it is not there; tables leave all rights to the leaf.
u64* below(u64& entry) {
    if (!(entry & kPresent))
        entry = address_of(boot_allocator.take(1)).value | kPresent | kWrite | kUser;
    return at<u64>(PhysAddr{entry & kAddress});
}
/// Level 0: a 4 KiB page; level 1: a 2 MiB one.
u64& leaf(u64 address, int level) {
    u64* table = root;
    for (int l = 3; l > level; --l) table = below(table[index_at(address, l)]);
    return table[index_at(address, level)];
}

struct Part {
    u64 begin, end, flags;
};

}  // namespace

FrameNumber BootAllocator::take(u64 count, u64 alignment) {
    const u64 first = (range_.first.value + alignment - 1) & ~(alignment - 1);
    const u64 skipped = first - range_.first.value;
    if (skipped + count > range_.count) panic("not enough memory to start: give the machine more");
    range_ = FrameRange{FrameNumber{first + count}, range_.count - skipped - count};
    u64* words = at<u64>(address_of(FrameNumber{first}));
    for (u64 i = 0; i < count * kPageSize / 8; ++i) words[i] = 0;
    return FrameNumber{first};
}

PhysAddr physical_of_image(const void* object) { return PhysAddr{reinterpret_cast<u64>(object) - KERNEL_BASE}; }

FrameRange kernel_image_frames() {
    const u64 first = KERNEL_PHYSICAL / kPageSize;
    return FrameRange{FrameNumber{first}, physical_of_image(kernel_end).value / kPageSize - first};
}

void build_kernel_tables(u64 top) {
    root = at<u64>(address_of(boot_allocator.take(1)));
    // Text and read-only data of the image: the same rights wherever they are mapped, less execution.
    const Part parts[] = {
        {reinterpret_cast<u64>(text_begin), reinterpret_cast<u64>(text_end), kGlobal | kPresent},
        {reinterpret_cast<u64>(text_end), reinterpret_cast<u64>(rodata_end), kGlobal | kPresent | kNoExecute},
        {reinterpret_cast<u64>(rodata_end), reinterpret_cast<u64>(kernel_end),
         kGlobal | kPresent | kWrite | kNoExecute},
    };
    for (const Part& part : parts)
        for (u64 page = part.begin; page < part.end; page += kPageSize)
            leaf(page, 0) = (page - KERNEL_BASE) | part.flags;

    for (u64 cpu = 0; cpu < kMaxCpus; ++cpu) leaf(reinterpret_cast<u64>(&cpu_at(cpu)) + CPU_GUARD, 0) = 0;

    const u64 read_only_begin = physical_of_image(text_begin).value;
    const u64 read_only_end = physical_of_image(rodata_end).value;
    const u64 large = u64{1} << kLargeShift;
    for (u64 address = 0; address < top * kPageSize; address += large) {
        if (address + large <= read_only_begin || address >= read_only_end) {
            leaf(DIRECT_MAP + address, 1) = address | kPresent | kWrite | kLarge | kGlobal | kNoExecute;
            continue;
        }
        for (u64 page = address; page < address + large; page += kPageSize) {
            const bool read_only = page >= read_only_begin && page < read_only_end;
            leaf(DIRECT_MAP + page, 0) = page | kPresent | (read_only ? 0 : kWrite) | kGlobal | kNoExecute;
        }
    }
    leaf(kInformation, 0) = 0;  // makes the tables that every context will share
    leaf(kDevices, 0) = 0;
    write_cr3(kernel_root().value);
}

PhysAddr kernel_root() { return physical(root); }

void publish(u64 offset, PhysAddr memory, u64 bytes, bool large) {
    const u64 step = large ? u64{1} << kLargeShift : kPageSize;
    for (u64 done = 0; done < bytes; done += step)
        leaf(kInformation + offset + done, large ? 1 : 0) =
            (memory.value + done) | kPresent | kUser | kNoExecute | (large ? kLarge : 0);
}

const u64* published(VirtAddr address) {
    const u64* table = root;
    for (int level = 3;; --level) {
        const u64 entry = table[index_at(address.value, level)];
        if (!(entry & kPresent)) return nullptr;
        const PhysAddr next{entry & kAddress};
        const u64 size = u64{1} << (kPageShift + 9 * static_cast<u64>(level));
        if (level == 0 || (entry & kLarge)) return at<const u64>(next + (address.value & (size - 1)));
        table = at<const u64>(next);
    }
}

u64 map_device(PhysAddr registers) {
    const u64 address = next_device;
    next_device += kPageSize;
    leaf(address, 0) = registers.value | kPresent | kWrite | kNoCache | kNoExecute;
    return address;
}

void share_kernel_half(u64* other, bool information) {
    for (u64 i = 256; i < 512; ++i) other[i] = root[i];
    if (information) other[index_at(kInformation, 3)] = root[index_at(kInformation, 3)];
}

}  // namespace tessera::kernel
