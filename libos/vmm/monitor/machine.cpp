#include "libos/vmm/monitor/machine.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

Machine::Machine(std::string_view name, Memory& memory, Board& board, Paging& paging)
    : name_(name), memory_(memory), board_(board), paging_(paging), clock_(libos::information().tsc_hz, libos::ticks()) {}

// This CPU is about to look for itself: who sends it something behind that has to tell it again.
void Machine::wake_others(u64 self) {
    const u64 waits = board_.attention() & ~(u64{1} << self), fresh = waits & ~told_;
    told_ = waits;
    for (u64 cpu = 0; cpu < cpus_; ++cpu)
        if (fresh >> cpu & 1) waker_->wake(cpu);
}

}  // namespace tessera::vmm
