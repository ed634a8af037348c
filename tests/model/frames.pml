// What is rarer: binding another frame, and frames that change hands.

/// The ghost: every word that still leads to the frame is stale from now on.
inline age(w) { if :: w == f + 1 -> w = w | STALE :: else fi }
inline turn_stale() {
    n = 0; do :: n < CONTEXTS -> age(pte[n]); age(slot[n]); n++ :: else -> break od;
    n = 0; do :: n < CPUS -> age(word[n]); n++ :: else -> break od;
    n = 0; do :: n < CPUS * CONTEXTS -> age(tlb[n]); n++ :: else -> break od; n = 0
}

/// A new grant number: no capability is good any more.
inline fresh_grant() {
    d_step {
        granted[f] = false; n = 0;
        do
        :: n < CPUS -> if :: presented[n] == f + 1 -> presented[n] = NONE :: else fi; n++
        :: else -> break
        od;
        n = 0
    }
}

inline set_free() {
    d_step {
        assert(owned[f]);       /* nobody else has freed it */
        n = 0; do :: n < CONTEXTS -> assert(pte[n] != f + 1); n++ :: else -> break od;
        owned[f] = false;
#ifdef BYTES
        dirty[f] = true; old_bytes[f] = true;
#endif
        turn_stale()
    }
}

/// Before anybody sees it.
inline clean() {
#ifdef BYTES
    if
    :: dirty[f] -> dirty[f] = false; old_bytes[f] = false
    :: else
    fi
#else
    skip
#endif
}

/// The entry gives up the frame that it led to.
inline displace() {
    if
    :: atomic { pte[c] != NONE && pte[c] != f + 1 -> mine = pte[c] - 1 };
#ifdef BUG_DEAD_SKIPPED
        if :: tag[c] == LIVE -> tag[c] = DEAD; slot[c] = NONE :: else fi;
#else
        tag[c] = DEAD; slot[c] = NONE;
#endif
        TLB(me, c) = NONE;
        acquire(mine); pte[c] = NONE; unlock(mine); mine = 0
    :: else
    fi
}

inline commit_binding() {
    displace();
#ifdef BUG_CLEAN_UNLOCKED
    clean();
#endif
    acquire(f);
    if
#ifdef BUG_NO_RECHECK
    :: true ->
#else
    :: presented[me] == f + 1 ->
#endif
#ifndef BUG_CLEAN_UNLOCKED
        clean();
#endif
        word[me] = f + 1; pte[c] = word[me]; tag[c] = LIVE; slot[c] = word[me]
    :: else
    fi;
    unlock(f)
}

/// Only the one CPU that may load a context changes which frame an entry leads to, or all others are stopped.
inline bind() {
    if
#ifdef BUG_ENTRY_LOCK
    :: atomic { !context_lock[c] -> context_lock[c] = true }; commit_binding(); context_lock[c] = false
#else
    :: ONLY_HERE(c) -> commit_binding()
    :: !ONLY_HERE(c) && MAY_STOP -> exclude(); commit_binding(); tell_flush(); readmit()
    :: else
#endif
    fi
}

inline break_bindings() {
    c = 0;
    do
    :: c < CONTEXTS && pte[c] == f + 1 ->
#ifdef BUG_DEAD_SKIPPED
        if :: tag[c] == LIVE -> tag[c] = NONE; slot[c] = NONE :: else fi;
#else
        tag[c] = NONE; slot[c] = NONE;
#endif
        acquire(f); pte[c] = NONE; unlock(f); c++
    :: c < CONTEXTS && pte[c] != f + 1 -> c++
    :: else -> break
    od;
    c = loaded[me]
}

inline take_stopped() {
#ifdef BUG_FLUSH_FIRST
    flush_own(); tell_flush(); break_bindings(); set_free(); readmit()
#else
#ifdef BUG_LATE_FLUSH
    break_bindings(); flush_own(); set_free(); readmit(); tell_flush()
#else
    break_bindings(); flush_own(); tell_flush(); set_free(); readmit()
#endif
#endif
}

inline look_who_binds() {
    d_step {
        all_here = true; n = 0;
        do
        :: n < CONTEXTS -> all_here = all_here && (pte[n] != f + 1 || ONLY_HERE(n)); n++
        :: else -> break
        od;
        n = 0
    }
}

/// Where it is not for this CPU alone, nothing is done before all is looked at again with the others stopped.
inline release() {
    acquire(f);
    if
#ifdef BUG_NO_RECHECK_RELEASE
    :: true ->
#else
    :: presented[me] == f + 1 ->
#endif
        look_who_binds();
        if
#ifdef BUG_CLAIM_BEFORE_WAITING
        :: all_here ->               /* looked at, new number, looked at again: each in time, and still too late */
            unlock(f); fresh_grant();
            acquire(f); look_who_binds(); unlock(f);
            if
            :: all_here -> break_bindings(); flush_own(); set_free()
            :: else -> exclude(); take_stopped()
            fi
#else
        :: all_here -> fresh_grant(); unlock(f); break_bindings(); flush_own(); set_free()
#endif
        :: !all_here && MAY_STOP ->
            unlock(f);
            exclude();
            if
#ifdef BUG_ASSUMED_ACROSS
            :: true ->
#else
            :: presented[me] == f + 1 ->
#endif
                fresh_grant(); take_stopped()
            :: else -> readmit()
            fi
        :: else -> unlock(f)
        fi
    :: else -> unlock(f)
    fi
}

inline repossess() {
    exclude();
    if :: owned[f] -> fresh_grant(); take_stopped() :: else -> readmit() fi
}

/// The lock of the free frames makes this one step.
inline alloc() { atomic { if :: !owned[f] -> owned[f] = true; granted[f] = true :: else fi } }

/// Context 1 goes to another CPU: whoever has it loaded loads context 0 instead.
inline move() {
    exclude();
    atomic {
        cpus[1] = 3 & ~cpus[1];
        n = 0; do :: n < CPUS -> loaded[n] = 0; n++ :: else -> n = 0; break od
    };
#ifndef BUG_MOVED_UNFLUSHED
    flush_own(); tell_flush();
#endif
    readmit()
}
