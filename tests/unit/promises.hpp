// What the boot parsers promise about whatever they accept, checked from outside. For unit tests and fuzzers:
// each function answers null, or the promise that is broken.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "exokernel/core/acpi.hpp"
#include "exokernel/core/command_line.hpp"
#include "exokernel/core/elf.hpp"
#include "exokernel/core/multiboot2.hpp"

namespace tessera::test {

inline const char* broken_promise(const kernel::ElfImage& image, u64 file_size) {
    if (image.pages == 0 || image.pages > kernel::kMaxElfPages) return "image has a size";
    if (image.segment_count == 0 || image.segment_count > kernel::kMaxElfSegments) return "there are segments";
    std::vector<u32> rights(image.pages);  // of each page
    for (u64 i = 0; i < image.segment_count; ++i) {
        const kernel::ElfSegment& segment = image.segments[i];
        if (segment.file_offset > file_size || segment.file_size > file_size - segment.file_offset)
            return "bytes lie in the file";
        if (segment.file_size > segment.memory_size) return "bytes fit in memory";
        if (segment.rights.has(Right::write | Right::execute)) return "writable or executable, not both";
        if (!segment.rights.has(Right::read)) return "readable";
        for (u64 page = 0; page < segment.pages(); ++page) {
            const u64 index = segment.first_page() - image.first_page + page;
            if (index >= image.pages) return "segments lie in the image";
            if (rights[index] != 0) return "a page is in one segment";
            rights[index] = segment.rights.bits;
        }
    }
    const u64 entry_index = page_of(image.entry) - image.first_page;
    if (entry_index >= image.pages || !Rights{rights[entry_index]}.has(Right::execute)) return "entry is executable";
    if (image.first_page.value == 0 || image.first_page.value + image.pages > kUserPages) return "in user addresses";
    return nullptr;
}

inline bool inside(std::string_view text, std::span<const u8> bytes) {
    const auto* begin = reinterpret_cast<const u8*>(text.data());
    return text.empty() || (begin >= bytes.data() && begin + text.size() <= bytes.data() + bytes.size());
}

/// Promises about regions and good modules hold also for information that has a problem as a whole.
inline const char* broken_promise(const kernel::BootInformation& info, std::span<const u8> bytes) {
    if (!inside(info.command_line, bytes)) return "command line lies in the tags";
    if (info.region_count > kernel::kMaxMemoryRegions || info.module_count > kernel::kMaxBootModules) return "counts";
    if (!info.problem && info.region_count == 0) return "there is memory";
    const auto* data = info.rsdp.data();
    if (data && (data < bytes.data() || data + 20 > bytes.data() + bytes.size())) return "ACPI pointer in the tags";
    for (u64 i = 0; i < info.region_count; ++i) {
        const kernel::MemoryRegion& region = info.regions[i];
        if (region.length == 0 || region.end() < region.base) return "regions are not empty and do not wrap";
        for (u64 j = 0; j < i; ++j) {
            const kernel::MemoryRegion& other = info.regions[j];
            if ((region.usable || other.usable) && region.base < other.end() && other.base < region.end())
                return "usable regions are nobody else's";
        }
    }
    for (u64 i = 0; i < info.module_count; ++i) {
        const kernel::BootModule& module = info.modules[i];
        if (!inside(module.command_line, bytes)) return "module's command line lies in the tags";
        if (module.problem) continue;
        if (module.end <= module.start) return "good modules are not empty";
        for (u64 j = 0; j < i; ++j) {
            const kernel::BootModule& other = info.modules[j];
            if (!other.problem && module.start < other.end && other.start < module.end)
                return "good modules do not overlap";
        }
    }
    return nullptr;
}

inline const char* broken_promise(const kernel::CpuList& list) {
    if (list.count > kMaxCpus) return "as many CPUs as can be used";
    if ((list.problem == nullptr) != (list.count != 0)) return "CPUs, or a problem";
    if (list.left_out != 0 && list.count != kMaxCpus) return "none is left out before there are enough";
    for (u64 i = 0; i < list.count; ++i) {
        if (list.apic_id[i] == 0xff) return "no CPU is everybody";
        for (u64 j = 0; j < i; ++j)
            if (list.apic_id[i] == list.apic_id[j]) return "each CPU once";
    }
    return nullptr;
}

inline const char* broken_promise(const kernel::KernelOptions& options) {
    const u64 entries = options.tlb_entries;
    if (static_cast<u64>(options.policy) >= kSwitchPolicies) return "policy is one";
    if (entries != 0 && (entries < 16 || entries > 65536)) return "tlb.entries in range";
    if (options.quantum_us < 100 || options.quantum_us > 1000000) return "quantum in range";
    if (options.grace_us < 10 || options.grace_us > options.quantum_us) return "grace in range";
    if (options.cpus < 1 || options.cpus > kMaxCpus) return "cpus in range";
    return nullptr;
}

inline const char* broken_promise(const kernel::ModuleOptions& options, std::string_view line) {
    const auto power_of_two = [](u64 n) { return n != 0 && (n & (n - 1)) == 0; };
    u64 length = 0;
    while (length < sizeof options.name && options.name[length] != 0) ++length;
    if (length == 0 || length == sizeof options.name) return "name is there, and ends";
    if (options.frames < 1 || options.frames > 1 << 20) return "frames in range";
    if (!power_of_two(options.stlb) || options.stlb < 128 || options.stlb > 65536) return "stlb in range";
    if (!power_of_two(options.guaranteed) || options.guaranteed < 16 || options.guaranteed > 1024)
        return "guaranteed in range";
    if (options.tables < 8 || options.tables > 512) return "tables in range";
    if (options.slots > 8 || options.cpu >= kMaxCpus) return "slots and CPU in range";
    if (options.arbiter > 1) return "arbiter or not";
    if (options.arguments.size() > kernel::kMaxModuleArguments || !line.ends_with(options.arguments))
        return "arguments are the end of the line";
    return nullptr;
}

}  // namespace tessera::test
