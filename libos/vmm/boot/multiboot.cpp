// The header somewhere in the file's first 8 KiB, and the structure that is handed over.
#include "libos/vmm/boot/multiboot.hpp"

#include <algorithm>

#include "libos/vmm/boot/elf.hpp"
#include "libos/vmm/boot/low_memory.hpp"
#include "libos/vmm/boot/reader.hpp"

namespace tessera::vmm {
namespace {

constexpr u32 kHeaderMagic = 0x1bad'b002, kLoaderMagic = 0x2bad'b002;
constexpr u64 kSearched = 8192;

// The header's flags (3.1.2). A loader that does not know one of the low sixteen has to refuse.
enum HeaderFlag : u32 { kAlignModules = 1, kWantsMemory = 2, kHasAddresses = 1 << 16 };
constexpr u32 kRequirements = 0xffff, kKnown = kAlignModules | kWantsMemory;

struct Header {
    u32 magic, flags, checksum;
    u32 header_address, load_address, load_end, bss_end, entry;
};

// What is handed over (3.3), up to the last field that is given.
enum InfoFlag : u32 { kHasMemory = 1, kHasText = 4, kHasModules = 8, kHasMap = 64, kHasName = 512 };
struct Info {
    u32 flags, memory_lower, memory_upper, boot_device, text, module_count, modules, symbols[4], map_length, map;
    u32 drives_length, drives, config_table, loader_name;
};
static_assert(sizeof(Info) == 68);

struct Module {
    u32 begin, end, text, reserved;
};

struct [[gnu::packed]] MapEntry {
    u32 size;  // Of what follows.
    u64 address, length;
    u32 type;
};
static_assert(sizeof(MapEntry) == 24);
constexpr u32 kRam = 1, kReserved = 2;

constexpr u64 kMap = kBootInfo + 0x100, kModules = kBootInfo + 0x200;
constexpr u64 kMostModules = 16;
constexpr std::string_view kLoaderName = "tessera";

struct Found {
    Header header{};  ///< The addresses count only with kHasAddresses.
    u64 offset = 0;
    bool any = false;
};

Found find_header(std::span<const std::byte> file) {
    const auto searched = file.first(std::min<u64>(file.size(), kSearched));
    struct Start {
        u32 magic, flags, checksum;
    };
    for (u64 offset = 0;; offset += 4) {
        const auto start = read_at<Start>(searched, offset);
        if (!start) return {};
        if (start->magic != kHeaderMagic || start->magic + start->flags + start->checksum != 0) continue;
        Found found{.offset = offset, .any = true};
        if (const auto whole = read_at<Header>(searched, offset))
            found.header = *whole;
        else if (start->flags & kHasAddresses)
            return {};
        else
            std::memcpy(&found.header, &*start, sizeof *start);
        return found;
    }
}

struct Loaded {
    u64 entry = 0, end = 0;
    const char* problem = nullptr;
};

/// By the header's addresses (3.1.3): the file from where its byte for load_address must be, up to load_end; zeros up
/// to bss_end.
Loaded load_by_addresses(GuestMemory& memory, Placer& placer, std::span<const std::byte> file, const Found& found) {
    const Header& header = found.header;
    if (header.load_address > header.header_address || header.header_address - header.load_address > found.offset)
        return {.problem = "the multiboot header lies before the kernel"};
    const u64 offset = found.offset - (header.header_address - header.load_address);
    const u64 size = header.load_end == 0 ? file.size() - offset : u64{header.load_end} - header.load_address;
    if (header.load_end != 0 && header.load_end < header.load_address)
        return {.problem = "the kernel ends before it begins"};
    if (!fits(offset, size, file.size())) return {.problem = "the kernel is longer than its file"};
    const u64 load_end = header.load_address + size;
    if (header.bss_end != 0 && header.bss_end < load_end)
        return {.problem = "the kernel's zeros end before they begin"};
    const u64 end = std::max<u64>(load_end, header.bss_end);
    if (header.load_address < kKernelsBegin) return {.problem = "a kernel that wants the first megabyte"};
    if (!memory.contains(header.load_address, end - header.load_address))
        return {.problem = "the kernel needs more memory than the guest has"};
    if (header.entry < header.load_address || header.entry >= load_end)
        return {.problem = "the entry point is not in the kernel"};
    if (!placer.place(header.load_address, file.subspan(offset, size)))
        return {.problem = "the kernel could not be put in place"};
    return {header.entry, end, nullptr};
}

Loaded load_kernel(GuestMemory& memory, Placer& placer, std::span<const std::byte> file) {
    const Found found = find_header(file);
    if (!found.any) return {.problem = "no multiboot header in the first 8 KiB"};
    if ((found.header.flags & kRequirements & ~kKnown) != 0)
        return {.problem = "the kernel requires what is not to be had"};
    if (found.header.flags & kHasAddresses) return load_by_addresses(memory, placer, file, found);
    const KernelResult parsed = parse_kernel(file);
    if (parsed.problem) return {.problem = parsed.problem};
    if (parsed.kernel.entry >> 32 != 0) return {.problem = "the entry point is beyond 4 GiB"};
    return {parsed.kernel.entry, parsed.kernel.end, place_kernel(parsed.kernel, memory, placer)};
}

/// Puts strings behind each other into their page.
struct Texts {
    GuestMemory& memory;
    u64 next = kBootText;
    bool full = false;

