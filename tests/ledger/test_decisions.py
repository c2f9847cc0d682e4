"""What people decided about invoices and payments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from opdash.errors import InputError, LedgerError
from opdash.ledger.decisions import Decision, DecisionKind
from opdash.ledger.reader import LedgerReader
from opdash.ledger.store import Ledger
from tests.ledger.builders import ADDRESS, NOW, OTHER, WALLET, payment_id

LINK, REJECTION = DecisionKind.LINK, DecisionKind.REJECTION
LATER = NOW + timedelta(hours=1)
ONE = payment_id("one")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite3") as ledger:
        ledger.remember_wallet(WALLET, NOW)
        ledger.remember_wallet(OTHER, NOW)
        yield ledger


@pytest.fixture
def reader(ledger: Ledger) -> Iterator[LedgerReader]:
    with LedgerReader.open(ledger.path) as reader:
        yield reader


def test_a_decision_is_kept_as_it_was_made(ledger: Ledger, reader: LedgerReader) -> None:
    huge = 2**64 - 1
    made = ledger.decide(ADDRESS, LINK, "INV\x1b 7", ONE, at=NOW, amount=huge)

    assert made == Decision(
        id=1,
        wallet=ADDRESS,
        kind=LINK,
        invoice="INV\x1b 7",
        payment_id=ONE,
        amount=huge,
        decided_at=NOW,
        undone_at=None,
    )
    assert reader.decisions(ADDRESS) == (made,)
    assert made.stands


def test_decisions_belong_to_a_wallet(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.decide(ADDRESS, LINK, "A", ONE, at=NOW)
    assert reader.decisions(OTHER.id) == ()
    with pytest.raises(InputError, match="no decision 1"):
        ledger.undo_decision(OTHER.id, 1, at=NOW)
    with pytest.raises(LedgerError):
        ledger.decide("https://wallet.example/unknown", LINK, "A", ONE, at=NOW)


def test_the_same_again_changes_nothing(ledger: Ledger, reader: LedgerReader) -> None:
    first = ledger.decide(ADDRESS, LINK, "A", ONE, at=NOW, amount=5)
    again = ledger.decide(ADDRESS, LINK, "A", ONE, at=LATER, amount=5)
    assert again == first
    assert len(reader.decisions(ADDRESS)) == 1


def test_of_one_pair_the_last_decision_stands(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.decide(ADDRESS, REJECTION, "A", ONE, at=NOW)
    ledger.decide(ADDRESS, LINK, "A", ONE, at=NOW)
    ledger.decide(ADDRESS, LINK, "A", ONE, at=LATER, amount=5)
    ledger.decide(ADDRESS, LINK, "B", ONE, at=LATER)

    found = reader.decisions(ADDRESS)
    assert [(one.kind, one.amount, one.undone_at) for one in found] == [
        (REJECTION, None, NOW),
        (LINK, None, LATER),
        (LINK, 5, None),
        (LINK, None, None),
    ]


def test_undoing_marks_and_keeps(ledger: Ledger, reader: LedgerReader) -> None:
    made = ledger.decide(ADDRESS, LINK, "A", ONE, at=NOW)
    undone = ledger.undo_decision(ADDRESS, made.id, at=LATER)
    again = ledger.undo_decision(ADDRESS, made.id, at=LATER + timedelta(hours=1))

    assert (undone.undone_at, undone.stands) == (LATER, False)
    assert again == undone
    anew = ledger.decide(ADDRESS, LINK, "A", ONE, at=LATER)
    assert anew.id != made.id
    assert reader.decisions(ADDRESS) == (undone, anew)


def test_others_see_that_something_changed(ledger: Ledger, reader: LedgerReader) -> None:
    before = reader.revision(ADDRESS)
    made = ledger.decide(ADDRESS, LINK, "A", ONE, at=NOW)
    between = reader.revision(ADDRESS)
    ledger.undo_decision(ADDRESS, made.id, at=LATER)
    assert before < between < reader.revision(ADDRESS)


def test_decisions_survive_a_restart_and_go_with_their_wallet(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.open(path) as ledger:
        ledger.remember_wallet(WALLET, NOW)
        made = ledger.decide(ADDRESS, LINK, "A", ONE, at=NOW)
    with Ledger.open(path) as ledger, LedgerReader.open(path) as reader:
        assert reader.decisions(ADDRESS) == (made,)
        ledger.forget_wallet(ADDRESS)
        assert reader.decisions(ADDRESS) == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT COUNT(*) FROM decision").fetchone() == (0,)
