"""What entries carry as text is read back as it was written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import TimelineKind
from opdash.ledger.timeline import former_amount, former_instant
from opdash.openpayments.amounts import Amount
from tests.ledger.builders import ADDRESS, NOW, Book, payment, payment_id


def test_what_was_asked_and_until_when(book: Book, reader: LedgerReader) -> None:
    book.record(payment("p", asked=2**64 - 1, asked_code="A B", expires=NOW + timedelta(days=3)))
    book.record(payment("p", asked=None, expires=None), at=NOW + timedelta(minutes=1))
    book.record(payment("p", asked=5), at=NOW + timedelta(minutes=2))
    entries = reader.timeline(ADDRESS, payment_id("p"))
    asked = [entry.text for entry in entries if entry.kind is TimelineKind.ASKED]
    expiry = [entry.text for entry in entries if entry.kind is TimelineKind.EXPIRY]
    assert list(map(former_amount, asked)) == [Amount(str(2**64 - 1), "A B", 2), None]
    assert list(map(former_instant, expiry)) == [NOW + timedelta(days=3), None]


@pytest.mark.parametrize("text", ["", "x", "1 USD", "USD 2", "-1 USD 2", "² USD 2", "1 USD -2"])
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert former_amount(text) is None
