// Segment registers: descriptors out of the guest's own tables.
#include <algorithm>

#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

bool Emulation::read_descriptor(u16 selector, Descriptor& out) {
    const bool local = selector & 4;
    if (local && !cpu_.ldtr.has(attribute::kPresent)) return raise_selector(kProtection, selector);
    const u64 base = local ? cpu_.ldtr.base : cpu_.gdtr.base;
    const u64 limit = local ? cpu_.ldtr.limit : cpu_.gdtr.limit;
    const u64 offset = selector & 0xfff8;
    if (offset + 7 > limit) return raise_selector(kProtection, selector);
    out.address = base + offset;
    if (!read_system(out.address, &out.low, 8)) return false;
    const u64 low = out.low;
    const u32 pages = static_cast<u32>((low & 0xffff) | (low >> 32 & 0xf'0000));
    out.segment.selector = selector;
    out.segment.attributes = static_cast<u16>((low >> 40 & 0xff) | (low >> 44 & 0xf00));
    out.segment.base = (low >> 16 & 0xff'ffff) | (low >> 32 & 0xff00'0000);
    out.segment.limit = out.segment.has(attribute::kPages) ? pages << 12 | 0xfff : pages;
    return true;
}

/// In long mode descriptors of the system's are 16 bytes: the upper half of the base, and a type that must be 0.
bool Emulation::read_system_base(Descriptor& descriptor) {
    const u16 selector = descriptor.segment.selector;
    if ((selector & 0xfff8u) + 15 > cpu_.gdtr.limit) return raise_selector(kProtection, selector);
    u64 high;
    if (!read_system(descriptor.address + 8, &high, 8)) return false;
    descriptor.segment.base |= high << 32;
    if ((high >> 40 & 0x1f) || !is_canonical(descriptor.segment.base)) return raise_selector(kProtection, selector);
    return true;
}

/// Set a bit of a descriptor's type in its table (accessed, busy), if it is not set.
bool Emulation::mark(const Descriptor& descriptor, u8 bit) {
    if (descriptor.low >> 40 & bit) return true;
    const u8 type = static_cast<u8>((descriptor.low >> 40) | bit);
    return write(descriptor.address + 5, &type, 1, as_cpu(true));
}

/// What may be loaded into a data segment register or, under stricter rules, into SS. Null is left to the caller.
bool Emulation::check_data_segment(SegmentName name, u16 selector, Descriptor& out) {
    if (!read_descriptor(selector, out)) return false;
    const Segment& segment = out.segment;
    const u32 rpl = selector & 3;
    const bool code = segment.has(attribute::kCode), bit1 = segment.has(attribute::kWritable);
    const bool stack = name == SegmentName::ss;
    bool good = segment.has(attribute::kMemory);
    if (stack)
        good = good && !code && bit1 && rpl == cpu_.cpl && segment.dpl() == cpu_.cpl;
    else
        good = good && (!code || bit1) && ((code && segment.has(attribute::kConforming)) || std::max<u32>(rpl, cpu_.cpl) <= segment.dpl());
    if (!good) return raise_selector(kProtection, selector);
    if (!segment.has(attribute::kPresent)) return raise_selector(stack ? kStackFault : kNotPresent, selector);
    return true;
}

bool Emulation::load_data_segment(SegmentName name, u16 selector) {
    Segment& target = cpu_.segment(name);
    if ((selector & 0xfffc) == 0) {
        const bool null_stack = cpu_.is64() && cpu_.cpl != 3 && (selector & 3) == cpu_.cpl;
        if (name == SegmentName::ss && !null_stack) return raise(kProtection, 0);
        target = {selector, static_cast<u16>(name == SegmentName::ss ? attribute::with_dpl(0, cpu_.cpl) : 0), 0, 0};
        return true;
    }
    Descriptor descriptor;
    if (!check_data_segment(name, selector, descriptor) || !mark(descriptor, attribute::kAccessed)) return false;
    descriptor.segment.attributes |= attribute::kAccessed;
    target = descriptor.segment;
    return true;
}

bool Emulation::on_mov_from_segment() {
    if (in.extension() > 5) return raise(kInvalidOpcode);
    return write_operand(cpu_.segment(static_cast<SegmentName>(in.extension())).selector, in.operand_size()) && finish();
}

bool Emulation::on_mov_to_segment() {
    const auto name = static_cast<SegmentName>(in.extension());
    if (in.extension() > 5 || name == SegmentName::cs) return raise(kInvalidOpcode);
    u16 selector;
    if (!read_operand16(selector) || !load_data_segment(name, selector)) return false;
    keeps_shadow_ = name == SegmentName::ss;
    return finish();
}

bool Emulation::on_push_segment() {
    const Segment& segment = in.opcode == 0xa0 ? cpu_.fs : cpu_.gs;
    return push(in.stack_operand_size(), segment.selector) && finish();
}

bool Emulation::on_pop_segment() {
    const u32 size = in.stack_operand_size();
    u64 selector;
    if (!pop(0, size, selector)) return false;
    if (!load_data_segment(in.opcode == 0xa1 ? SegmentName::fs : SegmentName::gs, static_cast<u16>(selector))) return false;
    set_rsp(cpu_.gpr[kRsp] + size);
    return finish();
}

bool Emulation::on_load_far_pointer() {
    if (!in.has_memory()) return raise(kInvalidOpcode);
    const u32 size = in.operand_size();
    u64 address, offset = 0;
    u16 selector;
    if (!operand_address(address, size + 2) || !read(address, &offset, size, as_code()) || !read(address + size, &selector, 2, as_code())) return false;
    const SegmentName name = in.opcode == 0xb2 ? SegmentName::ss : in.opcode == 0xb4 ? SegmentName::fs : SegmentName::gs;
    if (!load_data_segment(name, selector)) return false;
    set_gpr(in.reg(), size, offset);
    keeps_shadow_ = name == SegmentName::ss;
    return finish();
}

}  // namespace tessera::vmm
