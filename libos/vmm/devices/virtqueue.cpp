// Walking descriptors that somebody else wrote.
#include "libos/vmm/devices/virtqueue.hpp"

#include <algorithm>
#include <atomic>

namespace tessera::vmm {
namespace {

struct Descriptor {
    u64 address;
    u32 length;
    u16 flags;
    u16 next;
};
static_assert(sizeof(Descriptor) == 16);
enum DescriptorFlag : u16 { kNext = 1, kDeviceWrites = 2, kIndirect = 4 };

struct UsedElement {
    u32 head;
    u32 written;
};
constexpr u16 kNoInterrupt = 1;  // In `flags` of the available ring.

}  // namespace

/// Hand `copy(address, done, count)` the parts of pieces [first, end) that bytes `offset` to `offset + length` are.
template <class Copy>
bool Chain::each(u32 first, u32 end, u64 offset, u64 length, Copy copy) const {
    u64 done = 0;
    for (u32 i = first; i < end && done < length; ++i) {
        const Piece& piece = pieces_[i];
        if (offset >= piece.length) {
            offset -= piece.length;
            continue;
        }
        const u64 count = std::min(length - done, piece.length - offset);
        if (!copy(piece.address + offset, done, count)) return false;
        done += count;
        offset = 0;
    }
    return done == length;
}

bool Chain::read(GuestMemory& memory, u64 offset, std::span<std::byte> to) const {
    return each(0, readable_count_, offset, to.size(),
                [&](u64 address, u64 done, u64 count) { return memory.copy_in(to.subspan(done, count), address); });
}

bool Chain::write(GuestMemory& memory, u64 offset, std::span<const std::byte> from) const {
    return each(readable_count_, count_, offset, from.size(),
                [&](u64 address, u64 done, u64 count) { return memory.copy_out(address, from.subspan(done, count)); });
}

std::optional<u64> Chain::whole_frame(u64 offset) const {
    std::optional<u64> frame;
    each(readable_count_, count_, offset, kPageSize, [&](u64 address, u64, u64 count) {
        if (count == kPageSize && address % kPageSize == 0) frame = address >> kPageShift;
        return false;
    });
    return frame;
}

bool VirtQueue::fail(const char* problem) {
    problem_ = problem;
    return false;
}

void VirtQueue::place(GuestMemory& memory, u32 guest_frame) {
    page_ = guest_frame;
    taken_ = finished_ = 0;
    problem_ = nullptr;
    if (page_ != 0 && !memory.contains(table(), end() - table())) fail("the queue lies outside of memory");
}

bool VirtQueue::take(GuestMemory& memory, Chain& chain) {
    if (!ready()) return false;
    const auto offered = memory.load(available() + 2);
    if (!offered) return fail("the available ring is not in memory");
    const u16 waiting = static_cast<u16>(*offered - taken_);
    if (waiting == 0) return false;
    if (waiting > size_) return fail("more is available than the queue can hold");
    const auto head = memory.load(available() + 4 + u64{2} * (taken_ % size_));
    if (!head) return fail("the available ring is not in memory");
    ++taken_;
    chain.head_ = *head;
    return walk(memory, chain);
}

bool VirtQueue::offers_more(GuestMemory& memory) const {
    return ready() && memory.load(available() + 2).value_or(taken_) != taken_;
}

/// Follow the chain from its head. A step for each descriptor, and no more steps than the queue has descriptors: so it
/// ends, whatever they say. One that is `indirect` goes on in a table of its own, which no other can leave (2.6.5.3).
bool VirtQueue::walk(GuestMemory& memory, Chain& chain) {
    chain.count_ = chain.readable_count_ = 0;
    chain.readable_ = chain.writable_ = 0;
    u64 table = this->table();
    u64 entries = size_;
    bool in_indirect = false;
    u16 index = chain.head_;
    for (u32 steps = 0;;) {
        if (index >= entries) return fail("a descriptor's number is out of range");
        const auto descriptor = memory.read<Descriptor>(table + u64{16} * index);
        if (!descriptor) return fail("a descriptor is not in memory");
        if (descriptor->flags & kIndirect) {
            if (in_indirect || (descriptor->flags & kNext) != 0) return fail("an indirect descriptor goes on");
            if (descriptor->length % sizeof(Descriptor) != 0) return fail("an indirect table has a broken descriptor");
            in_indirect = true;
            table = descriptor->address;
            entries = descriptor->length / sizeof(Descriptor);
            if (!memory.contains(table, descriptor->length)) return fail("an indirect table is not in memory");
            index = 0;
            continue;
        }
        if (steps++ == size_) return fail("a chain is longer than its queue");
        const bool writes = (descriptor->flags & kDeviceWrites) != 0;
        if (!writes && chain.readable_count_ != chain.count_) return fail("a chain reads behind what it writes");
        if (!memory.contains(descriptor->address, descriptor->length)) return fail("a buffer is not in memory");
        chain.pieces_[chain.count_++] = {descriptor->address, descriptor->length};
        if (!writes) chain.readable_count_ = chain.count_;
        (writes ? chain.writable_ : chain.readable_) += descriptor->length;
        if ((descriptor->flags & kNext) == 0) return true;
        index = descriptor->next;
    }
}

bool VirtQueue::finish(GuestMemory& memory, u16 head, u32 written) {
    if (!ready()) return false;
    const UsedElement element{head, written};
    if (!memory.write(used() + 4 + u64{8} * (finished_ % size_), element))
        return fail("the used ring is not in memory");
    // Order: whoever sees the index sees the element and what was written to the buffers (store releases).
    if (!memory.store(used() + 2, ++finished_)) return fail("the used ring is not in memory");
    return true;
}

bool VirtQueue::wants_interrupt(GuestMemory& memory) {
    // Order: the guest allows interrupts, then looks at the index once more; so we look in the opposite order (2.6.7).
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const auto flags = memory.load(available());
    return flags && (*flags & kNoInterrupt) == 0;
}

}  // namespace tessera::vmm
