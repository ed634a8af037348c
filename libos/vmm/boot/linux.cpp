// boot_params, as <asm/bootparam.h> lays it out, and the page tables of the first instructions.
#include "libos/vmm/boot/linux.hpp"

#include <asm/bootparam.h>

#include <algorithm>

#include "libos/vmm/boot/elf.hpp"
#include "libos/vmm/boot/low_memory.hpp"
#include "libos/vmm/boot/reader.hpp"
#include "libos/vmm/devices/msrs.hpp"

namespace tessera::vmm {
namespace {

constexpr u64 kHeaderOffset = offsetof(boot_params, hdr);
constexpr u16 kBootFlag = 0xaa55;
constexpr u32 kMagic = 0x5372'6448;  // "HdrS"
constexpr u8 kUnknownLoader = 0xff;
constexpr u64 kEntry64 = 0x200;  // Of a bzImage, from where it was loaded.
constexpr u64 kInitrdEnd = 0x8000'0000;
constexpr u32 kCommandLineMost = 2047;  // What Linux takes; a bzImage says so itself.
enum E820Type : u32 { kRam = 1, kReserved = 2 };

constexpr u64 kPresent = 1, kWritable = 2, kLargePage = 0x80;
constexpr u64 kEntriesPerTable = kPageSize / sizeof(u64);

/// One to one, 4 GiB.
bool write_tables(GuestMemory& memory) {
    constexpr u64 kDirectories = 4;
    const u64 pointers = kBootTables + kPageSize, directories = pointers + kPageSize;
    if (!memory.clear(kBootTables, 2 * kPageSize)) return false;
    if (!memory.write(kBootTables, pointers | kPresent | kWritable)) return false;
    for (u64 i = 0; i < kDirectories; ++i) {
        const u64 directory = directories + i * kPageSize;
        if (!memory.write(pointers + i * sizeof(u64), directory | kPresent | kWritable)) return false;
        u64 entries[kEntriesPerTable];
        for (u64 j = 0; j < kEntriesPerTable; ++j)
            entries[j] = (i * kEntriesPerTable + j) << kLargeShift | kPresent | kWritable | kLargePage;
        if (!memory.write(directory, entries)) return false;
    }
    return true;
}

struct Loaded {
    u64 entry = 0, end = 0;
    const char* problem = nullptr;
};

Loaded load_vmlinux(GuestMemory& memory, Placer& placer, std::span<const std::byte> file, boot_params& params) {
    const KernelResult parsed = parse_kernel(file);
    if (parsed.problem) return {.problem = parsed.problem};
    // What a bzImage would say of itself.
    params.hdr.boot_flag = kBootFlag;
    params.hdr.header = kMagic;
    params.hdr.version = 0x20f;
    params.hdr.loadflags = LOADED_HIGH;
    params.hdr.cmdline_size = kCommandLineMost;
    params.hdr.initrd_addr_max = kInitrdEnd - 1;
    return {parsed.kernel.entry, parsed.kernel.end, place_kernel(parsed.kernel, memory, placer)};
}

Loaded load_bzimage(GuestMemory& memory, Placer& placer, std::span<const std::byte> file, boot_params& params) {
    const auto start = read_at<setup_header>(file, kHeaderOffset);
    if (!start || start->boot_flag != kBootFlag || start->header != kMagic)
        return {.problem = "neither an ELF file nor a bzImage"};
    if (start->version < 0x20c || (start->xloadflags & XLF_KERNEL_64) == 0)
        return {.problem = "a bzImage without a 64-bit entry point"};
    // The header is as long as the jump over it says, no longer than its field.
    const u64 header_end = 0x202 + (start->jump >> 8);
    const u64 header_size = std::min<u64>(header_end - kHeaderOffset, sizeof(setup_header));
    std::memcpy(&params.hdr, file.data() + kHeaderOffset, header_size);

    const u64 setup_size = (u64{start->setup_sects == 0 ? u8{4} : start->setup_sects} + 1) * 512;
    if (setup_size >= file.size()) return {.problem = "a bzImage with nothing behind its setup code"};
    const auto code = file.subspan(setup_size);
    const u64 address = start->pref_address;
    const u64 needed = std::max<u64>(start->init_size, code.size());
    if (address < kKernelsBegin) return {.problem = "a bzImage that wants the first megabyte"};
    if (!memory.contains(address, needed)) return {.problem = "the kernel needs more memory than the guest has"};
    if (code.size() <= kEntry64) return {.problem = "a bzImage that ends before its entry point"};
    if (!placer.place(address, code)) return {.problem = "the kernel could not be put in place"};
    return {address + kEntry64, address + needed, nullptr};
}

const char* place_initrd(GuestMemory& memory, Placer& placer, std::span<const std::byte> initrd, u64 kernel_end,
                         boot_params& params) {
    if (initrd.empty()) return nullptr;
    const u64 limit = std::min({memory.frames() << kPageShift, u64{params.hdr.initrd_addr_max} + 1, kInitrdEnd});
    if (initrd.size() > limit) return "the initial RAM disk is larger than the memory";
    const u64 address = (limit - initrd.size()) & ~(kPageSize - 1);
    if (address < kernel_end) return "the initial RAM disk does not fit behind the kernel";
    if (!placer.place(address, initrd)) return "the initial RAM disk could not be put in place";
    params.hdr.ramdisk_image = static_cast<u32>(address);
    params.hdr.ramdisk_size = static_cast<u32>(initrd.size());
    return nullptr;
}

bool write_command_line(GuestMemory& memory, std::string_view text) {
    const char end = 0;
    return memory.copy_out(kBootText, std::as_bytes(std::span(text))) && memory.write(kBootText + text.size(), end);
}

const char* load(GuestMemory& memory, Placer& placer, const LinuxBoot& boot, StartState& state) {
    if (const char* problem = check_size(memory)) return problem;
    boot_params params{};
    const Loaded kernel = is_elf(boot.kernel) ? load_vmlinux(memory, placer, boot.kernel, params)
                                              : load_bzimage(memory, placer, boot.kernel, params);
    if (kernel.problem) return kernel.problem;
    if (const char* problem = place_initrd(memory, placer, boot.initrd, kernel.end, params)) return problem;
    if (boot.command_line.size() > std::min<u64>(params.hdr.cmdline_size, kPageSize - 1))
        return "the command line is too long";

    params.hdr.type_of_loader = kUnknownLoader;
    params.hdr.cmd_line_ptr = kBootText;
    params.e820_entries = 3;
    params.e820_table[0] = {0, kLowMemoryEnd, kRam};
    params.e820_table[1] = {kLowMemoryEnd, 0xa'0000 - kLowMemoryEnd, kReserved};
    params.e820_table[2] = {kHighMemory, (memory.frames() << kPageShift) - kHighMemory, kRam};
    if (!write_segments(memory, true, state) || !write_tables(memory) || !memory.write(kBootInfo, params) ||
        !write_command_line(memory, boot.command_line))
        return "the first megabyte is not there";

    state.rip = kernel.entry;
    state.rsi = kBootInfo;
    state.cr0 = kCr0Protected | kCr0ExtensionType | kCr0Paging;
    state.cr3 = kBootTables;
    state.cr4 = kCr4Pae;
    state.efer = kEferLme | kEferLma;
    return nullptr;
}

}  // namespace

BootResult load_linux(GuestMemory& memory, Placer& placer, const LinuxBoot& boot) {
    BootResult result;
    result.problem = load(memory, placer, boot, result.state);
    return result;
}

}  // namespace tessera::vmm
