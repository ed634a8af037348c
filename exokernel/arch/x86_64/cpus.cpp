#include "exokernel/arch/x86_64/cpus.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/descriptors.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/drivers/timer.hpp"

namespace tessera::kernel {

extern "C" {
extern const u8 ap_begin[], ap_end[], ap_words[];
extern u8 boot_pml4[];  // where it is loaded: the symbol is the physical address
}

namespace {

struct ApWords {  // ap_start.S
    u64 tables, efer, stack, entry;
};

constexpr u64 kEferLongMode = 1 << 8, kEferNoExecute = 1 << 11;

void (*cpu_entry)();

/// On the new CPU's own stack, still on the boot tables.
[[noreturn]] void begin_cpu() {
    Cpu& cpu = Cpu::here();
    load_descriptors(cpu);
    write_cr3(kernel_root().value);
    __atomic_store_n(&cpu.online, true, __ATOMIC_RELEASE);
    cpu_entry();
    __builtin_unreachable();
}

}  // namespace

u64 start_other_cpus(const CpuList& list, u64 limit, u64 tsc_hz, void (*entry)()) {
    cpu_entry = entry;
    copy_bytes(at(PhysAddr{AP_PAGE}), ap_begin, static_cast<u64>(ap_end - ap_begin));
    ApWords& words = *at<ApWords>(PhysAddr{AP_PAGE + static_cast<u64>(ap_words - ap_begin)});
    u64 running = 1;
    for (u64 i = 0; i < list.count && running < limit; ++i) {
        if (list.apic_id[i] == Cpu::here().apic_id) continue;
        Cpu& cpu = cpu_at(running);
        cpu.index = running;
        cpu.apic_id = list.apic_id[i];
        words = {reinterpret_cast<u64>(boot_pml4), kEferLongMode | kEferNoExecute,
                 reinterpret_cast<u64>(&cpu) + CPU_STACK_TOP, reinterpret_cast<u64>(&begin_cpu)};
        start_cpu(cpu.apic_id, frame_of(PhysAddr{AP_PAGE}), tsc_hz);
        // Half a minute is more than a CPU takes that a busy host lends; what comes later would find the words of the next.
        const u64 begin = read_tsc();
        while (!__atomic_load_n(&cpu.online, __ATOMIC_ACQUIRE) && read_tsc() - begin < 30 * tsc_hz) asm volatile("pause");
        if (!cpu.online) {
            log("the CPU with APIC id ", cpu.apic_id, " does not start: going on with ", running);
            break;
        }
        ++running;
    }
    return running;
}

}  // namespace tessera::kernel
