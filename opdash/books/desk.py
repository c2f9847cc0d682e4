"""A file of invoices on a desk: held against the ledger again whenever either has changed.

All reading is done on a thread with a connection of its own, so that whoever asks can go on
painting and typing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from opdash.books.book import (
    Book,
    InvoiceChange,
    PaymentChange,
    changed_invoices,
    changed_payments,
    hold_against,
    wallet_assets,
)
from opdash.books.columns import Columns
from opdash.books.invoice_file import InvoiceFile
from opdash.books.ledger_side import BookWallet
from opdash.books.sources import (
    Source,
    Stamp,
    keep_reading,
    open_source,
    read_again,
    read_source,
    stamp_of,
)
from opdash.clock import Clock
from opdash.errors import InputError, OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.amounts import Asset

_T = TypeVar("_T")


class Scene(msgspec.Struct, frozen=True):
    """What a file is held against.

    Attributes:
        wallets: Whose payments; an invoice without a currency is in the first one's.
        searches: A person's saved searches.
    """

    wallets: tuple[BookWallet, ...]
    searches: tuple[SavedSearch, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a file would be read as.

    Attributes:
        columns: How, or None where that is not known.
        file: Its invoices and problems, likewise.
        assets: Those of the wallets.
        trouble: Why it cannot be read like this, or empty.
    """

    columns: Columns | None
    file: InvoiceFile | None
    assets: tuple[Asset, ...]
    trouble: str = ""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found.

    Attributes:
        book: What became of invoices and payments.
        invoices: Invoices that are not as they were at the look before.
        payments: Payments, likewise.
        is_first: Whether there was no look before at this file.
        has_read_again: Whether the file itself had changed and was read again.
    """

    book: Book
    invoices: tuple[InvoiceChange, ...] = ()
    payments: tuple[PaymentChange, ...] = ()
    is_first: bool = False
    has_read_again: bool = False


class Desk:
    """Holds one file against the ledger, again and again.

    Args:
        ledger: The ledger's file.
        directory: The data directory.
        clock: The one clock.
        scene: Tells what to hold it against; asked on the caller's thread.
        query: Which payments, or None for all.
    """

    def __init__(
        self,
        ledger: Path,
        directory: Path,
        clock: Clock,
        scene: Callable[[], Scene],
        query: Query | None = None,
    ) -> None:
        self.directory = directory
        self.source: Source | None = None
        self.book: Book | None = None
        self.trouble = ""
        """Why the file, as it has become, cannot be used; what is shown is older."""
        self._ledger = ledger
        self._clock = clock
        self._scene = scene
        self._query = query
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opdash-books")
        self._reader: LedgerReader | None = None
        self._looking = asyncio.Lock()
        self._seen: tuple[object, ...] = ()
        self._is_closed = False

    # A file

    async def open(self, path: Path, *, encoding: str = "", delimiter: str = "") -> Source:
        """Read a file without taking it up. Raises `FileError` and `ColumnError`."""
        return await self._run(
            lambda _: open_source(path, self.directory, encoding=encoding, delimiter=delimiter)
        )

    async def preview(self, source: Source) -> Preview:
        """Say what a file would be read as; what is wrong with it is told, not raised."""
        wallets = self._scene().wallets

        def read(reader: LedgerReader) -> Preview:
            assets = wallet_assets(reader, wallets)
            try:
                columns, file = read_source(source, assets)
            except OpdashError as error:
                return Preview(columns=None, file=None, assets=assets, trouble=error.sentence)
            return Preview(columns=columns, file=file, assets=assets)

        return await self._run(read)

    async def take(self, source: Source) -> None:
        """Take a file up, and remember how it is to be read. Raises `InputError`."""
        self.source, self.book, self.trouble, self._seen = source, None, "", ()
        await self._run(lambda _: keep_reading(source, self.directory))

    # Looking

    async def look(self) -> Look | None:
        """Hold the file against the ledger if anything has changed since the last look.

        Returns:
            What was found, or None where all is as it was or no file was taken up.

        Raises:
            FileError: The file cannot be understood; `trouble` tells of one that could be before.
            LedgerError: The ledger cannot be read.
            SearchError: A saved search cannot be read.
        """
        async with self._looking:
            source, before, scene = self.source, self.book, self._scene()
            if source is None or self._is_closed:
                return None
            found = await self._run(lambda reader: self._look(reader, scene, source, before))
            if found is None or self.source is not source:
                return None
            self.source, self.book = found.book.source, found.book
            return found

    def _look(
        self, reader: LedgerReader, scene: Scene, source: Source, before: Book | None
    ) -> Look | None:
        stamp = stamp_of(source.path)
        revisions = tuple(reader.revision(one.address) for one in scene.wallets)
        moment = Moment(self._clock.now())
        today = moment.midnight().date()
        seen = (stamp, scene, revisions, self._is_complete(reader, scene.wallets), today)
        if before is not None and seen == self._seen:
            return None

        def held(of: Source) -> Book:
            return hold_against(
                of, reader, scene.wallets, scene.searches, moment, query=self._query, before=before
            )

        again = source if before is None else self._read_again(source, stamp, held)
        book = again if isinstance(again, Book) else held(again)
        self._seen = seen
        if before is None:
            return Look(book=book, is_first=True)
        return Look(
            book=book,
            invoices=changed_invoices(before, book),
            payments=changed_payments(before, book),
            has_read_again=book.source is not source,
        )

    def _read_again(
        self, source: Source, stamp: Stamp | None, held: Callable[[Source], Book]
    ) -> Book | Source:
        """Return what a changed file comes to; the file as it was while it cannot be used."""
        if stamp == source.stamp:
            self.trouble = ""
            return source
        try:
            book = held(read_again(source, self.directory))
        except InputError as error:
            self.trouble = error.sentence
            return source
        self.trouble = ""
        return book

    @staticmethod
    def _is_complete(reader: LedgerReader, wallets: Sequence[BookWallet]) -> tuple[bool, ...]:
        return tuple(reader.is_complete(one.address) for one in wallets)

    # The thread

    async def _run(self, work: Callable[[LedgerReader], _T]) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._with_reader, work)

    def _with_reader(self, work: Callable[[LedgerReader], _T]) -> _T:
        if self._reader is None:
            self._reader = LedgerReader.open(self._ledger)
        return work(self._reader)

    def close(self) -> None:
        """End the thread once it is done; nothing is waited for, and closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
