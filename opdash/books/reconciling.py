"""Holding a merchant's invoices against the payments that the ledger knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec

from opdash.books.classing import Standing, standing
from opdash.books.matching import Matches, match
from opdash.books.naming import references
from opdash.books.records import (
    BookPayment,
    Decisions,
    Flag,
    Invoice,
    InvoiceClass,
    InvoiceResult,
    Match,
    PaymentClass,
    PaymentResult,
    Reconciliation,
)
from opdash.ledger.notes import is_outdated
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import Asset

_Key = TypeVar("_Key", int, str)

CLEAR = frozenset({InvoiceClass.PAID, InvoiceClass.OUTSTANDING, InvoiceClass.PARTIAL})
"""Classes that need nobody: paid, or still waiting for money."""

_WAITING = frozenset({InvoiceClass.OUTSTANDING, InvoiceClass.PARTIAL})


def book_payment(row: PaymentRow) -> BookPayment:
    """Return a payment of the ledger as the books see it."""
    return BookPayment(
        id=row.id,
        wallet=row.wallet,
        state=row.state,
        asset=row.received_asset,
        asked=row.asked,
        received=row.received,
        references=references(row.metadata_json),
        description=row.description,
        created_at=row.created_at,
        is_settled=row.note.settlement is not None and not is_outdated(row),
    )


def reconcile(
    invoices: Sequence[Invoice],
    payments: Sequence[BookPayment],
    decisions: Decisions | None = None,
    *,
    not_invoices: Collection[str] = (),
    zone_offset: timedelta = timedelta(0),
    today: date | None = None,
) -> Reconciliation:
    """Hold invoices against payments.

    The result does not depend on the order of either, and a person's decisions win over rules.

    Args:
        invoices: All rows of the file.
        payments: All payments known; each URL once.
        decisions: What people decided.
        not_invoices: URLs of payments that the merchant's saved searches name as none's.
        zone_offset: Added to a payment's instant to find its day.
        today: The merchant's day, by which invoices are late; None for none.
    """
    found = match(
        invoices,
        payments,
        decisions or Decisions(),
        not_invoices=frozenset(not_invoices),
        zone_offset=zone_offset,
    )
    by_id = {payment.id: payment for payment in payments}
    return Reconciliation(
        _invoice_results(invoices, by_id, found, today),
        _payment_results(payments, found, frozenset(not_invoices)),
    )


def _invoice_results(
    invoices: Sequence[Invoice],
    payments: dict[str, BookPayment],
    found: Matches,
    today: date | None,
) -> tuple[InvoiceResult, ...]:
    by_row = _by_row(found.matches, payments)
    suggested = {one.row: one for one in found.suggestions}
    candidates: defaultdict[int, list[str]] = defaultdict(list)
    for payment_id, rows in found.ambiguous.items():
        for row in rows:
            candidates[row].append(payment_id)
    results = []
    for invoice in invoices:
        matches = by_row.get(invoice.row, ())
        several = tuple(sorted(candidates.get(invoice.row, ())))
        settled: tuple[Flag, ...] = ()
        if matches:
            paid_by = [(payments[one.payment_id], one) for one in matches]
            found_so = standing(invoice, paid_by)
            settled = (Flag.SETTLED,) if _is_settled(invoice, paid_by, found_so) else ()
        else:
            kind = InvoiceClass.AMBIGUOUS if several else InvoiceClass.OUTSTANDING
            flags = (Flag.SUGGESTED,) if invoice.row in suggested else ()
            found_so = Standing(kind, 0, -invoice.amount, flags)
        is_repeated = invoice.number in found.repeated
        kind = InvoiceClass.DUPLICATE_NUMBER if is_repeated else found_so.kind
        late = (Flag.LATE,) if kind in _WAITING and _is_past_due(invoice, today) else ()
        results.append(
            InvoiceResult(
                invoice=invoice,
                kind=kind,
                matches=matches,
                received=found_so.received,
                difference=found_so.difference,
                flags=(*found_so.flags, *late, *settled),
                candidates=several,
                suggestion=suggested.get(invoice.row),
                apart=found_so.apart,
            )
        )
    return tuple(results)


def _is_settled(
    invoice: Invoice, paid_by: Sequence[tuple[BookPayment, Match]], found: Standing
) -> bool:
    """Return whether what a person settled leaves nothing to be done about an invoice."""
    if _is_paid(found) or not any(payment.is_settled for payment, _ in paid_by):
        return False
    others = [pair for pair in paid_by if not pair[0].is_settled]
    return not others or _is_paid(standing(invoice, others))


def _is_paid(found: Standing) -> bool:
    return found.kind is InvoiceClass.PAID and not found.apart


def _is_past_due(invoice: Invoice, today: date | None) -> bool:
    return today is not None and invoice.due is not None and invoice.due < today


def _by_row(
    matches: Iterable[Match], payments: dict[str, BookPayment]
) -> dict[int, tuple[Match, ...]]:
    """Return the matches of each row, those of the oldest payments first."""
    return _grouped(
        matches,
        lambda one: one.row,
        lambda one: (payments[one.payment_id].created_at, one.payment_id),
    )


def _grouped(
    matches: Iterable[Match], key: Callable[[Match], _Key], order: Callable[[Match], Any]
) -> dict[_Key, tuple[Match, ...]]:
    groups: dict[_Key, tuple[Match, ...]] = {}
    for one in matches:
        alone: tuple[Match, ...] = (one,)
        known: tuple[Match, ...] = groups.setdefault(key(one), alone)
        if known is not alone:
            groups[key(one)] = tuple(sorted((*known, one), key=order))
    return groups


def _payment_results(
    payments: Sequence[BookPayment], found: Matches, not_invoices: frozenset[str]
) -> tuple[PaymentResult, ...]:
    by_payment = _grouped(found.matches, lambda one: one.payment_id, lambda one: one.row)
    results = []
    for payment in payments:
        matches = by_payment.get(payment.id, ())
        candidates = found.ambiguous.get(payment.id, ())
        if matches:
            kind = PaymentClass.MATCHED
        elif candidates:
            kind = PaymentClass.AMBIGUOUS
        elif payment.id in not_invoices:
            kind = PaymentClass.NOT_AN_INVOICE
        else:
            kind = PaymentClass.UNMATCHED
        left = payment.received - sum(one.amount for one in matches)
        results.append(
            PaymentResult(
                payment=payment,
                kind=kind,
                matches=matches,
                unallocated=left,
                candidates=candidates,
            )
        )
    return tuple(results)


# What it adds up to


class InvoiceSum(msgspec.Struct, frozen=True):
    """What the invoices of one class and one currency add up to, in its minor units."""

    kind: InvoiceClass
    asset: Asset
    count: int
    due: int
    received: int


class PaymentSum(msgspec.Struct, frozen=True):
    """What the payments of one class and one asset add up to, in its minor units.

    Attributes:
        kind: The class.
        asset: The asset.
        count: How many there are.
        received: All that they received.
        matched: What of it counts for invoices.
    """

    kind: PaymentClass
    asset: Asset
    count: int
    received: int
    matched: int


def invoice_sums(results: Iterable[InvoiceResult]) -> tuple[InvoiceSum, ...]:
    """Add up invoices by class and currency, classes in their own order."""
    sums: defaultdict[tuple[InvoiceClass, Asset], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in results:
        own = sums[one.kind, one.invoice.asset]
        own[0] += 1
        own[1] += one.invoice.amount
        own[2] += one.received
    order = list(InvoiceClass)
    keys = sorted(sums, key=lambda key: (order.index(key[0]), key[1].code, key[1].scale))
    return tuple(InvoiceSum(*key, *sums[key]) for key in keys)


def payment_sums(results: Iterable[PaymentResult]) -> tuple[PaymentSum, ...]:
    """Add up payments by class and asset, classes in their own order."""
    sums: defaultdict[tuple[PaymentClass, Asset], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in results:
        own = sums[one.kind, one.payment.asset]
        own[0] += 1
        own[1] += one.payment.received
        own[2] += one.payment.received - one.unallocated
    order = list(PaymentClass)
    keys = sorted(sums, key=lambda key: (order.index(key[0]), key[1].code, key[1].scale))
    return tuple(PaymentSum(*key, *sums[key]) for key in keys)


def is_clear(one: InvoiceResult) -> bool:
    """Return whether an invoice needs nobody: paid, settled, or its money may still come in time.

    What is wrong with the file itself stays so, whatever was settled.
    """
    if one.kind is InvoiceClass.DUPLICATE_NUMBER:
        return False
    if Flag.SETTLED in one.flags:
        return True
    return one.kind in CLEAR and Flag.LATE not in one.flags and Flag.APART not in one.flags


def has_exceptions(result: Reconciliation) -> bool:
    """Return whether a person should look: an invoice that is not clear, an ambiguous payment."""
    return not all(map(is_clear, result.invoices)) or any(
        one.kind is PaymentClass.AMBIGUOUS for one in result.payments
    )
