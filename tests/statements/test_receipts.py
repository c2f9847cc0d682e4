"""Receipts: how a payment stands in plain words, and nothing that is private."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.reader import LedgerReader
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.statements.as_text import as_text
from opdash.statements.document import Form, in_form
from opdash.statements.receipt_document import in_plain_words, receipt_document
from opdash.statements.receipts import Known, Receipt, ReceiptStep, make_receipt
from tests.ledger.builders import ADDRESS, GRACE, NOW, WALLET, Book, payment, payment_id

USD = Asset("USD", 2)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UNTIL = NOW + 2 * DAY


def receipt_of(
    state: State,
    received: int = 0,
    asked: int | None = 2500,
    *,
    steps: tuple[ReceiptStep, ...] = (),
    covered_at: datetime | None = None,
    expires_at: datetime | None = UNTIL,
    **others: Any,
) -> Receipt:
    given: dict[str, Any] = {
        "merchant": "Rosa's Shop",
        "wallet_address": ADDRESS,
        "payment_url": payment_id("p"),
        "reference": "INV-7",
        "description": "Tea",
        "asked_asset": None if asked is None else USD,
        "received_asset": USD,
        "created_at": NOW - DAY,
        "as_of": NOW,
    }
    return Receipt(
        **{**given, **others},
        state=state,
        received=received,
        asked=asked,
        steps=steps,
        covered_at=covered_at,
        expires_at=expires_at,
    )


def words(state: State, *given: Any, **more: Any) -> str:
    return in_plain_words(receipt_of(state, *given, **more), UTC)


def test_every_state_has_plain_words() -> None:
    until = "22 November 2026 12:00"
    missing = "Paid 5.00 of 25.00 USD; 20.00 USD missing."
    steps = (ReceiptStep(NOW - HOUR, 500, 500),)
    said = {
        State.UNPAID: words(State.UNPAID),
        State.PARTIAL: words(State.PARTIAL, 500),
        State.SETTLING: words(State.SETTLING, 2500, covered_at=NOW),
        State.OPEN: words(State.OPEN, asked=None, expires_at=None),
        State.RECEIVING: words(State.RECEIVING, 500, None, steps=steps),
        State.EXPIRING: words(State.EXPIRING, 500),
        State.PAID: words(State.PAID, 2500, covered_at=NOW),
        State.OVERPAID: words(State.OVERPAID, 2600, covered_at=NOW),
        State.RECEIVED: words(State.RECEIVED, 500, None, steps=steps),
        State.CLOSED_SHORT: words(State.CLOSED_SHORT, 500),
        State.CLOSED_UNPAID: words(State.CLOSED_UNPAID),
        State.EXPIRED_PARTIAL: words(State.EXPIRED_PARTIAL, 500),
        State.EXPIRED_UNPAID: words(State.EXPIRED_UNPAID),
        State.ANOMALY: words(State.ANOMALY, 500, received_asset=Asset("EUR", 2)),
        State.UNAVAILABLE: words(State.UNAVAILABLE, 500),
    }
    assert said == {
        State.UNPAID: f"Not paid. It can be paid until {until}.",
        State.PARTIAL: f"{missing} It can be paid until {until}.",
        State.SETTLING: "Paid in full on 20 November 2026 12:00. The wallet has yet to confirm it.",
        State.OPEN: "Nothing has been paid. It can still be paid.",
        State.RECEIVING: "Received 5.00 USD, all on 20 November 2026 11:00. "
        f"It can be paid until {until}.",
        State.EXPIRING: f"{missing} It could be paid until {until}.",
        State.PAID: "Paid in full on 20 November 2026 12:00.",
        State.OVERPAID: "Paid in full on 20 November 2026 12:00. "
        "1.00 USD more than was asked has arrived.",
        State.RECEIVED: "Received 5.00 USD, all on 20 November 2026 11:00.",
        State.CLOSED_SHORT: f"{missing} It was closed and can no longer be paid.",
        State.CLOSED_UNPAID: "Not paid. It was closed and can no longer be paid.",
        State.EXPIRED_PARTIAL: f"{missing} It could be paid until {until}.",
        State.EXPIRED_UNPAID: f"Not paid. It could be paid until {until}.",
        State.ANOMALY: "Received 5.00 EUR; 25.00 USD was asked.",
        State.UNAVAILABLE: f"{missing} The wallet no longer knows this payment; "
        "this is what was last seen of it.",
    }
    assert set(said) == set(State)


def made(book: Book, reader: LedgerReader, name: str = "p", now: datetime = NOW) -> Receipt:
    row = reader.payment(ADDRESS, payment_id(name))
    assert row is not None
    timeline = reader.timeline(ADDRESS, row.id)
    return make_receipt(row, timeline, WALLET.public_name, now=now, grace=GRACE)


def test_a_payment_in_parts_tells_each(book: Book, reader: LedgerReader) -> None:
    metadata = {"externalRef": "INV-7", "description": "Green tea, 2 boxes"}
    for received, at in ((0, NOW - 3 * HOUR), (500, NOW - 2 * HOUR), (2500, NOW - HOUR)):
        book.record(
            payment(
                asked=2500,
                received=received,
                completed=received == 2500,
                created=NOW - 3 * HOUR,
                metadata=metadata,
            ),
            at=at,
        )
    receipt = made(book, reader)
    assert receipt.steps == (
        ReceiptStep(NOW - 2 * HOUR, 500, 500),
        ReceiptStep(NOW - HOUR, 2000, 2500),
    )
    assert (
        as_text(receipt_document(receipt, ZoneInfo("Europe/Berlin")))
        == """\
