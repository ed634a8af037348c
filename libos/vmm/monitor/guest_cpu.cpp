#include "libos/vmm/monitor/guest_cpu.hpp"

#include <algorithm>

#include "libos/core/pages.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

Result<u64> bind_page(const Capability& frames, Rights rights) {
    const PageNumber page = reserve_pages(1);
    const PageSpan span = PageSpan::make(page, 1, rights).with(SpanFlag::guaranteed);
    TRY(call<Bind>({address(frames), FrameNumber{frames.first}, span, {}, {}}));
    return address_of(page).value;
}

}  // namespace

Outcome GuestCpu::open(GuestForm form) {
    TRY(call<FrameAlloc>({FrameNumber{kAny}, kGuestFrames, 1, address(frames_)}));
    const GuestSpec spec{address(frames_), form};
    number_ = TRY(call<GuestCreate>({address(spec), address(grant_)}));
    state_ = reinterpret_cast<GuestState*>(TRY(bind_page(grant_.state, Right::read | Right::write)));
    if (form == GuestForm::svm) block_ = reinterpret_cast<const ControlBlock*>(TRY(bind_page(grant_.control_block, Right::read)));
    return Done{};
}

// Its frames are free then, and not ours any more.
Outcome GuestCpu::close() {
    TRY(call<GuestDestroy>({number_}));
    return Done{};
}

Outcome GuestCpu::load(u64 place, VirtAddr context) {
    TRY(call<GuestLoad>({number_, place, context}));
    return Done{};
}

void GuestCpu::refresh_control() {
    state_->cr0 = block_->cr0;
    state_->cr3 = block_->cr3;
    state_->cr4 = block_->cr4;
    state_->efer = block_->efer;
    state_->cpl = block_->cpl;
    propose(GuestPart::control);
}

void GuestCpu::keep_unless_made_again() {
    const u64 event = state_->event, number = event & 0xff;
    const auto type = static_cast<GuestEventType>(event >> 8 & 7);
    const bool made_again = type == GuestEvent::software ||
                            (type == GuestEvent::exception && (number == vector::kBreakpoint || number == vector::kOverflow));
    if (made_again || !(event & GuestEvent::kValid)) state_->event = 0;
}

u64 GuestCpu::fetch(GuestMemory& memory, std::span<u8, 15> bytes) const {
    const u64 from = linear_rip();
    const u64 in_page = std::min(bytes.size(), kPageSize - from % kPageSize);
    const auto copy = [&](u64 linear, std::span<u8> to) {
        const auto physical = walk(memory, paging(), linear);
        return physical && memory.copy_in(std::as_writable_bytes(to), *physical);
    };
    if (!copy(from, bytes.first(in_page))) return 0;
    if (in_page == bytes.size() || !copy(from + in_page, bytes.subspan(in_page))) return in_page;
    return bytes.size();
}

std::optional<GuestCpu::SpecialMove> GuestCpu::special_move(GuestMemory& memory, u8 opcode) const {
    constexpr u8 kRex = 0x40, kRexMask = 0xf0, kRexBase = 1, kRexRegister = 4;
    u8 bytes[15];
    const u64 read = fetch(memory, bytes);
    const u64 rex = read != 0 && (bytes[0] & kRexMask) == kRex ? 1 : 0;
    if (read < rex + 3 || bytes[rex] != 0x0f || bytes[rex + 1] != opcode) return {};
    const auto upper = [&](u8 bit) { return rex != 0 && (bytes[0] & bit) ? 8 : 0; };
    return SpecialMove{u64{bytes[rex + 2]} % 8 + upper(kRexBase), u64{bytes[rex + 2]} / 8 % 8 + upper(kRexRegister), rex + 3};
}

bool GuestCpu::look_and_skip(GuestMemory& memory, std::span<const u8> bytes) {
    u64 next = state_->next_rip;
    if (next == 0) {
        u8 found[15];
        if (fetch(memory, found) < bytes.size() || !std::ranges::equal(bytes, std::span(found).first(bytes.size()))) return false;
        next = state_->rip + bytes.size();
    }
    if (!in_long_mode()) next &= 0xffff'ffff;
    known_[state_->rip % kKnown] = {state_->rip, block_->cr3, bytes.size(), next};
    skip_to(next);
    return true;
}

}  // namespace tessera::vmm
