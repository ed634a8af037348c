// Taking a frame away while other CPUs use it: the S-TLB's hot paths, the locks, and the stopping of CPUs.
//
// One S-TLB entry a context stands for all of them: it can hold a binding of any frame, and whoever binds another frame
// there displaces the first. A kernel section is a row of steps; each step is one access to memory that others may
// change, and whatever a lock keeps others from is still seen by those who take no lock (refill, bind again, the
// hardware). An interrupt is taken in ring 3 only.
//
// Grant numbers never repeat, so the model needs none: `presented[cpu]` is the frame whose present grant number the
// capability in that CPU's hands carries, and a fresh number takes it out of all hands. A word that leads to a frame
// turns `stale` when the frame becomes free: that is the ghost which the assertions look at, and nothing else does.
//
//   CONTEXTS=1  all CPUs may load the one context; else each CPU has its own, and changes the other's by capability
//   MOVE    both may load context 0, and context 1 changes CPUs
//   BYTES   look after what a frame's last owner left in it
//   FAIR    what stopping costs others is paid back before the next stop (for the checks of progress)
//   BUG_*   one mistake each; tests/model/run.py expects spin to find every one
#ifndef CPUS
#define CPUS 2
#endif
#ifndef FRAMES
#define FRAMES 2
#endif
#ifndef CONTEXTS
#define CONTEXTS 2
#endif
#define NONE  0
#define STALE 4                      /* in a word: the frame has been given up since */
#define DEAD  1
#define LIVE  2

bool owned[FRAMES];                  /* else it is free */
bool granted[FRAMES];                /* capabilities with its grant number are about */
#ifdef BYTES
bool dirty[FRAMES], old_bytes[FRAMES];
#define DIRTY(f) dirty[f]
#else
#define DIRTY(f) false
#endif
bool list_lock[FRAMES];
#ifdef PROGRESS
byte in_line[FRAMES];
#endif
#ifdef BUG_ENTRY_LOCK
bool context_lock[CONTEXTS];
#endif
byte tag[CONTEXTS], pte[CONTEXTS];   /* an entry is on the list of the frame in its word */
byte slot[CONTEXTS];                 /* the hardware's tables */
byte tlb[CPUS * CONTEXTS];           /* by context: as with address-space tags, switching flushes nothing */
byte loaded[CPUS], cpus[CONTEXTS];   /* bit n: CPU n may load it */
byte presented[CPUS], word[CPUS];    /* registers, where the ghost can reach them */
bool user[CPUS], waits[CPUS];

bool stop;                           /* a stop has a number: `parked` is `parked_for == current_stop` */
bool parked[CPUS], told[CPUS];
byte next_ticket, now_serving;
byte owes[CPUS];

#define TLB(cpu, c)   tlb[(cpu) * CONTEXTS + (c)]
#define ONLY_HERE(c)  (cpus[c] == 1 << me)
#define MAY_LOAD(c)   (cpus[c] >> me & 1)

#include "stopping.pml"
#include "hot_paths.pml"
#include "frames.pml"

/// The hardware walks its tables whenever it likes, also ahead of a fault and while the kernel runs.
proctype walker(byte me) {
    do
    :: atomic { TLB(me, loaded[me]) == NONE && slot[loaded[me]] != NONE -> TLB(me, loaded[me]) = slot[loaded[me]] }
    od
}

#define SOME_CAPABILITY  (granted[0] || granted[FRAMES - 1])
#ifdef PROGRESS
#define ON  (!stop)                 /* an interrupt that waits is taken before anything else */
#else
#define ON  true                    /* it may take its time to arrive */
#endif
#define ENTER  user[me] = false; look()

proctype cpu(byte me) {
    byte f, c, n, mine;
    bool all_here;
    c = loaded[me];
ring3:
    user[me] = true;
    if
    :: atomic { stop -> ENTER } -> park()
    :: atomic { ON && tag[c] == LIVE -> ENTER } -> refill()
    :: atomic { ON && tag[c] == LIVE -> ENTER } -> unbind()
    :: atomic { ON && tag[c] == DEAD && SOME_CAPABILITY -> present(); ENTER } -> bind_again()
    :: atomic { ON && SOME_CAPABILITY -> present(); ENTER; choose(c, CONTEXTS) } -> bind()
    :: atomic { ON && SOME_CAPABILITY -> present(); ENTER } -> release()
    :: atomic { ON && (!owned[0] || !owned[FRAMES - 1]) -> ENTER; choose(f, FRAMES) } -> alloc()
#ifdef MOVE
    :: atomic { ON && MAY_STOP -> ENTER } -> move()
    :: atomic { ON && MAY_LOAD(1 - c) -> ENTER; loaded[me] = 1 - c }
#else
    :: atomic { ON && MAY_STOP -> ENTER; choose(f, FRAMES) } -> repossess()
#endif
    fi;
    atomic { pay_back(); f = 0; c = loaded[me]; all_here = false; word[me] = NONE; presented[me] = NONE };
    goto ring3
}

init {
    byte i = 0;
    atomic {
        do :: i < CPUS -> loaded[i] = (i < CONTEXTS -> i : CONTEXTS - 1); cpus[loaded[i]] = cpus[loaded[i]] | 1 << i; i++ :: else -> break od;
#ifdef MOVE
        cpus[0] = 3; cpus[1] = 1; loaded[1] = 0;
#endif
        i = 0; do :: i < CPUS -> run cpu(i); run walker(i); i++ :: else -> break od
    }
}

#ifdef PROGRESS
ltl bystander { []<> user[1] }
ltl served { [] (waits[1] -> <> !waits[1]) }
#endif