    u32 add(std::string_view text) {
        const u64 at = next;
        const char end = 0;
        if (text.size() >= kBootText + kPageSize - at || !memory.copy_out(at, std::as_bytes(std::span(text))) ||
            !memory.write(at + text.size(), end)) {
            full = true;
            return 0;
        }
        next += text.size() + 1;
        return static_cast<u32>(at);
    }
};

const char* place_modules(GuestMemory& memory, Placer& placer, std::span<const MultibootModule> modules, u64 end,
                          Texts& texts) {
    for (u64 i = 0; i < modules.size(); ++i) {
        const u64 begin = (end + kPageSize - 1) & ~(kPageSize - 1);
        if (!memory.contains(begin, modules[i].bytes.size())) return "the modules need more memory than the guest has";
        end = begin + modules[i].bytes.size();
        const Module module{static_cast<u32>(begin), static_cast<u32>(end), texts.add(modules[i].text), 0};
        if (!placer.place(begin, modules[i].bytes) || !memory.write(kModules + i * sizeof module, module))
            return "a module could not be put in place";
    }
    return nullptr;
}

bool write_map(GuestMemory& memory) {
    const MapEntry map[] = {
        {sizeof(MapEntry) - 4, 0, kLowMemoryEnd, kRam},
        {sizeof(MapEntry) - 4, kLowMemoryEnd, 0xa'0000 - kLowMemoryEnd, kReserved},
        {sizeof(MapEntry) - 4, kHighMemory, (memory.frames() << kPageShift) - kHighMemory, kRam},
    };
    static_assert(kMap + sizeof map <= kModules);
    return memory.write(kMap, map);
}

const char* load(GuestMemory& memory, Placer& placer, const MultibootBoot& boot, StartState& state) {
    if (const char* problem = check_size(memory)) return problem;
    if (boot.modules.size() > kMostModules) return "more than 16 modules";
    const Loaded kernel = load_kernel(memory, placer, boot.kernel);
    if (kernel.problem) return kernel.problem;

    Texts texts{memory};
    if (const char* problem = place_modules(memory, placer, boot.modules, kernel.end, texts)) return problem;
    Info info{};
    info.flags = kHasMemory | kHasText | kHasModules | kHasMap | kHasName;
    info.memory_lower = kLowMemoryEnd >> 10;
    info.memory_upper = static_cast<u32>(((memory.frames() << kPageShift) - kHighMemory) >> 10);
    info.text = texts.add(boot.command_line);
    info.module_count = static_cast<u32>(boot.modules.size());
    info.modules = kModules;
    info.map_length = 3 * sizeof(MapEntry);
    info.map = kMap;
    info.loader_name = texts.add(kLoaderName);
    if (texts.full) return "the command lines are longer than a page together";
    if (!write_segments(memory, false, state) || !write_map(memory) || !memory.write(kBootInfo, info))
        return "the first megabyte is not there";

    state.rip = kernel.entry;
    state.rax = kLoaderMagic;
    state.rbx = kBootInfo;
    state.cr0 = kCr0Protected | kCr0ExtensionType;
    return nullptr;
}

}  // namespace

BootResult load_multiboot(GuestMemory& memory, Placer& placer, const MultibootBoot& boot) {
    BootResult result;
    result.problem = load(memory, placer, boot, result.state);
    return result;
}

}  // namespace tessera::vmm
