// IN, OUT and their string forms. Whether the guest's level may use a port is asked of the guest's own TSS.
#include <algorithm>

#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

bool Emulation::check_port(u16 port, u32 size) {
    if (cpu_.cpl <= cpu_.iopl()) return true;
    // The bitmap begins where the word at offset 102 says; as one bit a port, two bytes hold all that may be asked.
    constexpr u64 kBitmapBase = 102;
    if (!cpu_.tr.has(attribute::kPresent) || cpu_.tr.limit < kBitmapBase + 1) return raise(kProtection, 0);
    u16 base, bits;
    if (!read_system(cpu_.tr.base + kBitmapBase, &base, 2)) return false;
    const u64 offset = u64{base} + port / 8;
    if (offset + 1 > cpu_.tr.limit) return raise(kProtection, 0);
    if (!read_system(cpu_.tr.base + offset, &bits, 2)) return false;
    return (bits >> port % 8 & ((1u << size) - 1)) == 0 || raise(kProtection, 0);
}

bool Emulation::on_port(bool input) {
    const u32 size = in.opcode & 1 ? std::min<u32>(in.operand_size(), 4) : 1;
    const u16 port = in.opcode & 8 ? static_cast<u16>(cpu_.gpr[kRdx]) : static_cast<u16>(in.immediate & 0xff);
    if (!check_port(port, size)) return false;
    if (input)
        set_gpr(kRax, size, machine_.effects.port_read(port, size));
    else
        machine_.effects.port_write(port, size, static_cast<u32>(gpr(kRax, size)));
    return finish();
}

bool Emulation::port_unit(bool input, u16 port, u32 size) {
    const u64 mask = in.address_size() == 8 ? ~u64{0} : in.address_size() == 4 ? 0xffff'ffff : 0xffff;
    const u8 pointer = input ? kRdi : kRsi;
    // INS writes to es whatever the prefixes say.
    const SegmentName segment = input ? SegmentName::es : in.segment != SegmentName::none ? in.segment : SegmentName::ds;
    const u64 address = add_segment(segment, cpu_.gpr[pointer] & mask);
    if (!check_range(address, size, false)) return false;
    u32 value = 0;
    if (input) {
        // Reading may be what makes a device go on: not before it is sure that the value has a place.
        if (!machine_.memory.check(address, size, as_code(true), exception)) return false;
        value = machine_.effects.port_read(port, size);
        if (!write(address, &value, size, as_code(true))) return false;
    } else {
        if (!read(address, &value, size, as_code())) return false;
        machine_.effects.port_write(port, size, value);
    }
    const u64 step = cpu_.rflags & rflags::kDirection ? ~u64{size} + 1 : size;
    set_gpr(pointer, in.address_size(), cpu_.gpr[pointer] + step);
    return true;
}

bool Emulation::on_port_string(bool input) {
    const u32 size = in.opcode & 1 ? std::min<u32>(in.operand_size(), 4) : 1;
    const u16 port = static_cast<u16>(cpu_.gpr[kRdx]);
    if (!check_port(port, size)) return false;
    if (!in.repeat) return port_unit(input, port, size) && finish();
    for (u32 unit = 0; gpr(kRcx, in.address_size()) != 0; ++unit) {
        if (unit == kPortUnitsAtOnce) {
            again = true;
            return true;
        }
        if (!port_unit(input, port, size)) return false;  // rcx and the pointer say how far it came, as on the CPU
        set_gpr(kRcx, in.address_size(), cpu_.gpr[kRcx] - 1);
    }
    return finish();
}

}  // namespace tessera::vmm
