#include "libos/vmm/monitor/shadow_paging.hpp"

#include "libos/vmm/instructions/emulate.hpp"
#include "libos/vmm/monitor/guest_registers.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

/// What this guest's CPU has, in the words of the CPUID that the platform shows.
constexpr CpuModel kModel = {
    .cr4_allowed = kSmallModel.cr4_allowed & ~(cr4::kUmip | cr4::kFsGsBase),
    .efer_allowed = kSmallModel.efer_allowed,
    .xcr0_allowed = 0,
    .physical_bits = kSmallModel.physical_bits,
    .has_rdtscp = false,
};

PagingMode mode_of(const PagingRegisters& own) { return PagingMode::of(own.cr0, own.cr3, own.cr4, own.efer, kModel.physical_bits); }

/// The virtual CPU, as far as accesses to control registers and INVLPG need it.
VirtualCpu copy_of(const GuestCpu& from) {
    const GuestState& state = from.state();
    const ControlBlock& block = from.block();
    const auto segment = [](const GuestSegment& each) { return Segment{each.selector, each.attributes, each.limit, each.base}; };
    VirtualCpu cpu{};
    load_registers(cpu, state);
    cpu.rip = state.rip;
    cpu.rflags = state.rflags;
    const PagingRegisters own = from.paging();
    cpu.cr0 = own.cr0;
    cpu.cr2 = state.cr2;
    cpu.cr3 = own.cr3;
    cpu.cr4 = own.cr4;
    cpu.efer = own.efer;
    cpu.es = segment(block.es);
    cpu.cs = segment(block.cs);
    cpu.ss = segment(block.ss);
    cpu.ds = segment(block.ds);
    cpu.fs = segment(block.fs);
    cpu.gs = segment(block.gs);
    cpu.cpl = block.cpl;
    cpu.model = kModel;
    return cpu;
}

}  // namespace

ShadowPaging::ShadowPaging(Memory& memory, ShadowOptions options)
    : memory_(memory),
      storage_(memory.frames()),
      contexts_(memory, ContextKind::shadow, ShadowContexts::pages_for(memory.frames())),
      shadow_(memory, contexts_, storage_.records(), storage_.tables(), options),
      space_(memory, shadow_) {}

Outcome ShadowPaging::open() {
    if (!storage_.is_there()) return Error::exhausted;
    memory_.add_view(*this);
    return Done{};
}

Outcome ShadowPaging::close() {
    TRY(contexts_.close());
    return storage_.close();
}

Outcome ShadowPaging::attach(GuestCpu& cpu) {
    if (cpu.number() != 0 && begun_) return Error::unsupported;
    cpu.state().intercept_instructions |= intercept(GuestExit::invlpg);
    return Done{};
}

// What the loader put into the state page is what the guest begins with.
void ShadowPaging::begin(GuestCpu& cpu) {
    begun_ = true;
    const GuestState& state = cpu.state();
    cpu.set_paging({state.cr0, state.cr3, state.cr4, state.efer});
    static_cast<void>(load_root(cpu));
    apply(cpu);
}

/// The registers of the CPU for those of the guest's. Where they differ, reading them is an exit.
void ShadowPaging::apply(GuestCpu& cpu) {
    GuestState& state = cpu.state();
    const PagingRegisters own = cpu.paging();
    state.cr0 = own.cr0 | cr0::kPaging | cr0::kProtected | cr0::kWriteProtect;
    state.cr3 = 0;
    state.cr4 = own.cr4 | cr4::kPae;
    state.efer = (own.efer & efer::kSyscall) | efer::kLongEnable | efer::kLongActive | efer::kNoExecute;
    constexpr u32 kReadCr0 = 1 << 0, kReadCr4 = 1 << 4;
    state.intercept_cr = (state.cr0 != own.cr0 ? kReadCr0 : 0) | (state.cr4 != own.cr4 ? kReadCr4 : 0);
    cpu.propose(GuestPart::control);
    cpu.propose(GuestPart::intercepts);
}

Handled ShadowPaging::load_root(GuestCpu& cpu) {
    const PagingMode mode = mode_of(cpu.paging());
    if (mode.paging && !(cpu.paging().efer & efer::kLongActive)) return Handled::refused;
    const auto place = contexts_.place(cpu, shadow_.load(mode), false);
    place_ = place.ok() ? place.value() : kContextsPerGuest;
    return place.ok() ? Handled::done : Handled::refused;
}

