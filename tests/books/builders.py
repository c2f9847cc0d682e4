"""Invoices and payments for the tests of the books, made of what a test cares about."""

from __future__ import annotations

from datetime import UTC, date, datetime

from opdash.books.records import BookPayment, Invoice
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset

USD = Asset("USD", 2)
EUR = Asset("EUR", 2)
XRP = Asset("XRP", 9)

SERVER = "https://wallet.example/incoming-payments"


def invoice(
    row: int,
    number: str = "",
    amount: int = 1000,
    asset: Asset = USD,
    *,
    issued: date | None = None,
    due: date | None = None,
    payment_url: str = "",
) -> Invoice:
    """Return a row of a file; its number follows from its row unless given."""
    return Invoice(
        row=row,
        number=number or f"INV-{row:04}",
        amount=amount,
        asset=asset,
        issued=issued,
        due=due,
        payment_url=payment_url,
    )


def payment(
    name: str,
    received: int = 1000,
    *,
    references: tuple[str, ...] = (),
    description: str = "",
    state: State = State.PAID,
    asset: Asset = USD,
    asked: int | None = None,
    created_at: datetime = datetime(2026, 10, 12, 12, tzinfo=UTC),
    is_settled: bool = False,
) -> BookPayment:
    """Return a payment; what it asks for is what it received unless given."""
    return BookPayment(
        id=f"{SERVER}/{name}",
        wallet="https://wallet.example/shop",
        state=state,
        asset=asset,
        asked=received if asked is None else asked,
        received=received,
        references=references,
        description=description,
        created_at=created_at,
        is_settled=is_settled,
    )
