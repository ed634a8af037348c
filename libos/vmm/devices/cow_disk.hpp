// A disk that many guests boot: one image that nobody writes, and for each guest the blocks that it wrote itself.
//
//   image, read-only, in frames anywhere:   0  1  2  3  4  5  6 ...      a block is a page
//   places_, one word a block:              -  -  7  -  -  2  - ...      - : as in the image
//   the pool, shared by who likes:          blocks 0 to n - 1: 2 and 7 are this disk's
//
// A block goes into the pool when it is first written. Discarding gives all of them back; keeping is not discarding,
// or handing each to somebody who stores it.
#pragma once

#include <optional>

#include "libos/vmm/devices/disk.hpp"

namespace tessera::vmm {

/// The bytes of an image, a page at a time, wherever they lie.
class DiskImage {
  public:
    constexpr explicit DiskImage(u64 bytes) : bytes_(bytes) {}
    u64 bytes() const { return bytes_; }
    u64 blocks() const { return (bytes_ + kPageSize - 1) / kPageSize; }
    /// Block `index` (below blocks()): a page's bytes, or at the end of the image as many as are left. Null:
    /// unreadable.
    virtual const std::byte* block(u64 index) = 0;

  protected:
    ~DiskImage() = default;

  private:
    u64 bytes_;
};

/// Pages for what was written. The free ones are a list whose links lie in the pages themselves.
class BlockPool {
  public:
    /// `memory`: as many whole pages as there are in it; at most 2^32 - 1.
    explicit BlockPool(std::span<std::byte> memory);

    /// A block of this pool; empty: all are taken.
    std::optional<u32> take();
    void give_back(u32 block);
    std::byte* at(u32 block) { return memory_.data() + u64{block} * kPageSize; }
    u64 free() const { return free_; }

  private:
    std::span<std::byte> memory_;
    u64 free_;
    u32 untouched_ = 0;  ///< Blocks from here on were never taken: they are on no list.
    u32 first_free_;
};

class CowDisk final : public Disk {
  public:
    /// What is in `places` stands for a block as it is in the image.
    static constexpr u32 kUnchanged = ~u32{0};

    /// `places`: at least image.blocks() words, which are the disk's for as long as it lives.
    CowDisk(DiskImage& image, BlockPool& pool, std::span<u32> places);

    u64 sectors() const override { return image_.bytes() / kSectorSize; }
    bool writable() const override { return true; }
    bool read(u64 sector, std::span<std::byte> to) override;
    /// False also when the pool is empty: a guest's disk is full then.
    bool write(u64 sector, std::span<const std::byte> from) override;
    bool flush() override { return true; }

    /// Is block `index` the guest's own? Beyond the end of the disk none is as in the image either.
    bool is_changed(u64 index) const { return index >= places_.size() || places_[index] != kUnchanged; }
    /// How many blocks are the guest's own.
    u64 changed() const { return changed_; }
    /// Give them back: the disk is as the image again.
    void discard();
    /// Hand `keep(index, bytes)` each of them, in order, to be stored somewhere.
    template <class Keep>
    void each_changed(Keep keep) {
        for (u64 i = 0; i < places_.size(); ++i)
            if (places_[i] != kUnchanged) keep(i, std::span<const std::byte>(pool_.at(places_[i]), kPageSize));
    }

  private:
    std::byte* own_block(u64 index);

    DiskImage& image_;
    BlockPool& pool_;
    std::span<u32> places_;
    u64 changed_ = 0;
};

}  // namespace tessera::vmm