void ShadowPaging::set_efer(GuestCpu& cpu, u64 value) {
    PagingRegisters own = cpu.paging();
    own.efer = value;
    cpu.set_paging(own);
    cpu.state().cpl = cpu.block().cpl;
    static_cast<void>(load_root(cpu));
    apply(cpu);
}

Handled ShadowPaging::on_exit(GuestCpu& cpu, GuestExit exit) {
    const u64 code = static_cast<u64>(exit);
    Handled made;
    if (code == static_cast<u64>(GuestExit::exception) + vector::kPageFault) return on_page_fault(cpu);
    constexpr u64 kWriteCr3 = static_cast<u64>(GuestExit::write_cr) + 3;
    if (code == kWriteCr3 && switch_root(cpu, made)) return made;
    if (code < static_cast<u64>(GuestExit::read_dr) || exit == GuestExit::invlpg) return on_instruction(cpu);
    return Handled::no;
}

Handled ShadowPaging::on_page_fault(GuestCpu& cpu) {
    GuestState& state = cpu.state();
    const u64 error = state.info[0], address = state.info[1];
    const auto has = [error](AccessKind kind) { return (error & static_cast<u64>(kind)) != 0; };
    const Access access{.write = has(AccessKind::write), .fetch = has(AccessKind::fetch), .user = has(AccessKind::user)};
    const ShadowDecision decision = shadow_.fault(address, access);
    switch (decision.verdict) {
    case ShadowVerdict::again: return Handled::done;
    case ShadowVerdict::reflect: return reflect(cpu, address, decision.code);
    case ShadowVerdict::bind:
        if (contexts_.bind(place_, decision.mapping, access.write, state.rip)) return Handled::done;
        break;
    case ShadowVerdict::nowhere: break;
    }
    state.info[1] = decision.mapping.guest_frame << kPageShift;
    return Handled::refused;
}

/// The guest's own fault; if it came up while another exception was being delivered, what becomes of the two (APM vol. 2, 8.2.9).
Handled ShadowPaging::reflect(GuestCpu& cpu, u64 address, u32 code) {
    GuestState& state = cpu.state();
    state.cr2 = address;
    const u64 event = state.event;
    const bool exception = (event & GuestEvent::kValid) && GuestEventType{event >> 8 & 7} == GuestEventType::exception;
    if (exception && (event & 0xff) == vector::kPageFault) {
        cpu.raise(vector::kDoubleFault, 0);
    } else if (exception && (event & 0xff) == vector::kDoubleFault) {
        return Handled::shut_down;
    } else {
        cpu.raise(vector::kPageFault, code);
    }
    return Handled::done;
}

// What comes with every switch of processes is made in place; what is not quite that, or not allowed, is the emulator's.  Hot.
bool ShadowPaging::switch_root(GuestCpu& cpu, Handled& made) {
    PagingRegisters own = cpu.paging();
    if (!(own.efer & efer::kLongActive) || !cpu.in_long_mode() || cpu.block().cpl != 0) return false;
    const auto move = cpu.special_move(memory_, 0x22);
    if (!move || move->special != 3) return false;
    own.cr3 = cpu.state().*kGuestRegisters[move->general];
    if (own.cr3 >> kModel.physical_bits != 0) return false;
    cpu.set_paging(own);
    cpu.skip_to(cpu.state().rip + move->length);
    made = load_root(cpu);
    return true;
}

Handled ShadowPaging::on_instruction(GuestCpu& cpu) {
    GuestState& state = cpu.state();
    VirtualCpu copy = copy_of(cpu);
    changed_ = false;
    const Emulated made = emulate({copy, space_, *this});
    switch (made.ending) {
    case Ending::done: break;
    case Ending::exception:
        if (made.exception.vector == kPageFault) state.cr2 = made.exception.address;
        if (made.exception.has_error)
            cpu.raise(made.exception.vector, made.exception.error);
        else
            cpu.raise(made.exception.vector);
        break;
    default: return Handled::no;
    }
    store_registers(copy, state);
    cpu.skip_to(copy.rip);
    const PagingRegisters own = cpu.paging();
    if (own.cr0 == copy.cr0 && own.cr3 == copy.cr3 && own.cr4 == copy.cr4 && own.efer == copy.efer && !changed_) return Handled::done;
    cpu.set_paging({copy.cr0, copy.cr3, copy.cr4, copy.efer});
    const bool only_root = own.cr0 == copy.cr0 && own.cr4 == copy.cr4 && own.efer == copy.efer;
    if (!only_root) {
        state.cpl = copy.cpl;
        apply(cpu);
    }
    return changed_ ? load_root(cpu) : Handled::done;
}

}  // namespace tessera::vmm
