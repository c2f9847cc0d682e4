"""Folding in the table of payments: what stands in one line, made on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.search.saved import SavedSearch, searches_for
from opdash.service.session import WalletSession
from opdash.settings import Settings
from opdash.tui.failures import told
from opdash.tui.screens.payments_search import Run
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.row_window import LedgerRows, RowSource

if TYPE_CHECKING:
    from opdash.ledger.fold_index import FoldIndex
    from opdash.ledger.folds import FoldRule
    from opdash.tui.folded_rows import FoldedRows
    from opdash.tui.reading_thread import ReadingThread

_WHOLE_EVERY = 3600.0
"""Seconds after which everything is read again: equal time stamps change places unseen."""

_LEAST_PAUSE = 2.0
_PAUSE_PER_SECOND = 20.0
"""How long to wait for each second that reading everything took, where time changes what folds."""

_MOST_MARKED = 32
"""Of how many payments at once the lines are marked; looking for each takes a moment."""

_Wanted = tuple[tuple[SavedSearch, ...], date]


class PaymentsFolds:
    """Which payments stand in one line, and which of these lines are open.

    Attributes:
        is_on: Whether a person wants them folded at all.
        coming: Whether it is not known yet what stands in one line.
        problem: Why that cannot be found out; empty while it can.
    """

    def __init__(
        self,
        reader: LedgerReader,
        session: WalletSession,
        clock: Clock,
        settings: Callable[[], Settings],
        run: Run,
        changed: Callable[[], None],
    ) -> None:
        """Prepare; nothing is read.

        Args:
            reader: For the thread of the screen.
            session: Whose payments they are.
            clock: Tells how long reading takes.
            settings: Returns the settings as they are now.
            run: Runs work in the background.
            changed: Is called when other lines are shown.
        """
        self.is_on = True
        self.coming = False
        self.problem = ""
        self._reader = reader
        self._session = session
        self._clock = clock
        self._settings = settings
        self._run = run
        self._changed = changed
        self._thread: ReadingThread | None = None
        self._wanted: _Wanted | None = None
        self._rules: tuple[FoldRule, ...] = ()
        self._rows: FoldedRows | None = None
        self._news: set[str] = set()
        self._is_reading = False
        self._again = False
        self._whole_at = 0.0
        self._took = 0.0
        self._is_behind = False

    @property
    def are_there(self) -> bool:
        """Whether a saved search asks for folding."""
        return bool(self._rules)

    def rows(self, wallet_id: str) -> RowSource:
        """Return what the table shows without a filter."""
        if self.is_on and self._rows is not None:
            return self._rows
        return LedgerRows(self._reader, wallet_id)

    def shown_in(self, table: PaymentTable) -> FoldedRows | None:
        """Return the rows that fold, where the table shows them."""
        return self._rows if self._rows is not None and table.source is self._rows else None

    # What has changed

    def note(self, news: Iterable[str]) -> None:
        """Mark the lines of these payments, by their ids, with the next update."""
        if self._rules:
            self._news.update(news)

    def update(self, table: PaymentTable | None) -> None:
        """Take account of what has changed in the ledger or in the saved searches."""
        if table is None or self._session.wallet_id is None:
            return
        self._take_rules()
        if not self._rules:
            self._news.clear()
            self._unfold(table)
        elif self._is_reading:
            self._again = True
        else:
            self._is_reading = True
            self.coming = self._rows is None
            self._run(lambda: self._read(table), "fold")

    def tick(self, table: PaymentTable | None) -> None:
        """Read everything again where time may have changed what folds."""
        if self._is_behind and not self._is_reading and self._whole_is_due():
            self.update(table)

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def _take_rules(self) -> None:
        now = self._session.now()
        name = self._session.profile.name
        folding = tuple(one for one in searches_for(self._settings().searches, name) if one.fold)
        wanted = folding, now.astimezone().date()
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._rules = _rules(folding, self._session)

    async def _read(self, table: PaymentTable) -> None:
        from opdash.tui.reading_thread import OutdatedError, ReadingThread

        wallet_id, rules = self._session.wallet_id or "", self._rules
        if self._thread is None:
            self._thread = ReadingThread(self._reader.path, "opdash-folds")
        before = None if self._rows is None or self._whole_is_due() else self._rows.index
        held = self._held(table)
        started = self._clock.monotonic()
        try:
            index = await self._thread.read(
                self._thread.current,
                lambda reader: reader.fold(wallet_id, rules, before=before, held=held),
            )
        except OutdatedError:
            return
        except LedgerError as error:
            self.problem = " ".join(told(error)).strip()
            index = None
        finally:
            self._is_reading = False
        if index is not None:
            self.problem = ""
            self._note(started, whole=before is None)
            self._show(index, wallet_id, table)
        self.coming = False
        self._changed()
        if self._again:
            self._again = False
            self.update(table)

    def _whole_is_due(self) -> bool:
        since = self._clock.monotonic() - self._whole_at
        if any(rule.follows_the_clock for rule in self._rules):
            return since >= max(_LEAST_PAUSE, self._took * _PAUSE_PER_SECOND)
        return since >= _WHOLE_EVERY

    def _note(self, started: float, *, whole: bool) -> None:
        if whole:
            self._whole_at = self._clock.monotonic()
            self._took = self._whole_at - started
        self._is_behind = not whole and any(rule.follows_the_clock for rule in self._rules)

    def _held(self, table: PaymentTable) -> dict[str, int]:
        """Return the fold under the cursor: it stays where it is while others arrive."""
        row = table.fold
        fold = None if row is None or self._rows is None else self._rows.index.fold(row.id)
        return {} if fold is None or table.following else {fold.id: fold.place}

    def _show(self, index: FoldIndex, wallet_id: str, table: PaymentTable) -> None:
        from opdash.tui.folded_rows import FoldedRows

        if not self._rules:
            return
        if self._rows is None:
            self._rows = FoldedRows(self._reader, wallet_id, index)
            if self.is_on and isinstance(table.source, LedgerRows):
                table.show_rows(self._rows)
        else:
            self._rows.take(index)
            if table.source is self._rows:
                table.reload()
        folds = map(self._rows.fold_of, list(self._news)[:_MOST_MARKED])
        table.mark({fold.id for fold in folds if fold is not None})
        self._news.clear()

    def _unfold(self, table: PaymentTable) -> None:
        """Show a row for each payment, because nothing folds any more."""
        shown, self._rows = self.shown_in(table), None
        if shown is not None:
            self._show_plain(table, shown)

    def _show_plain(self, table: PaymentTable, rows: FoldedRows) -> None:
        fold = None if table.fold is None else rows.index.fold(table.fold.id)
        table.show_rows(LedgerRows(self._reader, self._session.wallet_id or ""))
        if fold is not None and not table.following:
            table.select_first(row.id for row in self._reader.rows([fold.place, *fold.keys[:1]]))

    # What a person does

    def turn(self, table: PaymentTable) -> str:
        """Open or close what the cursor is on.

        Returns:
            Why nothing was done, a sentence; empty if something was.
        """
        rows = self.shown_in(table)
        row = table.fold or table.selected
        if rows is None or row is None:
            return self._why_not()
        if table.fold is not None:
            fold_id = table.fold.id
        else:
            fold = rows.fold_of(row.id)
            if fold is None:
                return "This payment stands for itself; no saved search folds it."
            fold_id = fold.id
        table.hold()
        rows.turn(fold_id)
        table.reload()
        table.select(fold_id)
        return ""

    def turn_all(self, table: PaymentTable) -> str:
        """Close what is open; where nothing is, show a row for each payment, or fold them again.

        Returns:
            Why nothing was done, a sentence; empty if something was.
        """
        rows = self.shown_in(table)
        if rows is not None and any(rows.index.fold(one) for one in rows.open):
            rows.set_open(frozenset())
            table.reload()
        elif rows is not None:
            self.is_on = False
            self._show_plain(table, rows)
        elif self._rows is not None and isinstance(table.source, LedgerRows):
            self.is_on = True
            self._rows.set_open(frozenset())
            table.show_rows(self._rows)
        else:
            return self._why_not()
        return ""

    def _why_not(self) -> str:
        if not self._rules:
            return "No saved search folds payments; f and e set one to."
        if self.coming:
            return "What stands in one line is being found out."
        if not self.is_on:
            return "Payments have a row each now; a folds them."
        return "Folding rests while a filter is on."


def _rules(searches: Iterable[SavedSearch], session: WalletSession) -> tuple[FoldRule, ...]:
    """Read saved searches; those that cannot be read do not fold."""
    found: list[FoldRule] = []
    for one in searches:
        from opdash.ledger.folds import FoldRule
        from opdash.ledger.search.reading import read_query
        from opdash.ledger.search.terms import SearchError
        from opdash.ledger.search.values import Moment

        try:
            found.append(FoldRule(one.name, read_query(one.query, Moment(session.now())).tree))
        except SearchError:
            continue
    return tuple(found)
