// Any bytes as the firmware's tables of CPUs: memory from address 0 on, with the root pointer at its beginning. A change in
// a table spoils its checksum, and nothing behind the checksum would be reached: so each input is tried a second time with
// the sums put right.
#include "exokernel/core/acpi.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/acpi_samples.hpp"
#include "tests/unit/promises.hpp"

namespace tessera::fuzz {
namespace {

using Bytes = std::vector<u8>;

Bytes at_zero(const Bytes& pointer, test::AcpiSample sample) {
    Bytes bytes = sample.memory();
    std::copy(pointer.begin(), pointer.end(), bytes.begin());
    return bytes;
}

u64 number(const Bytes& bytes, u64 offset, u64 size) {
    u64 value = 0;
    for (u64 i = size; i-- > 0;) value = value << 8 | (offset + i < bytes.size() ? bytes[offset + i] : 0);
    return value;
}

void mend_table(Bytes& bytes, u64 address) {
    if (address < bytes.size() && bytes.size() - address >= 36)
        test::mend_checksum(bytes, address, number(bytes, address + 4, 4), address + 9);
}

/// From the leaves up, as far as tables do not lie in each other.
Bytes mended(Bytes bytes) {
    for (const u64 size : {4, 8}) {
        const u64 root = number(bytes, size == 4 ? 16 : 24, size), length = number(bytes, root + 4, 4);
        for (u64 at = 36; at < length && at < bytes.size(); at += size) mend_table(bytes, number(bytes, root + at, size));
        mend_table(bytes, root);
    }
    test::mend_checksum(bytes, 0, 20, 8);
    test::mend_checksum(bytes, 0, number(bytes, 20, 4), 32);
    return bytes;
}

void run(const Bytes& bytes) {
    const Bytes pointer(bytes.begin(), bytes.begin() + static_cast<long>(std::min<u64>(bytes.size(), 36)));
    expect_kept(test::broken_promise(kernel::find_cpus(pointer, bytes)));
}

}  // namespace

std::vector<Bytes> seeds() {
    test::ByteWriter many;
    for (u8 id = 0; id < 12; ++id) test::put_cpu(many, id);
    many.put(0, 1).put(8, 1);  // cut short
    return {at_zero(test::root_pointer(0, test::kAcpiRoot), test::old_tables()),
            at_zero(test::root_pointer(2, 0, test::kAcpiRoot), test::new_tables()),
            at_zero(test::root_pointer(2, 0, test::kAcpiRoot), test::AcpiSample{}.root("XSDT", 8, {test::kAcpiMadt}).madt(many))};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    const std::vector<tessera::u8> bytes(data, data + size);
    tessera::fuzz::run(bytes);
    tessera::fuzz::run(tessera::fuzz::mended(bytes));
    return 0;
}
