"""Which rows of a book are shown, and in what order; pure functions, to be run on any thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any, Final

import msgspec

from opdash.books.book_index import BookIndex
from opdash.books.reconciling import is_clear
from opdash.books.records import InvoiceClass, InvoiceResult, PaymentClass, PaymentResult
from opdash.openpayments.amounts import Asset
from opdash.tui import format as fmt


class Side(IntEnum):
    """What a list shows."""

    INVOICES = 0
    PAYMENTS = 1


INVOICE_COLUMNS: Final = (
    "Row",
    "Invoice",
    "Class",
    "Asked",
    "Received",
    "Difference",
    "Customer",
    "Due",
)
"""What invoices are sorted by, as the keys from 1 on choose."""

PAYMENT_COLUMNS: Final = ("Created", "Reference", "Class", "State", "Received", "Left over")
"""What payments are sorted by, likewise."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to see.

    Attributes:
        side: Invoices or payments.
        kind: Only those of that class, or None for all.
        words: Only those with all of these words; ``-`` before a word turns it round.
        exceptions: Only those that need somebody.
        column: The column to sort by, from 0.
        descending: Whether the largest come first.
    """

    side: Side = Side.INVOICES
    kind: InvoiceClass | PaymentClass | None = None
    words: str = ""
    exceptions: bool = False
    column: int = 0
    descending: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What can be sorted by."""
        return INVOICE_COLUMNS if self.side is Side.INVOICES else PAYMENT_COLUMNS


class AssetSum(msgspec.Struct, frozen=True):
    """What rows add up to in one asset, in its minor units.

    Attributes:
        asset: The asset.
        count: How many rows.
        first: What is asked for by invoices, or was received by payments.
        second: What was received for invoices, or counts for invoices.
        is_comparable: Whether the second may be taken from the first.
    """

    asset: Asset
    count: int
    first: int
    second: int
    is_comparable: bool = True


class Shown(msgspec.Struct, frozen=True):
    """The rows that are shown.

    Attributes:
        view: What was asked for.
        names: The invoices' names or payments' URLs, in their order.
        counts: How many of each class there are, but for the choice of one.
        exceptions: How many of all need somebody.
        sums: What the shown ones add up to.
        widest: How many cells number, and both or three amounts take at the most.
    """

    view: View
    names: tuple[str, ...]
    counts: dict[InvoiceClass | PaymentClass, int]
    exceptions: int
    sums: tuple[AssetSum, ...]
    widest: tuple[int, ...]


def needs_somebody(one: InvoiceResult | PaymentResult) -> bool:
    """Return whether a person should look at an invoice or a payment."""
    if isinstance(one, InvoiceResult):
        return not is_clear(one) or one.suggestion is not None
    is_loose = one.kind is PaymentClass.UNMATCHED and one.payment.received > 0
    return is_loose or one.kind is PaymentClass.AMBIGUOUS


def arrange(index: BookIndex, view: View) -> Shown:
    """Return the rows that a person wants to see, and what they add up to."""
    if view.side is Side.INVOICES:
        return _arranged(
            index.invoices, view, _invoice_text, _INVOICE_KEYS, _invoice_sums, _invoice_widths
        )
    return _arranged(
        index.payments, view, _payment_text, _PAYMENT_KEYS, _payment_sums, _payment_widths
    )


def _arranged(
    every: dict[str, Any],
    view: View,
    text_of: Callable[[Any], str],
    keys: Sequence[Callable[[Any], Any] | None],
    sums: Callable[[Iterable[Any]], tuple[AssetSum, ...]],
    widths: Callable[[Iterable[Any]], tuple[int, ...]],
) -> Shown:
    found = list(every.items())
    exceptions = sum(needs_somebody(one) for _, one in found)
    if view.exceptions:
        found = [pair for pair in found if needs_somebody(pair[1])]
    if view.words.strip():
        matches = _matcher(view.words)
        found = [pair for pair in found if matches(text_of(pair[1]))]
    counts = Counter(one.kind for _, one in found)
    if view.kind is not None:
        found = [pair for pair in found if pair[1].kind is view.kind]
    key = keys[view.column]
    if key is not None:
        found.sort(key=lambda pair: key(pair[1]))
    if view.descending:
        found.reverse()
    shown = [one for _, one in found]
    return Shown(
        view,
        tuple(name for name, _ in found),
        dict(counts),
        exceptions,
        sums(shown),
        widths(shown),
    )


def _matcher(words: str) -> Callable[[str], bool]:
    terms = words.casefold().split()
    wanted = [term for term in terms if not term.startswith("-")]
    unwanted = [term[1:] for term in terms if term.startswith("-") and len(term) > 1]

    def matches(text: str) -> bool:
        return all(term in text for term in wanted) and not any(term in text for term in unwanted)

    return matches


