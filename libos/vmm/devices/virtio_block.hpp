// A disk. (Virtio 1.1, 5.2 with its legacy interface; virtio 0.9.5, appendix D.)
#pragma once

#include "libos/vmm/devices/disk.hpp"
#include "libos/vmm/devices/virtio.hpp"

namespace tessera::vmm {

class VirtioBlock final : public VirtioDevice {
  public:
    /// `name`: what the guest reads as serial number, up to 20 characters; it stays where it is.
    VirtioBlock(GuestMemory& memory, GuestLog& log, Disk& disk, const char* name);

  private:
    enum Status : u8 { kDone = 0, kError = 1, kUnsupported = 2 };
    struct Answer {
        Status status;
        u64 written;
    };
    static constexpr u64 kMostData = u64{4} << 20;  ///< Of one request: what Linux asks for at most, a few times over.

    void on_notify(u32 queue) override;
    u8 config(u32 offset) const override;

    u32 serve(const Chain& chain);
    Answer carry_out(const Chain& chain);
    bool shows(const Chain& chain, u64 sector, u64 done, u64 size);
    Answer read(const Chain& chain, u64 sector);
    Answer write(const Chain& chain, u64 sector);
    Answer identify(const Chain& chain);
    bool lies_on_disk(u64 sector, u64 bytes) const;

    Disk& disk_;
    const char* serial_;
    alignas(8) std::byte buffer_[kPageSize];  ///< Between disk and guest: a guest's buffers may begin and end anywhere.
};

}  // namespace tessera::vmm
