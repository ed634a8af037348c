// The life of a request (exokernel/abi/revocation.hpp): asked, told, met or repossessed, whatever anybody does meanwhile.
//
// Two requesters, one target with a table of two places, and whichever CPU looks after deadlines at its next switch. That
// whoever stops the others finds them in the middle of nothing is shown by taking.pml. So here a system call of the
// target, and what is done with the others stopped, is one step each: STOPPED. The mistakes leave that out.
//
// To be shown: every request ends (answered); never more is taken or counted than was asked for; units are conserved.
#define UNITS  2
#define PLACES 2
mtype = { unused, asked, told, met, repossessed };
#define OUT(p)  (state[p] == asked || state[p] == told)

mtype state[PLACES] = unused;
byte count[PLACES], returned[PLACES], taken[PLACES];
byte oldest;                         /* the place that was used first, if both are */
bool wall[PLACES], own[PLACES];      /* this half of the deadline has passed */
byte has = UNITS, free;              /* of the units that can be asked for */
bool slots = true, alive = true;

#define STOPPED  atomic
#define BALANCED      assert(has + free == UNITS)

inline close(p, how) {
    assert(OUT(p));                  /* a request ends once */
    assert(returned[p] + taken[p] <= count[p]);
    state[p] = how
}

/// A unit that the target gave back counts towards its oldest request.
inline count_returned() {
    p = oldest;
    if :: OUT(p) :: else -> p = 1 - p fi;
    if
    :: OUT(p) ->
        assert(returned[p] < count[p]);
        was = returned[p];
        returned[p] = was + 1;
        if :: returned[p] + taken[p] == count[p] -> close(p, met) :: else fi
    :: else
    fi
}

inline give_up_all() {
    alive = false; free = free + has; has = 0;
#ifndef BUG_ENDS_FORGETTING
    p = 0; do :: p < PLACES -> if :: OUT(p) -> close(p, repossessed) :: else fi; p++ :: else -> break od
#endif
}

proctype target() {
    byte p, was;
    do
    :: d_step { alive && slots ->    /* a slice: what is asked is told first, and time passes */
            p = 0;
            do
            :: p < PLACES -> if :: state[p] == told -> own[p] = true :: state[p] == asked -> state[p] = told :: else fi; p++
            :: else -> p = 0; break
            od
        };
        if                           /* it may also compute, and answer nothing */
        :: skip
        :: STOPPED { has > 0 -> has--; free++; count_returned(); p = 0; was = 0 }
        :: STOPPED { free > 0 -> has++; free-- }
        :: slots = false
        :: STOPPED { give_up_all(); p = 0 }
        fi
    :: alive && !slots -> slots = true     /* somebody lends it a slot, */
    :: alive && !slots -> break            /* or never does again */
    :: !alive -> break
    od
}

inline ask() {
    if :: !OUT(0) -> p = 0 :: else -> p = 1 fi;
    returned[p] = 0; taken[p] = 0; wall[p] = false; own[p] = false;
    if :: count[p] = 1 :: count[p] = 2 fi;
    if :: OUT(1 - p) -> oldest = 1 - p :: else -> oldest = p fi;
    assert(!OUT(p));                 /* nobody else took the place */
    state[p] = asked; p = 0
}

proctype requester() {
    byte p;
    do
#ifdef BUG_UNSTOPPED_REQUEST
    :: alive && (!OUT(0) || !OUT(1)) -> ask()
#else
    :: STOPPED { alive && (!OUT(0) || !OUT(1)) -> ask() }
#endif
    :: break                         /* it ends; what it asked for stands */
    od
}

#define LATE(p)  wall[p] = wall[p] || OUT(p)
proctype clock() {
    do
    :: atomic { (OUT(0) && !wall[0]) || (OUT(1) && !wall[1]) -> LATE(0); LATE(1) }
    od
}

#ifdef BUG_OWN_TIME_ALWAYS
#define OVER(p)  (OUT(p) && wall[p] && own[p])
#else
#define OVER(p)  (OUT(p) && wall[p] && (own[p] || !slots))
#endif
#define OWED(p)  (count[p] - returned[p] - taken[p])

/// The abort protocol.
inline abort() {
#ifdef BUG_OWED_BEFORE_STOPPING
    n = OWED(p);
    STOPPED {
        if
        :: OUT(p) ->
#else
    STOPPED {
        n = OWED(p);
        if
        :: OVER(p) ->
#endif
            do
            :: n > 0 && has > 0 -> has--; free++; taken[p]++; n--
            :: else -> break
            od;
            close(p, repossessed)
        :: else
        fi;
        BALANCED; n = 0; p = 0
    }
}

/// A CPU at its switch from slice to slice.
proctype deadlines() {
    byte p, n;
    do
    :: OVER(0) || OVER(1) ->
        if :: OVER(0) -> p = 0; abort() :: else fi;
        if :: OVER(1) -> p = 1; abort() :: else fi
    od
}

init { atomic { run target(); run requester(); run requester(); run clock(); run deadlines() } }

ltl answered { [] (OUT(0) -> <> !OUT(0)) }
