"""How rows of a ledger's tables look, so that one that has lost its table is told by its shape."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from opdash.ledger import schema
from opdash.ledger.decisions import DecisionKind
from opdash.ledger.encoding import SCOPES, STATES
from opdash.ledger.note_texts import (
    read_standing,
)
from opdash.ledger.notes import (
    NoteKind,
    Resolution,
)
from opdash.ledger.pages import EMPTY_TEXT, Cell, Kind, Value
from opdash.ledger.records import CreationStatus, Source, TimelineKind

_AMOUNT: Final = re.compile(r"(\d\d)(0|[1-9]\d*)")
_NEWER: Final = {
    "payment": "changed_at",
    "creation": "updated_at",
    "sight": "last_seen_at",
    "decision": "undone_at",
}
"""By which column the later one of two versions of a row is known."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of a table look.

    Attributes:
        table: Its name.
        columns: The names of its columns.
        kinds: What each may hold.
        least: How many columns a row of an older version may have.
        most: How many columns one of the newest version has; the later ones follow from the others.
        key: The column that is the row's number, or None.
    """

    table: str
    columns: tuple[str, ...]
    kinds: tuple[frozenset[Kind], ...]
    least: int
    most: int
    key: int | None

    def fits(self, cell: Cell) -> bool:
        """Return whether a row may be of this table."""
        return self.least <= len(cell.kinds) <= self.most and all(
            kind in allowed for kind, allowed in zip(cell.kinds, self.kinds, strict=False)
        )

    def values(self, cell: Cell) -> tuple[Value, ...]:
        """Return the columns of a row that fits, its number where that is one of them.

        Raises:
            ValueError: No opdash has written it so.
        """
        values = cell.values()[: len(self.columns)]
        if self.table == "payment":
            values = _with_metadata(values, self.columns.index("metadata"))
        if len(values) < self.least:
            raise ValueError("a column cannot be read")
        if self.key is not None:
            values = (*values[: self.key], cell.rowid, *values[self.key + 1 :])
        check = _CHECKS.get(self.table)
        if check is not None:
            try:
                check(dict(zip(self.columns, values, strict=False)))
            except KeyError as error:
                raise ValueError("no opdash has written that") from error
        return values

    def is_cut(self, cell: Cell, values: tuple[Value, ...]) -> bool:
        """Return whether a payment was read without its metadata."""
        if self.table != "payment":
            return False
        index = self.columns.index("metadata")
        return values[index] == "" and cell.serials[index] != EMPTY_TEXT

    def insert(self, count: int) -> str:
        """Return what writes a row of so many columns, unless a later version of it is there."""
        names = self.columns[:count]
        newer = _NEWER.get(self.table)
        changes = ", ".join(f"{name} = excluded.{name}" for name in names)
        conflict = (
            "NOTHING"
            if newer is None
            else f"UPDATE SET {changes} WHERE excluded.{newer} > {self.table}.{newer}"
        )
        return (
            f"INSERT INTO {self.table} ({', '.join(names)}) "  # noqa: S608 - our own tables
            f"VALUES ({', '.join('?' * count)}) ON CONFLICT DO {conflict}"
        )


def shapes_of(tables: Sequence[str], version: int) -> tuple[Shape, ...]:
    """Return the shapes of tables at a version of the schema, with opdash's own tables."""
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as then,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as now,
    ):
        schema.migrate(then, schema.MIGRATIONS[:version])
        schema.add_own_tables(then)
        schema.migrate(now)
        return tuple(_shape(table, _columns(then, table), _columns(now, table)) for table in tables)


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"PRAGMA table_info({table})").fetchall()


def _shape(table: str, then: list[tuple[Any, ...]], now: list[tuple[Any, ...]]) -> Shape:
    kinds: list[frozenset[Kind]] = []
    key: int | None = None
    least = 0
    for index, _, declared, is_required, default, is_key in then:
        kind = Kind.INTEGER if declared == "INTEGER" else Kind.TEXT
        if is_key and kind is Kind.INTEGER:
            key = index
            kinds.append(frozenset({Kind.NULL}))
        else:
            kinds.append(frozenset({kind} if is_required or is_key else {kind, Kind.NULL}))
        if is_key or (is_required and default is None):
            least = index + 1
    return Shape(
        table=table,
        columns=tuple(column[1] for column in then),
        kinds=tuple(kinds),
        least=least,
        most=max(len(then), len(now)),
        key=key,
    )


def _with_metadata(values: tuple[Value, ...], index: int) -> tuple[Value, ...]:
    """Return a payment without its metadata where just those cannot be read."""
    metadata = values[index] if index < len(values) else None
    if len(values) >= index and not _is_json(metadata):
        return (*values[:index], "")
    return values


def _is_json(text: Value) -> bool:
    try:
        return text == "" or msgspec.json.decode(str(text)) is not None
    except (msgspec.DecodeError, UnicodeError):
        return False


def is_base(url: Value) -> bool:
    """Return whether a text may be how the URLs of payments begin."""
    return isinstance(url, str) and url.endswith("/") and "{" not in url


def _check_base(row: Mapping[str, Value]) -> None:
    if not is_base(row["url"]):
        raise ValueError("not how the URL of a payment begins")


def _check_payment(row: Mapping[str, Value]) -> None:
    STATES[_integer(row["state"])]
    _check_amount(row["received"])
    if row["asked"]:
        _check_amount(row["asked"])


def _check_step(row: Mapping[str, Value]) -> None:
    TimelineKind(str(row["kind"]))
    if row["source"] is not None:
        Source(str(row["source"]))
    if row["received"] is not None:
        _check_amount(row["received"])
    if row["delta"] is not None:
        int(str(row["delta"]))


def _check_decision(row: Mapping[str, Value]) -> None:
    DecisionKind(str(row["kind"]))
    if row["amount"] is not None:
        int(str(row["amount"]))


def _check_note(row: Mapping[str, Value]) -> None:
    kind = NoteKind(str(row["kind"]))
    read_standing(str(row["standing"]))
    if kind is NoteKind.RESOLUTION:
        Resolution(str(row["text"]))


def _check_creation(row: Mapping[str, Value]) -> None:
    CreationStatus(str(row["status"]))
    if not isinstance(json.loads(str(row["draft_json"])), dict):
        raise ValueError("no draft")


def _check_wallet(row: Mapping[str, Value]) -> None:
    int(str(row["received_total"]))


def _check_sight(row: Mapping[str, Value]) -> None:
    SCOPES[_integer(row["scope"])]


def _check_amount(text: Value) -> None:
    found = _AMOUNT.fullmatch(str(text))
    if found is None or int(found[1]) != len(found[2]):
        raise ValueError("no amount")


def _integer(value: Value) -> int:
    if not isinstance(value, int):
        raise ValueError("no integer")
    return value


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Value]], None]]] = {
    "base": _check_base,
    "payment": _check_payment,
    "entry": _check_step,
    "creation": _check_creation,
    "decision": _check_decision,
    "note": _check_note,
    "wallet": _check_wallet,
    "sight": _check_sight,
}
