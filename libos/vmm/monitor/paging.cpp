#include "libos/vmm/monitor/paging.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

void Paging::set_efer(GuestCpu& cpu, u64 value) {
    cpu.refresh_control();
    cpu.state().efer = value;
}

Outcome NestedPaging::open() {
    TRY(context_.open(ContextKind::nested, memory_.frames()));
    memory_.add_view(*this);
    return Done{};
}

Handled NestedPaging::on_exit(GuestCpu& cpu, GuestExit exit) {
    if (exit != GuestExit::nested_fault) return Handled::no;
    ++faults_;
    const u64 guest_frame = cpu.state().info[1] >> kPageShift;
    const bool write = cpu.state().info[0] & static_cast<u64>(AccessKind::write);
    if (constant_frame_ != nullptr && guest_frame == constant_page_ && !write) {
        const PageSpan span = PageSpan::make(PageNumber{guest_frame}, 1, Right::read);
        const auto bound = call<Bind>({address(*constant_frame_), FrameNumber{constant_frame_->first}, span, context_.capability(), {}});
        return bound.ok() ? Handled::done : Handled::refused;
    }
    const auto backing = memory_.back(guest_frame, write);
    if (!backing) return Handled::refused;
    const PageSpan span = backing->span({}, Right::read | Right::write | Right::execute, write);
    const auto bound = call<Bind>({address(*backing->capability), backing->frame, span, context_.capability(), {}});
    return bound.ok() ? Handled::done : Handled::refused;
}

}  // namespace tessera::vmm
