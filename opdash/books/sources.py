"""A merchant's file as it was read, and how a person said that it is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from opdash.books.columns import Columns, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.invoice_file import InvoiceFile, guess_places, read_invoices, settle
from opdash.books.mappings import Reading, recall, remember
from opdash.books.tabular import Table, read_table
from opdash.openpayments.amounts import Asset


class Stamp(msgspec.Struct, frozen=True):
    """What tells one state of a file from another; times are nanoseconds."""

    modified: int
    size: int
    inode: int


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of a file, or None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file, as far as it can be read without knowing any wallet.

    Attributes:
        path: The file.
        stamp: What it was like when it was read.
        table: Its rows.
        said: What a person said about its columns, now or earlier.
        is_remembered: Whether some of that was said earlier.
        places: Where the fields are, as far as that can be told.
        encoding: As what a person said to decode it; empty where it was guessed.
        delimiter: What a person said to part it by; likewise.
    """

    path: Path
    stamp: Stamp | None
    table: Table
    said: Reading
    is_remembered: bool
    places: Mapping[Field, int]
    encoding: str = ""
    delimiter: str = ""

    def with_column(self, field: Field, place: int | None) -> Source:
        """Return it with a column given to a field, and taken from another that had it.

        Args:
            field: The field.
            place: The column's place, from 0; None for no column.
        """
        places = {one: at for one, at in self.places.items() if one is not field and at != place}
        if place is not None:
            places[field] = place
        columns = {one: self._named(places[one]) if one in places else "" for one in Field}
        return msgspec.structs.replace(
            self, places=places, said=msgspec.structs.replace(self.said, columns=columns)
        )

    def with_marks(self, decimal: DecimalMark | None, dates: DateOrder | None) -> Source:
        """Return it with a decimal mark and an order of dates; None leaves them to be guessed."""
        said = msgspec.structs.replace(self.said, decimal=decimal, dates=dates)
        return msgspec.structs.replace(self, said=said)

    def _named(self, place: int) -> str:
        """Return how a column is remembered: by its name, or its number where that tells more."""
        name = self.table.header[place].strip()
        return name if name and self.table.header.count(name) == 1 else str(place + 1)


def open_source(
    path: Path,
    directory: Path,
    *,
    columns: Mapping[Field, str] | None = None,
    decimal: DecimalMark | None = None,
    dates: DateOrder | None = None,
    encoding: str = "",
    delimiter: str = "",
) -> Source:
    """Read a file, with what was said of files like it before what can be guessed.

    Args:
        path: The file.
        directory: The data directory, in which that is remembered.
        columns: What a person says now of its columns.
        decimal: The decimal mark, where a person says it now.
        dates: The order of dates, likewise.
        encoding: What to decode it as; guessed unless given.
        delimiter: What parts the cells; guessed unless given.

    Raises:
        FileError: It cannot be read, is no text, or holds no rows.
        ColumnError: A column that was named is not there.
    """
    stamp = stamp_of(path)
    table = read_table(path, encoding=encoding, delimiter=delimiter)
    said = Reading(table.header, dict(columns or {}), decimal, dates)
    source = place_source(path, table, directory, said, encoding=encoding, delimiter=delimiter)
    return msgspec.structs.replace(source, stamp=stamp)


def place_source(
    path: Path,
    table: Table,
    directory: Path,
    said: Reading,
    *,
    encoding: str = "",
    delimiter: str = "",
) -> Source:
    """Say where the fields of a table are, from what a person says now and said before.

    Args:
        path: The file.
        table: Its rows.
        directory: The data directory.
        said: What a person says now.
        encoding: As what they said to decode the file.
        delimiter: What they said parts its cells.

    Raises:
        ColumnError: A column that was named is not there.
    """
    earlier = recall(directory, table.header) if table.has_header else Reading(table.header)
    whole = earlier.changed_by(said)
    return Source(
        path=path,
        stamp=stamp_of(path),
        table=table,
        said=whole,
        is_remembered=earlier.says_anything,
        places=guess_places(table, whole.columns),
        encoding=encoding,
        delimiter=delimiter,
    )


def read_again(source: Source, directory: Path) -> Source:
    """Read a file that has changed; what was said of its columns holds as long as they are there.

    Raises:
        FileError: It cannot be read any more.
        ColumnError: A column that was named is no longer there.
    """
    said = source.said
    return open_source(
        source.path,
        directory,
        columns=said.columns,
        decimal=said.decimal,
        dates=said.dates,
        encoding=source.encoding,
        delimiter=source.delimiter,
    )


def read_source(source: Source, assets: Sequence[Asset]) -> tuple[Columns, InvoiceFile]:
    """Read the invoices of a file.

    Args:
        source: The file.
        assets: Those of the wallet addresses; an invoice without a currency is in the first.

    Raises:
        FileError: It is not known which columns hold number and amount, or what the amounts mean.
    """
    said = source.said
    columns = settle(source.table, source.places, assets, mark=said.decimal, dates=said.dates)
    return columns, read_invoices(source.table, columns, assets)


def keep_reading(source: Source, directory: Path) -> None:
    """Remember how a file is to be read, for all with the same header.

    Raises:
        InputError: The data directory cannot be written.
    """
    if source.said.says_anything and source.table.has_header:
        remember(directory, source.said)
