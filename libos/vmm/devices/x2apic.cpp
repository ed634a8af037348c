// The registers of a local APIC, its timer and its priorities. Sections are those of the Intel SDM, vol. 3A.
#include "libos/vmm/devices/x2apic.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::vmm {
namespace {

enum RegisterMsr : u32 {
    kBase = 0x1b,
    kDeadline = 0x6e0,
    kFirst = 0x800,
    kId = 0x802,
    kVersion = 0x803,
    kTaskPriority = 0x808,
    kProcessorPriority = 0x80a,
    kEnd = 0x80b,
    kLogical = 0x80d,
    kSpurious = 0x80f,
    kInService = 0x810,
    kTriggerMode = 0x818,
    kRequested = 0x820,
    kErrors = 0x828,
    kCommand = 0x830,
    kLvtFirst = 0x832,
    kInitialCount = 0x838,
    kCurrentCount = 0x839,
    kDivide = 0x83e,
    kSelf = 0x83f,
    kLast = 0x8ff,
};

constexpr u64 kBootProcessor = 1 << 8, kExtended = 1 << 10, kEnabled = 1 << 11;  // Of MSR 1B.
constexpr u32 kMasked = 1 << 16;
constexpr u32 kExternalUnmasked = 7 << 8, kNmiUnmasked = 4 << 8;
constexpr u32 kSoftwareEnabled = 1 << 8;
constexpr u32 kReadOnlyLvt = 1 << 12 | 1 << 14;  // Delivery status, remote IRR.
constexpr u64 kCommandBits = 0xffff'ffff'000c'dfff;
enum ErrorBit : u32 { kSentIllegal = 1 << 5, kReceivedIllegal = 1 << 6 };

}  // namespace

std::optional<u8> LocalApic::VectorSet::highest() const {
    for (u32 i = 8; i-- > 0;)
        if (words[i] != 0) return static_cast<u8>(i * 32 + 31 - static_cast<u32>(__builtin_clz(words[i])));
    return std::nullopt;
}

bool LocalApic::has(u32 msr) { return msr == kBase || msr == kDeadline || (msr >= kFirst && msr <= kLast); }

void LocalApic::power_up(u32 id, u64 tsc_hz) {
    id_ = id;
    timer_ = ApicTimer(tsc_hz);
    base_ = kApicPage | kEnabled | (id == 0 ? kBootProcessor : 0);
    reset();
    if (id != 0) return;
    spurious_ = 0xff | kSoftwareEnabled;
    lvt_[lint0] = kExternalUnmasked;
    lvt_[lint1] = kNmiUnmasked;
}

void LocalApic::reset() {
    task_priority_ = 0;
    spurious_ = 0xff;
    in_service_ = requested_ = {};
    errors_ = shown_errors_ = 0;
    last_command_ = 0;
    commanded_ = false;
    timer_.reset();
    std::fill_n(lvt_, kLvts, kMasked);
}

/// PPR (10.8.3.1): the more urgent of the task's class and what is in service.
u8 LocalApic::processor_priority() const {
    const u8 serving = in_service_.highest().value_or(0) & 0xf0;
    return (task_priority_ & 0xf0) >= serving ? task_priority_ : serving;
}

bool LocalApic::pending() const {
    const auto vector = requested_.highest();
    return vector && enabled_by_software() && (*vector & 0xf0) > (processor_priority() & 0xf0);
}

u8 LocalApic::acknowledge() {
    if (!pending()) return static_cast<u8>(spurious_);
    const u8 vector = *requested_.highest();
    requested_.clear(vector);
    in_service_.set(vector);
    return vector;
}

bool LocalApic::accepts_external() const {
    if ((base_ & kEnabled) == 0) return true;  // Without an APIC its LINT0 pin is the CPU's INTR (10.4.3).
    return (lvt_[lint0] & (kMasked | 7 << 8)) == kExternalUnmasked;
}

void LocalApic::request(u8 vector) {
    if (vector < 16) return note_error(kReceivedIllegal);
    if (enabled_by_software()) requested_.set(vector);
}

void LocalApic::note_error(u32 bit) {
    if ((errors_ & bit) != 0) return;
    errors_ |= bit;
    if ((lvt_[error] & kMasked) == 0) request(static_cast<u8>(lvt_[error]));
}

void LocalApic::end_of_interrupt() {
    if (const auto vector = in_service_.highest()) in_service_.clear(*vector);
}

bool LocalApic::is_named(u32 destination, bool logical) const {
    if (destination == ~u32{0}) return true;
    if (!logical) return destination == id_;
    return destination >> 16 == logical_id() >> 16 && (destination & logical_id() & 0xffff) != 0;
}

std::optional<u64> LocalApic::take_command() {
    if (!commanded_) return std::nullopt;
    commanded_ = false;
    return last_command_;
}

void LocalApic::advance(u64 now) {
    if (timer_.advance(now) && (lvt_[timer] & kMasked) == 0) request(static_cast<u8>(lvt_[timer]));
}

