// ACPI tables made in code, as firmware leaves them in low memory: a root pointer, a root table, and a table of CPUs.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/unit/byte_writer.hpp"

namespace tessera::test {

/// Set the byte at `checksum` so that `length` bytes from `first` on sum to zero, if they are there.
inline void mend_checksum(std::vector<u8>& bytes, u64 first, u64 length, u64 checksum) {
    if (first > bytes.size() || length > bytes.size() - first || checksum >= bytes.size()) return;
    bytes[checksum] = 0;
    u8 sum = 0;
    for (u64 i = 0; i < length; ++i) sum = static_cast<u8>(sum + bytes[first + i]);
    bytes[checksum] = static_cast<u8>(-sum);
}

inline constexpr u64 kAcpiRoot = 0x40, kAcpiOther = 0xa0, kAcpiMadt = 0xe0;  // where the samples' tables lie

class AcpiSample {
  public:
    /// A table with a right checksum; `length` may be a lie.
    AcpiSample& table(u64 address, std::string_view signature, const std::vector<u8>& payload, u64 length) {
        ByteWriter out;
        out.put(signature).put(length, 4).put(1, 1).put(0, 1).put("TESSERSAMPLES ").put(0, 12).put(payload);
        if (memory_.size() < address + out.size()) memory_.resize(address + out.size());
        std::copy(out.bytes().begin(), out.bytes().end(), memory_.begin() + static_cast<long>(address));
        mend_checksum(memory_, address, length, address + 9);
        return *this;
    }
    AcpiSample& table(u64 address, std::string_view signature, const std::vector<u8>& payload) {
        return table(address, signature, payload, 36 + payload.size());
    }
    /// A root table with addresses of `size` bytes each.
    AcpiSample& root(std::string_view signature, u64 size, const std::vector<u64>& addresses) {
        ByteWriter out;
        for (const u64 address : addresses) out.put(address, size);
        return table(kAcpiRoot, signature, out.bytes());
    }
    AcpiSample& madt(const ByteWriter& entries, u64 address = kAcpiMadt) {
        return table(address, "APIC", ByteWriter{}.put(0xfee0'0000, 4).put(1, 4).put(entries.bytes()).bytes());
    }
    std::vector<u8>& memory() { return memory_; }

  private:
    std::vector<u8> memory_;
};

/// The old root pointer of 20 bytes, or with revision 2 the one of 36.
inline std::vector<u8> root_pointer(u8 revision, u64 rsdt, u64 xsdt = 0) {
    ByteWriter out;
    out.put("RSD PTR ").put(0, 1).put("TESSER").put(revision, 1).put(rsdt, 4);
    if (revision >= 2) out.put(36, 4).put(xsdt, 8).put(0, 4);
    std::vector<u8> bytes = out.bytes();
    mend_checksum(bytes, 0, 20, 8);
    if (revision >= 2) mend_checksum(bytes, 0, 36, 32);
    return bytes;
}

/// One local APIC of a MADT.
inline ByteWriter& put_cpu(ByteWriter& out, u8 apic_id, bool enabled = true) {
    return out.put(0, 1).put(8, 1).put(apic_id, 1).put(apic_id, 1).put(enabled, 4);
}

/// Four CPUs, one of them switched off, and an I/O APIC in between.
inline ByteWriter four_cpus() {
    ByteWriter out;
    put_cpu(out, 0);
    put_cpu(out, 2);
    out.put(1, 1).put(12, 1).put(0, 10);
    put_cpu(out, 4, false);
    put_cpu(out, 6);
    return out;
}

/// Behind an RSDT, and behind an XSDT.
inline AcpiSample old_tables() {
    return AcpiSample{}.root("RSDT", 4, {kAcpiOther, kAcpiMadt}).table(kAcpiOther, "FACP", {1, 2, 3}).madt(four_cpus());
}
inline AcpiSample new_tables() {
    return AcpiSample{}.root("XSDT", 8, {kAcpiOther, kAcpiMadt}).table(kAcpiOther, "FACP", {1, 2, 3}).madt(four_cpus());
}

}  // namespace tessera::test
