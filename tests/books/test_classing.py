"""What became of an invoice, from its payments."""

from __future__ import annotations

import pytest

from opdash.books.classing import standing
from opdash.books.records import BookPayment, Flag, InvoiceClass, Match, Rule
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from tests.books.builders import EUR, invoice, payment


def paid_by(*payments: BookPayment) -> list[tuple[BookPayment, Match]]:
    return [(one, Match(1, one.id, Rule.REFERENCE, "INV-0001", one.received)) for one in payments]


@pytest.mark.parametrize(
    ("state", "received", "kind", "flags"),
    [
        (State.PAID, 1000, InvoiceClass.PAID, ()),
        (State.RECEIVED, 1000, InvoiceClass.PAID, ()),
        (State.SETTLING, 1000, InvoiceClass.PAID, (Flag.SETTLING,)),
        (State.RECEIVING, 1000, InvoiceClass.PAID, (Flag.STILL_OPEN,)),
        (State.OVERPAID, 1200, InvoiceClass.OVERPAID, ()),
        (State.RECEIVED, 1200, InvoiceClass.OVERPAID, ()),
        (State.CLOSED_SHORT, 400, InvoiceClass.UNDERPAID, ()),
        (State.EXPIRED_PARTIAL, 400, InvoiceClass.UNDERPAID, ()),
        (State.PAID, 400, InvoiceClass.UNDERPAID, ()),
        (State.PARTIAL, 400, InvoiceClass.PARTIAL, ()),
        (State.RECEIVING, 400, InvoiceClass.PARTIAL, ()),
        (State.UNPAID, 0, InvoiceClass.OUTSTANDING, ()),
        (State.OPEN, 0, InvoiceClass.OUTSTANDING, ()),
        (State.EXPIRED_UNPAID, 0, InvoiceClass.EXPIRED_UNPAID, ()),
        (State.CLOSED_UNPAID, 0, InvoiceClass.EXPIRED_UNPAID, (Flag.CLOSED,)),
        (State.ANOMALY, 1000, InvoiceClass.CHECK, ()),
        (State.UNAVAILABLE, 1000, InvoiceClass.CHECK, ()),
    ],
)
def test_one_payment(
    state: State, received: int, kind: InvoiceClass, flags: tuple[Flag, ...]
) -> None:
    found = standing(invoice(1), paid_by(payment("p", received, state=state)))

    assert (found.kind, found.received, found.difference) == (kind, received, received - 1000)
    assert found.flags == flags


def test_another_currency() -> None:
    found = standing(invoice(1), paid_by(payment("p", asset=EUR)))

    assert (found.kind, found.received, found.difference) == (InvoiceClass.WRONG_CURRENCY, 0, None)


def test_parts_add_up() -> None:
    parts = [payment("p", 400, state=State.CLOSED_SHORT), payment("q", 600)]

    assert standing(invoice(1), paid_by(*parts)).kind is InvoiceClass.PAID
    assert standing(invoice(1, amount=1100), paid_by(*parts)).kind is InvoiceClass.UNDERPAID
    assert standing(invoice(1, amount=900), paid_by(*parts)).kind is InvoiceClass.OVERPAID


def test_an_expired_request_beside_a_paid_one_is_no_double_payment() -> None:
    both = paid_by(payment("p", 0, state=State.EXPIRED_UNPAID), payment("q", 1000))

    assert standing(invoice(1), both).kind is InvoiceClass.PAID


def test_two_payments_that_each_cover_it_are_a_double_payment() -> None:
    found = standing(invoice(1), paid_by(payment("p"), payment("q", 1100)))

    assert found.kind is InvoiceClass.DUPLICATE_PAYMENT
    assert (found.received, found.difference) == (2100, 1100)


def test_scales_of_one_currency_compare_exactly() -> None:
    fine = payment("p", 10_000_000, asset=Asset("USD", 6))

    assert standing(invoice(1), paid_by(fine)).kind is InvoiceClass.PAID


def test_a_rest_that_the_currency_cannot_hold_is_for_a_person() -> None:
    fine = payment("p", 10_000_001, asset=Asset("USD", 6))

    assert standing(invoice(1), paid_by(fine)).kind is InvoiceClass.CHECK


def test_another_currency_beside_does_not_decide() -> None:
    paid = payment("p")
    asked_for = payment("q", 0, asset=EUR, state=State.UNPAID, asked=1200)
    paid_too = payment("r", 1200, asset=EUR)

    alone = standing(invoice(1), paid_by(paid))

    assert standing(invoice(1), paid_by(paid, asked_for)) == alone
    found = standing(invoice(1), paid_by(paid_too, paid, asked_for))
    assert (found.kind, found.received, found.difference) == (InvoiceClass.PAID, 1000, 0)
    assert (found.flags, found.apart) == ((Flag.APART,), ((EUR, 1200),))


def test_no_payment_in_its_own_currency_is_the_wrong_one_even_without_money() -> None:
    asked_for = payment("q", 0, asset=EUR, state=State.UNPAID, asked=1200)

    found = standing(invoice(1), paid_by(asked_for))

    assert (found.kind, found.received, found.apart) == (InvoiceClass.WRONG_CURRENCY, 0, ())
