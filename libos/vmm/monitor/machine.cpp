#include "libos/vmm/monitor/machine.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

Machine::Machine(std::string_view name, Memory& memory, Board& board, Paging& paging)
    : name_(name), memory_(memory), board_(board), paging_(paging), clock_(libos::information().tsc_hz, libos::ticks()) {}

void Machine::wake_others(u64 self) {
    const u64 waits = board_.attention(), fresh = waits & ~told_ & ~(u64{1} << self);
    told_ = waits;
    for (u64 cpu = 0; cpu < cpus_; ++cpu)
        if (fresh >> cpu & 1) waker_->wake(cpu);
}

}  // namespace tessera::vmm
