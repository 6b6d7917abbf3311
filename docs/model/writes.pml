/* The stored items, and the writes as the store applies them: what edgemind/domain/swarm/writes.py says, once more. */

/* The item. `claim`: the incarnation that claimed, of the one site that acts. */
typedef Item { byte fence; bool open; byte candidate; byte outcome; byte claim }
Item current;
byte ballots[FENCES * SITES];     /* what a site voted for in a round: NONE, KEEP, or PROPOSAL for the round's own */
byte resource;                    /* the highest fence that the resource has applied */

/* Copies of calls under way. */
mtype = { nothing, open_write, decide_write, claim_write, ballot_write }
typedef Copy { mtype kind; byte fence; byte value; byte by }
Copy late[COPIES + 1];
byte copies;
byte crashes;
bool applied;                     /* whether the present write was; false between two steps */
bool begun;                       /* coordinator 1 has begun */

/* What nobody in the fleet can see, and the invariants need. */
byte decided[FENCES];             /* the first outcome written or learned of each round */
byte known[FENCES];               /* what somebody announced */
byte executed[FENCES];
byte newest;                      /* the highest fence ever opened */
bool opened[FENCES];
byte voted[FENCES];               /* sites that have voted, stored or not */

inline keep_copy(a_kind, a_fence, a_value, a_by) {
    late[copies].kind = a_kind;
    late[copies].fence = a_fence;
    late[copies].value = a_value;
    late[copies].by = a_by;
    copies++
}

inline put_current(its_fence, is_open, its_candidate) {
    current.fence = its_fence;
    current.open = is_open;
    current.candidate = its_candidate;
    current.outcome = NONE;
    current.claim = 0
}

/* The writes. Each sets `applied`, and is checked as it is applied. */

inline apply_open(a_fence, a_candidate) {
    if
    :: OPEN_EPOCH(a_fence) && OPEN_ROUND(a_fence) && OPEN_DECIDED ->
        printf("open %d.%d, which proposes %d\n", EPOCH(a_fence) + 1, ROUND(a_fence), a_candidate);
        HOLDS(NO_STALE_FENCE, a_fence > newest);
        HOLDS(QUORUM_OR_KEEP, !current.open);
        newest = (a_fence > newest -> a_fence : newest);
        opened[a_fence] = true;
        put_current(a_fence, true, a_candidate);
        applied = true
    :: else -> applied = false
    fi
}

#define cast(f, voters, site) (((voters) >> (site)) & 1 && ballots[(f) * SITES + (site)] != NONE)
#define voted_for(f, voters, site) (((voters) >> (site)) & 1 && ballots[(f) * SITES + (site)] == PROPOSAL)
#define counted(f, voters) (cast(f, voters, 0) + cast(f, voters, 1) + cast(f, voters, 2))
#define in_favour(f, voters) (voted_for(f, voters, 0) + voted_for(f, voters, 1) + voted_for(f, voters, 2))
/* Of equals the proposal, whose id is lower. */
#define winner(f, voters, c) (2 * in_favour(f, voters) >= counted(f, voters) -> c : KEEP)

inline apply_decide(a_fence, an_outcome) {
    if
    :: DECIDE_EPOCH(a_fence) && DECIDE_ROUND(a_fence) && DECIDE_OPEN ->
        printf("decide %d.%d: %d, while %d.%d is there\n", EPOCH(a_fence) + 1, ROUND(a_fence), an_outcome,
            EPOCH(current.fence) + 1, ROUND(current.fence));
        HOLDS(AGREEMENT, decided[current.fence] == NONE || decided[current.fence] == an_outcome);
        decided[current.fence] = (decided[current.fence] == NONE -> an_outcome : decided[current.fence]);
        HOLDS(CANDIDATE, an_outcome <= TIMED_OUT || an_outcome == current.candidate);
        HOLDS(QUORUM_OR_KEEP, an_outcome == TIMED_OUT || a_fence == current.fence);   /* the ballots counted are its */
        current.open = false; current.outcome = an_outcome;
        applied = true
    :: else -> applied = false
    fi
}

inline apply_claim(a_fence, an_incarnation) {
    if
    :: CLAIM_EPOCH(a_fence) && CLAIM_ROUND(a_fence) && CLAIM_DECIDED && CLAIM_UNCLAIMED ->
        printf("claim %d.%d for incarnation %d\n", EPOCH(a_fence) + 1, ROUND(a_fence), an_incarnation);
        HOLDS(NO_STALE_FENCE, current.fence == a_fence && !current.open);
        current.claim = an_incarnation;
        applied = true
    :: else -> applied = false
    fi
}

inline apply_ballot(a_fence, a_site, a_vote) {
    if
    :: BALLOT_ABSENT(a_fence, a_site) ->
        printf("ballot of site %d in %d.%d: %d\n", a_site, EPOCH(a_fence) + 1, ROUND(a_fence), a_vote);
        HOLDS(ONE_BALLOT, ballots[a_fence * SITES + a_site] == NONE || ballots[a_fence * SITES + a_site] == a_vote);
        ballots[a_fence * SITES + a_site] = a_vote
    :: else
    fi
}

inline learn(a_fence, an_outcome) {
    HOLDS(AGREEMENT, decided[a_fence] == NONE || decided[a_fence] == an_outcome);
    decided[a_fence] = (decided[a_fence] == NONE -> an_outcome : decided[a_fence]);
    known[a_fence] = an_outcome
}

/* An effect reaches the resource, which looks at the fence itself. */
inline apply_effect(a_fence) {
    if
    :: FENCE_HOLDS(a_fence) ->
        printf("effect of %d.%d\n", EPOCH(a_fence) + 1, ROUND(a_fence));
        HOLDS(NO_STALE_FENCE, a_fence >= resource);
        executed[a_fence]++;
        HOLDS(ONE_EXECUTION, executed[a_fence] <= 1);
        HOLDS(AGREEMENT, decided[a_fence] >= PROPOSAL);
        HOLDS(STILL_CURRENT, current.fence == a_fence);
        resource = a_fence
    :: else
    fi
}
