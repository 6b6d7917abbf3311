/* How large the world is, what an outcome is, which invariants are looked at, and the conditions of the writes. */

#ifndef ROUNDS
#define ROUNDS 1                  /* of an epoch */
#endif
#ifndef EPOCHS
#define EPOCHS 1                  /* 2: the table is restored once, and its epoch raised */
#endif
#ifndef COPIES
#define COPIES 1                  /* calls, in a whole run, of which a copy is applied late, or unheard */
#endif
#ifndef CRASHES
#define CRASHES 0                 /* coordinators that die for good */
#endif
#ifndef COORDINATORS
#define COORDINATORS 2            /* of the three sites: the opener and its deputies */
#endif
#ifndef CARELESS
#define CARELESS 0                /* 1: one more member, that does not look before it opens or claims */
#endif

#define SITES 3
#define FENCES (EPOCHS * (ROUNDS + 1))
#define EPOCH(f) ((f) / (ROUNDS + 1))
#define ROUND(f) ((f) % (ROUNDS + 1))
#define TASKS (FENCES - EPOCHS)   /* rounds that a coordinator sees to, at most */

/* Outcomes. A round's candidates are KEEP and what its opener proposes, so that two rounds' candidates can differ. */
#define NONE 0
#define KEEP 1
#define TIMED_OUT 2               /* the KEEP that no quorum voted for */
#define PROPOSAL 3                /* by site 0; PROPOSAL + 1 by another one. Both are for one site to carry out */
#define proposal_of(site) (PROPOSAL + ((site) > 0))

/* The invariants, as bits: -DCHECKED=... looks at some of them only. */
#define AGREEMENT 1
#define ONE_EXECUTION 2
#define NO_STALE_FENCE 4
#define QUORUM_OR_KEEP 8
#define CANDIDATE 16
#define ONE_BALLOT 32
#define NO_HANG 64
#define STILL_CURRENT 128         /* holds not even in the correct protocol: README.md */
#ifndef CHECKED
#define CHECKED 127
#endif
#define HOLDS(invariant, condition) assert(!(CHECKED & invariant) || (condition))

/* What -DMUTANT=... can take away. */
#ifndef MUTANT
#define MUTANT 0
#endif
#define without_open_epoch 1
#define without_open_round 2
#define without_open_decided 3
#define without_decide_epoch 4
#define without_decide_round 5
#define without_decide_open 6
#define without_claim_epoch 7
#define without_claim_round 8
#define without_claim_decided 9
#define without_claim_unclaimed 10
#define without_ballot_absent 11
#define without_genesis_absent 12
#define without_fence 13
#define without_own_incarnation 14
#define without_claim 15
#define without_quorum 16
#define without_deadline 17
#define without_new_epoch 18
#define UNLESS(mutant, condition) (MUTANT == mutant || (condition))

/* The conditions of the writes, by the names that edgemind/domain/swarm/writes.py gives them. */
#define OPEN_EPOCH(f) UNLESS(without_open_epoch, EPOCH(current.fence) == EPOCH(f))
#define OPEN_ROUND(f) UNLESS(without_open_round, ROUND(current.fence) + 1 == ROUND(f))
#define OPEN_DECIDED UNLESS(without_open_decided, !current.open)
#define DECIDE_EPOCH(f) UNLESS(without_decide_epoch, EPOCH(current.fence) == EPOCH(f))
#define DECIDE_ROUND(f) UNLESS(without_decide_round, ROUND(current.fence) == ROUND(f))
#define DECIDE_OPEN UNLESS(without_decide_open, current.open)
#define CLAIM_EPOCH(f) UNLESS(without_claim_epoch, EPOCH(current.fence) == EPOCH(f))
#define CLAIM_ROUND(f) UNLESS(without_claim_round, ROUND(current.fence) == ROUND(f))
#define CLAIM_DECIDED UNLESS(without_claim_decided, !current.open)
#define CLAIM_UNCLAIMED UNLESS(without_claim_unclaimed, current.claim == 0)
#define BALLOT_ABSENT(f, site) UNLESS(without_ballot_absent, ballots[(f) * SITES + (site)] == NONE)

/* What is not in a write, and needed as much. */
#define FENCE_HOLDS(f) UNLESS(without_fence, (f) >= resource)
#define MINE(f) (current.fence == f && UNLESS(without_own_incarnation, current.claim == incarnation) && current.claim)
#define UNCLAIMED_EFFECTS (MUTANT == without_claim)
#define QUORUM (MUTANT == without_quorum -> 1 : 2)
#define RESTORED_EPOCH (MUTANT == without_new_epoch -> 0 : ROUNDS + 1)
