"""Making a `FoldIndex`: wholly from the ledger, or from the last one and what has changed since.

What has changed is told by the payments' time lines. The days that it lies in are made anew, and
all others stay.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from opdash.ledger.encoding import decode_amount, decode_instant, encode_instant
from opdash.ledger.fold_index import Day, FoldIndex
from opdash.ledger.folds import MOST_RULES, Fold, FoldRule, source_of
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Sort
from opdash.ledger.rows import Assets
from opdash.ledger.search.evaluating import matches
from opdash.ledger.search.folding import folded
from opdash.ledger.search.terms import All
from opdash.openpayments.amounts import Asset

_AT_ONCE: Final = 1_000
_MOST_CHANGED: Final = 2_000
_MOST_DAYS: Final = 32
_PARTER: Final = "\x1f"
_REMEMBERED: Final = 4_096
_COLUMNS: Final = "payment_key, created_at, received, received_asset_key, reference, metadata"

_Row = tuple[int, int, str, int, str, str]
Matching = Callable[[All, Sort], Sequence[int]]
"""Returns the numbers of all payments that match, in an order."""


class FoldMaker:
    """Makes indexes; lives as long as one snapshot.

    Args:
        connection: The ledger.
        wallet_key: The wallet address's number.
        rules: What is folded; of several that match, the first.
        zone: Where days begin at midnight; None for this machine's zone.
        assets: The assets by number.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        wallet_key: int,
        rules: tuple[FoldRule, ...],
        zone: tzinfo | None,
        assets: Assets,
    ) -> None:
        self._connection = connection
        self._wallet_key = wallet_key
        self._rules = rules[:MOST_RULES]
        self._zone = zone
        self._assets = assets

    def make(self, matching: Matching, held: Mapping[str, int]) -> FoldIndex:
        """Read everything.

        Args:
            matching: Finds payments.
            held: Folds, by their ids, that must stand where one of their payments stands, by its
                number, and not where their newest does.
        """
        last_entry = self._last_entry()
        (most,) = self._connection.execute("SELECT MAX(payment_key) FROM payment").fetchone()
        marks = bytearray((most or 0) + 1)
        for number, rule in reversed(list(enumerate(self._rules, start=1))):
            for key in matching(rule.tree, NEWEST_FIRST):
                marks[key] = number
        found = self._connection.execute(
            f"SELECT {_COLUMNS} FROM payment WHERE wallet_key = ? "  # noqa: S608 - only column names
            "ORDER BY created_at DESC, tie DESC",
            (self._wallet_key,),
        )
        days = tuple(self._days(_all(found), marks, held))
        return self._index(days, marks, last_entry)

    def update(
        self,
        index: FoldIndex,
        payments: Callable[[Sequence[int]], Iterable[PaymentRow]],
        held: Mapping[str, int],
    ) -> FoldIndex | None:
        """Return the index as of now; None where it must be made anew.

        Args:
            index: As it was.
            payments: Returns payments by their numbers.
            held: As for `make`.
        """
        if index.rules != self._rules or index.zone != self._zone:
            return None
        if index.wallet_key != self._wallet_key or index.last_note != self._last_note():
            return None
        last_entry = self._last_entry()
        changed = self._changed(index.last_entry)
        if len(changed) > _MOST_CHANGED:
            return None
        marks, starts = self._mark(changed, index.marks, payments)
        starts |= {
            day.start
            for day in index.days
            if any(fold.place != held.get(fold.id, fold.keys[0]) for fold in day.folds)
        }
        if len(starts) > _MOST_DAYS:
            return None
        days = {day.start: day for day in index.days}
        for start in starts:
            days.pop(start, None)
            _, end, _ = day_of(start, self._zone)
            days |= {day.start: day for day in self._between(start, end, marks, held)}
        ordered = tuple(days[start] for start in sorted(days, reverse=True))
        updated = self._index(ordered, marks, last_entry)
        return updated if updated.payments == self._known() else None

    def _index(self, days: tuple[Day, ...], marks: bytearray, last_entry: int) -> FoldIndex:
        last_note = self._last_note()
        return FoldIndex(
            self._wallet_key, self._rules, self._zone, days, marks, last_entry, last_note
        )

    # What has changed

    def _changed(self, last_entry: int) -> list[int]:
        found = self._connection.execute(
            """SELECT DISTINCT payment_key FROM entry
               WHERE entry_key > ? AND +wallet_key = ? LIMIT ?""",
            (last_entry, self._wallet_key, _MOST_CHANGED + 1),
        )
        return [key for (key,) in found]

    def _mark(
        self,
        changed: Sequence[int],
        before: bytearray,
        payments: Callable[[Sequence[int]], Iterable[PaymentRow]],
    ) -> tuple[bytearray, set[int]]:
        """Return the marks as of now, and when the days of changed payments begin."""
        starts: set[int] = set()
        if not changed:
            return before, starts
        marks = bytearray(max(len(before), max(changed) + 1))
        marks[: len(before)] = before
        for key, row in zip(changed, payments(changed), strict=True):
            rules = enumerate(self._rules, start=1)
            marks[key] = next((number for number, rule in rules if matches(rule.tree, row)), 0)
            starts.add(day_of(encode_instant(row.created_at), self._zone)[0])
        return marks, starts

    def _known(self) -> int:
        found = self._connection.execute(
            "SELECT known FROM wallet WHERE wallet_key = ?", (self._wallet_key,)
        )
        return int(found.fetchone()[0])

    def _last_entry(self) -> int:
        (last,) = self._connection.execute("SELECT MAX(entry_key) FROM entry").fetchone()
        return last or 0

    def _last_note(self) -> int:
        (last,) = self._connection.execute("SELECT MAX(note_key) FROM note").fetchone()
        return last or 0

    # Days

    def _between(
        self, start: int, end: int, marks: bytearray, held: Mapping[str, int]
    ) -> Iterator[Day]:
        found = self._connection.execute(
            f"SELECT {_COLUMNS} FROM payment "  # noqa: S608 - only column names
            "WHERE wallet_key = ? AND created_at >= ? AND created_at < ? "
            "ORDER BY created_at DESC, tie DESC",
            (self._wallet_key, start, end),
        )
        return self._days(_all(found), marks, held)

    def _days(
        self, rows: Iterable[_Row], marks: bytearray, held: Mapping[str, int]
    ) -> Iterator[Day]:
        """Yield the days of payments that come newest first."""
        making: _DayMaker | None = None
        for row in rows:
            if making is None or row[1] < making.start:
                if making is not None:
                    yield making.day()
                making = _DayMaker(*day_of(row[1], self._zone), self._rules, self._assets, held)
            if mark := marks[row[0]]:
                making.take(row, mark)
            else:
                making.lines.append(row[0])
        if making is not None:
            yield making.day()


