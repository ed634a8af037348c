#include "guests/trapped/paging.hpp"

#include <cstring>

#include "guests/small/machine.hpp"
#include "guests/trapped/registers.hpp"

// boot.S: the tables that boot_32 started with.
extern "C" small::u64 boot_pml4[512], boot_pdpt[512], boot_pd[512];

namespace small {
namespace trapped {

void start_paging() {
    constexpr u64 kGlobal = 1 << 8, kNoExecuteEnable = 1 << 11, kWriteProtect = 1 << 16, kGlobalPages = 1 << 7;
    using namespace machine;
    write_msr(kEfer, read_msr(kEfer) | kNoExecuteEnable);
    for (u64 i = 0; i < 512; ++i) boot_pd[i] = i << 21 | kPresent | kWritable | kLarge | kGlobal;
    boot_pdpt[0] = reinterpret_cast<u64>(boot_pd) | kPresent | kWritable;
    boot_pml4[0] = reinterpret_cast<u64>(boot_pdpt) | kPresent | kWritable;
    set_cr3(reinterpret_cast<u64>(boot_pml4));
    set_cr0(cr0() | kWriteProtect);
    if (cpuid(1).edx & 1 << 13) set_cr4(cr4() | kGlobalPages);
}

}  // namespace trapped

namespace machine {

void create_root(Frame root) { root.as<Entry>()[0] = boot_pml4[0]; }
void retire_root(Frame) {}

void write_entry(Entry* entry, Entry value, u64 page) {
    // Safety: an entry of a table of the kernel's; volatile so that it is one store, which the CPU may read at once.
    *const_cast<volatile Entry*>(entry) = value;
    if (page != 0) trapped::invlpg(page);
}
void commit() {}

void load_root(Frame root) { trapped::set_cr3(root ? root.address : reinterpret_cast<u64>(boot_pml4)); }

void zero_frame(Frame frame) { std::memset(frame.as(), 0, kPageSize); }
void hint_free(const Frame*, u64) {}

}  // namespace machine
}  // namespace small
