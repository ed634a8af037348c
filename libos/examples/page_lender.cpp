// The memory that the guests of several monitors have in common: it lends frames to monitors that agree to it, where they show that
// they have the same contents (docs/guest-memory.md).
//
//   for=NAME,NAME,...  the monitors; it ends when all of these have
//   keeper=NAME        who owns the frames
//   loans=N            frames that may be lent at once (4096)
#include "libos/core/libos.hpp"
#include "libos/vmm/lending/lender_program.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    static vmm::LoanFrames frames;
    static vmm::LenderProgram program(frames);
    const Outcome opened = program.open(argument("keeper"), argument("loans", 4096), argument("for"));
    if (!opened.ok()) return print("nothing to lend: ", name_of(opened.error()), "\n"), 1;
    while (program.serve()) {
    }
    program.tell();
    return 0;
}
