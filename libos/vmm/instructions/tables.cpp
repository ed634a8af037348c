// Descriptor-table registers, and the instructions that look at descriptors.
#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

bool Emulation::on_store_table(const TableRegister& table) {
    if ((cpu_.cr4 & cr4::kUmip) && cpu_.cpl != 0) return raise(kProtection, 0);
    const u32 length = cpu_.is64() ? 10 : 6;
    u8 bytes[10];
    for (u32 i = 0; i < 2; ++i) bytes[i] = static_cast<u8>(table.limit >> 8 * i);
    for (u32 i = 0; i < 8; ++i) bytes[2 + i] = static_cast<u8>(table.base >> 8 * i);
    u64 address;
    return operand_address(address, length) && write(address, bytes, length, as_code(true)) && finish();
}

bool Emulation::on_load_table(TableRegister& table) {
    if (!only_kernel()) return false;
    const u32 length = cpu_.is64() ? 10 : 6;
    u8 bytes[10] = {};
    u64 address;
    if (!operand_address(address, length) || !read(address, bytes, length, as_code())) return false;
    u64 base = 0;
    for (u32 i = 8; i-- > 0;) base = base << 8 | bytes[2 + i];
    if (!cpu_.is64() && in.operand_size() == 2) base &= 0xff'ffff;
    if (!is_canonical(base)) return raise(kProtection, 0);
    table = {base, static_cast<u16>(bytes[0] | bytes[1] << 8)};
    return finish();
}

bool Emulation::on_store_selector(u16 selector) {
    if ((cpu_.cr4 & cr4::kUmip) && cpu_.cpl != 0) return raise(kProtection, 0);
    return write_operand(selector, in.operand_size()) && finish();
}

bool Emulation::on_lldt() {
    if (!only_kernel()) return false;
    u16 selector;
    if (!read_operand16(selector)) return false;
    if ((selector & 0xfffc) == 0) {
        cpu_.ldtr = {selector, 0, 0, 0};
        return finish();
    }
    if (selector & 4) return raise_selector(kProtection, selector);
    Descriptor descriptor;
    if (!read_descriptor(selector, descriptor)) return false;
    if ((descriptor.segment.attributes & 0x1f) != 2) return raise_selector(kProtection, selector);
    if (!descriptor.segment.has(attribute::kPresent)) return raise_selector(kNotPresent, selector);
    if (cpu_.long_mode() && !read_system_base(descriptor)) return false;
    cpu_.ldtr = descriptor.segment;
    return finish();
}

bool Emulation::on_ltr() {
    if (!only_kernel()) return false;
    u16 selector;
    if (!read_operand16(selector)) return false;
    if ((selector & 0xfffc) == 0) return raise(kProtection, 0);
    if (selector & 4) return raise_selector(kProtection, selector);
    Descriptor descriptor;
    if (!read_descriptor(selector, descriptor)) return false;
    constexpr u16 kAvailableTss = 9, kBusy = 2;
    if ((descriptor.segment.attributes & 0x1f) != kAvailableTss) return raise_selector(kProtection, selector);
    if (!descriptor.segment.has(attribute::kPresent)) return raise_selector(kNotPresent, selector);
    if (cpu_.long_mode() && !read_system_base(descriptor)) return false;
    if (!mark(descriptor, kBusy)) return false;
    descriptor.segment.attributes |= kBusy;
    cpu_.tr = descriptor.segment;
    return finish();
}

/// LAR, LSL, VERR, VERW: the zero flag says whether the answer is one.
bool Emulation::on_inspect(Sensitive what) {
    u16 selector;
    if (!read_operand16(selector)) return false;
    const auto answer = [this](bool good) {
        cpu_.rflags = good ? cpu_.rflags | rflags::kZero : cpu_.rflags & ~rflags::kZero;
        return finish();
    };
    if ((selector & 0xfffc) == 0) return answer(false);
    Descriptor descriptor;
    if (!read_descriptor(selector, descriptor)) return exception.vector == kPageFault ? false : answer(false);
    const Segment& segment = descriptor.segment;
    const u32 rpl = selector & 3, type = segment.attributes & 15;
    const bool memory = segment.has(attribute::kMemory), code = memory && segment.has(attribute::kCode);
    const bool conforming = code && segment.has(attribute::kConforming);
    if (!conforming && (cpu_.cpl > segment.dpl() || rpl > segment.dpl())) return answer(false);
    if (what == Sensitive::verr) return answer(memory && (!code || segment.has(attribute::kWritable)));
    if (what == Sensitive::verw) return answer(memory && !code && segment.has(attribute::kWritable));
    if (!memory) {
        const bool has_limit = type == 2 || type == 9 || type == 11;
        if (!has_limit && !(what == Sensitive::lar && type == 12)) return answer(false);
    }
    const u64 result = what == Sensitive::lar ? descriptor.low >> 32 & 0xff'ff00 : segment.limit;
    set_gpr(in.reg(), in.operand_size(), what == Sensitive::lar && in.operand_size() == 2 ? result & 0xff00 : result);
    return answer(true);
}

}  // namespace tessera::vmm
