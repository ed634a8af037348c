// 8259A: initialisation, commands and priorities. Sections named are the datasheet's.
#include "libos/vmm/devices/pic.hpp"

namespace tessera::vmm {

void PicChip::set_line(u32 line, bool level) {
    const u8 bit = static_cast<u8>(1u << line);
    if (level) {
        if ((lines_ & bit) == 0 || (level_triggered_ & bit) != 0) requests_ |= bit;
        lines_ |= bit;
    } else {
        requests_ &= static_cast<u8>(~bit);
        lines_ &= static_cast<u8>(~bit);
    }
}

void PicChip::set_level_triggered(u8 lines) {
    level_triggered_ = lines;
    requests_ |= lines_ & lines;
}

/// The first of `lines` in order of urgency, which begins behind the least urgent one and goes round.
u32 PicChip::most_urgent(u8 lines) const {
    if (lines == 0) return kNone;  // Hot: this is asked at every exit.
    for (u32 i = 1; i <= 8; ++i) {
        const u32 line = (least_urgent_ + i) % 8;
        if (lines >> line & 1) return line;
    }
    return kNone;
}

/// The request that INT is about, or kNone. Something in service holds back its equals and what is less urgent; not so
/// what is masked, in special mask mode, nor, in special fully nested mode, the second chip, which knows better itself.
u32 PicChip::urgent() const {
    const u32 request = most_urgent(requests_ & static_cast<u8>(~mask_));
    if (request == kNone) return kNone;
    u8 holding = in_service_;
    if (special_mask_) holding &= static_cast<u8>(~mask_);
    if (nests_fully_ && master_) holding &= static_cast<u8>(~(1u << 2));
    const u32 held = most_urgent(holding);
    const auto rank = [this](u32 line) { return (line + 7 - least_urgent_) % 8; };
    return held == kNone || rank(request) < rank(held) ? request : kNone;
}

u32 PicChip::acknowledge() {
    const u32 line = urgent();
    if (line == kNone) return 7;
    const u8 bit = static_cast<u8>(1u << line);
    if ((level_triggered_ & bit) == 0) requests_ &= static_cast<u8>(~bit);
    if (!auto_end_)
        in_service_ |= bit;
    else if (rotate_on_auto_end_)
        least_urgent_ = static_cast<u8>(line);
    return line;
}

/// ICW1: everything is as after power-up but for the wiring; an edge has to come anew.
void PicChip::initialize(u8 icw1) {
    requests_ = lines_ & level_triggered_;
    in_service_ = mask_ = 0;
    least_urgent_ = 7;
    single_ = (icw1 & 2) != 0;
    wants_icw4_ = (icw1 & 1) != 0;
    auto_end_ = rotate_on_auto_end_ = special_mask_ = nests_fully_ = shows_service_ = polls_ = false;
    expects_ = Expects::icw2;
}

void PicChip::continue_initializing(u8 value) {
    const Expects last = wants_icw4_ ? Expects::icw4 : Expects::nothing;
    switch (expects_) {
        case Expects::icw2:
            base_ = value & 0xf8;
            expects_ = single_ ? last : Expects::icw3;
            break;
        case Expects::icw3:  // How the chips are wired: that is known.
            expects_ = last;
            break;
        default:
            auto_end_ = (value & 2) != 0;
            nests_fully_ = (value & 0x10) != 0;
            expects_ = Expects::nothing;
    }
}

/// OCW2: bits 7 to 5 say what, bits 2 to 0 for which line where that is not for the most urgent in service.
void PicChip::command(u8 ocw2) {
    const bool rotate = (ocw2 & 0x80) != 0, specific = (ocw2 & 0x40) != 0, ends = (ocw2 & 0x20) != 0;
    // In special mask mode, what is masked is not what a non-specific EOI is about.
    const u8 open = special_mask_ ? static_cast<u8>(in_service_ & ~mask_) : in_service_;
    const u32 line = specific ? ocw2 & 7 : most_urgent(open);
    if (ends) {
        if (line == kNone) return;
        end(line);
        if (rotate) least_urgent_ = static_cast<u8>(line);
    } else if (specific) {
        if (rotate) least_urgent_ = static_cast<u8>(line);
    } else {
        rotate_on_auto_end_ = rotate;
    }
}

void PicChip::set_modes(u8 ocw3) {
    if (ocw3 & 0x40) special_mask_ = (ocw3 & 0x20) != 0;
    polls_ = (ocw3 & 4) != 0;
    if (ocw3 & 2) shows_service_ = (ocw3 & 1) != 0;
}

u8 PicChip::read(bool second) {
    if (polls_) {  // The poll command makes the next read an acknowledgement.
        polls_ = false;
        if (!pending()) return 0;
        return static_cast<u8>(0x80 | acknowledge());
    }
    if (second) return mask_;
    return shows_service_ ? in_service_ : requests_;
}

void PicChip::write(bool second, u8 value) {
    if (second) {
        if (expects_ != Expects::nothing) return continue_initializing(value);
        mask_ = value;
        return;
    }
    if (value & 0x10) return initialize(value);
    if (value & 8) return set_modes(value);
    command(value);
}

// Lines 0, 1, 2, 8 and 13 are of devices that know only edges (PIIX, ELCR).
constexpr u8 kMayBeLevel[] = {0xf8, 0xde};

Pic::Pic(u16 level_triggered) {
    write(kEdgeLevel, 1, level_triggered & 0xff);
    write(kEdgeLevel + 1, 1, level_triggered >> 8);
}

void Pic::set_line(u32 irq, bool level) {
    if (irq >= 16 || irq == kCascade) return;
    if (irq < 8) return master_.set_line(irq, level);
    slave_.set_line(irq - 8, level);
    cascade();
}

u8 Pic::acknowledge() {
    const bool anything = master_.pending();
    const u32 line = master_.acknowledge();
    if (!anything || line != kCascade) return master_.vector_of(line);
    const u8 vector = slave_.vector_of(slave_.acknowledge());
    // Order: INT of the second chip falls and, where another request waits, rises again: that is an edge.
    master_.set_line(kCascade, false);
    cascade();
    return vector;
}

u32 Pic::read(u16 port, u32) {
    if ((port & 0xfffe) == kEdgeLevel) return (port & 1 ? slave_ : master_).level_triggered();
    if ((port & 0xfffe) == kFirst) return master_.read(port & 1);
    const u8 value = slave_.read(port & 1);
    cascade();
    return value;
}

void Pic::write(u16 port, u32, u32 value) {
    const u8 byte = static_cast<u8>(value);
    if ((port & 0xfffe) == kEdgeLevel)
        (port & 1 ? slave_ : master_).set_level_triggered(byte & kMayBeLevel[port & 1]);
    else
        ((port & 0xfffe) == kFirst ? master_ : slave_).write(port & 1, byte);
    cascade();
}

}  // namespace tessera::vmm
