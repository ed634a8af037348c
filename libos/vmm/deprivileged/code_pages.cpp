#include "libos/vmm/deprivileged/code_pages.hpp"

#include <algorithm>

namespace tessera::vmm {

CodePages::Noted CodePages::note(u32 root, PageNumber page, u64 frame) {
    Page& at = pages_[place_of(page)];
    if (count_ == 0) settled_ = ~u64{0};
    if (!at.used) {
        if (count_ == kMost) return Noted::full;
        ++count_;
        at.used = true;
        at.page = page.value;
        lowest_ = std::min(lowest_, page.value);
        highest_ = std::max(highest_, page.value);
    }
    const bool other = at.frame != kNone && at.frame != frame;
    if (at.frame != frame) {
        at.frame = frame;
        at.roots = 0;
        settled_ &= u64{1} << root;  // nobody else has looked at it
    }
    at.roots |= u64{1} << root;
    return other ? Noted::changed : Noted::good;
}

void CodePages::clear() {
    pages_.fill({});
    count_ = 0;
    lowest_ = kNone;
    highest_ = 0;
    settled_ = 0;
}

void CodePages::forget(u32 root, PageNumber page, u64 count) {
    next_.forget(root, page, count);
    // Most of what is dropped is the guest's user's, and far away.
    if (count_ == 0 || page.value > highest_ || page.value + count <= lowest_) return;
    for (Page& each : pages_) {
        if (!each.used || each.page - page.value >= count || !(each.roots >> root & 1)) continue;
        each.roots &= ~(u64{1} << root);
        settled_ &= ~(u64{1} << root);
    }
}

void CodePages::forget_root(u32 root) {
    next_.forget_root(root);
    for (Page& each : pages_) each.roots &= ~(u64{1} << root);
    settled_ &= ~(u64{1} << root);
}

}  // namespace tessera::vmm
