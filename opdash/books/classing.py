"""What became of an invoice, from its payments: pure rules over integers and states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from opdash.books.records import BookPayment, Flag, Invoice, InvoiceClass, Match
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset

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
        apart: What arrived beside in other currencies, in minor units.
    """

    kind: InvoiceClass
    received: int
    difference: int | None
    flags: tuple[Flag, ...] = ()
    apart: tuple[tuple[Asset, int], ...] = ()


def standing(invoice: Invoice, paid_by: Sequence[tuple[BookPayment, Match]]) -> Standing:
    """Say how an invoice stands with the payments that were found to be its own.

    The payments in its own currency decide; where there is none, it is the wrong currency. Money in
    another one beside them is remarked, and a request without money is nothing. What is unclear
    comes first: an anomaly or a payment that cannot be read. Two payments that each cover the
    invoice are a double payment; otherwise their sum decides.

    Args:
        invoice: The invoice.
        paid_by: At least one payment, with the match that says how much of it counts.
    """
    code = invoice.asset.code
    if all(payment.asset.code == code for payment, _ in paid_by):
        return _standing(invoice, paid_by)
    own = [pair for pair in paid_by if pair[0].asset.code == code]
    apart = _apart(pair for pair in paid_by if pair[0].asset.code != code)
    if not own:
        return Standing(InvoiceClass.WRONG_CURRENCY, 0, None, apart=apart)
    found = _standing(invoice, own)
    return replace(found, flags=(*found.flags, Flag.APART), apart=apart) if apart else found


def _apart(paid_by: Iterable[tuple[BookPayment, Match]]) -> tuple[tuple[Asset, int], ...]:
    """Add up what arrived in other currencies."""
    sums: defaultdict[Asset, int] = defaultdict(int)
    for payment, match in paid_by:
        sums[payment.asset] += match.amount
    found = [(asset, amount) for asset, amount in sums.items() if amount]
    return tuple(sorted(found, key=lambda one: (one[0].code, one[0].scale)))


def _standing(invoice: Invoice, paid_by: Sequence[tuple[BookPayment, Match]]) -> Standing:
    """Say how an invoice stands with payments in its own currency."""
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
