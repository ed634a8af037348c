// What a libOS does all day: faults that are refilled, unbinding, binding the same page again. No lock, no other CPU.

/// Ring 3 used what its TLB holds until now.
inline look() {
    assert(!(TLB(me, loaded[me]) & STALE));
#ifdef BYTES
    assert(TLB(me, loaded[me]) == NONE || !old_bytes[TLB(me, loaded[me]) - 1])
#endif
}

inline choose(x, limit) { if :: x = 0 :: limit > 1 -> x = 1 fi }

/// A capability that is genuine now, whoever gave it to this environment.
inline present() {
    if :: granted[0] -> f = 0 :: granted[FRAMES - 1] -> f = FRAMES - 1 fi;
    presented[me] = f + 1
}

inline refill() {
    if
    :: tag[c] == LIVE -> word[me] = pte[c]; slot[c] = word[me]
    :: else
    fi
}

/// The entry stays on its frame's list.
inline unbind() { slot[c] = NONE; tag[c] = DEAD; TLB(me, c) = NONE }

/// The grant number is compared first, then the entry, then three stores.
inline bind_again() {
    if
    :: presented[me] == f + 1 && !DIRTY(f) ->
        word[me] = f + 1;
        if
        :: tag[c] == DEAD && pte[c] == f + 1 -> tag[c] = LIVE; slot[c] = word[me]
        :: else
        fi
    :: else
    fi
}
