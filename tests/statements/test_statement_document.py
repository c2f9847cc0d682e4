"""What a statement says, word for word."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope, WalkState
from opdash.openpayments.resources import IncomingPayment
from opdash.statements.as_text import as_text
from opdash.statements.periods import month_of, read_month
from opdash.statements.reading import Subject, read_statement
from opdash.statements.records import Span, Statement
from opdash.statements.statement_document import (
    WHAT_SUMS_ARE,
    completeness,
    figures_first,
    statement_document,
)
from opdash.statements.wording import matter
from tests.ledger.builders import ADDRESS, NOW, Book, payment, payment_id

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SHOP = Subject("Rosa's Shop", ADDRESS, Scope.OWN)
NOVEMBER = month_of(date(2026, 11, 1), NOW, UTC)
OCTOBER = month_of(date(2026, 10, 1), NOW, UTC)

SAID = """\
Statement for November 2026
═══════════════════════════

  Period     1 November 2026 – 30 November 2026
  Time zone  UTC
  Made on    20 November 2026 12:00

November 2026 is not over: this is what arrived until 20 November 2026 12:00.

All totals are sums of what opdash observed to be received. They are not the
account's balance: what was paid out, fees, and other ways of getting money are
not in them.

Rosa's Shop
───────────

  Wallet address  https://wallet.example/rosa
  Seen            payments that were created by opdash only
  Known           4 payments, the server's whole list

USD

Received in November 2026
  Total                                             USD
  ──────────────────────────────────────────────  ─────
  Opening total, received before 1 November 2026   7.00
  4 receipts of 3 payments                        28.20
  Corrections by the server                       −0.20
  ──────────────────────────────────────────────  ─────
  Closing total, received so far                  35.00

Receipts per day
  Day              Receipts  Payments    USD
  ───────────────  ────────  ────────  ─────
  Thu 19 Nov 2026         2         2  12.20  ███████████████▎
  Fri 20 Nov 2026         2         2  16.00  ████████████████████
  ───────────────  ────────  ────────  ─────
  2 days                  4         3  28.20

