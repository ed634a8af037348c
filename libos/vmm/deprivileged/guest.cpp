#include "libos/vmm/deprivileged/guest.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

// Without memory for these the guest has none either, and cannot be loaded.
template <class T>
std::span<T> DeprivilegedGuest::take(RunWindow& window, u64 count) {
    if (!window.take((count * sizeof(T) + kPageSize - 1) / kPageSize).ok()) return {};
    return {reinterpret_cast<T*>(window.memory()), count};
}

DeprivilegedGuest::DeprivilegedGuest(FrameSupply& supply, const DeprivilegedOptions& options)
    : memory_(supply, take<GuestFrame>(map_, options.frames)),
      paging_(memory_, options.shadow),
      noted_(memory_, paging_),
      notes_(options.name),
      lines_(options.name),
      platform_(noted_, notes_, options.serial != nullptr ? *options.serial : lines_,
                {.cpus = 1, .tsc_hz = information().tsc_hz, .wall_time = 0}),
      board_(platform_),
      machine_(options.name, memory_, board_, paging_),
      processor_(machine_, paging_, options.code, options.inline_after, take<Site>(sites_, kSites), take<ScannedPage>(pages_, kPages)) {}

Outcome DeprivilegedGuest::open() {
    if (sites_.count() == 0 || pages_.count() == 0) return Error::exhausted;
    TRY(paging_.open());
    return processor_.open();
}

Outcome DeprivilegedGuest::close() {
    TRY(processor_.close());
    TRY(paging_.close());
    TRY(processor_.close_code());
    memory_.close();
    TRY(sites_.close());
    TRY(pages_.close());
    return map_.close();
}

const char* DeprivilegedGuest::boot(const LinuxBoot& boot) {
    CopyPlacer placer(memory_);
    const BootResult loaded = load_linux(memory_, placer, boot);
    if (loaded.problem != nullptr) return loaded.problem;
    const StartState& from = loaded.state;
    const auto segment = [](const SegmentStart& each) { return Segment{each.selector, each.attributes, each.limit, each.base}; };
    const auto table = [](const SegmentStart& each) { return TableRegister{each.base, static_cast<u16>(each.limit)}; };
    VirtualCpu cpu = make_long_mode_cpu(DeprivilegedProcessor::model(), from.rip, from.cr3);
    cpu.rflags = from.rflags;
    cpu.gpr[kRax] = from.rax;
    cpu.gpr[kRbx] = from.rbx;
    cpu.gpr[kRdx] = from.rdx;
    cpu.gpr[kRsi] = from.rsi;
    cpu.gpr[kRsp] = from.rsp;
    cpu.cr0 = from.cr0;
    cpu.cr4 = from.cr4;
    cpu.efer = from.efer;
    cpu.cs = segment(from.cs);
    cpu.ds = cpu.es = cpu.ss = cpu.fs = cpu.gs = segment(from.data);
    cpu.tr = segment(from.tr);
    cpu.ldtr = segment(from.ldtr);
    cpu.gdtr = table(from.gdtr);
    cpu.idtr = table(from.idtr);
    if (!cpu.long_mode() || !cpu.is64()) return "it does not begin in 64-bit mode";
    processor_.start(cpu);
    return nullptr;
}

}  // namespace tessera::vmm