# Invoices


def _invoice_text(one: InvoiceResult) -> str:
    invoice = one.invoice
    parts = [
        invoice.number,
        invoice.customer,
        one.kind.value,
        *one.remarks(fmt.money),
        fmt.number(invoice.amount, invoice.asset.scale),
        fmt.number(one.received, invoice.asset.scale),
        invoice.asset.code,
        *(found.rule.value for found in one.matches),
        *(found.evidence for found in one.matches),
    ]
    return " ".join(parts).casefold()


_INVOICE_CLASSES: Final = tuple(InvoiceClass)
_PAYMENT_CLASSES: Final = tuple(PaymentClass)


def _worth(minor_units: int, asset: Asset) -> tuple[str, int]:
    """Return what amounts are put in order by: the asset first, then the amount."""
    return asset.code, minor_units * 10 ** (18 - min(asset.scale, 18))


_INVOICE_KEYS: Final[Sequence[Callable[[Any], Any] | None]] = (
    None,
    lambda one: one.invoice.number.casefold(),
    lambda one: _INVOICE_CLASSES.index(one.kind),
    lambda one: _worth(one.invoice.amount, one.invoice.asset),
    lambda one: _worth(one.received, one.invoice.asset),
    lambda one: _worth(one.difference or 0, one.invoice.asset),
    lambda one: one.invoice.customer.casefold(),
    lambda one: (one.invoice.due is None, one.invoice.due),
)


def _invoice_sums(results: Iterable[InvoiceResult]) -> tuple[AssetSum, ...]:
    sums: dict[Asset, list[int]] = {}
    for one in results:
        own = sums.setdefault(one.invoice.asset, [0, 0, 0, 0])
        own[0] += 1
        own[1] += one.invoice.amount
        own[2] += one.received
        own[3] += one.difference is None
    return tuple(
        AssetSum(asset, count, due, received, not apart)
        for asset, (count, due, received, apart) in _in_order(sums)
    )


def _invoice_widths(results: Iterable[InvoiceResult]) -> tuple[int, ...]:
    numbers = due = received = difference = 0
    for one in results:
        scale = one.invoice.asset.scale
        numbers = max(numbers, len(one.invoice.number))
        due = max(due, _digits(one.invoice.amount, scale))
        received = max(received, _digits(one.received, scale))
        difference = max(difference, _digits(one.difference or 0, scale))
    return numbers, due, received, difference


def _digits(minor_units: int, scale: int) -> int:
    """Return about how many cells an amount takes, never too few."""
    digits = len(str(abs(minor_units)))
    whole = max(digits - scale, 1)
    return whole + (whole - 1) // 3 + (scale + 1 if scale else 0) + (minor_units < 0)


# Payments


def _payment_text(one: PaymentResult) -> str:
    payment = one.payment
    parts = [
        *payment.references,
        payment.description,
        one.kind.value,
        payment.state.value,
        fmt.number(payment.received, payment.asset.scale),
        payment.asset.code,
        payment.id,
    ]
    return " ".join(parts).casefold()


_PAYMENT_KEYS: Final[Sequence[Callable[[Any], Any] | None]] = (
    None,
    lambda one: (payment_name(one) or "\U0010ffff").casefold(),
    lambda one: _PAYMENT_CLASSES.index(one.kind),
    lambda one: one.payment.state.value,
    lambda one: _worth(one.payment.received, one.payment.asset),
    lambda one: _worth(one.unallocated, one.payment.asset),
)


def payment_name(one: PaymentResult) -> str:
    """Return what a payment calls itself, as sent: its references, else its description."""
    return ", ".join(one.payment.references) or one.payment.description


def _payment_sums(results: Iterable[PaymentResult]) -> tuple[AssetSum, ...]:
    sums: dict[Asset, list[int]] = {}
    for one in results:
        own = sums.setdefault(one.payment.asset, [0, 0, 0])
        own[0] += 1
        own[1] += one.payment.received
        own[2] += one.payment.received - one.unallocated
    return tuple(
        AssetSum(asset, count, received, matched)
        for asset, (count, received, matched) in _in_order(sums)
    )


def _payment_widths(results: Iterable[PaymentResult]) -> tuple[int, ...]:
    name = received = left = 0
    for one in results:
        scale = one.payment.asset.scale
        name = max(name, len(payment_name(one)))
        received = max(received, _digits(one.payment.received, scale))
        left = max(left, _digits(one.unallocated, scale))
    return name, received, left


def _in_order(sums: dict[Asset, list[int]]) -> list[tuple[Asset, list[int]]]:
    return sorted(sums.items(), key=lambda one: (one[0].code, one[0].scale))
