"""What became of an invoice, from its payments: pure rules over integers and states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from opdash.books.records import BookPayment, Flag, Invoice, InvoiceClass, Match
from opdash.ledger.states import State

_OPEN: Final = frozenset(
    {
        State.UNPAID,
        State.PARTIAL,
        State.SETTLING,
        State.OPEN,
        State.RECEIVING,
        State.EXPIRING,
    }
)
_UNCLEAR: Final = frozenset({State.ANOMALY, State.UNAVAILABLE})


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How an invoice stands with its payments.

    Attributes:
        kind: The word for it.
        received: Minor units of the invoice's asset that arrived for it.
        difference: received − due in minor units; None in another currency.
        flags: Remarks.
    """

    kind: InvoiceClass
    received: int
    difference: int | None
    flags: tuple[Flag, ...] = ()


def standing(invoice: Invoice, paid_by: Sequence[tuple[BookPayment, Match]]) -> Standing:
    """Say how an invoice stands with the payments that were found to be its own.

    What is unclear comes first: another currency, then an anomaly or a payment that cannot be read.
    Two payments that each cover the invoice are a double payment; otherwise their sum decides.

    Args:
        invoice: The invoice.
        paid_by: At least one payment, with the match that says how much of it counts.
    """
    code = invoice.asset.code
    if any(payment.asset.code != code for payment, _ in paid_by):
        own = [pair for pair in paid_by if pair[0].asset.code == code]
        return Standing(InvoiceClass.WRONG_CURRENCY, _received(invoice, own)[0], None)
    received, exact = _received(invoice, paid_by)
    difference = received - invoice.amount
    states = {payment.state for payment, _ in paid_by}
    if states & _UNCLEAR or not exact:
        return Standing(InvoiceClass.CHECK, received, difference)
    covering = sum(_covers(invoice, payment, match) for payment, match in paid_by)
    if covering > 1:
        return Standing(InvoiceClass.DUPLICATE_PAYMENT, received, difference)
    if difference >= 0:
        kind = InvoiceClass.OVERPAID if difference else InvoiceClass.PAID
        return Standing(kind, received, difference, _flags(states))
    kind = _short(received, states)
    is_closed = kind is InvoiceClass.EXPIRED_UNPAID and states == {State.CLOSED_UNPAID}
    return Standing(kind, received, difference, (Flag.CLOSED,) if is_closed else ())


def _short(received: int, states: set[State]) -> InvoiceClass:
    if states & _OPEN:
        return InvoiceClass.PARTIAL if received else InvoiceClass.OUTSTANDING
    return InvoiceClass.UNDERPAID if received else InvoiceClass.EXPIRED_UNPAID


def _flags(states: set[State]) -> tuple[Flag, ...]:
    flags = [Flag.SETTLING] if State.SETTLING in states else []
    if states & (_OPEN - {State.SETTLING}):
        flags.append(Flag.STILL_OPEN)
    return tuple(flags)


def _covers(invoice: Invoice, payment: BookPayment, match: Match) -> bool:
    amount, due = _same_scale(match.amount, payment.asset.scale, invoice)
    return amount >= due > 0


def _received(invoice: Invoice, paid_by: Sequence[tuple[BookPayment, Match]]) -> tuple[int, bool]:
    """Return what arrived in the invoice's own scale, and whether that is exact."""
    if all(payment.asset.scale == invoice.asset.scale for payment, _ in paid_by):
        return sum([match.amount for _, match in paid_by]), True
    scale = max([invoice.asset.scale, *(payment.asset.scale for payment, _ in paid_by)])
    total = sum(match.amount * 10 ** (scale - payment.asset.scale) for payment, match in paid_by)
    whole, rest = divmod(total, 10 ** (scale - invoice.asset.scale))
    return whole, rest == 0


def _same_scale(amount: int, scale: int, invoice: Invoice) -> tuple[int, int]:
    both = max(scale, invoice.asset.scale)
    return amount * 10 ** (both - scale), invoice.amount * 10 ** (both - invoice.asset.scale)