Receipt for INV-7
═════════════════

Paid in full on 20 November 2026 12:00.

  Paid to         Rosa's Shop
  Wallet address  https://wallet.example/rosa
  Reference       INV-7
  For             Green tea, 2 boxes
  Amount asked    25.00 USD
  Received        25.00 USD
  Created         20 November 2026 10:00
  Payment         https://rs.example/tenant/incoming-payments/p

What arrived when
  When                    Arrived, USD  Together, USD
  ──────────────────────  ────────────  ─────────────
  20 November 2026 11:00          5.00           5.00
  20 November 2026 12:00         20.00          25.00
  ──────────────────────  ────────────  ─────────────
  Received                       25.00

As of 20 November 2026 12:00. Times are in Europe/Berlin.
"""
    )


def test_nothing_private_is_in_a_receipt(book: Book, reader: LedgerReader) -> None:
    private = {"externalRef": "INV-7", "internalMargin": "secret-margin"}
    book.record(
        payment("p", received=5, completed=True, metadata=private),
        payment("another", received=77, metadata={"externalRef": "INV-8"}),
    )
    book.ledger.write_note(
        ADDRESS,
        payment_id("p"),
        Edit(add=("vip",), text="never answers the phone", resolution=Resolution.WRITTEN_OFF),
        at=NOW,
        grace=GRACE,
    )
    document = receipt_document(made(book, reader), UTC)
    for form in Form:
        written = in_form(document, form).rpartition("<main>")[2]
        for word in ("vip", "phone", "written", "margin", "INV-8", "another", "list", "scope"):
            assert word not in written, word
        assert "0.77" not in written


def test_it_was_paid_when_the_last_of_it_came(book: Book, reader: LedgerReader) -> None:
    """What was taken back in between makes an earlier moment void."""
    for hours, received in ((5, 1000), (4, 700), (3, 1000), (2, 1200)):
        book.record(payment(received=received, created=NOW - 6 * HOUR), at=NOW - hours * HOUR)
    receipt = made(book, reader)
    assert receipt.covered_at == NOW - 3 * HOUR
    assert [step.delta for step in receipt.steps] == [1000, -300, 300, 200]
    assert "−3.00" in as_text(receipt_document(receipt, UTC))


def test_what_was_there_at_the_first_look_had_come_by_then(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment(received=1000, created=NOW - 5 * DAY, completed=True), at=NOW)
    receipt = made(book, reader)
    assert receipt.steps == (ReceiptStep(NOW, 1000, 1000, Known.FIRST_LOOK),)
    by = "by 20 November 2026 12:00 (when it was first looked at)"
    assert in_plain_words(receipt, UTC) == f"Paid in full {by}."
    text = as_text(receipt_document(receipt, UTC))
    assert "Received by     20 November 2026 12:00 (when it was first looked at)" in text
    assert "Received on" not in text


def test_only_what_was_there_at_the_first_look_is_told_with_by(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment(asked=None, received=400, created=NOW - 5 * DAY), at=NOW - HOUR)
    once = in_plain_words(made(book, reader), UTC)
    assert once.startswith(
        "Received 4.00 USD, all by 20 November 2026 11:00 (when it was first looked at)."
    )
    book.record(payment(asked=None, received=1000, created=NOW - 5 * DAY), at=NOW)
    receipt = made(book, reader)
    assert in_plain_words(receipt, UTC).startswith(
        "Received 10.00 USD, last on 20 November 2026 12:00."
    )
    lines = as_text(receipt_document(receipt, UTC)).splitlines()
    assert any(line.startswith("  by 20 November 2026 11:00 ") for line in lines)
    assert any(line.startswith("  20 November 2026 12:00 ") for line in lines)


def test_the_clock_decides_whether_it_can_be_paid(book: Book, reader: LedgerReader) -> None:
    book.record(payment(expires=NOW + HOUR))
    assert made(book, reader).state is State.UNPAID
    later = made(book, reader, now=NOW + 2 * HOUR)
    assert later.state is State.EXPIRED_UNPAID
    assert in_plain_words(later, UTC) == "Not paid. It could be paid until 20 November 2026 13:00."


def test_a_payment_whose_asset_changed_tells_no_steps(book: Book, reader: LedgerReader) -> None:
    book.record(payment(asked=None, received=800), at=NOW - HOUR)
    book.record(payment(asked=None, received=500, code="EUR"), at=NOW)
    receipt = made(book, reader)
    assert receipt.steps == ()
    assert in_plain_words(receipt, UTC).startswith("Received 5.00 EUR.")


@pytest.mark.parametrize("asked", [None, 0])
def test_asking_for_nothing_is_any_amount(
    book: Book, reader: LedgerReader, asked: int | None
) -> None:
    book.record(payment(asked=asked))
    text = as_text(receipt_document(made(book, reader), UTC))
    assert text.startswith("Payment request\n")
    assert "Amount asked    any amount" in text
    assert "Nothing has been paid." in text
