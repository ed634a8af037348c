// A small heap over one run of memory: free blocks in lists by size class, neighbours merged at once.
//
//   block:  | header: size | in use | payload ...                        |
//   free:   | header: size | 0      | previous free | next free | ... | size |
//
// Headers say whether the block before is in use too, so a free block's size stands at its end and one that is
// in use pays 8 bytes (boundary tags: Knuth 2.5). Payloads are aligned to 16.
// One thread at a time; the memory may be demand-paged.
#pragma once

#include <array>

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

class Heap {
  public:
    static constexpr u64 kAlignment = 16;

    Heap() = default;
    Heap(const Heap&) = delete;
    Heap& operator=(const Heap&) = delete;

    /// Manage `size` bytes at `memory`. False: too small, or the heap has memory already.
    bool open(void* memory, u64 size);

    /// At least `size` bytes, aligned to 16; nullptr: no block is large enough. Cost: a few list steps.
    void* allocate(u64 size);
    /// Aligned to `alignment`, a power of two.
    void* allocate(u64 size, u64 alignment);
    /// Give back what allocate() returned; nullptr does nothing.  Cost: constant.
    void release(void* payload);

    u64 used() const { return used_; }  ///< Bytes in blocks that are in use, headers included.
    /// The whole structure is sound: for tests and for finding out who wrote where it should not.
    bool is_consistent() const;

  private:
    struct Block {
        u64 header;  ///< Size in bytes (a multiple of 16) | kInUse | kPreviousInUse.
        Block* previous_free;
        Block* next_free;
    };
    static constexpr u64 kInUse = 1, kPreviousInUse = 2, kSizeMask = ~u64{15};
    static constexpr u64 kHeader = 8, kSmallest = 32, kClasses = 40;

    static u64 size_of(const Block* block) { return block->header & kSizeMask; }
    static Block* at(const void* base, u64 offset);
    static Block* after(const Block* block) { return at(block, size_of(block)); }
    static u64& footer(Block* block);
    static u64 class_of(u64 size);
    static u64 block_size(u64 size);

    void insert(Block* block, u64 size, u64 previous);
    void remove(Block* block);
    void* claim(Block* block, u64 size);
    void* split_front(Block* block, u64 front, u64 size);

    std::array<Block*, kClasses> free_{};
    u64 nonempty_ = 0;  // a bit for each class
    Block* first_ = nullptr;
    Block* end_ = nullptr;
    u64 used_ = 0;
};

/// The heap behind new and delete. Empty until it is opened: then `new` ends the environment.
Heap& heap();

}  // namespace tessera::libos
