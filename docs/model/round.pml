/* One metro's item and everybody who writes it: README.md tells what is modelled, what is found, and what is left out.
 *
 * A call of the store is one step: that it is sent before and answered after changes nothing that others can see. What
 * can be seen is that a copy of it is applied at any later time, or never, and that nobody hears what came of it: such
 * copies lie in `late`. Processes may pause between any two steps, for as long as they like.
 */

#include "parameters.pml"
#include "writes.pml"

/* The coordinator is through with a task, or died. */
inline die() {
    tasks = 0; aim = 0; at = 0; candidate = NONE; outcome = NONE;
    goto ended
}

inline go_on(next) {
    aim = next; at = 0; candidate = NONE; outcome = NONE; tasks++;
    if
    :: tasks < TASKS && aim < FENCES && ROUND(aim) != 0 -> goto opening
    :: else -> die()
    fi
}

/* Any ballots that are enough may be those that it has heard of: bits of `which`, by site. */
#define COUNT(which) \
    :: atomic { counted(at, which) == (which == 7 && QUORUM > 1 -> SITES : QUORUM) -> \
        HOLDS(QUORUM_OR_KEEP, counted(at, which) > 1); \
        outcome = winner(at, which, candidate) }

/* A site as coordinator, of its own breach or as a deputy; when it begins, and how long it takes, is nobody's to say. */
proctype Coordinator(byte me) {
    byte tasks;
    byte aim = 1;                 /* the round to see through */
    byte at;                      /* the round to decide: its own, or one that it joined */
    byte candidate;
    byte outcome;

    me < 2 || begun;              /* 1 and 2 differ in nothing else: the first of them is 1 */
opening:
    do
    :: atomic { copies < COPIES -> begun = begun || me == 1; keep_copy(open_write, aim, proposal_of(me), 0) }
    :: atomic { crashes < CRASHES -> begun = begun || me == 1; crashes++; die() }
    :: atomic {
        begun = begun || me == 1;
        apply_open(aim, proposal_of(me));
        if
        :: applied || current.open ->
            applied = false; at = current.fence; candidate = current.candidate;
            goto collecting
        :: else
        fi;
        if
        :: current.fence < aim -> go_on(FENCES)      /* rewound without a new epoch: it stops, and says so */
        :: current.fence >= aim && current.outcome != NONE ->
            at = current.fence; outcome = current.outcome; learn(at, outcome);
            go_on(at + 1)
        :: current.fence >= aim && ROUND(current.fence) < ROUNDS -> aim = current.fence + 1
        :: current.fence >= aim && ROUND(current.fence) == ROUNDS -> die()
        fi }
    od;
collecting:                       /* acknowledgements and reads show ballots as they are stored */
    if
    :: atomic { crashes < CRASHES -> crashes++; die() }
    COUNT(3)
    COUNT(5)
    COUNT(6)
    COUNT(7)
#if MUTANT != without_deadline
    :: outcome = TIMED_OUT
#endif
    fi;
deciding:
    do
    :: atomic { copies < COPIES -> keep_copy(decide_write, at, outcome, 0) }
    :: atomic { crashes < CRASHES -> crashes++; die() }
    :: atomic {
        apply_decide(at, outcome);
        if
        :: applied -> applied = false; learn(at, outcome)
        :: !applied && current.fence == at && current.outcome != NONE -> outcome = current.outcome; learn(at, outcome)
        :: else
        fi;
        outcome = NONE;
        if
        :: at < aim -> at = 0; goto opening
        :: else -> go_on(at + 1)
        fi }
    od;
ended:
    skip
}

/* What voters say is anybody's guess, and some say nothing: a ballot comes when it comes, for either candidate.
 * Nothing else depends on which site is which, so they are numbered in the order in which they vote. */
#define VOTE(fence, site) \
    :: atomic { opened[fence] && site <= voted[fence] && ballots[(fence) * SITES + site] == NONE -> \
        voted[fence] = (voted[fence] > site -> voted[fence] : site + 1); \
        if \
        :: true -> apply_ballot(fence, site, KEEP) \
        :: true -> apply_ballot(fence, site, PROPOSAL) \
        :: copies < COPIES -> keep_copy(ballot_write, fence, KEEP, site) \
        :: copies < COPIES -> keep_copy(ballot_write, fence, PROPOSAL, site) \
        fi }

