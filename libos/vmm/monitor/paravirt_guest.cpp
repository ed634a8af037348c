#include "libos/vmm/monitor/paravirt_guest.hpp"

#include <algorithm>

#include "libos/core/program.hpp"
#include "libos/vmm/boot/elf.hpp"
#include "libos/vmm/paravirt/note.hpp"

namespace tessera::vmm {

using namespace tessera::libos;
using paravirt::Event;
using paravirt::Next;
using paravirt::RingKind;

// Without memory for a table the guest cannot be loaded.
std::span<GuestFrame> ParavirtGuest::take_map(RunWindow& window, u64 frames) {
    if (!window.take(Memory::map_pages(frames)).ok()) return {};
    return {reinterpret_cast<GuestFrame*>(window.memory()), frames};
}

std::span<paravirt::PageTables::FrameUse> ParavirtGuest::take_uses(RunWindow& window, u64 frames) {
    using Use = paravirt::PageTables::FrameUse;
    if (frames < 3 || !window.take((frames * sizeof(Use) + kPageSize - 1) / kPageSize).ok()) return {};
    return {reinterpret_cast<Use*>(window.memory()), frames - 2};
}

ParavirtGuest::ParavirtGuest(FrameSupply& supply, const ParavirtOptions& options)
    : options_(options),
      memory_(supply, take_map(map_, options.frames)),
      guest_(memory_, *this, take_uses(uses_, options.frames)),
      shadows_(memory_, guest_.tables()),
      clock_(information().tsc_hz, ticks()) {
    if (options.disk != nullptr) disk_.emplace(*options.disk);
    if (options.port != nullptr) network_.emplace(*options.port);
}

Outcome ParavirtGuest::open() {
    TRY(cpu_.open(GuestForm::deprivileged));
    return shadows_.open(cpu_);
}

Outcome ParavirtGuest::close() {
    TRY(cpu_.close());
    TRY(shadows_.close());
    memory_.close();
    TRY(uses_.close());
    return map_.close();
}

const char* ParavirtGuest::boot(std::span<const std::byte> image, std::string_view command_line) {
    if (!paravirt::has_note(image)) return "it does not say that it is a paravirtual kernel";
    const KernelResult parsed = parse_kernel(image);
    if (parsed.problem != nullptr) return parsed.problem;
    CopyPlacer placer(memory_);
    if (const char* problem = place_kernel(parsed.kernel, memory_, placer); problem != nullptr) return problem;
    paravirt::StartInformation information{};
    if (command_line.size() >= sizeof information.command_line) return "the command line is too long";
    std::ranges::copy(command_line, information.command_line);
    information.disk_sectors = options_.disk != nullptr ? options_.disk->sectors() : 0;
    information.has_network = options_.port != nullptr;
    std::ranges::copy(options_.address, information.network_address);
    return guest_.start(information, parsed.kernel.entry, cpu_.state()) ? nullptr : "there is no memory for it";
}

// ---- running --------------------------------------------------------------------------------------------------------

void ParavirtGuest::keep_time() {
    const u64 now = clock_.nanoseconds(now_);
    if (period_ == 0 || now < next_tick_) return;
    const u64 count = 1 + (now - next_tick_) / period_;
    next_tick_ += count * period_;
    guest_.tick(count);
}

u64 ParavirtGuest::due() const { return period_ != 0 ? clock_.tsc_at(next_tick_) : kNever; }

bool ParavirtGuest::goes_on(Next next) {
    switch (next) {
        case Next::run:
        case Next::yield:
            return true;
        case Next::wait:
            waits_ = true;
            return true;
        case Next::off:
            end_ = {End::power_off, "switched itself off"};
            return false;
        case Next::failed:
            end_ = {End::failed, "switched itself off as failed"};
            return false;
        case Next::broken:
            end_ = {End::failed, guest_.reason()};
            return false;
    }
    return false;
}

Turn ParavirtGuest::run(u64 until) {
    now_ = ticks();
    while (end_.kind == End::running) {
        keep_time();
        if (waits_) {
            if (!guest_.has_events()) return Turn::idle;
            waits_ = false;
        }
        if (now_ >= until) return Turn::over;
        if (!goes_on(guest_.go_on(cpu_.state()))) break;
        shadows_.settle();
        const u64 begin = ticks();
        const auto exit = cpu_.run(shadows_.place(guest_.user_mode(), guest_.root()));
        const u64 end = ticks();
        exits_.add_guest(end - begin);
        exits_.add_turn(end - now_);
        now_ = end;
        if (!exit.ok()) {
            end_ = {End::failed, "the kernel refuses the virtual CPU's state", static_cast<u64>(exit.error())};
            break;
        }
        exits_.count(exit.value(), cpu_.state());
        const Next next = handle(exit.value());
        if (!goes_on(next)) break;
        if (next == Next::yield) return Turn::over;
    }
    return Turn::ended;
}

Next ParavirtGuest::handle(GuestExit exit) {
    GuestState& state = cpu_.state();
    if (exit == GuestExit::interrupted) return Next::run;
    if (exit == GuestExit::syscall) return guest_.on_syscall(state);
    const u64 vector = static_cast<u64>(exit) - static_cast<u64>(GuestExit::exception);
    if (vector == vector::kPageFault) return on_page_fault();
    return guest_.on_exception(state, vector, state.info[0], 0);
}

Next ParavirtGuest::on_page_fault() {
    GuestState& state = cpu_.state();
    const u64 address = state.info[1];
    const bool write = state.info[0] & static_cast<u64>(AccessKind::write);
    u64 error = state.info[0];
    paravirt::Translation translation;
    if (!guest_.find_page(address, error, translation)) return guest_.on_exception(state, vector::kPageFault, error, address);
    const u64 place = shadows_.place(guest_.user_mode(), guest_.root());
    if (shadows_.map(place, page_of(VirtAddr{address}), page_of(VirtAddr{state.rip}), translation, write)) return Next::run;
    end_ = {End::failed, "there is no memory left for it", address};
    return Next::broken;
}

// ---- hypercalls' effects --------------------------------------------------------------------------------------------

void ParavirtGuest::set_timer(u64 period) {
    constexpr u64 kShortest = 10'000;
    period_ = period != 0 ? std::max(period, kShortest) : 0;
    next_tick_ = clock_.nanoseconds(now_) + period_;
}

bool ParavirtGuest::start_ring(RingKind kind, u64 frame) {
    if (kind == RingKind::disk ? !disk_ : !network_) return false;
    paravirt::RingServer& ring = kind == RingKind::disk       ? disk_->ring()
                                 : kind == RingKind::transmit ? network_->transmit_ring()
                                                              : network_->receive_ring();
    ring.start(frame);
    return true;
}

bool ParavirtGuest::notify_ring(RingKind kind) {
    if (kind == RingKind::disk) {
        if (disk_ && disk_->serve(guest_.memory())) guest_.post(Event::disk);
        return bool(disk_);
    }
    if (kind == RingKind::transmit && network_ && network_->transmit(guest_.memory())) guest_.post(Event::transmit);
    return bool(network_);
}

bool ParavirtGuest::receive(std::span<const std::byte> frame) {
    if (!network_ || !network_->receive(guest_.memory(), frame)) return false;
    guest_.post(Event::receive);
    return true;
}

void ParavirtGuest::free_frame(u64 frame) {
    if (const auto taken = memory_.take(frame, FrameUse::ballooned)) memory_.supply().give(*taken);
}

}  // namespace tessera::vmm
