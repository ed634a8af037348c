// One pass over the tags, one function a tag that matters; then the checks that need all of them.
#include "exokernel/core/multiboot2.hpp"

#include "exokernel/core/byte_reader.hpp"

namespace tessera::kernel {
namespace {

using Bytes = std::span<const u8>;

struct Prologue {
    u32 total_size, zero;
};
struct TagHeader {
    u32 type, size;
};
struct ModuleTag {
    u32 start, end;
};
struct MemoryMapTag {
    u32 entry_size, entry_version;
};
struct MemoryMapEntry {
    u64 base, length;
    u32 type, zero;
};

enum : u32 {
    kTagEnd = 0,
    kTagCommandLine = 1,
    kTagModule = 3,
    kTagMemoryMap = 6,
    kTagEfi32 = 11,
    kTagEfi64 = 12,
    kTagOldRsdp = 14,
    kTagNewRsdp = 15,
    kTagEfiMemoryMap = 17,
};
constexpr u32 kMemoryAvailable = 1;
constexpr u64 kOldRsdpSize = 20;
constexpr u64 kNewRsdpSize = 36;
constexpr u64 kTagAlignment = 8;

/// The string that fills `bytes` up to a zero; false when there is no zero.
bool read_string(Bytes bytes, std::string_view& text) {
    for (u64 i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != 0) continue;
        text = std::string_view{reinterpret_cast<const char*>(bytes.data()), i};
        return true;
    }
    return false;
}

constexpr bool overlap(u64 begin, u64 end, u64 other_begin, u64 other_end) {
    return begin < other_end && other_begin < end;
}

const char* add_region(BootInformation& info, const MemoryMapEntry& entry) {
    if (entry.length == 0) return nullptr;
    const MemoryRegion region{entry.base, entry.length, entry.type == kMemoryAvailable};
    if (region.end() < region.base) return "memory region wraps";
    for (u64 i = 0; i < info.region_count; ++i) {
        const MemoryRegion& other = info.regions[i];
        if ((region.usable || other.usable) && overlap(region.base, region.end(), other.base, other.end()))
            return "usable memory region overlaps another";
    }
    if (info.region_count == kMaxMemoryRegions) return "too many memory regions";
    info.regions[info.region_count++] = region;
    return nullptr;
}

const char* on_memory_map(BootInformation& info, Bytes payload) {
    if (info.region_count != 0) return "two memory maps";
    const auto tag = read_at<MemoryMapTag>(payload, 0);
    if (!tag) return "memory map is too short";
    if (tag->entry_size < sizeof(MemoryMapEntry) || tag->entry_size % kTagAlignment != 0)
        return "memory map has a bad entry size";
    const Bytes entries = payload.subspan(sizeof(MemoryMapTag));
    if (entries.size() % tag->entry_size != 0) return "memory map is not a whole number of entries";
    for (u64 offset = 0; offset < entries.size(); offset += tag->entry_size) {
        const auto entry = read_at<MemoryMapEntry>(entries, offset);
        if (!entry) return "memory map is too short";
        if (const char* problem = add_region(info, *entry)) return problem;
    }
    return nullptr;
}

const char* on_module(BootInformation& info, Bytes payload) {
    if (info.module_count == kMaxBootModules) return "too many modules";
    BootModule& module = info.modules[info.module_count++];
    const auto tag = read_at<ModuleTag>(payload, 0);
    if (!tag) {
        module.problem = "its tag is too short";
        return nullptr;
    }
    module.start = tag->start;
    module.end = tag->end;
    if (!read_string(payload.subspan(sizeof(ModuleTag)), module.command_line))
        module.problem = "its command line does not end";
    else if (module.end < module.start)
        module.problem = "it ends before it starts";
    else if (module.end == module.start)
        module.problem = "it is empty";
    return nullptr;
}

const char* on_command_line(BootInformation& info, Bytes payload) {
    if (info.command_line.data() != nullptr) return "two command lines";
    return read_string(payload, info.command_line) ? nullptr : "the command line does not end";
}

const char* on_rsdp(BootInformation& info, Bytes payload, u64 least_size, bool& newest_seen) {
    if (payload.size() < least_size) return "ACPI root pointer is too short";
    if (newest_seen) return nullptr;
    newest_seen = least_size == kNewRsdpSize;
    info.rsdp = payload;
    return nullptr;
}

/// Does usable memory, in one region or several that touch, hold all of [begin, end)?
bool in_usable_memory(const BootInformation& info, u64 begin, u64 end) {
    for (bool progress = true; progress && begin < end;) {
        progress = false;
        for (u64 i = 0; i < info.region_count; ++i) {
            const MemoryRegion& region = info.regions[i];
            if (!region.usable || begin < region.base || begin >= region.end()) continue;
            begin = region.end();
            progress = true;
        }
    }
    return begin >= end;
}

/// Of two modules that overlap neither can be trusted to be what its command line says. One that is refused
/// for another reason is never looked at, so it spoils nobody else.
void check_modules(BootInformation& info) {
    constexpr const char* kOverlaps = "it overlaps another module";
    for (u64 i = 0; i < info.module_count; ++i) {
        BootModule& module = info.modules[i];
        if (!module.problem && !in_usable_memory(info, module.start, module.end))
            module.problem = "it lies outside usable memory";
        if (module.problem) continue;
        for (u64 j = 0; j < i; ++j) {
            BootModule& other = info.modules[j];
            if (other.problem && other.problem != kOverlaps) continue;
            if (overlap(module.start, module.end, other.start, other.end)) module.problem = other.problem = kOverlaps;
        }
    }
}

const char* parse(Bytes bytes, BootInformation& info) {
    const auto prologue = read_at<Prologue>(bytes, 0);
    if (!prologue) return "boot information is too short";
    if (prologue->total_size > bytes.size()) return "boot information is cut short";
    if (prologue->total_size < sizeof(Prologue) + sizeof(TagHeader)) return "boot information is too short";
    bytes = bytes.first(prologue->total_size);

    bool newest_rsdp = false;
    // Invariant: offset grows by at least the size of a header each time, so this ends.
    for (u64 offset = sizeof(Prologue);;) {
        const auto tag = read_at<TagHeader>(bytes, offset);
        if (!tag) return "boot information has no end tag";
        if (tag->size < sizeof(TagHeader)) return "boot tag is shorter than its header";
        if (!fits(offset, tag->size, bytes.size())) return "boot tag reaches behind the end";
        const Bytes payload = bytes.subspan(offset + sizeof(TagHeader), tag->size - sizeof(TagHeader));

        const char* problem = nullptr;
        switch (tag->type) {
            case kTagEnd:
                return info.region_count != 0 ? nullptr : "no memory map";
            case kTagCommandLine:
                problem = on_command_line(info, payload);
                break;
            case kTagModule:
                problem = on_module(info, payload);
                break;
            case kTagMemoryMap:
                problem = on_memory_map(info, payload);
                break;
            case kTagOldRsdp:
                problem = on_rsdp(info, payload, kOldRsdpSize, newest_rsdp);
                break;
            case kTagNewRsdp:
                problem = on_rsdp(info, payload, kNewRsdpSize, newest_rsdp);
                break;
            case kTagEfi32:
            case kTagEfi64:
            case kTagEfiMemoryMap:
                info.efi = true;
                break;
            default:
                break;
        }
        if (problem) return problem;
        offset += (u64{tag->size} + kTagAlignment - 1) / kTagAlignment * kTagAlignment;
    }
}

}  // namespace

BootInformation parse_multiboot2(std::span<const u8> bytes) {
    BootInformation info;
    info.problem = parse(bytes, info);
    check_modules(info);
    return info;
}

}  // namespace tessera::kernel
