// The firmware's list of CPUs: what good tables say is found, and tables that are cut short, lie, or point anywhere are not
// followed.
#include "exokernel/core/acpi.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/acpi_samples.hpp"

namespace tessera::kernel {
namespace {

using test::AcpiSample;
using test::ByteWriter;
using test::kAcpiMadt;
using test::kAcpiOther;
using test::kAcpiRoot;
using test::root_pointer;

using Bytes = std::vector<u8>;

const Bytes kOldPointer = root_pointer(0, kAcpiRoot), kNewPointer = root_pointer(2, 0, kAcpiRoot);

/// The APIC ids in order, or the problem.
std::string found(const Bytes& pointer, AcpiSample sample) {
    // A block of exactly this size: AddressSanitizer stops a read behind it.
    const Bytes memory(sample.memory());
    const CpuList list = find_cpus(pointer, memory);
    if (list.problem != nullptr) return list.count == 0 ? list.problem : "a problem, and yet a list";
    std::string ids;
    for (u64 i = 0; i < list.count; ++i) ids += (i != 0 ? "," : "") + std::to_string(list.apic_id[i]);
    return ids + (list.left_out != 0 ? "+" + std::to_string(list.left_out) : "");
}
std::string found(const ByteWriter& entries) {
    return found(kOldPointer, AcpiSample{}.root("RSDT", 4, {kAcpiMadt}).madt(entries));
}

TEST_CASE("acpi: the CPUs that can be used, through either root") {
    CHECK(found(kOldPointer, test::old_tables()) == "0,2,6");
    CHECK(found(kNewPointer, test::new_tables()) == "0,2,6");
    CHECK(found(root_pointer(2, kAcpiRoot, 0), test::old_tables()) == "0,2,6");  // a new pointer without the new root
    CHECK(found(root_pointer(1, kAcpiRoot), test::old_tables()) == "0,2,6");
}

TEST_CASE("acpi: a root pointer that is damaged is not followed") {
    const AcpiSample tables = test::old_tables();
    CHECK(found({}, tables) == "no ACPI root pointer");
    CHECK(found(Bytes(kOldPointer.begin(), kOldPointer.end() - 1), tables) == "no ACPI root pointer");
    for (u64 i = 0; i < kOldPointer.size(); ++i) {
        Bytes pointer = kOldPointer;
        pointer[i] ^= 0x10;
        CHECK(found(pointer, tables) == "no ACPI root pointer");
    }
    Bytes other = kOldPointer;
    other[0] = 'X';
    test::mend_checksum(other, 0, 20, 8);
    CHECK(found(other, tables) == "no ACPI root pointer");
}

TEST_CASE("acpi: the newer part of the root pointer has a length and a checksum of its own") {
    const AcpiSample tables = test::new_tables();
    for (u64 i = 20; i < kNewPointer.size(); ++i) {
        Bytes pointer = kNewPointer;
        pointer[i] ^= 0x10;
        CHECK(found(pointer, tables) == "the ACPI root pointer is damaged");
    }
    for (const u8 length : {0, 20, 35, 37}) {  // a right sum does not help
        Bytes pointer = kNewPointer;
        pointer[20] = length;
        test::mend_checksum(pointer, 0, 36, 32);
        CHECK(found(pointer, tables) == "the ACPI root pointer is damaged");
    }
    CHECK(found(Bytes(kNewPointer.begin(), kNewPointer.begin() + 30), tables) == "the ACPI root pointer is damaged");
    // A longer one is summed up to its end.
    Bytes longer = kNewPointer;
    longer.push_back(7);
    longer[20] = 37;
    CHECK(found(longer, tables) == "the ACPI root pointer is damaged");
    test::mend_checksum(longer, 0, 37, 32);
    CHECK(found(longer, tables) == "0,2,6");
    // All of the newer part missing, as in the older tag of the loader: the older part is good by itself.
    const Bytes both = root_pointer(2, kAcpiRoot, kAcpiRoot);
    CHECK(found(Bytes(both.begin(), both.begin() + 20), test::old_tables()) == "0,2,6");
}

TEST_CASE("acpi: a root table must be there, whole and of the right kind") {
    constexpr const char* kNone = "no ACPI root table";
    CHECK(found(kOldPointer, AcpiSample{}) == kNone);
    CHECK(found(kOldPointer, test::new_tables()) == kNone);
    CHECK(found(kNewPointer, test::old_tables()) == kNone);
    for (const u64 anywhere : {u64{0}, u64{0x1000}, u64{0xffff'ffff}}) CHECK(found(root_pointer(0, anywhere), test::old_tables()) == kNone);
    for (const u64 anywhere : {u64{0x1000}, ~u64{0}, ~u64{0} - 35}) CHECK(found(root_pointer(2, 0, anywhere), test::new_tables()) == kNone);
    for (const u64 length : {u64{0}, u64{35}, u64{0x1000}, u64{0xffff'ffff}})
        CHECK(found(kOldPointer, AcpiSample{}.table(kAcpiRoot, "RSDT", {}, length)) == kNone);
    AcpiSample wrong_sum = test::old_tables();
    ++wrong_sum.memory()[kAcpiRoot + 40];
    CHECK(found(kOldPointer, wrong_sum) == kNone);
}

TEST_CASE("acpi: a table of CPUs that is not to be had") {
    constexpr const char* kNone = "no ACPI table of CPUs";
    CHECK(found(kOldPointer, AcpiSample{}.root("RSDT", 4, {})) == kNone);
    CHECK(found(kOldPointer, AcpiSample{}.root("RSDT", 4, {0x4000, 0xffff'fff0, kAcpiRoot})) == kNone);
    AcpiSample wrong_sum = test::old_tables();
    ++wrong_sum.memory()[kAcpiMadt + 47];
    CHECK(found(kOldPointer, wrong_sum) == kNone);
    // Half an address at the end of the root is none.
    CHECK(found(kOldPointer, AcpiSample{}.table(kAcpiRoot, "RSDT", {kAcpiMadt, 0}).madt(test::four_cpus())) == kNone);
    // Beyond 64 tables nobody looks.
    std::vector<u64> many(64, kAcpiMadt + 0x400);
    many.push_back(0x800);
    CHECK(found(kOldPointer, AcpiSample{}.root("RSDT", 4, many).table(kAcpiMadt + 0x400, "FACP", {}).madt(test::four_cpus(), 0x800)) == kNone);
    many.erase(many.begin());
    CHECK(found(kOldPointer, AcpiSample{}.root("RSDT", 4, many).table(kAcpiMadt + 0x400, "FACP", {}).madt(test::four_cpus(), 0x800)) == "0,2,6");
}

TEST_CASE("acpi: entries of the table of CPUs") {
    const auto cpus = [](std::initializer_list<u8> ids) {
        ByteWriter out;
        for (const u8 id : ids) test::put_cpu(out, id);
        return out;
    };
    CHECK(found(ByteWriter{}) == "the ACPI tables name no CPU");
    CHECK(found(cpus({0xff})) == "the ACPI tables name no CPU");  // broadcast
    CHECK(found(cpus({3, 1, 3, 0xff, 1})) == "3,1");              // the firmware's order, each once
    CHECK(found(cpus({0, 1, 2, 3, 4, 5, 6, 7})) == "0,1,2,3,4,5,6,7");
    CHECK(found(cpus({0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9})) == "0,1,2,3,4,5,6,7+2");
    for (const u8 size : {0, 1, 9, 255}) {  // an entry that cannot be: what came before it still counts
        ByteWriter out = cpus({5});
        out.put(0, 1).put(size, 1).put(7, 1).put(7, 1).put(1, 4);
        CHECK(found(out) == "5");
    }
    ByteWriter short_one = cpus({5});
    short_one.put(0, 1).put(4, 1).put(7, 1).put(7, 1);  // too short for a CPU: passed over
    test::put_cpu(short_one, 6);
    CHECK(found(short_one) == "5,6");
    CHECK(found(cpus({5}).put(0, 1)) == "5");  // half a header at the end
}

}  // namespace
}  // namespace tessera::kernel
