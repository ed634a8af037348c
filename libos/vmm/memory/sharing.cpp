#include "libos/vmm/memory/sharing.hpp"

#include <algorithm>
#include <bit>

#include "libos/vmm/memory/hash.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

constexpr u64 pages_for(u64 bytes) { return (bytes + kPageSize - 1) / kPageSize; }

template <class T>
std::span<T> items_in(RunWindow& window, u64 count) {
    return {reinterpret_cast<T*>(window.memory()), count};
}

constexpr u64 kZeroPage[kPageWords]{};

}  // namespace

Outcome Sharing::open(u64 guest_frames, u64 seed) {
    const u64 places = std::bit_ceil(std::max(guest_frames, u64{64}));
    const u64 contents = places / 4;
    TRY(hint_memory_.take(pages_for(places * sizeof(u64))));
    TRY(entry_memory_.take(pages_for(contents * sizeof(SharedFrames::Entry))));
    TRY(head_memory_.take(pages_for(places / 2 * sizeof(u32))));
    hints_ = Hints(items_in<u64>(hint_memory_, places));
    table_ = SharedFrames(items_in<SharedFrames::Entry>(entry_memory_, contents), items_in<u32>(head_memory_, places / 2));
    TRY(restless_memory_.take(pages_for(guest_frames)));
    restless_ = items_in<u8>(restless_memory_, guest_frames);
    peek_.open(supply_);
    seed_ = seed;
    zero_hash_ = hash_of(kZeroPage, seed);
    return Done{};
}

Outcome Sharing::close() {
    peek_.close();
    TRY(hint_memory_.close());
    TRY(entry_memory_.close());
    TRY(restless_memory_.close());
    return head_memory_.close();
}

u64 Sharing::add(Memory& memory) {
    const u64 last = guest_count_ - 1;
    if (guest_count_ < Hints::kMostGuests) {
        offsets_[guest_count_] = guest_count_ == 0 ? 0 : offsets_[last] + guests_[last]->frames();
        guests_[guest_count_++] = &memory;
    }
    return guest_count_ - 1;
}

// Tables of pages, for one, are written by every walk, and are the same again behind it. Each copy makes a page be looked at
// a quarter as often, each look makes it twice as often again.
bool Sharing::is_worth_a_look(PageOf page) {
    u8& times = restless(page);
    if (times == 0) return true;
    if (random_.below(u64{1} << times) != 0) return ++counts_.passed, false;
    --times;
    return true;
}

void Sharing::drop_copied(PageOf page, SuppliedFrame frame) {
    ++counts_.copied;
    if (!restless_.empty()) restless(page) = static_cast<u8>(std::min<u64>(restless(page) + 2, kMostRestless));
    drop(frame);
}

const u64* Sharing::words(PageOf page) {
    return reinterpret_cast<const u64*>(guests_[page.guest]->page(page.guest_frame, false));
}

bool Sharing::compare(const u64* one, const u64* other) {
    ++counts_.compared;
    if (equal_pages(one, other)) return true;
    ++counts_.different;
    return false;
}

void Sharing::look_at(PageOf page) {
    const FrameUse use = guests_[page.guest]->entry(page.guest_frame).use();
    if (use == FrameUse::shared && lender_ != nullptr) return look_at_shared(page);
    if (use != FrameUse::present || !is_worth_a_look(page)) return;
    const u64* const bytes = words(page);
    if (bytes == nullptr) return;
    ++counts_.looked;
    const u64 hash = hash_of(bytes, seed_);
    SharedFrames::Entry* entry = hash == zero_hash_ ? find_or_make_zeros() : table_.first(hash);
    for (u64 i = 0; entry != nullptr && i < kMostEqualHashes; ++i, entry = table_.next(*entry))
        if (join(page, *entry)) return;
    const auto other = hints_.find(hash);
    if (other && *other != page && pair(page, *other, hash)) return;
    hints_.note(hash, page);
    if (lender_ != nullptr) lender_->tell(hash);
}

