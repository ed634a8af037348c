// The floating pointer, the configuration table behind it, and their checksums.
#include "libos/vmm/devices/mp_table.hpp"

#include <cstring>

#include "libos/vmm/devices/x2apic.hpp"

namespace tessera::vmm {
namespace {

// Tables 4-1 to 4-12 of the specification, all packed by nature.
struct FloatingPointer {
    char signature[4];
    u32 table;
    u8 length;  ///< In 16 bytes.
    u8 revision, checksum, features[5];
};
static_assert(sizeof(FloatingPointer) == 16);

struct Header {
    char signature[4];
    u16 length;
    u8 revision, checksum;
    char oem[8], product[12];
    u32 oem_table;
    u16 oem_size, entries;
    u32 local_apic;
    u16 extended_length;
    u8 extended_checksum, reserved;
};
static_assert(sizeof(Header) == 44);

struct Processor {
    u8 type, apic_id, apic_version, flags;
    u32 signature, features, reserved[2];
};
static_assert(sizeof(Processor) == 20);

struct Bus {
    u8 type, id;
    char name[6];
};
static_assert(sizeof(Bus) == 8);

struct LocalInterrupt {
    u8 type, kind;
    u16 flags;
    u8 bus, irq, apic, pin;
};
static_assert(sizeof(LocalInterrupt) == 8);

enum EntryType : u8 { kProcessor = 0, kBus = 1, kLocalInterrupt = 4 };
enum ProcessorFlag : u8 { kUsable = 1, kBootstrap = 2 };
enum InterruptKind : u8 { kNmi = 1, kExternal = 3 };
constexpr u8 kAllApics = 0xff;
constexpr u8 kRevision = 4;
constexpr u8 kApicVersion = 0x14;

/// Puts entries behind each other and counts them.
struct Table {
    u8 bytes[512]{};
    u32 length = 0;
    u16 entries = 0;

    template <class T>
    void add(const T& entry) {
        std::memcpy(bytes + length, &entry, sizeof entry);
        length += sizeof entry;
        ++entries;
    }
};
static_assert(sizeof(FloatingPointer) + sizeof(Header) + kMaxGuestCpus * sizeof(Processor) + 2 * sizeof(Bus) +
                  2 * sizeof(LocalInterrupt) <=
              sizeof(Table::bytes));

/// What makes all bytes add up to zero.
u8 checksum(const u8* bytes, u32 length) {
    u8 sum = 0;
    for (u32 i = 0; i < length; ++i) sum = static_cast<u8>(sum + bytes[i]);
    return static_cast<u8>(-sum);
}

}  // namespace

bool write_mp_table(GuestMemory& memory, u32 cpus) {
    if (cpus == 0 || cpus > kMaxGuestCpus) return false;
    Table table;
    table.length = sizeof(FloatingPointer) + sizeof(Header);
    for (u32 i = 0; i < cpus; ++i) {
        const u8 flags = static_cast<u8>(kUsable | (i == 0 ? kBootstrap : 0));
        table.add(Processor{kProcessor, static_cast<u8>(i), kApicVersion, flags, 0, 0, {}});
    }
    table.add(Bus{kBus, 0, {'P', 'C', 'I', ' ', ' ', ' '}});
    table.add(Bus{kBus, 1, {'I', 'S', 'A', ' ', ' ', ' '}});
    table.add(LocalInterrupt{kLocalInterrupt, kExternal, 0, 1, 0, 0, 0});
    table.add(LocalInterrupt{kLocalInterrupt, kNmi, 0, 1, 0, kAllApics, 1});

    Header header{};
    std::memcpy(header.signature, "PCMP", 4);
    header.length = static_cast<u16>(table.length - sizeof(FloatingPointer));
    header.revision = kRevision;
    std::memcpy(header.oem, "TESSERA ", 8);
    std::memcpy(header.product, "GUEST       ", 12);
    header.entries = table.entries;
    header.local_apic = kApicPage;
    u8* const at = table.bytes + sizeof(FloatingPointer);
    std::memcpy(at, &header, sizeof header);
    header.checksum = checksum(at, header.length);
    std::memcpy(at, &header, sizeof header);

    FloatingPointer pointer{{'_', 'M', 'P', '_'}, static_cast<u32>(kMpTable + sizeof pointer), 1, kRevision, 0, {}};
    std::memcpy(table.bytes, &pointer, sizeof pointer);
    pointer.checksum = checksum(table.bytes, sizeof pointer);
    std::memcpy(table.bytes, &pointer, sizeof pointer);
    return memory.copy_out(kMpTable, std::as_bytes(std::span(table.bytes, table.length)));
}

}  // namespace tessera::vmm
