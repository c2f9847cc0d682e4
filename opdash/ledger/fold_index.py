"""Where payments and folds stand in the list: built once, then brought up to date day by day.

A fold never reaches over the end of a day. So the index is a row of days, newest first, each with
its lines: a payment's number, or a fold's number in that day, negated and less one. It is made by
`opdash.ledger.fold_maker`.

Nothing here changes once it is made: one thread makes an index while another one reads the last.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import tzinfo
from itertools import accumulate

import msgspec

from opdash.ledger.folds import Fold, FoldRule


class Day(msgspec.Struct, frozen=True):
    """The lines of one day.

    Attributes:
        start: When it begins, encoded.
        end: Before when it ends, encoded.
        payments: How many were created on it.
        lines: Numbers of payments; folds of ``folds`` by their negated number, less one.
        folds: The folds that begin and end on it.
    """

    start: int
    end: int
    payments: int
    lines: array[int]
    folds: tuple[Fold, ...]


class Spot(msgspec.Struct, frozen=True):
    """Where a payment is found.

    Attributes:
        line: The line that it stands in, from 0.
        fold: The fold that it belongs to, or None.
        member: Its place among the fold's payments, newest first.
    """

    line: int
    fold: Fold | None = None
    member: int = 0


class FoldIndex:
    """All payments of a wallet address, newest first, those of a fold in one line.

    Attributes:
        wallet_key: The wallet address's number.
        rules: What is folded.
        zone: Where days begin at midnight; None for this machine's zone.
        days: Newest first.
        marks: For each payment's number which rule it matches, counted from 1; 0 for none.
        last_entry: The last entry of time lines that is taken account of.
        last_note: The last of what people wrote on payments that is taken account of.
        count: How many lines there are.
        payments: How many payments there are.
    """

    def __init__(
        self,
        wallet_key: int,
        rules: tuple[FoldRule, ...],
        zone: tzinfo | None,
        days: tuple[Day, ...],
        marks: bytearray,
        last_entry: int,
        last_note: int,
    ) -> None:
        self.wallet_key = wallet_key
        self.rules = rules
        self.zone = zone
        self.days = days
        self.marks = marks
        self.last_entry = last_entry
        self.last_note = last_note
        self._first = [0, *accumulate(len(day.lines) for day in days)]
        self._starts = [-day.start for day in days]
        self.count = self._first[-1]
        self.payments = sum(day.payments for day in days)
        self._folds = {
            fold.id: (number, place)
            for number, day in enumerate(days)
            for place, fold in enumerate(day.folds)
        }

    def lines(self, first: int, last: int) -> Iterator[int | Fold]:
        """Return payments' numbers and folds from a line up to before another."""
        number = bisect_right(self._first, first) - 1
        while first < last and number < len(self.days):
            day, begins = self.days[number], self._first[number]
            for line in day.lines[first - begins : last - begins]:
                yield line if line >= 0 else day.folds[-line - 1]
            number += 1
            first = self._first[number]

    def fold(self, fold_id: str) -> Fold | None:
        """Return a fold, or None if there is none of that name any more."""
        found = self._folds.get(fold_id)
        return None if found is None else self.days[found[0]].folds[found[1]]

    def line_of(self, fold_id: str) -> int:
        """Return the line of a fold that is there."""
        number, place = self._folds[fold_id]
        return self._first[number] + self.days[number].lines.index(-place - 1)

    def find(self, payment_key: int, created_at: int) -> Spot | None:
        """Return where a payment stands, or None where it is not known yet.

        Args:
            payment_key: Its number.
            created_at: When it was created, encoded.
        """
        number = bisect_left(self._starts, -created_at)
        if number >= len(self.days):
            return None
        day = self.days[number]
        try:
            return Spot(self._first[number] + day.lines.index(payment_key))
        except ValueError:
            pass
        for fold in day.folds:
            if payment_key in fold.keys:
                return Spot(self.line_of(fold.id), fold, fold.keys.index(payment_key))
        return None