class _Group:
    """Payments that may become a fold."""

    def __init__(self, fold_id: str, search: str, source: str, asset: Asset, line: int) -> None:
        self.id = fold_id
        self.search = search
        self.source = source
        self.asset = asset
        self.line = line
        self.place: int | None = None
        self.keys = array("q")
        self.received = 0
        self.newest_at = 0
        self.oldest_at = 0


class _DayMaker:
    """Puts the payments of a day into lines."""

    def __init__(
        self,
        start: int,
        end: int,
        day: date,
        rules: Sequence[FoldRule],
        assets: Assets,
        held: Mapping[str, int],
    ) -> None:
        self.start = start
        self.lines = array("q")
        self._end = end
        self._date = day
        self._rules = rules
        self._assets = assets
        self._held = held
        self._groups: dict[tuple[int, str, int], _Group] = {}
        self._numbers: dict[str, int] = {}

    def take(self, row: _Row, mark: int) -> None:
        """Add a payment that a rule matches."""
        key, created_at, received, asset_key, reference, metadata = row
        source = source_of(reference, metadata)
        kind = (mark, _folded(source), asset_key)
        group = self._groups.get(kind)
        if group is None:
            group = self._groups[kind] = self._new_group(kind, source)
            group.newest_at = created_at
        wanted = self._held.get(group.id, key)
        if group.place is None and wanted == key:
            group.place = key
            self.lines.append(-1 - self._numbers[group.id])
        group.keys.append(key)
        group.received += decode_amount(received) or 0
        group.oldest_at = created_at

    def _new_group(self, kind: tuple[int, str, int], source: str) -> _Group:
        mark, same_source, asset_key = kind
        rule = self._rules[mark - 1]
        parts = ("fold", rule.name, same_source, self._date.isoformat(), str(asset_key))
        group = _Group(
            _PARTER.join(parts), rule.name, source, self._assets[asset_key], len(self.lines)
        )
        self._numbers[group.id] = len(self._numbers)
        return group

    def day(self) -> Day:
        """Return the day; a payment that is alone of its kind stands for itself."""
        groups = list(self._groups.values())
        payments = sum(len(group.keys) for group in groups)
        payments += sum(line >= 0 for line in self.lines)
        self._place_the_rest(groups)
        lines, folds = array("q"), list[Fold]()
        for line in self.lines:
            group = None if line >= 0 else groups[-line - 1]
            if group is None:
                lines.append(line)
            elif len(group.keys) == 1:
                lines.append(group.keys[0])
            else:
                lines.append(-len(folds) - 1)
                folds.append(self._fold(group))
        return Day(self.start, self._end, payments, lines, tuple(folds))

    def _place_the_rest(self, groups: Sequence[_Group]) -> None:
        """Place what waits for a payment that belongs to it no more, where its newest stands."""
        waiting = [number for number, group in enumerate(groups) if group.place is None]
        for number in sorted(waiting, key=lambda one: (-groups[one].line, -one)):
            groups[number].place = groups[number].keys[0]
            self.lines.insert(groups[number].line, -number - 1)

    def _fold(self, group: _Group) -> Fold:
        return Fold(
            id=group.id,
            search=group.search,
            source=group.source,
            day=self._date,
            asset=group.asset,
            received=group.received,
            newest_at=group.newest_at,
            oldest_at=group.oldest_at,
            keys=group.keys,
            place=group.place or group.keys[0],
        )


def day_of(created_at: int, zone: tzinfo | None) -> tuple[int, int, date]:
    """Return when the day of an instant begins and ends, and which day it is; encoded instants.

    Args:
        created_at: The instant, encoded.
        zone: Where the day begins at midnight; None for this machine's zone.
    """
    instant = decode_instant(created_at)
    try:
        midnight = instant.astimezone(zone).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None
        )
        start, end = _at_home(midnight, zone), _at_home(midnight + timedelta(days=1), zone)
    except (OverflowError, ValueError):  # at the ends of the calendar
        return created_at, created_at + 1, instant.date()
    return min(start, created_at), max(end, created_at + 1), midnight.date()


def _at_home(naive: datetime, zone: tzinfo | None) -> int:
    aware = naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
    return encode_instant(aware.astimezone(UTC))


@lru_cache(_REMEMBERED)
def _folded(source: str) -> str:
    return folded(source)


def _all(found: sqlite3.Cursor) -> Iterator[_Row]:
    while some := found.fetchmany(_AT_ONCE):
        yield from some
