#include "exokernel/core/acpi.hpp"

namespace tessera::kernel {
namespace {

using Bytes = std::span<const u8>;

constexpr u64 kRsdpSize = 20, kExtendedRsdpSize = 36, kHeaderSize = 36, kMaxTable = 0x10'0000, kMaxTables = 64;

/// A little-endian number of `size` bytes; the caller has checked that they are there.
u64 number(Bytes bytes, u64 offset, u64 size) {
    u64 value = 0;
    for (u64 i = size; i-- > 0;) value = value << 8 | bytes[offset + i];
    return value;
}

bool sums_to_zero(Bytes bytes) {
    u8 sum = 0;
    for (const u8 byte : bytes) sum = static_cast<u8>(sum + byte);
    return sum == 0;
}

bool begins_with(Bytes bytes, const char* signature, u64 length) {
    for (u64 i = 0; i < length; ++i)
        if (bytes[i] != static_cast<u8>(signature[i])) return false;
    return true;
}

/// The table at a physical address, whole and with a right checksum; empty: there is none.
Bytes table_at(Bytes memory, u64 address) {
    if (address >= memory.size() || memory.size() - address < kHeaderSize) return {};
    const u64 length = number(memory, address + 4, 4);
    if (length < kHeaderSize || length > kMaxTable || length > memory.size() - address) return {};
    const Bytes table{memory.data() + address, length};
    return sums_to_zero(table) ? table : Bytes{};
}

/// The part that came with revision 2 has a length and a checksum of its own, over all of the pointer.
bool extended_is_right(Bytes rsdp) {
    if (rsdp.size() < kExtendedRsdpSize) return false;
    const u64 length = number(rsdp, 20, 4);
    return length >= kExtendedRsdpSize && length <= rsdp.size() && sums_to_zero(rsdp.first(length));
}

void read_madt(Bytes madt, CpuList& list) {
    constexpr u64 kEntries = 44, kLocalApic = 0, kLocalApicSize = 8, kEnabled = 1;
    for (u64 at = kEntries; at + 2 <= madt.size();) {
        const u64 type = madt[at], size = madt[at + 1];
        if (size < 2 || size > madt.size() - at) return;  // what came before still counts
        if (type == kLocalApic && size >= kLocalApicSize && (number(madt, at + 4, 4) & kEnabled)) {
            const u8 id = madt[at + 3];
            bool known = id == 0xff;  // broadcast: no CPU has it
            for (u64 i = 0; i < list.count; ++i) known |= list.apic_id[i] == id;
            if (!known && list.count < kMaxCpus)
                list.apic_id[list.count++] = id;
            else if (!known)
                ++list.left_out;
        }
        at += size;
    }
}

}  // namespace

CpuList find_cpus(Bytes rsdp, Bytes memory) {
    CpuList list;
    const auto fail = [&](const char* why) {
        list.problem = why;
        return list;
    };
    if (rsdp.size() < kRsdpSize || !begins_with(rsdp, "RSD PTR ", 8) || !sums_to_zero({rsdp.data(), kRsdpSize}))
        return fail("no ACPI root pointer");
    // A loader that hands over only the older part of a newer pointer is believed as far as that goes.
    const bool has_extension = rsdp[15] >= 2 && rsdp.size() > kRsdpSize;
    if (has_extension && !extended_is_right(rsdp)) return fail("the ACPI root pointer is damaged");
    const bool extended = has_extension && number(rsdp, 24, 8) != 0;
    const Bytes root = table_at(memory, extended ? number(rsdp, 24, 8) : number(rsdp, 16, 4));
    if (root.empty() || !begins_with(root, extended ? "XSDT" : "RSDT", 4)) return fail("no ACPI root table");
    const u64 step = extended ? 8 : 4;
    u64 seen = 0;
    for (u64 at = kHeaderSize; at + step <= root.size() && seen < kMaxTables; at += step, ++seen) {
        const Bytes table = table_at(memory, number(root, at, step));
        if (table.empty() || !begins_with(table, "APIC", 4)) continue;
        read_madt(table, list);
        return list.count != 0 ? list : fail("the ACPI tables name no CPU");
    }
    return fail("no ACPI table of CPUs");
}

}  // namespace tessera::kernel
