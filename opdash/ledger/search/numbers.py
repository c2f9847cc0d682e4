"""Reading many payments' numbers at once.

Row by row, a million numbers take four times as long, and the thread that reads them takes the
interpreter from all others a million times. So SQLite writes them into one text, which is read in
pieces.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_PIECE: Final = 50_000
_DECODER: Final = msgspec.json.Decoder(list[int])


def read_numbers(
    connection: sqlite3.Connection, select: str, values: Sequence[Any] = ()
) -> array[int]:
    """Return what a query selects, in its order.

    Args:
        connection: The ledger.
        select: The query, without a limit; one number below 2^32 a row, called ``number``.
        values: Its parameters.
    """
    # A query with a limit keeps its order inside another.
    (text,) = connection.execute(
        f"SELECT group_concat(number) FROM ({select} LIMIT -1)",  # noqa: S608 - queries of this package
        values,
    ).fetchone()
    numbers = array("I")
    start, size = 0, len(text or "")
    while start < size:
        end = text.find(",", start + _PIECE)
        end = size if end < 0 else end
        numbers.extend(_DECODER.decode(f"[{text[start:end]}]"))
        start = end + 1
    return numbers
