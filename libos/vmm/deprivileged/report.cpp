// What became of a guest in ring 3, in words.
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/vmm/deprivileged/guest.hpp"
#include "libos/vmm/monitor/report.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

void tell_registers(const VirtualCpu& cpu) {
    const auto reg = [&](Gpr number) { return hex(cpu.gpr[number]); };
    print("  rax ", reg(kRax), " rbx ", reg(kRbx), " rcx ", reg(kRcx), " rdx ", reg(kRdx), "\n");
    print("  rsi ", reg(kRsi), " rdi ", reg(kRdi), " rbp ", reg(kRbp), " rsp ", reg(kRsp), "\n");
    print("  r8 ", reg(kR8), " r9 ", reg(kR9), " r10 ", reg(kR10), " r11 ", reg(kR11), "\n");
    print("  r12 ", reg(kR12), " r13 ", reg(kR13), " r14 ", reg(kR14), " r15 ", reg(kR15), "\n");
    print("  rip ", hex(cpu.rip), " rflags ", hex(cpu.rflags), " cr0 ", hex(cpu.cr0), " cr2 ", hex(cpu.cr2), " cr3 ", hex(cpu.cr3), " cr4 ",
          hex(cpu.cr4), " efer ", hex(cpu.efer), "\n");
    print("  cs ", hex(cpu.cs.selector), " ss ", hex(cpu.ss.selector), " gdt ", hex(cpu.gdtr.base), " limit ", hex(cpu.gdtr.limit), " idt ",
          hex(cpu.idtr.base), " limit ", hex(cpu.idtr.limit), "\n");
}

}  // namespace

void DeprivilegedProcessor::tell_end() {
    const End& end = machine_.end();
    print("guest ", machine_.name(), " ended: ", end.reason, " ", hex(end.detail), "\n");
    print("  virtual CPU in ring 3 for ring ", u64{virtual_.cpl}, virtual_.interrupts_enabled() ? ", interrupts on" : ", interrupts off",
          ", after ", exits_.total(), " exits\n");
    tell_registers(virtual_);
    u8 bytes[kMaxInstructionLength];
    const u64 count = bytes_at_rip(bytes);
    char text[64];
    Writer line(text, sizeof text);
    constexpr char kDigits[] = "0123456789abcdef";
    for (u64 i = 0; i < count; ++i) {
        line.add(' ');
        line.add(kDigits[bytes[i] >> 4]);
        line.add(kDigits[bytes[i] & 15]);
    }
    if (count == 0)
        print("  the bytes at rip cannot be read\n");
    else
        print("  bytes at rip:", line.view(), "\n");
    const u64 past = std::min(exits_.total(), ExitCounts::kPast);
    print("  the last exits, the newest first:\n");
    for (u64 age = 0; age < past; ++age) {
        const PastExit& each = exits_.past(age);
        print("  ", name_of(static_cast<GuestExit>(each.code)), " at ", hex(each.rip), ", ", hex(each.info), "\n");
    }
}

void RewrittenCode::report(std::string_view what) const {
    print(what, ": ", scanned_, " instructions scanned, ", rewriter_.sites(), " replaced\n");
    static_cast<void>(record("what", "rewritten", "scanned", scanned_, "replaced", rewriter_.sites()));
}

void TranslatedCode::report(std::string_view what) const {
    const Translator::Counts& counts = translator_->counts();
    print(what, ": ", counts.blocks, " blocks of ", counts.instructions, " instructions translated; ", counts.exits, " exits of the cache, ", counts.chained,
          " branches chained, ", counts.inlined, " handlers inlined; ", counts.invalidated, " blocks invalidated, ", counts.flushes, " flushes, ",
          alone_count_, " instructions alone, ", moves_, " moves\n");
    static_cast<void>(record("what", "translated", "blocks", counts.blocks, "instructions", counts.instructions, "exits", counts.exits, "chained",
                             counts.chained, "inlined", counts.inlined, "invalidated", counts.invalidated, "flushes", counts.flushes, "alone",
                             alone_count_, "moves", moves_));
}

void report_deprivileged(const DeprivilegedProcessor& processor, const char* what) {
    const ExitCounts& exits = processor.exits();
    const DeprivilegedCounts& counts = processor.counts();
    print(what, ": ", exits.total(), " exits, ", exits.guest_ticks(), " ticks in the guest, ", exits.monitor_ticks(), " in the monitor; ",
          counts.exceptions, " exceptions and ", counts.interrupts, " interrupts delivered\n");
    Json json;
    json.field("what", what);
    exits.for_each([&](GuestExit exit, u64 count) { json.field(name_of(exit), count); });
    json.field("exits", exits.total());
    json.field("guest_ticks", exits.guest_ticks());
    json.field("monitor_ticks", exits.monitor_ticks());
    json.field("exceptions", counts.exceptions);
    json.field("interrupts", counts.interrupts);
    json.field("branches", counts.branches);
    static_cast<void>(json.send());
    processor.kernel_code().report(what);
    Json by_instruction;
    by_instruction.field("what", "emulated");
    for (const SensitiveInstruction& each : sensitive_instructions())
        if (const u64 count = counts.emulated[static_cast<u32>(each.id)]) by_instruction.field(each.name, count);
    static_cast<void>(by_instruction.send());
    const ShadowCounts& shadow = processor.shadow_counts();
    print(what, ": ", shadow.loads, " loads of CR3, ", shadow.made, " roots made; ", shadow.bound, " misses answered by the monitor, ",
          counts.filled, " by the kernel\n");
    static_cast<void>(record("what", "misses", "loads", shadow.loads, "made", shadow.made, "by_monitor", shadow.bound, "by_kernel", counts.filled));
    report_shadow(shadow, what);
}

}  // namespace tessera::vmm
