"""Which payment belongs to which invoice: stages, each surer than the next.

Each stage takes the payments that it can tell apart and leaves the rest to the next one. A stage
never guesses: where several invoices fit, the payment is ambiguous and goes no further. An invoice
may be found by several payments; what that means is `opdash.books.classing`'s to say. Nothing here
depends on the order of rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Final, TypeVar

import msgspec

from opdash.books.naming import name_words, names_in, normalised
from opdash.books.records import BookPayment, Decisions, Invoice, Link, Match, Rule

BEFORE_ISSUE: Final = timedelta(days=3)
"""How long before an invoice's date a payment may have been asked for, to be suggested."""

AFTER_DUE: Final = timedelta(days=30)
"""How long after an invoice is due a payment may have been asked for, to be suggested."""

_Key = TypeVar("_Key", str, tuple[str, ...])

Found = dict[int, str]
"""Rows of invoices that a stage finds for a payment, each with the evidence."""


class Matches(msgspec.Struct, frozen=True):
    """What the stages found.

    Attributes:
        matches: All pairs, links first.
        ambiguous: Rows of the invoices that fit a payment equally well, by its URL.
        suggestions: What fits by amount, asset and date alone, both sides having no other choice.
        repeated: Numbers that the file has more than once.
    """

    matches: tuple[Match, ...]
    ambiguous: Mapping[str, tuple[int, ...]]
    suggestions: tuple[Match, ...]
    repeated: frozenset[str]


def match(
    invoices: Sequence[Invoice],
    payments: Sequence[BookPayment],
    decisions: Decisions,
    *,
    not_invoices: Collection[str] = (),
    zone_offset: timedelta = timedelta(0),
) -> Matches:
    """Find the payments of invoices.

    Args:
        invoices: All rows of the file.
        payments: All payments known; each URL once.
        decisions: What people decided.
        not_invoices: URLs of payments that are known to be none's; they are not suggested.
        zone_offset: Added to a payment's instant to find its day.
    """
    stages = _Stages(invoices, decisions)
    found: list[Match] = []
    left: Sequence[BookPayment] = payments
    ambiguous: dict[str, tuple[int, ...]] = {}
    if decisions.links:
        found += chain.from_iterable(map(stages.linked, payments))
        left = [payment for payment in payments if not stages.is_linked(payment)]
    for rule, look in stages.looks():
        left = _run(rule, look, left, stages, found, ambiguous)
    rows = {one.row for one in found} | set(chain.from_iterable(ambiguous.values()))
    free = [one for one in invoices if one.row not in rows and one.number not in stages.repeated]
    loose = [one for one in left if one.id not in not_invoices and one.id not in ambiguous]
    suggestions = _suggest(free, loose, decisions, zone_offset)
    return Matches(tuple(found), ambiguous, suggestions, stages.repeated)


def _run(
    rule: Rule,
    look: Callable[[BookPayment], Found],
    payments: Iterable[BookPayment],
    stages: _Stages,
    found: list[Match],
    ambiguous: dict[str, tuple[int, ...]],
) -> list[BookPayment]:
    """Run one stage; return the payments that it leaves to the next."""
    left = []
    for payment in payments:
        rows = stages.allowed(payment, look(payment))
        if not rows:
            left.append(payment)
        elif len(rows) > 1:
            ambiguous[payment.id] = tuple(sorted(rows))
        else:
            ((row, evidence),) = rows.items()
            found.append(Match(row, payment.id, rule, evidence, payment.received))
    return left


