#include "exokernel/arch/x86_64/features.hpp"

#include <initializer_list>

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/log.hpp"

namespace tessera::kernel {

namespace {

/// QEMU's TCG before 9.1 reads the frame of an `iretq` in ring 3 as the kernel would, so that with SMAP on it
/// faults; and that instruction is how a libOS resumes. The kernel touches no user address, so SMAP is a second
/// fence only. The version does not show in CPUID: every TCG goes without.
bool iretq_in_ring_3_breaks_with_smap() {
    if (!(cpuid(1).ecx & 1u << 31)) return false;  // no hypervisor leaves
    const CpuId signature = cpuid(0x4000'0000);
    return signature.ebx == 0x5447'4354 && signature.ecx == 0x4354'4743 && signature.edx == 0x4743'5447;  // "TCGTCGTCGTCG"
}

}  // namespace

void enable_features() {
    const bool first = Cpu::here().index == 0;  // the others are as it is
    const CpuId structured = cpuid(0).eax >= 7 ? cpuid(7) : CpuId{};
    const struct {
        const char* name;
        bool there;
        u64 bit;
    } features[] = {
        {"SMEP", (structured.ebx & 1 << 7) != 0, cr4::kSmep},
        {"SMAP", (structured.ebx & 1 << 20) != 0, cr4::kSmap},
        {"UMIP", (structured.ecx & 1 << 2) != 0, cr4::kUmip},
        {"FSGSBASE", (structured.ebx & 1 << 0) != 0, cr4::kFsGsBase},
        {"global pages", (cpuid(1).edx & 1 << 13) != 0, cr4::kPge},
    };
    for (const auto& feature : features) {
        const bool broken = feature.bit == cr4::kSmap && feature.there && iretq_in_ring_3_breaks_with_smap();
        if (feature.there && !broken) write_cr4(read_cr4() | feature.bit);
        if (!first) continue;
        if (broken) log("SMAP stays off: this emulator cannot resume a libOS with it");
        if (!feature.there) log("this CPU has no ", feature.name);
    }
}

bool random_word(u64& word) {
    const bool has_rdseed = cpuid(0).eax >= 7 && (cpuid(7).ebx & 1 << 18) != 0;
    const bool has_rdrand = (cpuid(1).ecx & 1 << 30) != 0;
    for (u64 tries = 0; tries < 64; ++tries) {
        bool good = false;
        // Safety: executed only when CPUID says that the instruction exists.
        if (has_rdseed && tries < 32)
            asm volatile("rdseed %0" : "=r"(word), "=@ccc"(good));
        else if (has_rdrand)
            asm volatile("rdrand %0" : "=r"(word), "=@ccc"(good));
        if (good) return true;
    }
    return false;
}

CpuName cpu_name() {
    CpuName name{};
    u64 length = 0;
    for (u32 leaf = 0x8000'0002; leaf <= 0x8000'0004; ++leaf) {
        const CpuId part = cpuid(leaf);
        for (const u32 word : {part.eax, part.ebx, part.ecx, part.edx})
            for (u32 i = 0; i < 4; ++i) {
                const char c = static_cast<char>(word >> (8 * i));
                if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') name.text[length++] = c;
            }
    }
    return name;
}

}  // namespace tessera::kernel
