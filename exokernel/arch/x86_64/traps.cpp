// The slow half of traps: what entry.S does not settle by itself.
#include "exokernel/arch/x86_64/traps.hpp"

#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/refill.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/core/upcalls.hpp"
#include "exokernel/drivers/timer.hpp"

namespace tessera::kernel {
namespace {

/// Page faults that need more than one store: no table yet, the bound on translations reached, 2 MiB bindings.
void on_page_fault(TrapFrame& frame) {
    Cpu& cpu = Cpu::here();
    Environment& env = *cpu.env;
    Context& context = *cpu.context;
    const PageFault fault{VirtAddr{read_cr2()}, frame.error};
    switch (refill(context, page_of(fault.address), fault)) {
        case Refill::done: return;
        case Refill::no_room: {
            Exclusive exclusive;
            return drop_tables(context);
        }
        case Refill::no: break;
    }
    ++env.info->misses;
    if (!deliver_upcall(env, frame, UpcallKind::page_fault, fault.error, fault.address.value))
        end_current(EndReason::because("page fault at ", Hex{fault.address.value}, ", error ", fault.error, ", rip ",
                                       Hex{frame.entry.rip}, ", and no upcall could be delivered"));
}

/// There is no virtual-8086 mode in long mode (SDM vol. 3, 21.1), but QEMU's TCG 7.2 enters it from ring 3, by an `iretd`
/// with that flag, and with whatever IOPL and IF was asked for. What comes of it must not be taken for the kernel's
/// own: neither a trap from there, nor the fault of an `iretq` of ours that would go back there.
bool returns_to_virtual_8086(const TrapFrame& frame) {
    if (frame.vector != kGeneralProtection || frame.entry.from_user()) return false;
    constexpr u16 kIretq = 0xcf48;
    if (*reinterpret_cast<const u16*>(frame.entry.rip) != kIretq) return false;
    return reinterpret_cast<const EntryFrame*>(frame.entry.rsp)->from_virtual_8086();
}

}  // namespace

extern "C" void on_trap(TrapFrame& frame) {
    forbid_user_access();
    if (frame.entry.from_virtual_8086() || returns_to_virtual_8086(frame)) [[unlikely]]
        end_current(EndReason::because("it ran in virtual-8086 mode, which there is not"));
    const bool from_user = frame.entry.from_user();
    switch (frame.vector) {
        case kPageFault:
            if (from_user) return on_page_fault(frame);
            panic_in_trap("page fault in the kernel", frame);
        case kDeviceNotAvailable:
            if (from_user) return fpu_enter(Cpu::here());
            panic_in_trap("FPU instruction in the kernel", frame);
        case VECTOR_TIMER:
            if (!from_user) return acknowledge_interrupt();  // it ended a halt: the CPU looks for itself who can run
            return on_timer(frame);
        case VECTOR_STOP:
            return on_stop(frame);
        case VECTOR_SPURIOUS:
            return;
        case kNmi:
            log("NMI ignored");
            return;
        default:
            panic_in_trap(frame.vector == kDoubleFault    ? "double fault"
                          : frame.vector == kMachineCheck ? "machine check"
                                                          : "exception in the kernel",
                          frame);
    }
}

/// An exception, page fault or unknown call came with nowhere to put it.
extern "C" [[noreturn]] void on_undeliverable(TrapFrame& frame) {
    forbid_user_access();
    Environment& env = *Cpu::here().env;
    const bool full = env.save_to_user != 0 && *static_cast<volatile u32*>(&env.save->depth) >= kSaveRecords;
    const Text<40> what(frame.vector == 255 ? "unknown system call" : frame.vector == kPageFault ? "page fault" : "exception ");
    Text<160> text(what.view());
    if (frame.vector == kPageFault)
        text.add(" at ").add(Hex{read_cr2()}).add(", error ").add(frame.error);
    else if (frame.vector != 255)
        text.add(frame.vector).add(", error ").add(frame.error);
    text.add(", rip ").add(Hex{frame.entry.rip});
    text.add(full ? ", and every save record is in use" : ", and no upcall entry for it");
    end_current(EndReason{text, kAny});
}

}  // namespace tessera::kernel
