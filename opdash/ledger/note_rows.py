"""The rows of what people write on payments: only ever added.

They name payments by wallet address and URL, so they stay when payments are forgotten, and are
found again when the server shows those anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from opdash.ledger.encoding import decode_instant, encode_instant, split_id
from opdash.ledger.note_texts import (
    read_standing,
    write_standing,
)
from opdash.ledger.notes import (
    NO_NOTE,
    Note,
    NoteKind,
    NoteStep,
    folded_note,
)
from opdash.ledger.records import PaymentRow

_AT_ONCE: Final = 200
_ANY_NOTED: Final = """SELECT 1 FROM payment INDEXED BY payment_noted
    WHERE wallet_key = ? AND noted <> 0 LIMIT 1"""
_COLUMNS: Final = "n.kind, n.text, n.standing, n.at"


def insert_steps(
    connection: sqlite3.Connection, wallet: str, payment_id: str, steps: Iterable[NoteStep]
) -> None:
    """Write steps down, beside all earlier ones."""
    connection.executemany(
        """INSERT INTO note (wallet, payment, kind, text, standing, at)
           VALUES (?, ?, ?, ?, ?, ?)""",
        [
            (
                wallet,
                payment_id,
                step.kind.value,
                step.text,
                write_standing(step.standing),
                encode_instant(step.at),
            )
            for step in steps
        ],
    )


def read_steps(
    connection: sqlite3.Connection, wallet: str, payment_id: str
) -> tuple[NoteStep, ...]:
    """Return all that people did to a payment's notes, oldest first."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM note n WHERE wallet = ? AND payment = ? ORDER BY note_key",  # noqa: S608 - only names of this file
        (wallet, payment_id),
    )
    return tuple(map(_step, found))


def read_note(connection: sqlite3.Connection, wallet: str, payment_id: str) -> Note:
    """Return what stands on a payment."""
    return folded_note(read_steps(connection, wallet, payment_id))


def read_notes(connection: sqlite3.Connection, wallet: str) -> dict[str, Note]:
    """Return what stands on all payments of a wallet address, by URL; also on unknown ones."""
    found = connection.execute(
        f"SELECT n.payment, {_COLUMNS} FROM note n WHERE wallet = ? ORDER BY note_key",  # noqa: S608 - only names of this file
        (wallet,),
    )
    return {url: note for url, note in _folded(found).items() if note != NO_NOTE}


def read_notes_of(
    connection: sqlite3.Connection, wallet: str, payment_ids: Sequence[str]
) -> dict[str, Note]:
    """Return what stands on some payments of a wallet address, by URL."""
    notes: dict[str, Note] = {}
    for start in range(0, len(payment_ids), _AT_ONCE):
        some = payment_ids[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        found = connection.execute(
            f"SELECT n.payment, {_COLUMNS} FROM note n "  # noqa: S608 - only marks
            f"WHERE wallet = ? AND payment IN ({marks}) ORDER BY note_key",
            (wallet, *some),
        )
        notes |= {url: note for url, note in _folded(found).items() if note != NO_NOTE}
    return notes


def has_notes(connection: sqlite3.Connection, wallet: str) -> bool:
    """Return whether anything was ever written on a payment of a wallet address."""
    found = connection.execute("SELECT 1 FROM note WHERE wallet = ? LIMIT 1", (wallet,))
    return found.fetchone() is not None


def read_noted(connection: sqlite3.Connection, wallet_key: int) -> dict[int, Note]:
    """Return what stands on the known payments of a wallet address, by their numbers."""
    if connection.execute(_ANY_NOTED, (wallet_key,)).fetchone() is None:
        return {}
    found = connection.execute(
        f"""SELECT p.payment_key, {_COLUMNS}
            FROM payment p INDEXED BY payment_noted
            CROSS JOIN base b ON b.base_key = p.base_key
            CROSS JOIN wallet w ON w.wallet_key = p.wallet_key
            CROSS JOIN note n ON n.wallet = w.address AND n.payment = b.url || p.segment
            WHERE p.wallet_key = ? AND p.noted <> 0
            ORDER BY n.note_key""",  # noqa: S608 - only names of this file
        (wallet_key,),
    )
    return _folded(found)


def with_notes(connection: sqlite3.Connection, rows: Iterable[PaymentRow]) -> list[PaymentRow]:
    """Return payments with what stands on them, in the same order."""
    given = list(rows)
    notes = {
        wallet: read_notes_of(connection, wallet, [row.id for row in given if row.wallet == wallet])
        for wallet in {row.wallet for row in given}
    }
    return [replace(row, note=notes[row.wallet].get(row.id, NO_NOTE)) for row in given]


def forget_notes(connection: sqlite3.Connection, wallet: str) -> None:
    """Delete all that was written on payments of a wallet address."""
    connection.execute("DELETE FROM note WHERE wallet = ?", (wallet,))


def count_marks_amiss(connection: sqlite3.Connection) -> int:
    """Return how many payments do not say in their own row what notes say about them."""
    marked: Mapping[int, int] = dict(
        connection.execute("SELECT payment_key, noted FROM payment WHERE noted <> 0")
    )
    written = _marks(connection)
    return sum(marked.get(key, 0) != written.get(key, 0) for key in {*marked, *written})


def set_marks_right(connection: sqlite3.Connection) -> None:
    """Let every payment say in its own row what notes say about it; inside a transaction."""
    connection.execute("UPDATE payment SET noted = 0 WHERE noted <> 0")
    connection.executemany(
        "UPDATE payment SET noted = ? WHERE payment_key = ?",
        [(bits, key) for key, bits in _marks(connection).items()],
    )


def _marks(connection: sqlite3.Connection) -> dict[int, int]:
    """Return which payments notes are about, and their bits, without looking at `noted`."""
    marks: dict[int, int] = {}
    wallets = connection.execute("SELECT wallet_key, address FROM wallet").fetchall()
    for wallet_key, address in wallets:
        for url, note in read_notes(connection, address).items():
            base, segment = split_id(url)
            found = connection.execute(
                """SELECT p.payment_key FROM payment p JOIN base b USING (base_key)
                   WHERE p.segment = ? AND b.url = ? AND p.wallet_key = ?""",
                (segment, base, wallet_key),
            ).fetchone()
            if found is not None:
                marks[found[0]] = note.bits
    return marks


def _folded(found: Iterable[tuple[Any, ...]]) -> dict[Any, Note]:
    steps: dict[Any, list[NoteStep]] = {}
    for key, *columns in found:
        steps.setdefault(key, []).append(_step(columns))
    return {key: folded_note(own) for key, own in steps.items()}


def _step(columns: Sequence[Any]) -> NoteStep:
    kind, text, standing, at = columns
    return NoteStep(
        kind=NoteKind(kind), text=text, at=decode_instant(at), standing=read_standing(standing)
    )
