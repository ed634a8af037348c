// A disk whose unchanged blocks are not copied into a guest: the guest's page stands on the image's own frame, read-only. A
// block of the image is read into memory once, whoever reads it (E. Bugnion et al., Disco, TOCS 1997, section 4.2.2).
//
//   a read of whole, aligned pages:  the block is as in the image --> the frame is shown    the guest wrote it --> copied
//
// A guest that writes to such a page gets a copy, as of every shared frame; what it writes to the disk is CowDisk's.
#pragma once

#include "libos/vmm/devices/cow_disk.hpp"
#include "libos/vmm/memory/managed_memory.hpp"

namespace tessera::vmm {

class ShownDisk final : public Disk {
  public:
    /// `first`: the image's first frame, adopted by the supply of the guest's memory; `bytes`: how long the image is.
    ShownDisk(CowDisk& disk, ManagedMemory& memory, SuppliedFrame first, u64 bytes)
        : disk_(disk), memory_(memory), first_(first), whole_blocks_(bytes / kPageSize) {}

    u64 sectors() const override { return disk_.sectors(); }
    bool writable() const override { return disk_.writable(); }
    bool read(u64 sector, std::span<std::byte> to) override {
        copied_ += to.size();
        return disk_.read(sector, to);
    }
    bool write(u64 sector, std::span<const std::byte> from) override { return disk_.write(sector, from); }
    bool flush() override { return disk_.flush(); }

    // The last block of an image may be a part of a frame in which there is something else.
    bool show(u64 sector, u64 guest_frame) override {
        constexpr u64 kSectors = kPageSize / kSectorSize;
        const u64 block = sector / kSectors;
        if (sector % kSectors != 0 || block >= whole_blocks_ || disk_.is_changed(block)) return false;
        memory_.show(guest_frame, {first_.number + block, first_.run});
        ++shown_;
        return true;
    }

    u64 shown() const { return shown_; }          ///< Blocks that were read without copying.
    u64 copied_bytes() const { return copied_; }  ///< What was copied.

  private:
    CowDisk& disk_;
    ManagedMemory& memory_;
    SuppliedFrame first_;
    u64 whole_blocks_;
    u64 shown_ = 0, copied_ = 0;
};

}  // namespace tessera::vmm
