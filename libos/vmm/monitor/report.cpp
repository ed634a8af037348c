#include "libos/vmm/monitor/report.hpp"

#include <algorithm>

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

const char* mode_of(const ControlBlock& block) {
    if (!(block.cr0 & cr0::kProtected)) return "real mode";
    if (block.rflags & rflags::kVm) return "virtual-8086 mode";
    if ((block.efer & efer::kLongActive) && (block.cs.attributes & attribute::kLong)) return "64-bit mode";
    if (block.efer & efer::kLongActive) return "compatibility mode";
    return block.cs.attributes & attribute::kBig ? block.cr0 & cr0::kPaging ? "32-bit mode with paging" : "32-bit mode" : "16-bit protected mode";
}

/// A line of the log, put together piece by piece.
class Line {
  public:
    template <class... T>
    explicit Line(const T&... items) {
        add(items...);
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() {
        text_.add('\n');
        write_log(text_.view());
    }
    template <class... T>
    void add(const T&... items) {
        (text_.add(items), ...);
    }

  private:
    char buffer_[256];
    Writer text_{buffer_, sizeof buffer_};
};

void tell_exit(const PastExit& past) {
    Line line("  ", name_of(static_cast<GuestExit>(past.code)), " at ", hex(past.rip));
    if (static_cast<GuestExit>(past.code) == GuestExit::io)
        line.add(past.info & 1 ? ", reading port " : ", writing port ", hex(past.info >> 16), ", ", past.info >> 4 & 7, " bytes");
    else if (past.info != 0)
        line.add(", ", hex(past.info));
}

void tell_bytes(Processor& processor) {
    u8 bytes[15];
    const u64 count = processor.cpu().fetch(processor.machine().memory(), bytes);
    if (count == 0) return print("  the bytes at rip cannot be read\n");
    Line line("  bytes at rip:");
    constexpr char kDigits[] = "0123456789abcdef";
    for (u8 byte : std::span(bytes, count)) line.add(' ', kDigits[byte >> 4], kDigits[byte & 15]);
}

/// The chain of frames that rbp begins, if it is one: each above the one before. What it says is the guest's word.
void tell_callers(Processor& processor) {
    constexpr u64 kMost = 12;
    GuestMemory& memory = processor.machine().memory();
    const PagingRegisters paging = processor.cpu().paging();
    const auto word_at = [&](u64 linear) -> std::optional<u64> {
        const auto physical = linear % 8 == 0 ? walk(memory, paging, linear) : std::nullopt;
        return physical ? memory.read<u64>(*physical) : std::nullopt;
    };
    u64 frame = processor.cpu().state().rbp;
    for (u64 i = 0; i < kMost; ++i) {
        const auto next = word_at(frame), caller = word_at(frame + 8);
        if (!next || !caller || *caller == 0) return;
        print("  called from ", hex(*caller), "\n");
        if (*next <= frame) return;
        frame = *next;
    }
}

void tell_segment(const char* name, const GuestSegment& segment) {
    print("  ", name, " ", hex(segment.selector), " base ", hex(segment.base), " limit ", hex(segment.limit), " attributes ",
          hex(segment.attributes), "\n");
}

void tell_registers(const GuestState& state, const ControlBlock& block, const PagingRegisters& paging) {
    print("  rax ", hex(state.rax), " rbx ", hex(state.rbx), " rcx ", hex(state.rcx), " rdx ", hex(state.rdx), "\n");
    print("  rsi ", hex(state.rsi), " rdi ", hex(state.rdi), " rbp ", hex(state.rbp), " rsp ", hex(state.rsp), "\n");
    print("  r8 ", hex(state.r8), " r9 ", hex(state.r9), " r10 ", hex(state.r10), " r11 ", hex(state.r11), "\n");
    print("  r12 ", hex(state.r12), " r13 ", hex(state.r13), " r14 ", hex(state.r14), " r15 ", hex(state.r15), "\n");
    print("  rip ", hex(state.rip), " rflags ", hex(state.rflags), " cr0 ", hex(paging.cr0), " cr2 ", hex(state.cr2), " cr3 ",
          hex(paging.cr3), " cr4 ", hex(paging.cr4), " efer ", hex(paging.efer), "\n");
    tell_segment("cs", block.cs);
    tell_segment("ss", block.ss);
    tell_segment("gdt", block.gdtr);
    tell_segment("idt", block.idtr);
}

}  // namespace

