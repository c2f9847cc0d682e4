"""How a person told opdash to read files of one kind, remembered for the next one.

Files are of one kind when their columns have the same names in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from opdash.atomic import write_atomic
from opdash.books.columns import Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.errors import InputError

FILE_NAME: Final = "invoice-columns.json"
"""Its name in the data directory."""

_MOST: Final = 100


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person said about files of one kind.

    Attributes:
        header: The names of their columns.
        columns: For each field that was told, its column's name or number from 1.
        decimal: The decimal mark, or None where it was left to opdash.
        dates: The order of dates, likewise.
    """

    header: tuple[str, ...]
    columns: dict[Field, str] = {}
    decimal: DecimalMark | None = None
    dates: DateOrder | None = None

    def changed_by(self, said: Reading) -> Reading:
        """Return this with what was said now before what was said then."""
        # A column that is given to another field is no longer that of the first.
        given = {name for name in said.columns.values() if name.strip()}
        kept = {field: name for field, name in self.columns.items() if name not in given}
        return Reading(
            header=self.header,
            columns={**kept, **said.columns},
            decimal=said.decimal or self.decimal,
            dates=said.dates or self.dates,
        )

    @property
    def says_anything(self) -> bool:
        """Whether there is anything to remember."""
        return bool(self.columns or self.decimal or self.dates)


def recall(directory: Path, header: Sequence[str]) -> Reading:
    """Return what is remembered of files with these columns; nothing for new ones."""
    wanted = tuple(header)
    found = (one for one in _read(directory / FILE_NAME) if one.header == wanted)
    return next(found, Reading(wanted))


def remember(directory: Path, reading: Reading) -> None:
    """Keep how a file was read; of many kinds the oldest is forgotten.

    Raises:
        InputError: The data directory cannot be written.
    """
    path = directory / FILE_NAME
    others = [one for one in _read(path) if one.header != reading.header]
    data = msgspec.json.encode([reading, *others[: _MOST - 1]])
    try:
        write_atomic(path, msgspec.json.format(data, indent=1) + b"\n")
    except OSError as error:
        raise InputError(
            f"How the file is to be read cannot be remembered: {error.strerror}.",
            f"Check that {directory} can be written.",
        ) from error


def _read(path: Path) -> list[Reading]:
    """Return what the file holds; one that cannot be read holds nothing worth keeping."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Reading])
    except (OSError, msgspec.DecodeError, UnicodeError):
        return []
