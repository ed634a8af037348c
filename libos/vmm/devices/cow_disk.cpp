// Copying a block before it is written, and the pool that it is copied into.
#include "libos/vmm/devices/cow_disk.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::vmm {
namespace {

constexpr u32 kNoBlock = ~u32{0};

/// Hand `piece(block, offset in it, done, count)` the parts of `length` bytes from `sector` on; false: one failed.
template <class Piece>
bool each_block(u64 sector, u64 length, Piece piece) {
    for (u64 done = 0; done < length;) {
        const u64 at = sector * kSectorSize + done, offset = at % kPageSize;
        const u64 count = std::min(length - done, kPageSize - offset);
        if (!piece(at / kPageSize, offset, done, count)) return false;
        done += count;
    }
    return true;
}

}  // namespace

BlockPool::BlockPool(std::span<std::byte> memory)
    : memory_(memory), free_(std::min<u64>(memory.size() / kPageSize, kNoBlock)), first_free_(kNoBlock) {}

std::optional<u32> BlockPool::take() {
    if (free_ == 0) return std::nullopt;
    --free_;
    if (first_free_ == kNoBlock) return untouched_++;
    const u32 block = first_free_;
    std::memcpy(&first_free_, at(block), sizeof first_free_);
    return block;
}

void BlockPool::give_back(u32 block) {
    std::memcpy(at(block), &first_free_, sizeof first_free_);
    first_free_ = block;
    ++free_;
}

CowDisk::CowDisk(DiskImage& image, BlockPool& pool, std::span<u32> places)
    : image_(image), pool_(pool), places_(places.first(std::min<u64>(places.size(), image.blocks()))) {
    std::fill(places_.begin(), places_.end(), kUnchanged);
}

bool CowDisk::read(u64 sector, std::span<std::byte> to) {
    return each_block(sector, to.size(), [&](u64 block, u64 offset, u64 done, u64 count) {
        if (block >= places_.size()) return false;
        const std::byte* const from = places_[block] == kUnchanged ? image_.block(block) : pool_.at(places_[block]);
        if (from == nullptr) return false;
        std::memcpy(&to[done], from + offset, count);
        return true;
    });
}

bool CowDisk::write(u64 sector, std::span<const std::byte> from) {
    return each_block(sector, from.size(), [&](u64 block, u64 offset, u64 done, u64 count) {
        std::byte* const to = own_block(block);
        if (to == nullptr) return false;
        std::memcpy(to + offset, &from[done], count);
        return true;
    });
}

/// The guest's own copy of a block, made if there is none yet.
std::byte* CowDisk::own_block(u64 index) {
    if (index >= places_.size()) return nullptr;
    if (places_[index] != kUnchanged) return pool_.at(places_[index]);
    const std::byte* const original = image_.block(index);
    if (original == nullptr) return nullptr;
    const auto taken = pool_.take();
    if (!taken) return nullptr;
    const u64 size = std::min(kPageSize, image_.bytes() - index * kPageSize);
    std::byte* const copy = pool_.at(*taken);
    std::memcpy(copy, original, size);
    std::memset(copy + size, 0, kPageSize - size);
    places_[index] = *taken;
    ++changed_;
    return copy;
}

void CowDisk::discard() {
    for (u32& place : places_) {
        if (place != kUnchanged) pool_.give_back(place);
        place = kUnchanged;
    }
    changed_ = 0;
}

}  // namespace tessera::vmm