proctype Voters() {
    do
    VOTE(1, 0) VOTE(1, 1) VOTE(1, 2)
#if FENCES > 3
    VOTE(3, 0) VOTE(3, 1) VOTE(3, 2)
#endif
#if ROUNDS > 1
    VOTE(2, 0) VOTE(2, 1) VOTE(2, 2)
#endif
#if FENCES > 4
    VOTE(4, 0) VOTE(4, 1) VOTE(4, 2) VOTE(5, 0) VOTE(5, 1) VOTE(5, 2)
#endif
    :: break                      /* those who have not voted say nothing */
    od
}

/* A controller at the site that acts. There are two: the older may be paused while its successor does its work. */
#define CLAIM(f) \
    :: atomic { last < f && known[f] >= PROPOSAL && copies < COPIES -> keep_copy(claim_write, f, incarnation, 0) } \
    :: atomic { last < f && known[f] >= PROPOSAL -> \
        last = f; \
        apply_claim(f, incarnation); \
        if \
        :: applied || MINE(f) || UNCLAIMED_EFFECTS -> applied = false; goto executing \
        :: else -> goto waiting \
        fi }

proctype Claimant(byte incarnation) {
    byte last;                    /* the newest round whose outcome it has looked at */

waiting:
    do
    CLAIM(1)
#if FENCES > 2
    CLAIM(2)
#endif
#if FENCES > 3
    CLAIM(3)
#endif
#if FENCES > 4
    CLAIM(4) CLAIM(5)
#endif
    od;
executing:
    atomic { apply_effect(last) };
    goto waiting
}

/* Copies under way arrive: any of them, at any time, and nobody hears of it. */
proctype Network() {
#define ARRIVE(n) \
    :: atomic { late[n].kind != nothing -> \
        if \
        :: late[n].kind == open_write -> apply_open(late[n].fence, late[n].value) \
        :: late[n].kind == decide_write -> apply_decide(late[n].fence, late[n].value) \
        :: late[n].kind == claim_write -> apply_claim(late[n].fence, late[n].value) \
        :: late[n].kind == ballot_write -> apply_ballot(late[n].fence, late[n].by, late[n].value) \
        fi; \
        late[n].kind = nothing; late[n].fence = 0; late[n].value = 0; late[n].by = 0; applied = false }
    do
    ARRIVE(0)                     /* never, if there are no copies */
#if COPIES > 1
    ARRIVE(1)
#endif
#if COPIES > 2
    ARRIVE(2)
#endif
    od
}

/* The operator provisions once more, by mistake, and restores the table to its beginning, in the next epoch. */
proctype Operator() {
    if
    :: MUTANT == without_genesis_absent -> d_step { put_current(0, false, NONE); printf("genesis, once more\n") }
    :: else                       /* refused: there is an item */
    fi;
    if
    :: EPOCHS > 1 -> d_step { put_current(RESTORED_EPOCH, false, NONE); printf("the table is restored\n") }
    :: else
    fi
}

/* A member that does not look: it opens the next round, or claims, while the present one is still open. */
proctype Careless() {
    if
    :: d_step { current.open && ROUND(current.fence) < ROUNDS ->
        apply_open(current.fence + 1, PROPOSAL + 1); applied = false }
    :: d_step { current.open -> apply_claim(current.fence, 3); applied = false }
    fi
}

/* When nothing can happen any more, a round that is still open hangs. */
proctype Watch() {
    timeout -> HOLDS(NO_HANG, !current.open)
}

init {
    atomic {
        run Coordinator(0);
        run Coordinator(1);
#if COORDINATORS > 2
        run Coordinator(2);
#endif
        run Voters();
        run Claimant(1);
        run Claimant(2);
        run Network();
#if EPOCHS > 1 || MUTANT == without_genesis_absent
        run Operator();
#endif
#if CARELESS
        run Careless();
#endif
        run Watch()
    }
}
