#include "libos/vmm/monitor/paravirt_guest.hpp"

#include <algorithm>

#include "libos/core/print.hpp"
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
      shadows_(memory_, guest_, options.port != nullptr ? options.port->lent_pages() : nullptr),
      board_(guest_),
      machine_(options.name, memory_, board_, shadows_) {
    if (options.disk != nullptr) disk_.emplace(*options.disk);
    if (options.port != nullptr) network_.emplace(*options.port, options.frames << kPageShift);
}

Outcome ParavirtGuest::open() {
    TRY(shadows_.open());
    TRY(cpu_.open(GuestForm::deprivileged));
    return shadows_.attach(cpu_);
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
    if (const LentPages* lent = options_.port != nullptr ? options_.port->lent_pages() : nullptr; lent != nullptr) {
        information.lent_pages = options_.frames << kPageShift;
        information.lent_page_count = lent->count();
    }
    std::ranges::copy(options_.address, information.network_address);
    return guest_.start(information, parsed.kernel.entry, cpu_.state()) ? nullptr : "there is no memory for it";
}

// ---- running --------------------------------------------------------------------------------------------------------

void ParavirtBoard::advance(u64 now) {
    if (const u64 count = timer_.advance(now); count != 0) guest_.tick(count);
}

/// False: the guest has ended.
bool ParavirtGuest::does(Next next) {
    switch (next) {
        case Next::run:
        case Next::yield:
            break;
        case Next::wait:
            waits_ = true;
            break;
        case Next::off:
            machine_.stop({End::power_off, "switched itself off"});
            break;
        case Next::failed:
            machine_.stop({End::failed, "switched itself off as failed"});
            break;
        case Next::broken:
            machine_.stop({End::failed, guest_.reason()});
            break;
    }
    return machine_.is_running();
}

Turn ParavirtGuest::run(u64 until) {
    const u64 begin = now_ = ticks();
    const Turn turn = go_on(until);
    exits_.add_turn(ticks() - begin);
    return turn;
}

Turn ParavirtGuest::go_on(u64 until) {
    while (machine_.is_running()) {
        if (machine_.is_due(now_)) machine_.advance(now_);
        if (is_halted()) return Turn::idle;
        waits_ = false;
        if (now_ >= until) return Turn::over;
        if (!does(guest_.go_on(cpu_.state()))) break;
        const u64 place = shadows_.place(cpu_), entered = ticks();
        const auto exit = cpu_.run(place);
        now_ = ticks();
        exits_.add_guest(now_ - entered);
        if (!exit.ok()) {
            machine_.stop({End::failed, "the kernel refuses the virtual CPU's state", static_cast<u64>(exit.error())});
            break;
        }
        exits_.count(exit.value(), cpu_.state());
        const Next next = handle(exit.value());
        if (!does(next)) break;
        if (next == Next::yield) return Turn::over;
    }
    return Turn::ended;
}

Next ParavirtGuest::handle(GuestExit exit) {
    GuestState& state = cpu_.state();
    if (exit == GuestExit::syscall) return guest_.on_syscall(state);
    if (exit == GuestExit::interrupted) return Next::run;
    switch (shadows_.on_exit(cpu_, exit)) {
        case Handled::done:
            return Next::run;
        case Handled::no:
            return guest_.on_exception(state, static_cast<u64>(exit) - static_cast<u64>(GuestExit::exception), state.info[0], state.info[1]);
        default:
            machine_.stop({End::failed, "there is no memory left for it", state.info[1]});
            return Next::run;
    }
}

void ParavirtGuest::tell_end() {
    const GuestState& state = cpu_.state();
    libos::print(name(), ": ends: ", machine_.end().reason, ", ", hex(machine_.end().detail), "\n");
    libos::print(name(), ": its ", guest_.user_mode() ? "program" : "kernel", " was at ", hex(state.rip), ", stack ", hex(state.rsp), ", flags ",
                 hex(state.rflags), ", root ", hex(guest_.root()), "\n");
    libos::print(name(), ": rax ", hex(state.rax), " rbx ", hex(state.rbx), " rcx ", hex(state.rcx), " rdx ", hex(state.rdx), " rsi ", hex(state.rsi),
                 " rdi ", hex(state.rdi), " rbp ", hex(state.rbp), "\n");
    for (u64 age = 0; age < std::min(exits_.total(), ExitCounts::kPast); ++age) {
        const PastExit& past = exits_.past(age);
        libos::print(name(), ": exit ", hex(past.code), " at ", hex(past.rip), ", ", hex(past.info), "\n");
    }
}

// ---- hypercalls' effects --------------------------------------------------------------------------------------------

void ParavirtGuest::set_timer(u64 period) {
    board_.set_period(nanoseconds(), period);
    machine_.look_at_time();
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

bool ParavirtGuest::receive(std::span<const std::byte> frame, std::span<const std::byte> rest) {
    if (!network_ || !network_->receive(guest_.memory(), frame, rest)) return false;
    guest_.post(Event::receive);
    return true;
}

bool ParavirtGuest::receive_lent(std::span<const std::byte> header, u64 page, u64 size) {
    if (!network_ || !network_->receive_lent(guest_.memory(), header, page, size)) return false;
    guest_.post(Event::receive);
    return true;
}

void ParavirtGuest::free_frame(u64 frame) {
    if (const auto taken = memory_.take(frame, FrameUse::ballooned)) memory_.supply().give(*taken);
}

}  // namespace tessera::vmm
