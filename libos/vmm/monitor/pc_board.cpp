#include "libos/vmm/monitor/pc_board.hpp"

#include "libos/core/print.hpp"
#include "libos/vmm/monitor/processor.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

void NoteLog::note(const char* who, const char* what, u64 number) {
    print(guest_, ": ", who, ": ", what, ", ", hex(number), "\n");
}

void LineSink::put(std::span<const std::byte> bytes) {
    for (const std::byte each : bytes) {
        const char c = static_cast<char>(each);
        if (c == '\n' || length_ == sizeof line_) write_line();
        if (c != '\n' && c != '\r') line_[length_++] = c;
    }
}

void LineSink::write_line() {
    print(guest_, "| ", std::string_view(line_, length_), "\n");
    length_ = 0;
}

PcBoard::PcBoard(Platform& platform) : platform_(platform) {
    set_timed(Pit::kPorts, 4);
    set_timed(Pit::kSystemControl, 1);
    set_timed(Cmos::kPorts, 2);
}

CpuidAnswer PcBoard::cpuid(u64 cpu, u32 leaf, u32 subleaf) {
    const CpuidResult answer = platform_.cpuid(leaf, subleaf, static_cast<u32>(cpu));
    return {answer.eax, answer.ebx, answer.ecx, answer.edx};
}

// EFER is the processor's own: so whether paging is on does not matter here.
bool PcBoard::write_msr(u64 cpu, u32 index, u64 value) {
    return platform_.msr_write(index, value, true, static_cast<u32>(cpu));
}

// No NMI gets into a guest: it is taken here, so that nobody is woken for it again and again.
CpuSignal PcBoard::take_signal(u64 cpu) {
    const u32 index = static_cast<u32>(cpu);
    static_cast<void>(platform_.apics().take_nmi(index));
    if (platform_.apics().take_init(index)) return {CpuSignal::init};
    if (const auto page = platform_.apics().take_startup(index)) return {CpuSignal::startup, *page};
    return {};
}

}  // namespace tessera::vmm