void report(Processor& processor) {
    Machine& machine = processor.machine();
    const End& end = machine.end();
    const GuestState& state = processor.cpu().state();
    const ControlBlock& block = processor.cpu().block();
    {
        Line line("guest ", machine.name(), " ended: ", end.reason);
        if (end.detail != 0) line.add(" ", hex(end.detail));
    }
    print("  virtual CPU ", processor.index(), " in ", mode_of(block), ", ring ", u64{block.cpl},
          state.rflags & rflags::kInterrupt ? ", interrupts on" : ", interrupts off", ", after ", processor.exits().total(), " exits\n");
    print("  ", machine.memory().present(), " of ", machine.memory().frames(), " guest frames have memory\n");
    tell_registers(state, block, processor.cpu().paging());
    tell_bytes(processor);
    if (const auto physical = walk(machine.memory(), processor.cpu().paging(), processor.cpu().linear_rip()))
        print("  rip is at guest-physical ", hex(*physical), "\n");
    else
        print("  rip is mapped nowhere\n");
    tell_callers(processor);
    if (state.event & GuestEvent::kValid) print("  the event ", hex(state.event), " is still to be delivered\n");
    const u64 past = std::min(processor.exits().total(), ExitCounts::kPast);
    print("  the last exits, the newest first:\n");
    for (u64 age = 0; age < past; ++age) tell_exit(processor.exits().past(age));
}

void report_exits(const Processor& processor, const char* what) {
    const ExitCounts& exits = processor.exits();
    const u64 per_ms = information().tsc_hz / 1000;
    Json json;
    json.field("what", what);
    print(what, ": ", exits.total(), " exits, ", exits.guest_ticks() / per_ms, " ms in the guest, ", exits.monitor_ticks() / per_ms,
          " ms in the monitor\n");
    exits.for_each([&](GuestExit exit, u64 count) {
        print("  ", count, " ", name_of(exit), "\n");
        json.field(name_of(exit), count);
    });
    json.field("exits", exits.total());
    json.field("guest_ticks", exits.guest_ticks());
    json.field("monitor_ticks", exits.monitor_ticks());
    json.field("began", processor.began() - processor.machine().clock().begin());  // by the guest's own TSC
    static_cast<void>(json.send());
}

void report_shadow(const ShadowCounts& counts, const char* what) {
    print(what, ": shadow paging: ", counts.faults, " faults, ", counts.reflected, " the guest's own; ", counts.bound, " mappings of ",
          counts.pages, " pages; ", counts.traced, " tables traced, ", counts.released, " released, ", counts.table_writes, " written, ",
          counts.syncs, " compared, ", counts.changed, " entries changed; ", counts.loads, " roots loaded, ", counts.made, " made; ",
          counts.flushes, " flushes, ", counts.invalidations, " pages flushed, ", counts.searches, " searches\n");
    static_cast<void>(record("what", "shadow", "guest", what, "shadow_faults", counts.faults, "reflected", counts.reflected, "mappings",
                             counts.bound, "mapped_pages", counts.pages, "traced", counts.traced, "released", counts.released, "table_writes",
                             counts.table_writes, "syncs", counts.syncs, "changed", counts.changed, "loads", counts.loads, "made", counts.made,
                             "invalidations", counts.invalidations, "searches", counts.searches));
}

}  // namespace tessera::vmm
