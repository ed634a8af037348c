// The table.
#include "libos/vmm/devices/cpuid.hpp"

#include <iterator>

namespace tessera::vmm {
namespace {

constexpr u32 word(const char* text) {
    u32 value = 0;
    for (u32 i = 0; i < 4; ++i) value |= u32{static_cast<u8>(text[i])} << 8 * i;
    return value;
}

constexpr u32 bits(auto... numbers) { return ((1u << numbers) | ...); }

// Vendor "TesseraGuest": nobody's quirks are looked for.
constexpr u32 kSignature = 0x6f1;  // Family 6, model 15, stepping 1.
constexpr u32 kFeatures =
    bits(0 /*FPU*/, 3 /*PSE*/, 4 /*TSC*/, 5 /*MSR*/, 6 /*PAE*/, 8 /*CX8*/, 13 /*PGE*/, 15 /*CMOV*/, 16 /*PAT*/,
         19 /*CLFLUSH*/, 23 /*MMX*/, 24 /*FXSR*/, 25 /*SSE*/, 26 /*SSE2*/);
constexpr u32 kMoreFeatures = bits(0 /*SSE3*/, 13 /*CX16*/, 31 /*hypervisor*/);
constexpr u32 kLongMode = bits(11 /*SYSCALL*/, 20 /*NX*/, 29 /*LM*/);
constexpr u32 kLahf = bits(0);
constexpr u32 kAddressBits = 48 << 8 | 40;
constexpr u32 kCacheLine = 64 / 8;

// Leaves 0 and 1, and those from 80000000 on.
constexpr CpuidResult kBasic[] = {
    {1, word("Tess"), word("uest"), word("eraG")},
    {kSignature, kCacheLine << 8, kMoreFeatures, kFeatures},
};
constexpr u32 kFirstExtended = 0x8000'0000;
constexpr CpuidResult kExtended[] = {
    {kFirstExtended + 8, 0, 0, 0},
    {kSignature, 0, kLahf, kLongMode},
    {word("Tess"), word("era "), word("virt"), word("ual ")},
    {word("CPU\0"), 0, 0, 0},
    {},
    {},
    {},
    {},
    {kAddressBits, 0, 0, 0},
};

// What is different with several CPUs: APIC, HTT (many logical CPUs, which leaf 1 counts), x2APIC and the TSC deadline;
// a TSC that always runs at one rate; KVM's signature, without any of KVM's features.
constexpr u32 kApic = bits(9, 28), kX2Apic = bits(21, 24);
constexpr u32 kInvariantTsc = bits(8);
constexpr u32 kHypervisorLeaf = 0x4000'0000;
constexpr CpuidResult kHypervisor{kHypervisorLeaf + 1, word("KVMK"), word("VMKV"), word("M\0\0\0")};

}  // namespace

CpuidResult cpuid(u32 leaf, u32, u32 cpu, u32 cpus) {
    CpuidResult result{};
    if (leaf < std::size(kBasic))
        result = kBasic[leaf];
    else if (leaf - kFirstExtended < std::size(kExtended))
        result = kExtended[leaf - kFirstExtended];
    if (cpus == 1) return result;
    if (leaf == kHypervisorLeaf) return kHypervisor;
    if (leaf == 1) {
        result.ebx |= cpu << 24 | cpus << 16;
        result.ecx |= kX2Apic;
        result.edx |= kApic;
    }
    if (leaf == 0x8000'0007) result.edx |= kInvariantTsc;
    return result;
}

}  // namespace tessera::vmm