Receipts by reference
  Reference                 Receipts  Payments    USD
  ────────────────────────  ────────  ────────  ─────
  お茶 <b>[x](http://evil)         1         1  15.00
  INV-7                            2         1  11.00
  (no reference)                   1         1   2.20
  ────────────────────────  ────────  ────────  ─────
  3 references                     4         3  28.20

Corrections by the server
  Payment   Observed          What happened         USD
  ────────  ────────────────  ──────────────────  ─────
  nameless  2026-11-20 11:00  received went down  −0.20
  ────────  ────────────────  ──────────────────  ─────
  All                                             −0.20

Payments created in November 2026

By their state as last known, with all that they received so far
  State           Asset  Payments  Asked  Received  Difference
  ──────────────  ─────  ────────  ─────  ────────  ──────────
  ● PAID          USD           1  15.00     15.00        0.00
  ◉ OVERPAID      USD           1  10.00     11.00        1.00
  ▼ CLOSED SHORT  USD           1  20.00      2.00      −18.00

Needs action

Payments of this period that a person should look at
  Payment   State           Created     Received  What is the matter
  ────────  ──────────────  ──────────  ────────  ──────────────────────────────
  nameless  ▼ CLOSED SHORT  2026-11-18  2.00 USD  closed with 18.00 USD missing;
                                                  the received amount went down

1 payment of other times needs a look too.

Settled by you
  Payment  State       Created      Received  What is the matter
  ───────  ──────────  ──────────  ─────────  ──────────────────────────────────
  INV-7    ◉ OVERPAID  2026-11-19  11.00 USD  refunded: 1.00 USD too much; note:
                                              sent back on Monday
"""


def fill(book: Book) -> None:
    long_ago = NOW - 60 * DAY
    book.record(payment("old", received=700, completed=True, created=long_ago), at=long_ago)
    tea = {"externalRef": "お茶 <b>[x](http://evil)"}
    two_days, one_day = NOW - 2 * DAY, NOW - DAY
    book.record(payment("nameless", asked=2000, created=two_days), at=two_days)
    book.record(payment("nameless", asked=2000, received=220, created=two_days), at=one_day)
    seven = {"externalRef": "INV-7"}
    book.record(payment("seven", received=1000, created=one_day, metadata=seven), at=one_day)
    book.record(
        payment("tea", asked=1500, received=1500, completed=True, created=NOW, metadata=tea),
        payment("seven", received=1100, completed=True, created=one_day, metadata=seven),
        payment("nameless", asked=2000, received=200, completed=True, created=two_days),
        at=NOW - HOUR,
    )
    book.ledger.write_note(
        ADDRESS,
        payment_id("seven"),
        Edit(resolution=Resolution.REFUNDED, text="sent back\non Monday"),
        at=NOW,
        grace=timedelta(seconds=30),
    )


def know_all(book: Book) -> None:
    state = WalkState(cursor="c", server_has_more=False, updated_at=NOW)
    book.ledger.set_walk_state(ADDRESS, Scope.OWN, state)


def made(reader: LedgerReader, span: Span = NOVEMBER, *others: Subject) -> Statement:
    return read_statement(reader, [SHOP, *others], span, NOW)


def said(statement: Statement, *, whole: bool = False) -> str:
    return as_text(statement_document(statement, whole=whole))


def test_a_month_in_which_everything_happened(book: Book, reader: LedgerReader) -> None:
    fill(book)
    know_all(book)
    assert said(made(reader)) == SAID


def test_a_day_that_is_only_the_payments_is_said(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=900, created=NOW - 5 * DAY))
    one = " ".join(said(made(reader)).split())
    assert (
        "1 receipt of 9.00 USD was there when opdash first looked, on a later day. It stands on "
        "the day on which its payment was created, or last changed at the server." in one
    )
    book.record(
        payment("b", received=2000, created=NOW - 4 * DAY),
        payment("today", received=77, created=NOW - HOUR),
    )
    book.record(payment("a", received=1000, created=NOW - 5 * DAY))
    statement = made(reader)
    text = said(statement)
    assert "2 receipts of 29.00 USD were there when opdash first looked" in " ".join(text.split())
    assert "Sun 15 Nov 2026" in text
    (asset,) = statement.wallets[0].assets
    assert [(day.receipts, day.estimated) for day in asset.days] == [(1, 1), (1, 1), (2, 0)]


def test_an_empty_month_says_so(book: Book, reader: LedgerReader) -> None:
    fill(book)
    text = said(made(reader, OCTOBER))
    assert "Nothing was received in October 2026." in text
    assert "No payment was created in October 2026." in text
    assert "No payment of October 2026 needs a person's look." in text
    assert "Opening total, received before 1 October 2026  7.00" in text
    assert "Closing total, received up to 31 October 2026  7.00" in text
    assert "is not over" not in text


def test_what_is_incomplete_says_so(book: Book, reader: LedgerReader) -> None:
    fill(book)
    statement = made(reader)
    assert not statement.is_complete
    assert completeness(statement.wallets[0]).startswith(
        "The ledger does not know the server's whole list: of Rosa's Shop 4 payments are known"
    )
    assert "! The ledger does not know the server's whole list" in said(statement)


def test_a_wallet_that_never_answered_says_so(book: Book, reader: LedgerReader) -> None:
    text = said(made(reader, NOVEMBER, Subject("Far", "https://far.example/x", Scope.OWN)))
    _, _, far = text.partition("\nFar\n")
    assert "https://far.example/x" in far
    assert "! Nothing is known of Far yet: its server has never answered opdash." in far
    assert "Needs action" not in far


def test_every_statement_says_what_its_sums_are(book: Book, reader: LedgerReader) -> None:
    for span in (OCTOBER, NOVEMBER, read_month("2025-02", NOW, UTC)):
        text = " ".join(said(made(reader, span)).split())
        assert WHAT_SUMS_ARE in text


def test_many_references_are_summed_unless_all_are_wanted(book: Book, reader: LedgerReader) -> None:
    for number in range(25):
        book.record(
            payment(
                f"p{number}",
                received=100 + number,
                created=NOW - DAY,
                metadata={"externalRef": f"R-{number:02}"},
            )
        )
    brief, whole = said(made(reader)), said(made(reader), whole=True)
    assert "  (5 further references)         5         5   5.10" in brief
    assert "R-05" in brief
    assert "R-04" not in brief
    assert "R-04" in whole
    assert "further reference" not in whole
    for text in (brief, whole):
        assert "  25 references" in text
        assert "        25        25  28.00" in text


def test_many_payments_that_need_action_are_counted_unless_all_are_wanted(
    book: Book, reader: LedgerReader
) -> None:
    for number in range(53):
        book.record(
            payment(
                f"p{number}",
                received=1,
                completed=True,
                created=NOW - DAY,
                metadata={"externalRef": f"R-{number:02}"},
            )
        )
    brief, whole = said(made(reader)), said(made(reader), whole=True)
    assert brief.count("CLOSED SHORT  2026-11-19") == 50
    assert "And 3 further payments." in brief
    assert whole.count("CLOSED SHORT  2026-11-19") == 53


def test_what_is_the_matter_is_said_of_each_kind(book: Book, reader: LedgerReader) -> None:
    def of(name: str, **more: Any) -> IncomingPayment:
        return payment(name, created=NOW - 2 * DAY, metadata={"externalRef": name}, **more)

    book.record(of("gone", received=300), of("expired", received=300), at=NOW - 2 * DAY)
    book.record(of("settling", received=1000), of("fell", received=300), at=NOW - HOUR)
    book.record(of("mixed", received=300, asked_code="EUR"), at=NOW - HOUR)
    book.record(of("fell", received=200), at=NOW - HOUR)
    book.record(of("expired", received=300, expires=NOW - HOUR), at=NOW - HOUR)
    book.mark_gone("gone", at=NOW - HOUR)
    book.ledger.write_note(
        ADDRESS,
        payment_id("expired"),
        Edit(resolution=Resolution.ACCEPTED),
        at=NOW - HOUR,
        grace=timedelta(seconds=30),
    )
    book.record(of("expired", received=400, expires=NOW - HOUR), at=NOW)
    book.advance(NOW)
    rows = made(reader).wallets[0].actions
    assert {row.reference: matter(row) for row in rows} == {
        "gone": "no longer at the server; 3.00 USD had arrived",
        "expired": "accepted before it changed: expired with 6.00 USD missing",
        "settling": "all is there, and the server has not completed it",
        "fell": "the received amount went down",
        "mixed": "asked and received are in different assets",
    }


def test_in_a_small_window_figures_come_first(book: Book, reader: LedgerReader) -> None:
    fill(book)
    document = statement_document(made(reader))
    lines = as_text(figures_first(document)).splitlines()
    assert lines[0].startswith("! The ledger does not know")
    assert lines[4] == "USD"
    end = lines[lines.index("About this statement") :]
    assert any("All totals are sums" in line for line in end)
    assert any("Wallet address" in line for line in end)
