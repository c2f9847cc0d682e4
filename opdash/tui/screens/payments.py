"""The main screen: a wallet address's incoming payments, as the ledger knows them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.geometry import Size
from textual.notifications import SeverityLevel
from textual.timer import Timer

from opdash.errors import OpdashError
from opdash.ledger.records import Creation, CreationStatus, PaymentRow, Sort
from opdash.ledger.search.saved import SavedSearch
from opdash.safetext import safe_text
from opdash.service.events import (
    CreationChanged,
    Event,
    PaymentsChanged,
    ProfileChanged,
    StatusChanged,
)
from opdash.service.session import WalletSession
from opdash.settings import PAGE_SIZES
from opdash.table_view import STANDARD, ColumnChoice
from opdash.tui.actions import Place, bindings
from opdash.tui.announcements import is_news
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions, Movable
from opdash.tui.screens.payments_figures import Figures
from opdash.tui.screens.payments_folds import PaymentsFolds
from opdash.tui.screens.payments_frame import (
    WIDE,
    PaymentsFrame,
    has_rows,
)
from opdash.tui.screens.payments_search import PaymentsSearch
from opdash.tui.screens.payments_totals import PaymentsTotals
from opdash.tui.screens.payments_view import WAIT, ViewKeeper
from opdash.tui.screens.payments_ways import PaymentsWays
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.payment_table import PaymentTable

if TYPE_CHECKING:
    from opdash.tui.widgets.filter_line import FilterLine
    from opdash.tui.widgets.payment_detail import PaymentDetail

_TICK = 1.0


class Ground(Container):
    """What other widgets lie on, and cover."""

    BLANK = True


class PaymentsScreen(CursorActions, PaymentsWays, OpdashScreen[None]):
    """The table of payments with all that stands around it.

    Args:
        session: The wallet session whose payments are shown.
    """

    PLACE = Place.PAYMENTS
    CSS_PATH = sheets("payments", "payments_parts")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PAYMENTS)
    AUTO_FOCUS = "PaymentTable"
    BLANK = True  # its lines cover it; painting what they cover took a fifth of a frame

    def __init__(self, session: WalletSession) -> None:
        super().__init__()
        self.session = session
        self._looked_at = session.now()
        self._fetching = False
        self._rebuilding = False
        self._watched: frozenset[str] = frozenset()
        self._painted = False
        self._fitted: Size | None = None
        self._summing = False
        self._sum_again = False
        self._saving: Timer | None = None
        self._table: PaymentTable | None = None
        self._room: Ground | None = None
        self._pane: PaymentDetail | None = None

    # Building

    def compose(self) -> ComposeResult:
        """Place the lines, the table, and on a wide screen the details."""
        self._figures = Figures(self.dashboard.reader, self.session)
        self._folds = PaymentsFolds(
            self.dashboard.reader,
            self.session,
            self.dashboard.clock,
            lambda: self.dashboard.settings,
            self.background,
            self._found,
        )
        self._search = PaymentsSearch(
            self.dashboard.reader, self.session, self.background, self._found, self._folds.rows
        )
        self._totals = PaymentsTotals(self._figures, self.background, self._search.totals_of_all)
        self._frame = PaymentsFrame(
            self.session, self._figures, self._search, self._folds, self._totals
        )
        self._views = ViewKeeper(self.dashboard, self.session.profile.name, self._save_view_soon)
        yield from self._frame.above
        with Ground(id="body"):
            table = self._new_table()
            if table is None or not self.dashboard.reader.count(self.session.wallet_id or ""):
                yield self._frame.empty
            if table is not None:
                yield table
            if self.app.size.width >= WIDE:
                yield self._new_room()
        yield from self._frame.below

    def _new_table(self) -> PaymentTable | None:
        wallet = self.session.wallet
        if wallet is not None:
            rows = self._folds.rows(wallet.id)
            view = self._views.at_first
            self._table = PaymentTable(
                rows,
                wallet.asset,
                self.session.now,
                columns=view.columns,
                sort=view.sort,
                page_size=view.page_size,
            )
            self._table.painter.set_view(self.session.profile.scope)
        return self._table

    def _new_room(self) -> Ground:
        """Return where the details stand; the first frame is painted before they are there."""
        self._room = Ground(id="detail-room")
        return self._room

    def _fill_room(self) -> None:
        if self._room is None or self._pane is not None or not self._painted:
            return
        from opdash.tui.widgets.payment_detail import PaymentDetail

        self._pane = PaymentDetail(self.dashboard, id="detail")
        self._room.mount(self._pane)
        self._show_detail()

    def on_mount(self) -> None:
        """Show what the ledger knows, and keep the clock's words true."""
        self._reload()
        self._looked_at = self._figures.last_poll_at or self._looked_at
        self.set_interval(_TICK, self._tick)
        self.opdash.after_first_frame(self, self._first_painted)

    def _first_painted(self) -> None:
        """Add what the first frame did without."""
        self._painted = True
        if self._rebuilding:  # its own end adds all that
            return
        self._frame.complete(self)
        self._fill_room()
        self._fill()
        self._sum_up()
        self._folds.update(self._table)
        self.call_later(self._restore_view)

    async def _restore_view(self) -> None:
        if self._table is not None:
            await self._views.restore(self._table, self._search)

    def _save_view_soon(self) -> None:
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(WAIT, self._save_view)

    def _save_view(self) -> None:
        self.background(self._views.save, "save-view")

    def on_resize(self, event: events.Resize) -> None:
        """Show or hide the details as the width allows, and fit every line."""
        if event.size == self._fitted:
            return  # Textual tells the first size three times
        self._fitted = event.size
        wide = event.size.width >= WIDE
        if wide and self._room is None:
            self.query_one("#body").mount(self._new_room())
            self.call_after_refresh(self._fill_room)
        for part in (self._room, self._pane):
            if part is not None:
                part.display = wide
        self.call_after_refresh(self._fill)

    def update_node_styles(self, animate: bool = True) -> None:
        """Style everything anew; before the first frame it has just been."""
        if self._painted:
            super().update_node_styles(animate)

    # What the service says

    def hear(self, event: Event) -> None:
        """Take note of payments, status and creations of this wallet."""
        if self._rebuilding and not isinstance(event, ProfileChanged):
            return  # all of it is read anew in a moment
        match event:
            case PaymentsChanged() if event.wallet_id == self.session.wallet_id:
                self._payments_changed(event)
            case StatusChanged() if event.profile == self.session.profile.name:
                self._status_changed()
            case CreationChanged() if event.profile == self.session.profile.name:
                self._creation_changed(event.creation)
            case ProfileChanged() if event.profile == self.session.profile.name:
                self.call_later(self._take_over_session)
            case _:
                pass

    def on_screen_resume(self) -> None:
        """Fold what saved searches name by now: a dialog may have changed them."""
        if self._painted:
            self._folds.update(self._table)

    async def _take_over_session(self) -> None:
        """Build everything anew on the session that works for this wallet address by now."""
        await self._views.save()
        self._search.close()
        self._folds.close()
        self._figures.close()
        self.session = self.dashboard.session(self.session.profile.name)
        self._table = self._pane = self._room = None
        self._rebuilding = True
        try:
            await self.recompose()
        finally:
            self._rebuilding = False
        self._frame.complete(self)
        self._fill_room()
        super().on_mount()
        self._reload()
        await self._restore_view()
        self.query(PaymentTable).focus()

    def _payments_changed(self, event: PaymentsChanged) -> None:
        news = [change.payment.id for change in event.changes if is_news(change, self._looked_at)]
        self._folds.note(news)
        self._reload()
        if self._table is not None:
            self._table.mark(news)

    def _status_changed(self) -> None:
        if self._table is None and (table := self._new_table()):
            self.query_one("#body").mount(table, after="#empty")
            self.call_after_refresh(self._reload)
            self.call_after_refresh(self._restore_view)
            table.focus()
        if self._figures.unanswered or self._figures.are_behind():
            self._reload()
        else:
            self._fill()

    def _creation_changed(self, creation: Creation) -> None:
        unanswered = self._figures.unanswered
        if creation.status is CreationStatus.UNKNOWN:
            unanswered[creation.request_id] = creation
        elif creation.status is not CreationStatus.SENT and creation.request_id in unanswered:
            del unanswered[creation.request_id]
            self._tell_result(creation)
        self._fill()

    def _tell_result(self, creation: Creation, advice: str = "") -> None:
        from opdash.tui.widgets.notices import creation_result

        asset = None if self.session.wallet is None else self.session.wallet.asset
        created = creation.status is CreationStatus.CREATED
        severity: SeverityLevel = "information" if created else "warning"
        self.tell(creation_result(creation, asset), advice, severity=severity)

    # Filling

    def _reload(self) -> None:
        self._figures.read()
        while self._figures.ended:  # another opdash may have found out
            self._tell_result(self._figures.ended.pop())
        if self._table is not None:
            self._table.reload()
        self._search.again()
        self._fill()
        self._show_detail()
        self._sum_up()
        if self._painted:
            self._folds.update(self._table)
        self._totals.update()

    def _sum_up(self) -> None:
        """Add up anew what is open and what arrived; a sum that is under way is finished first."""
        if not self._painted:
            return
        if self._figures.are_few:
            self._figures.sum_up()
            self._fill()
        elif self._summing:
            self._sum_again = True
        else:
            self._summing = True
            self.background(self._sum_up_elsewhere, "summary")

    async def _sum_up_elsewhere(self) -> None:
        try:
            await self._figures.sum_up_elsewhere()
        finally:
            self._summing = False
        self._fill()
        if self._sum_again:
            self._sum_again = False
            self._sum_up()

    def _found(self) -> None:
        """Take note of what a search has found."""
        self._fill()
        self._show_detail()

    def _fill(self) -> None:
        if self._rebuilding:
            return
        self._frame.fill(self._table, self.size.width, fetching=self._fetching)
        self._views.note(self._table, self._search)
        room = self._room
        shown = room is not None and room.display and room.is_attached
        self._frame.join_rules_at(room.region.x if room is not None and shown else None)

    def _fill_place(self) -> None:
        self._frame.fill_place(self._table, self.size.width, fetching=self._fetching)
        self._views.note(self._table, self._search)

    def _show_detail(self) -> None:
        fold = None if self._table is None else self._table.fold
        if self._pane is not None and fold is not None:
            self._pane.show_fold(self.session, fold)
        elif self._pane is not None:
            self._pane.show(self.session, self._selected)

    def _tick(self) -> None:
        said = self._frame.header_says_scope
        self._frame.fill_moments(self._table, self.size.width)
        if self._frame.header_says_scope != said:
            self._fill_place()  # says it instead
        if self._figures.are_of_yesterday():
            self._figures.read()
            self._search.again()
            self._fill()
            self._sum_up()
        if self._pane is not None and self._pane.display:
            self._pane.tick()
        if self._table is None:
            return
        self._table.tick()
        self._folds.tick(self._table)
        seen = frozenset(row.id for row in self._table.rows_in_view())
        if seen != self._watched:
            self._watched = seen
            self.session.watch_on_screen(seen)

    # What the table says

    @property
    def _selected(self) -> PaymentRow | None:
        return self._table.selected if self._table is not None and has_rows(self._table) else None

    @property
    def _filter(self) -> str:
        return self._search.text

    def on_payment_table_moved(self) -> None:
        """Follow the cursor with details, status line and keys."""
        self._fill_place()
        self._show_detail()

    def on_payment_table_sort_changed(self) -> None:
        """Tell the order; what a filter found must be put into it."""
        self._search.again(self._table)
        self._fill_place()

    def on_payment_table_opened(self, message: PaymentTable.Opened) -> None:
        """Open a row that was clicked twice."""
        if isinstance(message.row, PaymentRow):
            self._open(message.row)
        else:
            self.action_fold()

    def on_payment_table_end_passed(self, message: PaymentTable.EndPassed) -> None:
        """Fetch what is older than the last known payment, and go on there."""
        if self._search.is_on:
            self.tell("This is the last payment that matches, of those that are known.")
        elif self._figures.complete:
            self.tell("This is the last payment; the server has no older ones.")
        elif not self._fetching:
            self._fetching = True
            self._fill_place()
            self.background(lambda: self._load_older(by_page=message.by_page), "load-older")

    def on_payment_table_read_failed(self, message: PaymentTable.ReadFailed) -> None:
        """Show why the rows cannot be read."""
        self._figures.problem = message.sentence
        self._fill()

    async def _load_older(self, *, by_page: bool) -> None:
        known = 0 if self._table is None else self._table.row_count
        try:
            await self.session.load_older()
        finally:
            self._fetching = False
            self._fill_place()
        self._reload()
        table = self._table
        if table is not None and table.row_count > known:
            if by_page:
                table.next_page()
            else:
                table.move(1)

    # Actions in the table

    def movable(self) -> Movable | None:
        """Return the table, or the details while they have the focus."""
        if self._pane is not None and self._pane.has_focus_within:
            from opdash.tui.screens.pane_scroll import PaneScroll

            return PaneScroll(self._pane)
        return self._rows

    @property
    def _rows(self) -> PaymentTable | None:
        return self._table if has_rows(self._table) else None

    def action_next_page(self) -> None:
        """Go to the next page, fetched if it is not known yet."""
        if self._rows:
            self._rows.next_page()

    def action_previous_page(self) -> None:
        """Go to the previous page."""
        if self._rows:
            self._rows.previous_page()

    def action_page_size(self) -> None:
        """Take the next page size."""
        if self._table is not None:
            following = [size for size in PAGE_SIZES if size > self._table.page_size]
            self._table.page_size = following[0] if following else PAGE_SIZES[0]
            self._fill_place()

    def action_columns(self) -> None:
        """Choose the columns; the table shows them meanwhile."""
        from opdash.tui.column_draft import metadata_columns
        from opdash.tui.screens.columns import ColumnsScreen

        def chosen(columns: tuple[ColumnChoice, ...] | None) -> None:
            if columns is not None and self._table is not None:
                self._table.set_columns(columns)
                self._fill_place()

        if table := self._rows:
            offered = metadata_columns(table.rows_in_view())
            screen = ColumnsScreen(table.columns, offered, table.set_columns)
            self.app.push_screen(screen, chosen)

    def action_sort_by(self, number: int) -> None:
        """Sort by the column of that number."""
        if self._rows:
            self._rows.sort_by(STANDARD[number - 1])

    def action_sort(self) -> None:
        """Choose the order."""
        from opdash.tui.screens.sort import SortScreen

        def chosen(sort: Sort | None) -> None:
            if sort is not None and self._rows:
                self._rows.set_sort(sort)

        if self._rows:
            shown = [choice.column for choice in self._rows.columns]
            self.app.push_screen(SortScreen(self._rows.sort, shown), chosen)

    # The filter

    def on_filter_line_typed(self, message: FilterLine.Typed) -> None:
        """Search while the person types."""
        self._search.type(message.text, self._table)

    def on_filter_line_focus_changed(self) -> None:
        """Show the keys that work while typing, or those of the table."""
        self._fill_place()

    async def action_filter(self) -> None:
        """Type a filter."""
        if self._table is not None and self._figures.known:
            self._hold()
            self._frame.complete(self)
            await self._search.line.open()

    def action_keep_filter(self) -> None:
        """Go from the filter to the rows."""
        if self._rows is None:
            return
        if not self._search.is_on:
            self.action_clear_filter()
        self._rows.focus()

    def action_clear_filter(self) -> None:
        """Show all payments again; the cursor keeps its payment."""
        self._search.line.close()
        self._search.clear()
        if self._table is not None:
            self._table.focus()

    def action_searches(self) -> None:
        """Choose among the saved searches."""
        from opdash.tui.screens.searches import SearchesScreen

        if self._table is None or not self._figures.known:
            return
        screen = SearchesScreen(self.session, self._search.text, self._search.count)
        self.app.push_screen(screen, self._take_search)

    def action_save_search(self) -> None:
        """Keep the filter under a name."""
        from opdash.tui.screens.save_search import SaveSearchScreen

        if not self._search.is_on:
            self.tell("Type a filter with / first; then it can be saved.", severity="warning")
            return
        search = SavedSearch("", self._search.text.strip())
        self.app.push_screen(SaveSearchScreen(self.session, search), self._search_saved)

    def _search_saved(self, search: SavedSearch | None) -> None:
        if search is not None:
            self.tell(f"Saved as “{safe_text(search.name, limit=40)}”; f finds it.")

    async def _take_search(self, search: SavedSearch | None) -> None:
        if search is not None and self._table is not None:
            await self._search.line.open(search.query, typing=False)
            self._search.type(search.query, self._table)
            self._table.focus()

    def action_explain(self) -> None:
        """Show the keys that work in the filter."""
        self.opdash.show_help(Place.FILTER)

    async def on_unmount(self) -> None:
        """End the threads that read, and write how the table was left."""
        self._search.close()
        self._folds.close()
        self._figures.close()
        with suppress(OpdashError):
            await self._views.save()

    def action_switch_pane(self) -> None:
        """Change between the table and the details."""
        pane = self._pane
        if pane is not None and pane.display and not pane.has_focus_within:
            self._hold()
            pane.focus()
        elif self._table is not None:
            self._table.focus()

    # Actions on payments

    def action_open(self) -> None:
        """Show all about the selected payment, or the payments that stand in one line."""
        if self._selected is not None:
            self._open(self._selected)
        elif self._table is not None and self._table.fold is not None:
            self.action_fold()

    def action_totals(self) -> None:
        """Show what all payments add up to, or show it no more."""
        if self._table is not None:
            self._totals.turn()
            self._fill()

    def action_fold(self) -> None:
        """Open or close the line of several payments."""
        if self._rows:
            self._turned(self._folds.turn(self._rows))

    def action_fold_all(self) -> None:
        """Close all such lines, or show a row for each payment."""
        if self._rows:
            self._turned(self._folds.turn_all(self._rows))

    def _turned(self, why_not: str) -> None:
        if why_not:
            self.tell(why_not, severity="warning")
        self._found()

    def _created(self, creation: Creation | None) -> None:
        if creation is None:
            return
        self._reload()
        if creation.payment_id is None:
            self._creation_changed(creation)
            return
        if self._table is not None:
            self._table.select(creation.payment_id)
        self._tell_result(creation, "Press y to copy its URL.")