/// MSR 1B (10.12.5): off, xAPIC, x2APIC, and off again; nothing else, and nowhere but where it is.
bool LocalApic::write_base(u64 value) {
    const u64 mode = value & (kEnabled | kExtended), old = base_ & (kEnabled | kExtended);
    if ((value & ~(kBootProcessor | kEnabled | kExtended)) != kApicPage) return false;
    if (mode == kExtended) return false;
    if (old == (kEnabled | kExtended) && mode == kEnabled) return false;
    if (old == 0 && mode == (kEnabled | kExtended)) return false;
    if (mode == 0 && old != 0) reset();
    base_ = kApicPage | mode | (base_ & kBootProcessor);
    return true;
}

bool LocalApic::write_lvt(u32 which, u64 value) {
    constexpr u32 kWritable[kLvts] = {0x7'00ff, 0x1'07ff, 0x1'07ff, 0x1'a7ff, 0x1'a7ff, 0x1'00ff};
    if ((value & ~u64{kWritable[which] | kReadOnlyLvt}) != 0) return false;
    if (which == timer && (value >> 17 & 3) == 3) return false;
    const u32 entry = static_cast<u32>(value) & kWritable[which];
    lvt_[which] = entry | (enabled_by_software() ? 0 : kMasked);
    if (which == timer) timer_.set_mode(static_cast<ApicTimer::Mode>(entry >> 17 & 3));
    return true;
}

/// Switched off by software, everything is masked (10.4.7.2), but not the way of the 8259s: Linux switches the APIC off for a
/// moment before it sets it up, and lets them through where it finds that they were let through. A PC has an I/O APIC, which
/// is then used instead; here there is no other way.
bool LocalApic::write_spurious(u64 value) {
    if ((value & ~u64{0x3ff}) != 0) return false;
    spurious_ = static_cast<u32>(value) & 0x1ff;
    if (!enabled_by_software())
        for (u32 i = 0; i < kLvts; ++i)
            if (i != lint0 || !accepts_external()) lvt_[i] |= kMasked;
    return true;
}

bool LocalApic::write_command(u64 value) {
    if ((value & ~kCommandBits) != 0) return false;
    last_command_ = value;
    const auto delivery = static_cast<Delivery>(value >> 8 & 7);
    if ((delivery == Delivery::fixed || delivery == Delivery::lowest) && (value & 0xff) < 16)
        note_error(kSentIllegal);
    else
        commanded_ = true;
    return true;
}

std::optional<u64> LocalApic::read(u32 msr, u64 now) const {
    if (msr == kBase) return base_;
    if (msr == kDeadline) return timer_.deadline();
    if (!x2apic()) return std::nullopt;
    if (msr >= kInService && msr < kInService + 8) return in_service_.words[msr - kInService];
    if (msr >= kRequested && msr < kRequested + 8) return requested_.words[msr - kRequested];
    if (msr >= kTriggerMode && msr < kTriggerMode + 8) return 0;  // Nothing is level-triggered here.
    if (msr >= kLvtFirst && msr < kLvtFirst + kLvts) return lvt_[msr - kLvtFirst];
    switch (msr) {
        case kId:
            return id_;
        case kVersion:
            return (kLvts - 1) << 16 | 0x14;
        case kTaskPriority:
            return task_priority_;
        case kProcessorPriority:
            return processor_priority();
        case kLogical:
            return logical_id();
        case kSpurious:
            return spurious_;
        case kErrors:
            return shown_errors_;
        case kCommand:
            return last_command_;
        case kInitialCount:
            return timer_.count();
        case kCurrentCount:
            return timer_.left(now);
        case kDivide:
            return timer_.divide();
        default:
            return std::nullopt;
    }
}

bool LocalApic::write(u32 msr, u64 value, u64 now) {
    if (msr == kBase) return write_base(value);
    if (msr == kDeadline) {
        timer_.set_deadline(value, now);
        return true;
    }
    if (!x2apic()) return false;
    if (msr == kCommand) return write_command(value);
    // Everything else has 32 bits (10.12.1.2).
    if (value >> 32 != 0) return false;
    if (msr >= kLvtFirst && msr < kLvtFirst + kLvts) return write_lvt(msr - kLvtFirst, value);
    switch (msr) {
        case kTaskPriority:
            if (value > 0xff) return false;
            task_priority_ = static_cast<u8>(value);
            return true;
        case kEnd:
            if (value != 0) return false;
            end_of_interrupt();
            return true;
        case kSpurious:
            return write_spurious(value);
        case kErrors:
            if (value != 0) return false;
            shown_errors_ = errors_;
            errors_ = 0;
            return true;
        case kInitialCount:
            timer_.set_count(static_cast<u32>(value), now);
            return true;
        case kDivide:
            if ((value & ~u64{0xb}) != 0) return false;
            timer_.set_divide(static_cast<u32>(value));
            return true;
        case kSelf:
            if (value > 0xff) return false;
            request(static_cast<u8>(value));
            return true;
        default:
            return false;
    }
}

void fill_apic_page(std::span<std::byte, 4096> page) {
    std::fill(page.begin(), page.end(), std::byte{0});
    const u32 version = 5 << 16 | 0x14;
    std::memcpy(&page[0x30], &version, sizeof version);  // ID, at 0x20, is 0.
}

}  // namespace tessera::vmm
