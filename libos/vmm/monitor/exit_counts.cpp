#include "libos/vmm/monitor/exit_counts.hpp"

namespace tessera::vmm {
namespace {

constexpr const char* kExceptions[32] = {
    "divide_error", "debug", "nmi_vector", "breakpoint", "overflow", "bound", "invalid_opcode", "no_fpu", "double_fault", "exception_9",
    "invalid_tss", "no_segment", "stack_fault", "protection", "page_fault", "exception_15", "fpu_error", "alignment", "machine_check",
    "simd_error", "exception_20", "exception_21", "exception_22", "exception_23", "exception_24", "exception_25", "exception_26",
    "exception_27", "exception_28", "exception_29", "exception_30", "exception_31"};

constexpr const char* kEvents[] = {
    "interrupted", "nmi", "smi", "init", "interrupt_window", "cr0_selective", "read_idtr", "read_gdtr", "read_ldtr", "read_tr",
    "write_idtr", "write_gdtr", "write_ldtr", "write_tr", "rdtsc", "rdpmc", "pushf", "popf", "cpuid", "rsm", "iret",
    "software_interrupt", "invd", "pause", "hlt", "invlpg", "invlpga", "io", "msr", "task_switch", "ferr_freeze", "shutdown", "vmrun",
    "vmmcall", "vmload", "vmsave", "stgi", "clgi", "skinit", "rdtscp", "icebp", "wbinvd", "monitor", "mwait", "mwait_armed", "xsetbv"};
static_assert(sizeof kEvents / sizeof kEvents[0] == static_cast<u64>(GuestExit::xsetbv) - static_cast<u64>(GuestExit::interrupted) + 1);

}  // namespace

const char* name_of(GuestExit exit) {
    const u64 code = static_cast<u64>(exit);
    constexpr auto number = [](GuestExit each) { return static_cast<u64>(each); };
    if (code < number(GuestExit::write_cr)) return "read_cr";
    if (code < number(GuestExit::read_dr)) return "write_cr";
    if (code < number(GuestExit::write_dr)) return "read_dr";
    if (code < number(GuestExit::exception)) return "write_dr";
    if (code < number(GuestExit::interrupted)) return kExceptions[code - number(GuestExit::exception)];
    if (code <= number(GuestExit::xsetbv)) return kEvents[code - number(GuestExit::interrupted)];
    if (exit == GuestExit::nested_fault) return "nested_fault";
    if (exit == GuestExit::syscall) return "syscall";
    return exit == GuestExit::invalid ? "invalid_state" : "unknown";
}

}  // namespace tessera::vmm
