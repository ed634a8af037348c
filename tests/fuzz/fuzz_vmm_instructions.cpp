// Any code on any virtual CPU, with descriptor tables, gates and a TSS made of anything: decoded, emulated, and what it
// raises delivered. The emulator must stay inside of memory that it was given, leave a CPU that could exist, and
// change nothing when an instruction faults.
#include <algorithm>
#include <cstring>

#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/vmm_test_machine.hpp"

namespace tessera::fuzz {

namespace {

using vmm::test::TestMachine;
using vmm::test::TestMemory;

// What an input is: flags that choose the CPU's state, words for its registers, and bytes for memory from the code page on.
constexpr std::size_t kChoices = 8, kRegisters = 16 * 8;

std::vector<u8> seed(u8 level, std::initializer_list<int> code) {
    std::vector<u8> out(kChoices + kRegisters);
    out[0] = level;
    for (std::size_t i = 0; i < 16; ++i) {
        const u64 word = TestMachine::kData + 0x100 * i;
        std::memcpy(&out[kChoices + 8 * i], &word, 8);
    }
    for (const int byte : code) out.push_back(static_cast<u8>(byte));
    return out;
}

/// Null, or what is impossible about this CPU.
const char* impossible(const vmm::VirtualCpu& cpu) {
    if (cpu.cpl > 3) return "a level above 3";
    if (!(cpu.rflags & vmm::rflags::kFixed)) return "the fixed flag is clear";
    if (cpu.rflags & ~(vmm::rflags::kAll | vmm::rflags::kFixed)) return "a flag that is not there is set";
    if (cpu.cr8 > 15) return "a task priority above 15";
    if (cpu.cr4 & ~cpu.model.cr4_allowed) return "CR4 has what the model has not";
    if (cpu.efer & ~(cpu.model.efer_allowed | vmm::efer::kLongActive)) return "EFER has what the model has not";
    if (cpu.long_mode() && cpu.cr3 >> cpu.model.physical_bits) return "CR3 names no memory";
    if (!vmm::is_canonical(cpu.lstar) || !vmm::is_canonical(cpu.kernel_gs_base)) return "an address that is not canonical";
    if (!vmm::is_canonical(cpu.idtr.base) || !vmm::is_canonical(cpu.gdtr.base)) return "a table that is not canonical";
    if (cpu.long_mode() != ((cpu.efer & vmm::efer::kLongEnable) && (cpu.cr0 & vmm::cr0::kPaging))) return "long mode and paging disagree";
    return nullptr;
}

bool is_string(vmm::Sensitive what) { return what == vmm::Sensitive::ins || what == vmm::Sensitive::outs; }

void set_up(TestMachine& m, const u8* data, std::size_t size) {
    u8 choices[kChoices] = {};
    std::memcpy(choices, data, std::min(size, kChoices));
    if (choices[0] & 1) m.enter_user();
    if (choices[0] & 2) m.cpu.cs.attributes = 0xc9b;  // 32-bit code
    if (choices[0] & 4) m.cpu.rflags |= vmm::rflags::kTrap;
    if (choices[0] & 8) m.cpu.rflags |= vmm::rflags::kIopl;
    if (choices[0] & 16) m.cpu.cr4 |= vmm::cr4::kUmip | vmm::cr4::kFsGsBase;
    if (choices[0] & 32) m.cpu.tr.limit = 0x2fff;
    // A page without rights, and one that cannot be written.
    m.memory.rights[choices[1] % TestMemory::kPages].present = !(choices[0] & 64);
    m.memory.rights[choices[2] % TestMemory::kPages].writable = !(choices[0] & 128);
    u64 words[16] = {};
    if (size > kChoices) std::memcpy(words, data + kChoices, std::min(size - kChoices, kRegisters));
    for (u32 i = 0; i < 16; ++i)
        if (i != vmm::kRsp || choices[3] & 1) m.cpu.gpr[i] = words[i];
    if (size <= kChoices + kRegisters) return;
    const u8* bytes = data + kChoices + kRegisters;
    const std::size_t count = size - kChoices - kRegisters, half = count / 2;
    // The first half is code; the second lies over the tables, at a place that the input chooses.
    std::memcpy(&m.memory.bytes[m.cpu.rip - TestMemory::kBase], bytes, std::min<std::size_t>(half, 0x800));
    const u64 place = 0x1000 + (choices[4] | choices[5] << 8) % 0x2f00;
    std::memcpy(&m.memory.bytes[place], bytes + half, std::min<std::size_t>(count - half, TestMemory::kSize - place));
}

/// One instruction, and what it raises. False: the virtual CPU is at its end.
bool step(TestMachine& m) {
    const vmm::VirtualCpu before = m.cpu;
    const vmm::Emulated emulated = vmm::emulate(m.machine);
    expect_kept(impossible(m.cpu));
    expect_kept(m.memory.asked_wrongly ? "memory was asked for what no address is" : nullptr);
    switch (emulated.ending) {
        case vmm::Ending::done: return true;
        case vmm::Ending::again: return true;
        case vmm::Ending::ordinary: case vmm::Ending::unsupported:
            expect_kept(std::memcmp(&before, &m.cpu, sizeof before) ? "nothing was done, and the CPU changed" : nullptr);
            return false;
        case vmm::Ending::halted: return vmm::deliver_interrupt(m.machine, 0x20) == vmm::Delivered::done;
        case vmm::Ending::exception: break;
    }
    // A single step is behind its instruction, which may have gone to where it came from.
    const bool kept = m.cpu.rip != before.rip || is_string(emulated.what) || emulated.exception.vector == vmm::kDebug ||
                      (std::equal(before.gpr, before.gpr + 16, m.cpu.gpr) && m.cpu.cpl == before.cpl && m.cpu.rflags == before.rflags);
    expect_kept(kept ? nullptr : "an instruction faulted and changed something");
    return vmm::deliver_exception(m.machine, emulated.exception) == vmm::Delivered::done;
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    std::vector<std::vector<u8>> out;
    out.push_back(seed(0, {0xfa, 0xfb, 0x9c, 0x9d, 0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0, 0x0f, 0xa2, 0x0f, 0x32, 0x0f, 0x30, 0xf4, 0x0f, 0x01, 0xf8}));
    out.push_back(seed(1, {0xcd, 0x80, 0xcc, 0x0f, 0x05, 0x48, 0xcf, 0xec, 0xee, 0xf3, 0x6d, 0x8e, 0xd8, 0x0f, 0x02, 0xc8, 0x0f, 0x01, 0x03}));
    out.push_back(seed(0, {0x48, 0x0f, 0x07, 0x48, 0xcb, 0xff, 0x2b, 0xff, 0x1b, 0x0f, 0x01, 0x13, 0x0f, 0x01, 0x1b, 0x0f, 0x00, 0xd8, 0x0f, 0xb2, 0x0b}));
    out.push_back(seed(8 | 32, {0xf3, 0x6c, 0xf3, 0x66, 0x6f, 0x67, 0x6d, 0xe5, 0x10, 0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xf0, 0x0f, 0xa1, 0x0f, 0xa8}));
    for (const vmm::SensitiveInstruction& entry : vmm::sensitive_instructions()) {
        u8 code[32];
        u32 at;
        const u32 length = vmm::assemble(entry.sample, code, at);
        out.push_back(seed(static_cast<u8>(entry.id) & 1, {}));
        out.back().insert(out.back().end(), code + at, code + length);
        out.back().resize(out.back().size() + 64);
    }
    return out;
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    tessera::vmm::test::TestMachine m;
    tessera::fuzz::set_up(m, data, size);
    for (tessera::u32 i = 0; i < 16 && tessera::fuzz::step(m); ++i) continue;
    return 0;
}
