"""Kill -9 while opdash scans, polls and creates against the sandbox, over and over."""

from __future__ import annotations

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Creation, CreationStatus
from tests.bench.killing import Toll, compare, kill_rounds, look_at_creations
from tests.ledger.builders import ADDRESS, NOW, Book, payment

ROUNDS = 20


def test_nothing_is_lost_or_doubled() -> None:
    toll = kill_rounds(ROUNDS, payments=1000)
    assert toll.faults == []
    assert toll.kills == ROUNDS
    assert toll.intents
    assert set(toll.created) <= set(toll.intents)


def test_what_would_be_a_fault_is_one(book: Book, reader: LedgerReader) -> None:
    """The judge is not blind: a lost payment, a wrong amount, a lost and a doubled creation."""
    intent = Creation(
        request_id="r-1",
        wallet=ADDRESS,
        draft_json="{}",
        status=CreationStatus.SENT,
        created_at=NOW,
        updated_at=NOW,
    )
    book.ledger.begin_creation(intent)
    book.record(payment("a", received=5), payment("made-up"))
    of_intent = {"opdashRequestId": "r-1"}
    truth = [
        payment("a", received=6),
        payment("b", metadata=of_intent),
        payment("c", metadata=of_intent),
    ]
    toll = Toll(intents=["r-1", "r-2"])
    compare(reader, ADDRESS, truth, toll)
    look_at_creations(reader, truth, toll)
    found = [fault.partition(":")[0] for fault in toll.faults]
    assert found == [
        "not as at the server",
        "lost",
        "lost",
        "made up",
        "the scan has not ended whole",
        "created twice",
        "created, but not known to be",
        "an intent is lost",
    ]