// What is equal here already may stand on a frame that other monitors use, too. Each of our own is told of about once a pass,
// however many stand on it; when there is a loan, they follow as they are come across. Zeros are not worth it: one frame here.
void Sharing::look_at_shared(PageOf page) {
    const SuppliedFrame frame = guests_[page.guest]->entry(page.guest_frame).frame();
    const SharedFrames::Entry* const own = table_.find(frame);
    if (own == nullptr || own->frame == zeros_ || supply_.is_adopted(own->frame.run)) return;
    const u64 hash = own->hash;
    SharedFrames::Entry* entry = table_.first(hash);
    for (u64 i = 0; entry != nullptr && i < kMostEqualHashes; ++i, entry = table_.next(*entry))
        if (FrameSupply::is_loan(entry->frame.run) && join(page, *entry)) return drop(frame);
    if (random_.below(own->users) != 0) return;
    hints_.note(hash, page);
    lender_->tell(hash);
}

// One that stays zero, as it is never bound to be written. It comes first: whoever made another page with that hash waits.
SharedFrames::Entry* Sharing::find_or_make_zeros() {
    if (zeros_ != kNowhere) return table_.find(zeros_);
    const auto frame = supply_.take();
    if (!frame.ok()) return nullptr;
    SharedFrames::Entry* const entry = table_.insert(zero_hash_, frame.value());
    if (entry == nullptr)
        supply_.give(frame.value());
    else
        zeros_ = entry->frame;
    return entry;
}

// Order: protect, compare, change the map. Nobody writes the shared frame; the other is not written behind `protect`.
bool Sharing::join(PageOf page, SharedFrames::Entry& entry) {
    const SuppliedFrame frame = entry.frame;
    guests_[page.guest]->protect(page.guest_frame);
    const u64* const bytes = words(page);
    if (bytes == nullptr || !compare(bytes, frame == zeros_ ? kZeroPage : peek_.at(frame)) || peek_.failed()) return false;
    counts_.zeros += frame == zeros_;
    stand_on(page, entry);
    return true;
}

void Sharing::stand_on(PageOf page, SharedFrames::Entry& entry) {
    table_.add_user(entry);
    guests_[page.guest]->share(page.guest_frame, entry.frame);
    ++counts_.shared;
}

bool Sharing::pair(PageOf page, PageOf other, u64 hash) {
    if (other.guest >= guest_count_ || other.guest_frame >= guests_[other.guest]->frames()) return false;
    Memory& with = *guests_[other.guest];
    if (with.entry(other.guest_frame).use() != FrameUse::present) return false;
    with.protect(other.guest_frame);
    guests_[page.guest]->protect(page.guest_frame);
    if (!compare(words(page), words(other))) return false;
    SharedFrames::Entry* const entry = table_.insert(hash, with.entry(other.guest_frame).frame());
    if (entry == nullptr) return false;
    hints_.forget(hash);
    static_cast<void>(with.take(other.guest_frame, FrameUse::absent));
    stand_on(other, *entry);
    stand_on(page, *entry);
    return true;
}

const u64* Sharing::bytes_of(PageOf page) {
    if (page.guest >= guest_count_ || page.guest_frame >= guests_[page.guest]->frames()) return nullptr;
    return guests_[page.guest]->entry(page.guest_frame).is_backed() ? words(page) : nullptr;
}

// What was lent may be anything, so it is compared like everything else, which has to be the last look at it: docs/guest-memory.md
// says who promises that it stays as it is.
bool Sharing::take_loan(PageOf page, u64 hash, SuppliedFrame frame) {
    if (bytes_of(page) == nullptr) return false;
    const GuestFrame before = guests_[page.guest]->entry(page.guest_frame);
    if (before.use() == FrameUse::shared && supply_.is_adopted(before.frame().run)) return false;
    SharedFrames::Entry* const entry = table_.insert(hash, frame);
    if (entry == nullptr) return false;
    if (!join(page, *entry)) return static_cast<void>(table_.drop_user(frame)), false;
    ++lent_;
    ++counts_.lent;
    if (before.use() == FrameUse::shared) drop(before.frame());
    return true;
}

void Sharing::drop(SuppliedFrame frame) {
    const auto free = table_.drop_user(frame);
    if (!free) return;
    if (*free == zeros_) zeros_ = kNowhere;
    if (!FrameSupply::is_loan(free->run)) return supply_.give(*free);
    --lent_;
    if (lender_ != nullptr) lender_->give_back(*free);
}

}  // namespace tessera::vmm
