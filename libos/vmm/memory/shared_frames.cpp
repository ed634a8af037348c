#include "libos/vmm/memory/shared_frames.hpp"

namespace tessera::vmm {

SharedFrames::SharedFrames(std::span<Entry> entries, std::span<u32> heads) : entries_(entries), heads_(heads) {}

SharedFrames::Entry* SharedFrames::first(u64 hash) {
    Entry* entry = at(head_of_hash(hash));
    while (entry != nullptr && entry->hash != hash) entry = at(entry->next_of_hash);
    return entry;
}

SharedFrames::Entry* SharedFrames::next(const Entry& entry) {
    Entry* other = at(entry.next_of_hash);
    while (other != nullptr && other->hash != entry.hash) other = at(other->next_of_hash);
    return other;
}

SharedFrames::Entry* SharedFrames::find(SuppliedFrame frame) {
    if (heads_.empty()) return nullptr;
    Entry* entry = at(head_of_number(frame.number));
    while (entry != nullptr && entry->frame != frame) entry = at(entry->next_of_number);
    return entry;
}

SharedFrames::Entry* SharedFrames::insert(u64 hash, SuppliedFrame frame) {
    u32 link = free_;
    if (link != 0) {
        free_ = entries_[link - 1].next_of_hash;
    } else {
        if (untouched_ == entries_.size()) return nullptr;
        link = static_cast<u32>(++untouched_);
    }
    u32& of_hash = head_of_hash(hash);
    u32& of_number = head_of_number(frame.number);
    entries_[link - 1] = {hash, frame, 0, of_hash, of_number};
    of_hash = of_number = link;
    ++count_;
    return &entries_[link - 1];
}

void SharedFrames::unlink(u32 index) {
    Entry& entry = entries_[index];
    u32* link = &head_of_hash(entry.hash);
    while (*link != index + 1) link = &entries_[*link - 1].next_of_hash;
    *link = entry.next_of_hash;
    link = &head_of_number(entry.frame.number);
    while (*link != index + 1) link = &entries_[*link - 1].next_of_number;
    *link = entry.next_of_number;
    entry.next_of_hash = free_;
    free_ = index + 1;
    --count_;
}

std::optional<SuppliedFrame> SharedFrames::drop_user(SuppliedFrame frame) {
    Entry* const entry = find(frame);
    if (entry == nullptr) return std::nullopt;
    if (entry->users != 0) {
        --entry->users;
        --users_;
    }
    if (entry->users != 0) return std::nullopt;
    const SuppliedFrame free = entry->frame;
    unlink(static_cast<u32>(entry - entries_.data()));
    return free;
}

}  // namespace tessera::vmm
