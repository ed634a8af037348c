// The heap. Every block but the sentinel at the end is reached from the first by adding sizes.
#include "libos/heap/heap.hpp"

#include <algorithm>
#include <bit>

namespace tessera::libos {

Heap::Block* Heap::at(const void* base, u64 offset) {
    return reinterpret_cast<Block*>(reinterpret_cast<u64>(base) + offset);
}

u64& Heap::footer(Block* block) { return *reinterpret_cast<u64*>(at(block, size_of(block) - 8)); }

// Class n holds sizes from 2^(n + 5) up to twice that.
u64 Heap::class_of(u64 size) { return static_cast<u64>(std::bit_width(size)) - 6; }

u64 Heap::block_size(u64 size) { return std::max((size + kHeader + 15) & ~u64{15}, kSmallest); }

// Blocks lie at 8 modulo 16, so that payloads are aligned.
bool Heap::open(void* memory, u64 size) {
    if (first_ != nullptr || size < 128 || size >> 44 != 0) return false;
    const u64 from = (reinterpret_cast<u64>(memory) + 15) & ~u64{15};
    const u64 usable = (reinterpret_cast<u64>(memory) + size - from) & ~u64{15};
    first_ = at(memory, from + 8 - reinterpret_cast<u64>(memory));
    end_ = at(first_, usable - 16);
    end_->header = kInUse;
    insert(first_, usable - 16, kPreviousInUse);
    return true;
}

// Make `block` a free one of `size` bytes, or more if its neighbour behind is free, and enter it in its list.
void Heap::insert(Block* block, u64 size, u64 previous) {
    Block* next = at(block, size);
    if (!(next->header & kInUse)) {
        remove(next);
        size += size_of(next);
    }
    block->header = size | previous;
    footer(block) = size;
    after(block)->header &= ~kPreviousInUse;
    const u64 list = class_of(size);
    block->previous_free = nullptr;
    block->next_free = free_[list];
    if (free_[list] != nullptr) free_[list]->previous_free = block;
    free_[list] = block;
    nonempty_ |= u64{1} << list;
}

void Heap::remove(Block* block) {
    const u64 list = class_of(size_of(block));
    if (block->previous_free != nullptr)
        block->previous_free->next_free = block->next_free;
    else
        free_[list] = block->next_free;
    if (block->next_free != nullptr) block->next_free->previous_free = block->previous_free;
    if (free_[list] == nullptr) nonempty_ &= ~(u64{1} << list);
}

// Take `size` bytes from the front of a block that is in no list any more; the rest is free again.
void* Heap::claim(Block* block, u64 size) {
    const u64 whole = size_of(block);
    const u64 previous = block->header & kPreviousInUse;
    if (whole - size < kSmallest) size = whole;
    block->header = size | kInUse | previous;
    if (size < whole)
        insert(after(block), whole - size, kPreviousInUse);
    else
        after(block)->header |= kPreviousInUse;
    used_ += size;
    return at(block, kHeader);
}

// First fit in the class of the size, where blocks may be too small; any block of a higher class will do.
void* Heap::allocate(u64 size) {
    if (size >> 44 != 0) return nullptr;
    size = block_size(size);
    const u64 list = class_of(size);
    for (Block* block = free_[list]; block != nullptr; block = block->next_free) {
        if (size_of(block) < size) continue;
        remove(block);
        return claim(block, size);
    }
    const u64 higher = nonempty_ & ~((u64{2} << list) - 1);
    if (higher == 0) return nullptr;
    Block* block = free_[static_cast<u64>(std::countr_zero(higher))];
    remove(block);
    return claim(block, size);
}

// Take a larger block, and give back what stands before the aligned place in it.
void* Heap::allocate(u64 size, u64 alignment) {
    if (alignment <= kAlignment) return allocate(size);
    if (alignment >> 40 != 0) return nullptr;
    void* payload = allocate(size + alignment + kSmallest);
    if (payload == nullptr) return nullptr;
    Block* block = at(payload, 0 - kHeader);
    u64 aligned = (reinterpret_cast<u64>(payload) + alignment - 1) & ~(alignment - 1);
    const u64 misplaced = aligned - reinterpret_cast<u64>(payload);
    if (misplaced != 0 && misplaced < kSmallest) aligned += alignment;
    return split_front(block, aligned - reinterpret_cast<u64>(payload), block_size(size));
}

void* Heap::split_front(Block* block, u64 front, u64 size) {
    const u64 whole = size_of(block);
    const u64 previous = block->header & kPreviousInUse;
    used_ -= whole;
    if (front == 0) return claim(block, size);
    Block* kept = at(block, front);
    kept->header = (whole - front) | kInUse;
    insert(block, front, previous);
    return claim(kept, size);
}

void Heap::release(void* payload) {
    if (payload == nullptr) return;
    Block* block = at(payload, 0 - kHeader);
    u64 size = size_of(block);
    used_ -= size;
    u64 previous = kPreviousInUse;
    if (!(block->header & kPreviousInUse)) {
        block = at(block, 0 - *reinterpret_cast<u64*>(at(block, 0 - u64{8})));
        remove(block);
        size += size_of(block);
        previous = block->header & kPreviousInUse;
    }
    insert(block, size, previous);
}

bool Heap::is_consistent() const {
    if (first_ == nullptr) return used_ == 0;
    u64 in_use = 0, free_blocks = 0, listed = 0;
    bool previous_in_use = true;
    Block* block = first_;
    for (; block < end_; block = after(block)) {
        const bool block_in_use = block->header & kInUse;
        const u64 left = reinterpret_cast<u64>(end_) - reinterpret_cast<u64>(block);
        if (size_of(block) < kSmallest || size_of(block) > left) return false;
        if (((block->header & kPreviousInUse) != 0) != previous_in_use) return false;
        if (!block_in_use && (!previous_in_use || footer(block) != size_of(block))) return false;
        in_use += block_in_use ? size_of(block) : 0;
        free_blocks += !block_in_use;
        previous_in_use = block_in_use;
    }
    if (block != end_ || ((end_->header & kPreviousInUse) != 0) != previous_in_use || in_use != used_) return false;
    for (u64 list = 0; list < kClasses; ++list) {
        if ((free_[list] != nullptr) != (nonempty_ >> list & 1)) return false;
        for (const Block* each = free_[list]; each != nullptr; each = each->next_free) {
            if (each->header & kInUse || class_of(size_of(each)) != list || ++listed > free_blocks) return false;
        }
    }
    return listed == free_blocks;
}

}  // namespace tessera::libos
