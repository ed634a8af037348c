// Stopping the other CPUs (exokernel/core/exclusion.cpp), and the list locks, which are held for a few steps only.

#ifdef FAIR
#define MAY_STOP (owes[me] == 0)
#define OWE      owes[me] = ((1 << CPUS) - 1) & ~(1 << me)
inline pay_back() { n = 0; do :: n < CPUS -> owes[n] = owes[n] & ~(1 << me); n++ :: else -> n = 0; break od }
#else
inline pay_back() { skip }
#define MAY_STOP true
#define OWE      skip
#endif
#ifdef BUG_FREE_STOPS
#undef MAY_STOP
#define MAY_STOP true
#endif

#if defined(PROGRESS) && !defined(BUG_UNFAIR_LEAF)
#define FIRST_IN_LINE(l)  in_line[l] == 0
#else
#define FIRST_IN_LINE(l)  true
#endif
/// First come, first served, where progress is asked about (two CPUs: one waits at most); else whoever is quicker.
inline acquire(l) {
    if
    :: atomic { !list_lock[l] && FIRST_IN_LINE(l) -> list_lock[l] = true }
#if defined(PROGRESS) && !defined(BUG_UNFAIR_LEAF)
    :: atomic { list_lock[l] && FIRST_IN_LINE(l) -> in_line[l] = 1 }; atomic { !list_lock[l] -> list_lock[l] = true; in_line[l] = 0 }
#endif
    fi
}
inline unlock(l)  { list_lock[l] = false }

inline flush_own() { d_step { n = 0; do :: n < CONTEXTS -> TLB(me, n) = NONE; n++ :: else -> break od; n = 0 } }

/// Wait while somebody has this CPU stopped; flush, if told to, before anything else.
inline park() {
    do
    :: atomic { stop -> parked[me] = true };
        !stop || !parked[me];
#ifdef BUG_STICKY_ACK
        parked[me] = false;
#endif
        if :: atomic { told[me] -> told[me] = false }; flush_own() :: else fi
    :: else -> break
    od
}

/// Be the only CPU that runs. Nothing that was read before may be used behind this: waiting, this CPU may be parked.
inline exclude() {
#ifdef BUG_UNFAIR_LOCK
    waits[me] = true;
    do
    :: atomic { now_serving == 0 -> now_serving = 1; waits[me] = false; break }
    :: now_serving != 0 && stop -> park()
    od;
#else
    atomic { mine = next_ticket; next_ticket = (next_ticket + 1) % (CPUS + 1); waits[me] = true };
    do
    :: atomic { now_serving == mine -> waits[me] = false; mine = 0; break }
#ifndef BUG_NO_POLLING
    :: now_serving != mine && stop -> park()
#endif
    od;
#endif
    OWE;
#ifndef BUG_NO_STOP
    stop = true;
    n = 0;
    do :: n < CPUS -> (n == me || parked[n]); n++ :: else -> n = 0; break od;
#endif
}

/// To be called when the slots are empty.
inline tell_flush() { d_step { n = 0; do :: n < CPUS -> told[n] = (n != me); n++ :: else -> break od; n = 0 } }

inline readmit() {
    d_step {
        stop = false;
#ifndef BUG_STICKY_ACK
        n = 0; do :: n < CPUS -> parked[n] = false; n++ :: else -> break od; n = 0     /* the number is used up */
#endif
    };
#ifdef BUG_UNFAIR_LOCK
    now_serving = 0
#else
    now_serving = (now_serving + 1) % (CPUS + 1)
#endif
}
