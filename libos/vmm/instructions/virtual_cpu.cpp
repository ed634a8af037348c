// The state in which a 64-bit kernel is entered.
#include "libos/vmm/instructions/virtual_cpu.hpp"

#include <initializer_list>

namespace tessera::vmm {

VirtualCpu make_long_mode_cpu(const CpuModel& model, u64 rip, u64 cr3) {
    VirtualCpu cpu{};
    constexpr u16 kCode = attribute::kPresent | attribute::kMemory | attribute::kCode | attribute::kWritable | attribute::kAccessed |
                          attribute::kLong | attribute::kPages;
    constexpr u16 kData = attribute::kPresent | attribute::kMemory | attribute::kWritable | attribute::kAccessed | attribute::kBig | attribute::kPages;
    cpu.model = model;
    cpu.rip = rip;
    cpu.rflags = rflags::kFixed;
    cpu.cr0 = cr0::kProtected | cr0::kExtension | cr0::kPaging;
    cpu.cr3 = cr3;
    cpu.cr4 = cr4::kPae;
    cpu.efer = efer::kLongEnable | efer::kLongActive;
    cpu.xcr0 = 1;
    cpu.dr[6] = 0xffff'0ff0;
    cpu.dr[7] = 0x400;
    cpu.pat = 0x0007'0406'0007'0406;
    cpu.cs = {0x10, kCode, 0xffff'ffff, 0};
    for (const SegmentName name : {SegmentName::es, SegmentName::ss, SegmentName::ds, SegmentName::fs, SegmentName::gs})
        cpu.segment(name) = {0x18, kData, 0xffff'ffff, 0};
    cpu.tr = {0, attribute::kPresent | 11, 0xffff, 0};
    cpu.ldtr = {0, 0, 0, 0};
    cpu.gdtr = {0, 0};
    cpu.idtr = {0, 0};
    return cpu;
}

}  // namespace tessera::vmm
