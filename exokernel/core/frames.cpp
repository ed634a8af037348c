#include "exokernel/core/frames.hpp"

#include <initializer_list>
#include <bit>

namespace tessera::kernel {

void FrameTable::initialise(FrameInfo* table, u64* free_bits, u64 count) {
    table_ = table;
    free_bits_ = free_bits;
    count_ = count;
    free_ = usable_ = next_ = 0;
}

void FrameTable::set_free(FrameRange range, bool free) {
    for (u64 frame = range.first.value, end = frame + range.count; frame < end;) {
        const u64 bit = frame % 64;
        const u64 n = end - frame < 64 - bit ? end - frame : 64 - bit;
        const u64 mask = (n == 64 ? ~u64{0} : (u64{1} << n) - 1) << bit;
        if (free)
            free_bits_[frame / 64] |= mask;
        else
            free_bits_[frame / 64] &= ~mask;
        frame += n;
    }
}

void FrameTable::add_free(FrameRange range) {
    for (u64 i = 0; i < range.count; ++i) {
        FrameInfo& frame = info(range.first + i);
        frame.state = FrameState::free;
        frame.flags = frame_flag::kDirty;
        frame.grant = fresh_grant();
    }
    set_free(range, true);
    free_ += range.count;
    usable_ += range.count;
}

void FrameTable::reserve(FrameRange range) {
    for (u64 i = 0; i < range.count; ++i) info(range.first + i).state = FrameState::kernel;
}

Result<FrameRange> FrameTable::check_free(FrameNumber first, u64 count, u64 alignment) {
    if (first.value != kAny) {
        const FrameRange range{first, count};
        if (!exists(range)) return Error::out_of_range;
        for (u64 i = 0; i < count; ++i)
            if (info(first + i).state != FrameState::free) return Error::conflict;
        return range;
    }
    if (count > free_) return Error::exhausted;
    // Next fit, twice round: from behind the last run to the end, then from the beginning.
    for (const u64 begin : {next_, u64{0}}) {
        u64 start = (begin + alignment - 1) & ~(alignment - 1);
        while (start < count_ && count <= count_ - start) {
            u64 length = 0;  // of the free run at `start`, as far as it is needed
            while (length < count) {
                const u64 frame = start + length;
                const u64 taken = ~free_bits_[frame / 64] >> (frame % 64);
                const u64 run = taken == 0 ? 64 - frame % 64 : static_cast<u64>(std::countr_zero(taken));
                length += run;
                if (run < 64 - frame % 64) break;
            }
            if (length >= count) {
                next_ = start + count;
                return FrameRange{FrameNumber{start}, count};
            }
            // Behind the taken frame that ended the run, the next free one, a word at a time.
            u64 from = start + length + 1;
            while (from < count_) {
                const u64 free = free_bits_[from / 64] >> (from % 64);
                from += free == 0 ? 64 - from % 64 : static_cast<u64>(std::countr_zero(free));
                if (free != 0) break;
            }
            start = (from + alignment - 1) & ~(alignment - 1);
        }
    }
    return Error::exhausted;
}

u64 FrameTable::commit_take(FrameRange range, EnvId owner, FrameState state) {
    const u64 grant = fresh_grant();
    for (u64 i = 0; i < range.count; ++i) {
        FrameInfo& frame = info(range.first + i);
        frame.grant = grant;
        frame.owner = static_cast<u32>(owner.value);
        frame.state = state;
    }
    set_free(range, false);
    free_ -= range.count;
    return grant;
}

void FrameTable::commit_new_grants(FrameRange range) {
    for (u64 i = 0; i < range.count; ++i) info(range.first + i).grant = fresh_grant();
}

void FrameTable::commit_release(FrameRange range) {
    for (u64 i = 0; i < range.count; ++i) {
        FrameInfo& frame = info(range.first + i);
        if (frame.autosave != 0) commit_unseed(range.first + i);
        frame.grant = fresh_grant();
        frame.owner = 0;
        frame.state = FrameState::free;
        frame.flags = frame_flag::kDirty;
        frame.context = 0;
    }
    set_free(range, true);
    free_ += range.count;
}

u64 FrameTable::commit_recast(FrameRange range, FrameState state, u8 flags, u16 context) {
    const u64 grant = fresh_grant();
    for (u64 i = 0; i < range.count; ++i) {
        FrameInfo& frame = info(range.first + i);
        if (frame.autosave != 0) commit_unseed(range.first + i);
        frame.grant = grant;
        frame.state = state;
        frame.flags = flags;
        frame.context = context;
    }
    return grant;
}

void FrameTable::commit_seed(FrameNumber frame, AutosaveKind kind, FrameNumber destination) {
    commit_unseed(frame);
    info(frame).autosave = AutosaveSeed::make(kind, destination).bits;
    if (kind == AutosaveKind::copy) info(destination).autosave = AutosaveSeed::make(kind, frame, true).bits;
}

void FrameTable::commit_unseed(FrameNumber frame) {
    const AutosaveSeed seed{info(frame).autosave};
    info(frame).autosave = 0;
    if (seed.kind() == AutosaveKind::copy) info(seed.other()).autosave = 0;
}

}  // namespace tessera::kernel
