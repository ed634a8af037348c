// What the kernel's paths cost, in instructions: from the user instruction before to the user instruction behind.
// One record a path; bench/paths.py runs it and makes the table.
//
// Names: plain is the shortest code that a libOS can write; `_cxx` the same through the library's C++ (its entry,
// its handler, its call stub). For page faults plain is through the library's address space or a fault policy, and
// `_raw` is the shortest.
#include "bench/system/path_calls.hpp"
#include "bench/system/path_faults.hpp"
#include "bench/system/path_regions.hpp"
#include "bench/system/path_transfers.hpp"

using namespace tessera;
using namespace tessera::bench;

int libos_main() {
    if (arguments() == "role=partner") return be_partner(find_environment("paths"));
    if (arguments() == "role=server") bench_serve();
    calibrate();
    arena.open();
    measure_calls();
    measure_exceptions();
    measure_refills();
    measure_regions();
    measure_faults();
    measure_appel();
    measure_bindings(1, {"protect_1", "unprotect_1", "unmap_1", "map_1"});
    measure_bindings(100, {"protect_100", "unprotect_100", "unmap_100", "map_100"});
    measure_capabilities();
    measure_frames("frame_alloc_1", 1);
    measure_frames("frame_alloc_1024", 1024);
    measure_yields();
    measure_transfers();
    return 0;
}
