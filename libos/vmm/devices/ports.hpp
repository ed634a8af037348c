// The 65536 I/O ports: who answers where.
//
// An access goes to whoever registered the port. One that is wider than its device, or sticks out of its range, is
// taken apart as a chipset does: into halves, down to bytes. Where nobody is, a read sees the bus's pull-ups, all ones,
// and a write is lost; either is noted the first time.
#pragma once

#include "exokernel/abi/types.hpp"
#include "libos/vmm/guest_log.hpp"

namespace tessera::vmm {

/// Something with registers in I/O space. `size` is 1, 2 or 4, and no more than it was registered with. Of what is read,
/// the low `size` bytes count.
class PortDevice {
  public:
    virtual u32 read(u16 port, u32 size) = 0;
    virtual void write(u16 port, u32 size, u32 value) = 0;

  protected:
    ~PortDevice() = default;
};

/// All ones, as wide as the access.
constexpr u32 all_ones(u32 size) { return ~u32{0} >> (32 - 8 * size); }

class Ports {
  public:
    constexpr explicit Ports(GuestLog& log) : log_(log) {}

    /// Ports `first` to `last` are the device's, in accesses of up to `width` bytes. Earlier ranges go first. The ports from
    /// 1000h on go together: they are a bus's, to be divided by whoever answers for it.
    /// False: 16 ranges are registered already, or this is none, or a part of the bus's.
    bool add(u16 first, u16 last, u32 width, PortDevice& device);

    /// What the guest reads, in the low `size` bytes. A size that no instruction has reads all ones.  Hot.
    u32 read(u16 port, u32 size) {
        const Range& range = range_of(port);
        if (!range.takes(port, size)) [[unlikely]]
            return read_in_pieces(port, size);
        return range.device->read(port, size) & all_ones(size);
    }
    void write(u16 port, u32 size, u32 value) {
        const Range& range = range_of(port);
        if (!range.takes(port, size)) [[unlikely]]
            return write_in_pieces(port, size, value);
        range.device->write(port, size, value & all_ones(size));
    }

  private:
    struct Range {
        u16 last;
        u8 sizes;  ///< A bit for each size of an access that it takes in one piece.
        PortDevice* device;
        bool takes(u16 port, u32 size) const { return (sizes >> (size & 7) & 1) != 0 && u32{port} + size - 1 <= last; }
    };
    static constexpr u32 kMost = 16;
    static constexpr u16 kBus = 0x1000;  ///< Below are a PC's own ports, of which each has its place in a table.

    const Range& range_of(u16 port) const { return ranges_[port < kBus ? owner_[port] : bus_]; }
    u32 read_in_pieces(u16 port, u32 size);
    void write_in_pieces(u16 port, u32 size, u32 value);

    GuestLog& log_;
    Range ranges_[1 + kMost]{};  ///< The first is nobody's.
    u32 count_ = 0;
    OnceEach unknown_;
    u8 owner_[kBus]{};  ///< Whose a port is: which range,
    u8 bus_ = 0;        ///< and all from kBus on.
};

}  // namespace tessera::vmm
