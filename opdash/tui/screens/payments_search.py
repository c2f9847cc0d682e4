"""The filter over the payments screen: what is typed, what it finds, and the saved searches.

What searching needs is imported when something is typed: the first frame does without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from opdash.errors import LedgerError
from opdash.ledger.ranking import INDEXED
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, PaymentRow
from opdash.service.session import WalletSession
from opdash.tui.failures import told
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.row_window import PIECE, RowSource

if TYPE_CHECKING:
    from opdash.ledger.search.saved import SavedSearch
    from opdash.ledger.search.terms import Query
    from opdash.tui.searching import SearchThread
    from opdash.tui.widgets.filter_line import FilterLine

_T = TypeVar("_T")
_TRIES = 20

Run = Callable[[Callable[[], Awaitable[object]], str], None]
"""Awaits something in the background, under the name of its purpose."""


class PaymentsSearch:
    """What the payments screen is filtered by.

    Attributes:
        coming: Whether not all that match are known yet.
    """

    def __init__(
        self,
        reader: LedgerReader,
        session: WalletSession,
        run: Run,
        changed: Callable[[], None],
        all_rows: Callable[[str], RowSource],
    ) -> None:
        """Prepare; nothing is read before something is typed.

        Args:
            reader: For the thread of the screen.
            session: Whose payments they are.
            run: Runs work in the background.
            changed: Is called when other rows are shown, or more is known of them.
            all_rows: Returns the rows of a wallet address without a filter.
        """
        self.coming = False
        self._reader = reader
        self._session = session
        self._run = run
        self._changed = changed
        self._all_rows = all_rows
        self._thread: SearchThread | None = None
        self._table: PaymentTable | None = None
        self._text = ""
        self._shown = ""
        self._arranges = False

    @cached_property
    def line(self) -> FilterLine:
        """Where it is typed, made after the first frame."""
        from opdash.tui.widgets.filter_line import FilterLine

        return FilterLine(self._prepare)

    @property
    def is_typed_into(self) -> bool:
        """Whether keys are text of the filter now."""
        return "line" in vars(self) and self.line.is_typed_into

    @property
    def is_on(self) -> bool:
        """Whether the rows are those that match a filter."""
        return bool(self._text)

    @property
    def text(self) -> str:
        """The filter that the rows match; empty where all are shown."""
        return self._text

    def type(self, text: str, table: PaymentTable | None) -> None:
        """Take another filter; one that cannot be read leaves the rows and says why."""
        from opdash.ledger.search.terms import SearchError

        self._table = table
        try:
            query = self._read(text)
        except SearchError as error:
            self.line.complain(str(error))
            return
        self.line.complain("")
        if query.is_empty:
            self.clear()
        elif text != self._text:
            self._text = text
            self._search(query)

    def again(self, table: PaymentTable | None = None) -> None:
        """Search once more, because the ledger, the order or the day has changed.

        All rows are put into an order without an index in the same way.

        Args:
            table: The one that shows them, where nothing was searched before.
        """
        self._table = table or self._table
        if self._text or self._wants_arranging:
            self._arranges = not self._text
            self._search(self._read(self._text))
        elif self._arranges:
            self.clear()

    @property
    def _wants_arranging(self) -> bool:
        return self._table is not None and self._table.sort.column not in INDEXED

    def clear(self) -> None:
        """Show all rows."""
        was_on = self.is_on or self._arranges
        self._text, self._shown, self.coming, self._arranges = "", "", False, False
        self.line.show_totals(None)
        if self._thread is not None:
            self._thread.begin()
            self._run(self._forget, "forget-search")
        wallet_id = self._session.wallet_id
        if was_on and self._table is not None and wallet_id is not None:
            self._table.show_rows(self._all_rows(wallet_id))
            self.again()
        self._changed()

    async def _forget(self) -> None:
        from opdash.tui.searching import OutdatedError

        with suppress(OutdatedError, LedgerError):
            if self._thread is not None:
                await self._thread.forget()

    async def count(self, search: SavedSearch) -> int | None:
        """Return how many payments a saved search finds; None where that cannot be told."""
        return await self._patiently(lambda thread: self._count(thread, search))

    async def totals_of_all(self) -> tuple[AssetTotals, ...] | None:
        """Return what all payments add up to; None where that cannot be told."""
        return await self._patiently(self._add_up)

    async def _add_up(self, thread: SearchThread) -> tuple[AssetTotals, ...] | None:
        try:
            return await thread.totals(thread.current, self._read(""))
        except LedgerError:
            return None

    async def _patiently(self, ask: Callable[[SearchThread], Awaitable[_T | None]]) -> _T | None:
        """Ask again where a newer request was quicker."""
        from opdash.tui.searching import OutdatedError

        thread = self._searching()
        if thread is None:
            return None
        for _ in range(_TRIES):
            with suppress(OutdatedError):
                return await ask(thread)
        return None

    async def _count(self, thread: SearchThread, search: SavedSearch) -> int | None:
        from opdash.ledger.search.terms import SearchError

        try:
            return await thread.count(thread.current, self._read(search.query))
        except (SearchError, LedgerError):
            return None

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def _read(self, text: str) -> Query:
        from opdash.ledger.search.reading import read_query
        from opdash.ledger.search.values import Moment

        return read_query(text, Moment(self._session.now()))

    def _prepare(self) -> None:
        """Get ready while the person begins to type, so that the first letter does not wait."""
        if self._thread is None:
            self._run(lambda: asyncio.to_thread(_import), "prepare-search")

    def _searching(self) -> SearchThread | None:
        from opdash.tui.searching import SearchThread

        wallet_id = self._session.wallet_id
        if self._thread is None and wallet_id is not None:
            self._thread = SearchThread(self._reader.path, wallet_id)
        return self._thread

    def _search(self, query: Query) -> None:
        thread, table = self._searching(), self._table
        if thread is None or table is None:
            return
        request = thread.begin()
        self.coming = True
        if not query.is_empty:
            self.line.await_totals()
        self._run(lambda: self._find(thread, request, query, table), "search")

    async def _find(
        self, thread: SearchThread, request: int, query: Query, table: PaymentTable
    ) -> None:
        """Show the first rows, then all of them, then what they add up to."""
        from opdash.tui.searching import FoundRows, OutdatedError

        wallet_id, sort = self._session.wallet_id or "", table.sort
        held = None if table.following else table.selected
        first: tuple[PaymentRow, ...] = ()
        try:
            if sort == NEWEST_FIRST and self._shown != query.text:
                first = await thread.first(request, query)
                table.show_rows(FoundRows(self._reader, wallet_id, first))
                self._shown = query.text
                self._changed()
            matches = await thread.matches(request, query, sort)
            # Read there, they do not have to be waited for here.
            head = await thread.rows(request, matches.keys[:PIECE])
            table.show_rows(FoundRows(self._reader, wallet_id, head, matches))
            if held is not None and first and table.cursor == 0:
                # It may stand further down than the first rows reach.
                table.select(held.id)
            self._shown, self.coming = query.text, False
            self._changed()
            if not query.is_empty:
                totals = await thread.totals(request, query)
                complete = self._reader.is_complete(wallet_id)
                self.line.show_totals(totals, "" if complete else "of what is known so far")
        except OutdatedError:
            return
        except LedgerError as error:
            self.coming = False
            self.line.show_totals(None)
            self.line.complain(" ".join(told(error)).strip())
            self._changed()


def _import() -> None:
    import difflib  # noqa: F401 - what a wrong term needs

    import opdash.ledger.search.answers
    import opdash.ledger.search.reading
    import opdash.tui.searching  # noqa: F401 - what finding needs