class _Stages:
    """The indexes in which payments are looked up."""

    def __init__(self, invoices: Sequence[Invoice], decisions: Decisions) -> None:
        self._rejected = decisions.rejected
        rejects = decisions.rejected
        self._numbers = {one.row: one.number for one in invoices} if rejects else {}
        self._by_number = _index(invoices, lambda one: one.number)
        self.repeated = frozenset(
            number for number, rows in self._by_number.items() if len(rows) > 1
        )
        """Numbers that the file has more than once."""
        self._by_url = _index(invoices, lambda one: one.payment_url.rstrip("/"))
        self._by_normal = _index(invoices, lambda one: normalised(one.number))
        self._by_words = _index(invoices, lambda one: name_words(one.number))
        self._links: defaultdict[str, list[Link]] = defaultdict(list)
        for link in sorted(decisions.links, key=lambda one: (one.amount is None, one.number)):
            self._links[link.payment_id].append(link)

    def looks(self) -> tuple[tuple[Rule, Callable[[BookPayment], Found]], ...]:
        """Return the stages after a person's links, in their order."""
        return (
            (Rule.URL, self._written),
            (Rule.REFERENCE, self._referred),
            (Rule.NORMALISED, self._normally_referred),
            (Rule.DESCRIPTION, self._described),
        )

    def linked(self, payment: BookPayment) -> list[Match]:
        """Return what a person linked; no minor unit is given away twice."""
        left, found = payment.received, []
        for link in self._links.get(payment.id, ()):
            rows = self._by_number.get(link.number, ())
            if not rows:
                continue
            amount = left if link.amount is None else min(link.amount, left)
            left -= amount
            found.append(Match(rows[0], payment.id, Rule.LINK, link.number, amount))
        return found

    def is_linked(self, payment: BookPayment) -> bool:
        """Return whether a person said whose it is, be it an invoice of another file."""
        return payment.id in self._links

    def allowed(self, payment: BookPayment, found: Found) -> Found:
        """Leave out what a person rejected."""
        if not self._rejected or not found:
            return found
        return {
            row: evidence
            for row, evidence in found.items()
            if (self._numbers[row], payment.id) not in self._rejected
        }

    def _written(self, payment: BookPayment) -> Found:
        return dict.fromkeys(self._by_url.get(payment.id.rstrip("/"), ()), payment.id)

    def _referred(self, payment: BookPayment) -> Found:
        by_number = self._by_number
        return {
            row: reference
            for reference in payment.references
            for row in by_number.get(reference, ())
        }

    def _normally_referred(self, payment: BookPayment) -> Found:
        by_normal = self._by_normal
        return {
            row: reference
            for reference in payment.references
            for row in by_normal.get(normalised(reference), ())
        }

    def _described(self, payment: BookPayment) -> Found:
        if not self._by_words or not payment.description:
            return {}
        by_words = self._by_words
        return {
            row: " ".join(name)
            for name in names_in(payment.description)
            for row in by_words.get(name, ())
        }


def _index(
    invoices: Iterable[Invoice], key: Callable[[Invoice], _Key]
) -> dict[_Key, tuple[int, ...]]:
    rows: dict[_Key, tuple[int, ...]] = {}
    for invoice in invoices:
        if name := key(invoice):
            own: tuple[int, ...] = (invoice.row,)
            known: tuple[int, ...] = rows.setdefault(name, own)
            if known is not own:
                rows[name] = tuple(sorted((*known, *own)))
    return rows


# By amount, asset and date


def _suggest(
    invoices: Iterable[Invoice],
    payments: Iterable[BookPayment],
    decisions: Decisions,
    zone_offset: timedelta,
) -> tuple[Match, ...]:
    """Pair what fits by amount, asset and date where neither side has another choice."""
    waiting: defaultdict[tuple[str, int, int], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        waiting[_worth(invoice.asset.code, invoice.asset.scale, invoice.amount)].append(invoice)
    coming: defaultdict[tuple[str, int, int], list[tuple[date, BookPayment]]] = defaultdict(list)
    for payment in payments:
        day = (payment.created_at + zone_offset).date()
        for amount in {payment.asked or payment.received, payment.received or payment.asked}:
            if amount:
                worth = _worth(payment.asset.code, payment.asset.scale, amount)
                coming[worth].append((day, payment))
    pairs = chain.from_iterable(
        _only_choices(some, coming[worth]) for worth, some in waiting.items() if worth in coming
    )
    several = list(pairs)
    by_payment: defaultdict[str, int] = defaultdict(int)
    for _, payment in several:
        by_payment[payment.id] += 1
    return tuple(
        Match(invoice.row, payment.id, Rule.AMOUNT, str(payment.received), payment.received)
        for invoice, payment in several
        if by_payment[payment.id] == 1 and (invoice.number, payment.id) not in decisions.rejected
    )


def _worth(code: str, scale: int, amount: int) -> tuple[str, int, int]:
    """Return an amount so that equal sums of one currency are equal at whatever scale."""
    while scale and amount and amount % 10 == 0:
        amount, scale = amount // 10, scale - 1
    return code, amount, scale if amount else 0


def _only_choices(
    invoices: Sequence[Invoice], payments: Sequence[tuple[date, BookPayment]]
) -> list[tuple[Invoice, BookPayment]]:
    """Return the pairs of one amount of which each side has the other as its only choice."""
    coming = sorted(payments, key=lambda one: (one[0], one[1].id))
    days = [day for day, _ in coming]
    windows = [_window(invoice) for invoice in invoices]
    firsts = sorted(first for first, _ in windows)
    lasts = sorted(last for _, last in windows)
    pairs = []
    for invoice, (first, last) in zip(invoices, windows, strict=True):
        start, end = bisect_left(days, first), bisect_right(days, last)
        if end - start != 1:
            continue
        day, payment = coming[start]
        choices = bisect_right(firsts, day) - bisect_left(lasts, day)
        if choices == 1:
            pairs.append((invoice, payment))
    return pairs


def _window(invoice: Invoice) -> tuple[date, date]:
    """Return the first and last day on which a payment for an invoice may have been asked for."""
    begin = invoice.issued or invoice.due
    end = invoice.due or invoice.issued
    if begin is None or end is None:
        return date.min, date.max
    try:
        return begin - BEFORE_ISSUE, max(end, begin) + AFTER_DUE
    except OverflowError:
        return date.min, date.max
