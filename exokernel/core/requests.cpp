#include "exokernel/core/requests.hpp"

namespace tessera::kernel {
namespace {

constexpr u64 kMaxUnits = 65536;

template <class T>
T read_once(const T& word) { return *static_cast<const volatile T*>(&word); }
template <class T>
void write_once(T& word, T value) { *static_cast<volatile T*>(&word) = value; }

/// Can `line` be said by making `last` longer, at either end?
bool make_longer(Repossession& last, const Repossession& line) {
    if (last.kind != line.kind || last.saved != line.saved || last.request != line.request) return false;
    const bool copied = line.saved == AutosaveKind::copy;
    if (line.first == last.first + last.count && (!copied || line.destination == last.destination + last.count)) {
        last.count += line.count;
        return true;
    }
    if (line.first + line.count == last.first && (!copied || line.destination + line.count == last.destination)) {
        last.first = line.first;
        last.destination = line.destination;
        last.count += line.count;
        return true;
    }
    return false;
}

}  // namespace

bool canonical(const RevocationSpec& spec) {
    if (static_cast<u64>(spec.kind) >= kRevocationKinds || spec.zero != 0) return false;
    if (spec.count == 0 || spec.count > kMaxUnits) return false;
    return spec.first == kAny || spec.kind != RevocationKind::kernel_memory;
}

RevocationRequest* next_outstanding(RequestRows rows, u64 number) {
    RevocationRequest* next = nullptr;
    for (RevocationRequest& row : rows)
        if (is_outstanding(row) && row.number > number && (next == nullptr || row.number < next->number)) next = &row;
    return next;
}

u64 free_row(RequestRows rows) {
    u64 best = kRequests;
    for (u64 i = 0; i < kRequests; ++i)
        if (!is_outstanding(rows[i]) && (best == kRequests || rows[i].done_at < rows[best].done_at)) best = i;
    return best;
}

// What does not fit the oldest is offered to the next. A named range can cut it in two, so there are at most
// 2^kRequests pieces, and only a row that was asked for costs one.
static void count_from(RequestRows rows, RevocationKind kind, u64 first, u64 count, u64 number) {
    if (count == 0) return;
    RevocationRequest* row = next_outstanding(rows, number);
    if (row == nullptr) return;
    if (row->kind != kind) return count_from(rows, kind, first, count, row->number);
    if (!is_named(*row)) {
        const u64 fit = count < owed(*row) ? count : owed(*row);
        row->returned += fit;
        return count_from(rows, kind, first + fit, count - fit, row->number);
    }
    const u64 begin = first > row->first ? first : row->first;
    const u64 last = first + count < row->first + row->count ? first + count : row->first + row->count;
    if (begin >= last) return count_from(rows, kind, first, count, row->number);
    row->returned += last - begin < owed(*row) ? last - begin : owed(*row);
    count_from(rows, kind, first, begin - first, row->number);
    count_from(rows, kind, last, first + count - last, row->number);
}

void count_returned(RequestRows rows, RevocationKind kind, u64 first, u64 count) { count_from(rows, kind, first, count, 0); }

void count_taken(RequestRows rows, RevocationKind kind, u64 count) {
    while (count != 0) {
        RevocationRequest* youngest = nullptr;
        for (RevocationRequest& row : rows)
            if (is_outstanding(row) && row.kind == kind && !is_named(row) && row.returned != 0 &&
                (youngest == nullptr || row.number > youngest->number))
                youngest = &row;
        if (youngest == nullptr) return;
        const u64 less = count < youngest->returned ? count : youngest->returned;
        youngest->returned -= less;
        count -= less;
    }
}

u64 lines_used(const RepossessionVector& vector) {
    const u64 used = read_once(vector.used);
    return used < RepossessionVector::kLines ? used : RepossessionVector::kLines;
}

void append_line(RepossessionVector& vector, const Repossession& line, u64 seen) {
    const u64 used = lines_used(vector);
    if (used > seen) {
        Repossession& place = vector.line[used - 1];
        Repossession last{read_once(place.kind),  read_once(place.saved),       read_once(place.first),
                          read_once(place.count), read_once(place.destination), read_once(place.request)};
        if (make_longer(last, line)) {
            place = last;
            return;
        }
    }
    if (used == RepossessionVector::kLines) {
        write_once(vector.unreported, read_once(vector.unreported) + line.count);
        return;
    }
    vector.line[used] = line;
    write_once(vector.used, static_cast<u32>(used + 1));
}

}  // namespace tessera::kernel
