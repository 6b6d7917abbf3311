"""The swarm round without I/O: events and the time come in, effects go out. The protocol is in docs/swarm.md.

records.py      what a round consists of: fence, candidates, ballots, the current round, its outcome
roster.py       who belongs to the metro, and the write that changes it
writes.py       the store's conditional writes: what each requires, and what it makes of the current round
ballots.py      quorum, tally, and whether further ballots could change the result
proposals.py    what a breaching site puts to the vote
voter.py        the deterministic default voter
pace.py         every timer of a round, scaled to the measured round trips
messages.py     what sites tell each other
documents.py    messages and their parts as JSON documents
signing.py      the MAC over a message, with keys made from the fleet's secret
envelopes.py    from whom to whom, which number, and what a site does not take
protocol.py     events and effects
repetition.py   one store call sent until its outcome is known: hedged, repeated, backed off
round.py        a coordinator: open or join, collect, decide
participant.py  a voter: one ballot a round
executor.py     a site's own part of a decision: claim it if need be, carry it out behind the fence
member.py       all of them at one site; the only file that hands events around

What is kept of a round after it is over:

history.py              one site's record of a round
recorder.py             derives it from a member's events and effects; round_drafts.py, round_draft.py and
                        recorded_calls.py are its parts
history_documents.py    records as JSON, both ways; vote_documents.py has the votes in them
summaries.py            lists of rounds, and what several sites' records say together
replay.py               a recorded round once more, through the code above
wording.py              candidates and outcomes in words
"""
