"""One value of every kind that controllers tell each other or store about rounds, with how it is written and read.

`tests/fixtures/wire/v1/` holds what a version wrote of these values, frozen: later versions must go on reading it.
After an addition to a document leave the old folder as it is, and freeze the new form beside it:
python -m tests.support.wire_samples v2
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.adapters.swarm_store.records import (
    ballot_record,
    current_record,
    read_ballot,
    read_current,
    read_roster,
    roster_record,
)
from edgemind.domain.beacons import Beacon, ModelLoad, beacon_document, parse_beacon
from edgemind.domain.swarm.documents import message_document, parse_message
from edgemind.domain.swarm.history_documents import parse_record, record_document
from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.records import KEEP, Fence, Outcome
from edgemind.domain.swarm.roster import Roster, RosterMember
from tests.support.round_records import round_record
from tests.support.swarm_checks import CANDIDATES, CHANGE, ROSTER, ballot, claim, decide, opening

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wire"
FENCE = Fence(2, 17)
OPEN = opening(FENCE, "site-a/3/1").opened()
DECIDED = claim(FENCE).applied(decide(FENCE, "site-b/1/4").applied(OPEN))
TIMED_OUT = Announce("site-c", FENCE, Outcome(KEEP, timed_out=True))


@dataclass(frozen=True, slots=True)
class Sample:
    value: object
    write: Callable[[Any], Mapping[str, Any]]
    read: Callable[[Any], object]


def _message(message: Message) -> Sample:
    return Sample(message, message_document, parse_message)


SAMPLES: dict[str, Sample] = {
    "stored_open_round": Sample(OPEN, current_record, read_current),
    "stored_decided_round": Sample(DECIDED, current_record, read_current),
    "stored_ballot": Sample(ballot("site-b", FENCE), ballot_record, read_ballot),
    "stored_roster": Sample(
        Roster(3, (RosterMember("site-a", "http://a:1"), RosterMember("site-d", "http://d:1", "{}")), "nonce"),
        roster_record,
        read_roster,
    ),
    "message_wake": _message(Wake("site-a", FENCE, CANDIDATES, ROSTER)),
    "message_hint": _message(Hint("site-a", OPEN)),
    "message_hint_decided": _message(Hint("site-a", DECIDED)),
    "message_acknowledge": _message(Acknowledge("site-b", ballot("site-b", FENCE))),
    "message_announce": _message(Announce("site-a", FENCE, Outcome(CHANGE))),
    "message_announce_timed_out": _message(TIMED_OUT),
    "beacon": Sample(
        Beacon("site-a", 3, 7, False, {"model": ModelLoad(2, 4, 15.5, True, 1.5)}, newest=TIMED_OUT),
        beacon_document,
        parse_beacon,
    ),
    "kept_round": Sample(round_record(trace_id="4b" * 16), record_document, parse_record),
}


def freeze(version: str) -> None:
    folder = FIXTURES / version
    folder.mkdir(parents=True)
    for name, sample in SAMPLES.items():
        (folder / f"{name}.json").write_text(json.dumps(sample.write(sample.value), indent=1) + "\n")


if __name__ == "__main__":
    freeze(sys.argv[1])
