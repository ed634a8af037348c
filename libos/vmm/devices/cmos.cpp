// The calendar, and which places of the memory are the clock's.
#include "libos/vmm/devices/cmos.hpp"

#include "libos/vmm/devices/bcd.hpp"
#include "libos/vmm/devices/time.hpp"

namespace tessera::vmm {
namespace {

enum Place : u8 {
    seconds = 0,
    minutes = 2,
    hours = 4,
    weekday = 6,
    day = 7,
    month = 8,
    year = 9,
    register_a = 10,
    register_b = 11,
    register_c = 12,
    register_d = 13,
    century = 0x32,
};

constexpr bool is_clock(u8 place) { return place <= register_d || place == century; }

struct Date {
    u64 year;
    u32 month, day;  ///< From 1 on.
};

/// Days since 1970-01-01 as a date. Years are counted from March, so that leap days are at their ends.
constexpr Date date_of(u64 days) {
    constexpr u64 kDaysTo1970 = 719'468;  // From 0000-03-01.
    constexpr u64 kDaysPer400Years = 146'097;
    days += kDaysTo1970;
    const u64 in_era = days % kDaysPer400Years;
    const u64 year_of_era = (in_era - in_era / 1460 + in_era / 36'524 - in_era / 146'096) / 365;
    const u64 in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const u32 from_march = static_cast<u32>((5 * in_year + 2) / 153);
    const u32 month = from_march < 10 ? from_march + 3 : from_march - 9;
    const u64 year = days / kDaysPer400Years * 400 + year_of_era + (month <= 2 ? 1 : 0);
    return {year, month, static_cast<u32>(in_year) - (153 * from_march + 2) / 5 + 1};
}
static_assert(date_of(0).year == 1970 && date_of(0).month == 1 && date_of(0).day == 1);
static_assert(date_of(11'016).month == 2 && date_of(11'016).day == 29 && date_of(11'016).year == 2000);

}  // namespace

u8 Cmos::clock(u8 place) const {
    const u64 time = made_ + now_ / kNanosecondsPerSecond;
    const u64 days = time / 86'400;
    const Date date = date_of(days);
    u64 value = 0;
    switch (place) {
        case seconds:
            value = time % 60;
            break;
        case minutes:
            value = time / 60 % 60;
            break;
        case hours:
            value = time / 3600 % 24;
            break;
        case weekday:
            value = (days + 4) % 7 + 1;
            break;  // 1 is Sunday; 1970 began on a Thursday.
        case day:
            value = date.day;
            break;
        case month:
            value = date.month;
            break;
        case year:
            value = date.year % 100;
            break;
        case century:
            value = date.year / 100 % 100;
            break;
        case register_a:
            return 0x26;  // Oscillator on, the usual rate; never "update in progress".
        case register_b:
            return static_cast<u8>(2 | binary_ << 2);  // 24 hours.
        case register_d:
            return 0x80;  // The battery is good.
        default:
            return 0;  // Alarms, and register C: no interrupt has happened.
    }
    return static_cast<u8>(binary_ ? value : to_bcd(static_cast<u32>(value)));
}

u32 Cmos::read(u16 port, u32) {
    if (port % 2 == 0) return 0xff;  // The index cannot be read.
    return is_clock(place_) ? clock(place_) : memory_[place_];
}

void Cmos::write(u16 port, u32, u32 value) {
    if (port % 2 == 0)
        place_ = value & 0x7f;
    else if (place_ == register_b)
        binary_ = (value & 4) != 0;
    else if (!is_clock(place_))
        memory_[place_] = static_cast<u8>(value);
}

}  // namespace tessera::vmm
