#include "libos/vmm/monitor/machine.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

Machine::Machine(std::string_view name, Memory& memory, Board& board, Paging& paging)
    : name_(name), memory_(memory), board_(board), paging_(paging), clock_(libos::information().tsc_hz, libos::ticks()) {}

}  // namespace tessera::vmm
