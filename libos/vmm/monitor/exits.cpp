// What a virtual CPU does about each exit. Registers that the machine does not have are #GP to the guest; what a guest can
// do that nobody foresaw ends it, and only it, with a report.
#include <algorithm>
#include <cstring>

#include "libos/vmm/monitor/guest_registers.hpp"
#include "libos/vmm/monitor/processor.hpp"
#include "libos/vmm/shadow/walker.hpp"

namespace tessera::vmm {
namespace {

/// Put the low `size` bytes of a value into a register as the CPU does: 32 bits clear the upper half.
constexpr u64 merged(u64 before, u64 value, u64 size) {
    if (size >= 4) return value & 0xffff'ffff;
    const u64 mask = (u64{1} << 8 * size) - 1;
    return (before & ~mask) | (value & mask);
}

}  // namespace

// ---- Ports (APM vol. 2, 15.10.2) ------------------------------------------------------------------------------

[[gnu::always_inline]] inline void Processor::access_port(u64 what) {
    constexpr u64 kIn = 1;
    const u32 size = what >> 4 & 7;
    const u16 port = static_cast<u16>(what >> 16);
    GuestState& state = cpu_.state();
    if (what & kIn)
        state.rax = merged(state.rax, machine_.board().read_port(port, size), size);
    else
        machine_.board().write_port(port, size, static_cast<u32>(state.rax));
    cpu_.skip_to(state.info[1]);
}

void Processor::on_timed_port(u64 what) {
    machine_.advance(now_);
    access_port(what);
    machine_.look_at_time();
}

void Processor::on_port() {
    constexpr u64 kString = 4;
    const u64 what = cpu_.state().info[0];
    if (what & kString) [[unlikely]]
        return on_string_port(what);
    if (machine_.board().is_timed(static_cast<u16>(what >> 16))) return on_timed_port(what);
    access_port(what);
}

namespace {

void store(std::byte (&to)[4], u32 value) { std::memcpy(to, &value, sizeof value); }
u32 load(const std::byte (&from)[4]) {
    u32 value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

/// What the prefixes of a string instruction say, which not every CPU repeats in the exit.
struct StringForm {
    u64 address_mask = ~u64{0};
    u64 base = 0;
};
StringForm form_of(std::span<const u8> bytes, const ControlBlock& block) {
    constexpr u8 kFs = 0x64, kGs = 0x65, kShortAddress = 0x67;
    StringForm form;
    for (u8 each : bytes) {
        if (each == kFs) form.base = block.fs.base;
        if (each == kGs) form.base = block.gs.base;
        if (each == kShortAddress) form.address_mask = 0xffff'ffff;
    }
    return form;
}

}  // namespace

/// The guest-physical address of a byte, reached as the CPU would: with the guest's rights, noted in its tables. Nothing: the guest
/// has its page fault; or another virtual CPU changes the tables all the time, and the guest is to try again.
std::optional<u64> Processor::reach(u64 address, bool write) {
    GuestState& state = cpu_.state();
    if (!is_canonical(address)) return cpu_.raise(vector::kProtection, 0), std::nullopt;
    const PagingRegisters now = cpu_.paging();
    const PagingMode mode = PagingMode::of(now.cr0, now.cr3, now.cr4, now.efer, kSmallModel.physical_bits);
    const Access access{.write = write, .user = cpu_.block().cpl == 3};
    constexpr u32 kAttempts = 8;
    for (u32 attempt = 0; attempt < kAttempts; ++attempt) {
        Walk found = walk(machine_.memory(), mode, guest_page(address), access);
        if (found.result == WalkResult::fault) {
            state.cr2 = address;
            return cpu_.raise(vector::kPageFault, found.code), std::nullopt;
        }
        if (note_access(machine_.memory(), found, write)) return found.guest_frame << kPageShift | address % kPageSize;
    }
    return {};
}

// A piece of a string at a time: with REP the guest stands on the instruction until its counter is zero, and may be
// interrupted in between, as on the CPU. In 64-bit mode only the bases of FS and GS are not zero, and INS has no use for them.
void Processor::on_string_port(u64 what) {
    constexpr u64 kIn = 1, kRepeated = 8, kPiece = 256;
    GuestState& state = cpu_.state();
    Board& board = machine_.board();
    u8 bytes[15];
    const u64 length = state.info[1] - state.rip;
    if (!cpu_.in_long_mode() || length > sizeof bytes || cpu_.fetch(machine_.memory(), bytes) < length)
        return fail("string input or output in a form that is not known, at port", what >> 16);
    const StringForm form = form_of(std::span(bytes).first(length), cpu_.block());
    const u64 base = what & kIn ? 0 : form.base;
    const u32 size = what >> 4 & 7;
    const u64 step = state.rflags & rflags::kDirection ? ~u64{0} * size : size;
    u64& index = what & kIn ? state.rdi : state.rsi;
    u64 left = what & kRepeated ? state.rcx & form.address_mask : 1;
    machine_.advance(now_);
    for (u64 done = 0; left != 0 && done < kPiece; ++done, --left) {
        const u64 address = base + (index & form.address_mask);
        const bool in = what & kIn;
        // Reading a port may make a device go on: not before the value has a place, both ends of it.
        const auto first = reach(address, in), last = first ? reach(address + size - 1, in) : first;
        if (!last) break;
        std::byte unit[4]{};
        const u64 here = std::min<u64>(size, kPageSize - address % kPageSize);
        const auto whole = std::span(unit).first(size);
        const auto move = [&](auto part, u64 physical) {
            if (in) machine_.paging().note_write(physical >> kPageShift);
            return in ? machine_.memory().copy_out(physical, part) : machine_.memory().copy_in(part, physical);
        };
        if (in) store(unit, board.read_port(static_cast<u16>(what >> 16), size));
        if (!move(whole.first(here), *first) || (here < size && !move(whole.subspan(here), *last - (size - here - 1))))
            return fail("string input or output beyond the memory, at guest-physical", *first);
        if (!in) board.write_port(static_cast<u16>(what >> 16), size, load(unit));
        index = (index & ~form.address_mask) | ((index + step) & form.address_mask);
    }
    if (what & kRepeated) state.rcx = (state.rcx & ~form.address_mask) | left;
    machine_.look_at_time();
    if (left == 0) cpu_.skip_to(state.info[1]);
}

// ---- CPUID, model-specific registers -----------------------------------------------------------------------------

void Processor::on_cpuid() {
    GuestState& state = cpu_.state();
    const CpuidAnswer answer = machine_.board().cpuid(index_, static_cast<u32>(state.rax), static_cast<u32>(state.rcx));
    state.rax = answer.eax;
    state.rbx = answer.ebx;
    state.rcx = answer.ecx;
    state.rdx = answer.edx;
    skip<0x0f, 0xa2>();
}

namespace {
constexpr u32 kEfer = 0xc000'0080, kPat = 0x277;
constexpr u64 kEferKnown = efer::kSyscall | efer::kLongEnable | efer::kNoExecute;

constexpr bool is_pat(u64 value) {
    for (int i = 0; i < 8; ++i, value >>= 8)
        if ((value & 0xf8) != 0 || (value & 7) == 2 || (value & 7) == 3) return false;
    return true;
}
}  // namespace

// Long mode itself cannot be switched while paging is on; that it is active is the CPU's to say.
bool Processor::write_efer(u64 value) {
    const PagingRegisters now = cpu_.paging();
    const u64 active = now.efer & efer::kLongActive;
    if ((value & ~(kEferKnown | efer::kLongActive)) != 0) return false;
    if ((now.cr0 & cr0::kPaging) && ((value ^ now.efer) & efer::kLongEnable)) return false;
    machine_.paging().set_efer(cpu_, (value & kEferKnown) | active);
    return true;
}

void Processor::on_msr() {
    GuestState& state = cpu_.state();
    const u32 index = static_cast<u32>(state.rcx);
    Board& board = machine_.board();
    if (state.info[0] == 0) {
        if (machine_.is_shared()) [[unlikely]]
            machine_.advance(now_);  // An APIC's count is among them.
        const std::optional<u64> value = index == kEfer  ? cpu_.paging().efer
                                         : index == kPat ? pat_
                                                         : board.read_msr(index_, index);
        if (!value) return cpu_.raise(vector::kProtection, 0);
        state.rax = *value & 0xffff'ffff;
        state.rdx = *value >> 32;
        return skip<0x0f, 0x32>();
    }
    const u64 value = state.rdx << 32 | (state.rax & 0xffff'ffff);
    bool good = false;
    if (index == kEfer) {
        good = write_efer(value);
    } else if (index == kPat) {
        good = is_pat(value);
        if (good) pat_ = value;
    } else {
        machine_.advance(now_);
        good = board.write_msr(index_, index, value);
        machine_.look_at_time();
    }
    if (!good) return cpu_.raise(vector::kProtection, 0);
    skip<0x0f, 0x30>();
}

// ---- The end, and the wait for something to happen ----------------------------------------------------------------

void Processor::on_halt() {
    skip<0xf4>();
    if (cpu_.state().rflags & rflags::kInterrupt)
        halted_ = true;
    else
        switch_off(true);
}

// Who means to reset a PC loads an interrupt table of no entries and raises an exception. Anybody else had a triple fault.
void Processor::on_shutdown() {
    if (cpu_.block().idtr.limit == 0) return machine_.stop({End::reset, "reset by a triple fault", 0, index_});
    fail("a triple fault");
}

// ---- Debug registers, and exceptions that the kernel hands out -------------------------------------------------

void Processor::on_debug_register(u64 number, bool write) {
    const auto move = cpu_.special_move(machine_.memory(), write ? 0x23 : 0x21);
    if (!move) return fail("an access to a debug register in a form that is not known, of register", number);
    GuestState& state = cpu_.state();
    u64& general = state.*kGuestRegisters[move->general];
    // 4 and 5 are other names of 6 and 7, as long as CR4 does not say otherwise; then they are not there.
    if ((number == 4 || number == 5) && (cpu_.block().cr4 & cr4::kDebugExtensions)) return cpu_.raise(vector::kInvalidOpcode);
    u64& debug = number < 4 ? debug_.address[number] : number % 2 == 0 ? debug_.status : debug_.control;
    const u64 value = general;
    if (write && number >= 4 && value >> 32 != 0) return cpu_.raise(vector::kProtection, 0);
    // Bits that are not there read as they always do (APM vol. 2, 13.1.1).
    if (write)
        debug = number < 4 ? value : number % 2 == 0 ? (value & 0xe00f) | 0xffff'0ff0 : (value & 0xffff'27ff) | 0x400;
    else
        general = debug;
    cpu_.skip_to(state.rip + move->length);
}

// Those that the kernel wants for itself, or a paging asked for, and which are the guest's own after all.
void Processor::on_exception(u64 number) {
    constexpr u64 kWithError = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;
    if (number == vector::kDebug) debug_.status = cpu_.block().dr6;
    if (kWithError >> number & 1)
        cpu_.raise(number, static_cast<u32>(cpu_.state().info[0]));
    else
        cpu_.raise(number);
}

}  // namespace tessera::vmm
