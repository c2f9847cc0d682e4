"""The main screen: a wallet address's incoming payments, as the ledger knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.notifications import SeverityLevel
from textual.widgets import Static

from opdash.ledger.records import (
    Creation,
    CreationStatus,
    PaymentRow,
    Sort,
    Summary,
    WalletRow,
)
from opdash.service.events import CreationChanged, Event, PaymentsChanged, StatusChanged
from opdash.service.session import WalletSession
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.announcements import is_news
from opdash.tui.failures import told
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.empty_state import empty_text
from opdash.tui.widgets.freshness import freshness
from opdash.tui.widgets.header import (
    SCOPE_WORDS,
    HeaderLine,
    header_spans,
)
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.notices import Notices, creation_result, creation_sentence
from opdash.tui.widgets.payment_table import PAGE_SIZES, PaymentTable, column_number
from opdash.tui.widgets.row_window import LedgerRows
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.status_line import StatusLine, Whereabouts, status_spans
from opdash.tui.widgets.summary import SummaryLine, summary_spans

if TYPE_CHECKING:
    from opdash.tui.widgets.payment_detail import PaymentDetail

_T = TypeVar("_T")

WIDE = 110
"""Columns from which the details stand beside the table."""

_TICK = 1.0


class PaymentsScreen(OpdashScreen[None]):
    """The table of payments with all that stands around it.

    Args:
        session: The wallet session whose payments are shown.
    """

    PLACE = Place.PAYMENTS
    CSS_PATH = sheets("payments")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PAYMENTS)
    AUTO_FOCUS = "PaymentTable"

    def __init__(self, session: WalletSession) -> None:
        super().__init__()
        self.session = session
        self._summary: Summary | None = None
        self._summary_day: datetime | None = None
        self._known: WalletRow | None = None
        self._looked_at = session.now()
        self._read_problem = ""
        self._unknown: dict[str, Creation] = {}
        self._fetching = False
        self._watched: frozenset[str] = frozenset()
        self._table: PaymentTable | None = None
        self._pane: PaymentDetail | None = None

    # Building

    def compose(self) -> ComposeResult:
        """Place the lines, the table, and on a wide screen the details."""
        yield HeaderLine()
        yield SummaryLine()
        yield Notices()
        yield Rule(id="upper-rule")
        with Horizontal(id="body"):
            yield Static(id="empty", markup=False)
            yield from self._table_if_known()
            if self.app.size.width >= WIDE:
                yield self._new_pane()
        yield Rule(id="lower-rule")
        yield StatusLine()
        yield KeyLine(Place.PAYMENTS)

    def _table_if_known(self) -> Iterator[PaymentTable]:
        wallet = self.session.wallet
        if wallet is None:
            return
        rows = LedgerRows(self.dashboard.reader, wallet.id)
        size = self.session.profile.page_size
        self._table = PaymentTable(rows, wallet.asset, self.session.now, page_size=size)
        yield self._table

    def _new_pane(self) -> PaymentDetail:
        from opdash.tui.widgets.payment_detail import PaymentDetail

        self._pane = PaymentDetail(self.dashboard, id="detail")
        return self._pane

    def on_mount(self) -> None:
        """Show what the ledger knows, and keep the clock's words true."""
        self._reload()
        if self._known is not None and self._known.last_poll_at is not None:
            self._looked_at = self._known.last_poll_at
        self.set_interval(_TICK, self._tick)

    def on_resize(self, event: events.Resize) -> None:
        """Show or hide the details as the width allows, and fit every line."""
        wide = event.size.width >= WIDE
        if wide and self._pane is None:
            self.query_one("#body").mount(self._new_pane())
            self._show_detail()
        if self._pane is not None:
            self._pane.display = wide
        self.call_after_refresh(self._fill_lines)

    # What the service says

    def hear(self, event: Event) -> None:
        """Take note of payments, status and creations of this wallet."""
        match event:
            case PaymentsChanged() if event.wallet_id == self.session.wallet_id:
                self._payments_changed(event)
            case StatusChanged() if event.profile == self.session.profile.name:
                self._status_changed()
            case CreationChanged() if event.profile == self.session.profile.name:
                self._creation_changed(event.creation)
            case _:
                pass

    def _payments_changed(self, event: PaymentsChanged) -> None:
        self._reload()
        if self._table is not None:
            self._table.mark(
                change.payment.id for change in event.changes if is_news(change, self._looked_at)
            )

    def _status_changed(self) -> None:
        if self._table is None and self.session.wallet is not None:
            for table in self._table_if_known():
                self.query_one("#body").mount(table, after="#empty")
                self.call_after_refresh(self._reload)
                table.focus()
        self._fill_lines()

    def _creation_changed(self, creation: Creation) -> None:
        if creation.status is CreationStatus.UNKNOWN:
            self._unknown[creation.request_id] = creation
        elif creation.request_id in self._unknown and creation.status is not CreationStatus.SENT:
            del self._unknown[creation.request_id]
            created = creation.status is CreationStatus.CREATED
            asset = None if self.session.wallet is None else self.session.wallet.asset
            severity: SeverityLevel = "information" if created else "warning"
            self.tell(creation_result(creation, asset), severity=severity)
        self._fill_lines()

    # Filling

    def _reload(self) -> None:
        self._read_problem = ""
        self._read_figures()
        if self._table is not None:
            self._table.reload()
        self._fill_lines()
        self._show_detail()

    def _read_figures(self) -> None:
        wallet_id = self.session.wallet_id
        if wallet_id is None:
            return
        now = self.session.now()
        day = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        reader = self.dashboard.reader
        self._summary_day = day
        self._summary = self._read(lambda: reader.summary(wallet_id, day_start=day, now=now))
        self._known = self._read(lambda: reader.wallet(wallet_id))
        unresolved = self._read(lambda: reader.unresolved_creations(wallet_id)) or ()
        self._unknown |= {
            creation.request_id: creation
            for creation in unresolved
            if creation.status is CreationStatus.UNKNOWN
        }

    def _read(self, what: Callable[[], _T]) -> _T | None:
        try:
            return what()
        except Exception as error:
            self._read_problem = " ".join(told(error)).strip()
        return None

    def _fill_lines(self) -> None:
        self._fill_header()
        self._fill_notices()
        self._fill_empty()
        width = self.size.width
        wallet = self.session.wallet
        if self._summary is not None and wallet is not None:
            self.query_one(SummaryLine).show(summary_spans(self._summary, wallet.asset, width))
        self._fill_status()
        joint = None
        if self._pane is not None and self._pane.display and self._pane.is_attached:
            joint = self._pane.region.x
        for rule in self.query(Rule):
            rule.joint = joint

    def _fill_header(self) -> None:
        status, now = self.session.status, self.session.now()
        width = self.size.width
        interval = timedelta(seconds=self.session.profile.poll_interval)
        last = None if self._known is None else self._known.last_poll_at
        right = freshness(status, now, interval, last_known_at=last, short=width < WIDE)
        spans = header_spans(self.session.profile, self.session.wallet, right, width)
        self.query_one(HeaderLine).show(spans)

    def _fill_notices(self) -> None:
        status = self.session.status
        problem = self._read_problem or f"{status.problem} {status.advice}".strip()
        asset = None if self.session.wallet is None else self.session.wallet.asset
        pending = [creation_sentence(creation, asset) for creation in self._unknown.values()]
        self.query_one(Notices).tell(problem if self._has_rows else self._read_problem, pending)

    def _fill_empty(self) -> None:
        empty = self.query_one("#empty", Static)
        empty.display = not self._has_rows
        if not self._has_rows:
            empty.update(empty_text(self.session.profile, self.session.status, self.session.now()))
        if self._table is not None:
            self._table.display = self._has_rows

    @property
    def _has_rows(self) -> bool:
        return self._table is not None and self._table.row_count > 0

    def _fill_status(self) -> None:
        table = self._table
        line = self.query_one(StatusLine)
        keys = self.query_one(KeyLine)
        if table is None:
            line.show(())
            keys.set_off("complete", "open", "copy_url", "sort", "next_page", "new_payment")
            return
        where = Whereabouts(
            known=table.row_count,
            complete=self._summary is not None and self._summary.complete,
            page=table.page,
            page_size=table.page_size,
            sort=table.sort,
            fetching=self._fetching,
            following=table.following,
            new_above=table.new_above,
        )
        scope = SCOPE_WORDS[self.session.profile.scope]
        if scope not in self.query_one(HeaderLine).text:
            where = replace(where, scope=scope)
        line.show(status_spans(where, self.size.width))
        keys.set_off(*self._impossible(table.selected, where))

    def _impossible(self, row: PaymentRow | None, where: Whereabouts) -> list[str]:
        if row is None:
            return ["complete", "open", "copy_url", "sort", "next_page"]
        off = [] if not why_not_completable(row, self.session.now()) else ["complete"]
        last_page = (where.page + 1) * where.page_size >= where.known
        return [*off, "next_page"] if last_page and where.complete else off

    def _show_detail(self) -> None:
        if self._pane is not None:
            self._pane.show(self.session, self._selected)

    @property
    def _selected(self) -> PaymentRow | None:
        return self._table.selected if self._table is not None and self._has_rows else None

    def _tick(self) -> None:
        self._fill_header()
        self._fill_empty()
        if self._table is None:
            return
        self._table.tick()
        seen = frozenset(row.id for row in self._table.rows_in_view())
        if seen != self._watched:
            self._watched = seen
            self.session.watch_on_screen(seen)
        if self._summary_day != self._today():
            self._read_figures()
            self._fill_lines()

    def _today(self) -> datetime:
        local = self.session.now().astimezone()
        return local.replace(hour=0, minute=0, second=0, microsecond=0)

    # What the table says

    def on_payment_table_moved(self) -> None:
        """Follow the cursor with details, status line and keys."""
        self._fill_status()
        self._show_detail()

    def on_payment_table_opened(self, message: PaymentTable.Opened) -> None:
        """Open a row that was clicked twice."""
        self._open(message.row)

    def on_payment_table_end_passed(self) -> None:
        """Fetch what is older than the last known payment."""
        if self._summary is not None and self._summary.complete:
            self.tell("This is the last payment; the server has no older ones.")
        elif not self._fetching:
            self._fetching = True
            self._fill_status()
            self.background(self._load_older, "load-older")

    def on_payment_table_read_failed(self, message: PaymentTable.ReadFailed) -> None:
        """Show why the rows cannot be read."""
        self._read_problem = message.sentence
        self._fill_notices()

    async def _load_older(self) -> None:
        known = self._table.row_count if self._table else 0
        try:
            await self.session.load_older()
        finally:
            self._fetching = False
            if self.is_attached:
                self._reload()
        if self._table is not None and self._table.row_count > known:
            self._table.next_page()

    # Actions: movement

    def _move(self, how: Callable[[PaymentTable], None]) -> None:
        if self._table is not None and self._has_rows:
            how(self._table)

    def _in_pane(self) -> bool:
        return self._pane is not None and self._pane.has_focus_within

    def action_move_up(self) -> None:
        """Go one row up, or scroll the details."""
        if self._in_pane() and self._pane is not None:
            self._pane.scroll_up(animate=False)
        else:
            self._move(lambda table: table.move(-1))

    def action_move_down(self) -> None:
        """Go one row down, or scroll the details."""
        if self._in_pane() and self._pane is not None:
            self._pane.scroll_down(animate=False)
        else:
            self._move(lambda table: table.move(1))

    def action_screen_up(self) -> None:
        """Go one screenful up."""
        self._move(lambda table: table.move_screen(-1))

    def action_screen_down(self) -> None:
        """Go one screenful down."""
        self._move(lambda table: table.move_screen(1))

    def action_first(self) -> None:
        """Go to the first row."""
        self._move(PaymentTable.go_first)

    def action_last(self) -> None:
        """Go to the last known row."""
        self._move(PaymentTable.go_last)

    def action_next_page(self) -> None:
        """Go to the next page, fetched if it is not known yet."""
        self._move(PaymentTable.next_page)

    def action_previous_page(self) -> None:
        """Go to the previous page."""
        self._move(PaymentTable.previous_page)

    def action_page_size(self) -> None:
        """Take the next page size."""
        if self._table is not None:
            at = (
                PAGE_SIZES.index(self._table.page_size)
                if self._table.page_size in PAGE_SIZES
                else 0
            )
            self._table.page_size = PAGE_SIZES[(at + 1) % len(PAGE_SIZES)]
            self._fill_status()

    def action_sort_by(self, number: int) -> None:
        """Sort by the column of that number."""
        self._move(lambda table: table.sort_by(column_number(number)))

    def action_sort(self) -> None:
        """Choose the order."""
        from opdash.tui.screens.sort import SortScreen

        def chosen(sort: Sort | None) -> None:
            if sort is not None:
                self._move(lambda table: table.set_sort(sort))

        if self._table is not None and self._has_rows:
            self.app.push_screen(SortScreen(self._table.sort), chosen)

    def action_switch_pane(self) -> None:
        """Change between the table and the details."""
        if self._pane is not None and self._pane.display and not self._in_pane():
            self._hold()
            self._pane.focus()
        elif self._table is not None:
            self._table.focus()

    # Actions: payments

    def _hold(self) -> None:
        """Keep the cursor on its payment: a person acts on it."""
        if self._table is not None:
            self._table.hold()

    def action_open(self) -> None:
        """Show all about the selected payment."""
        if self._selected is not None:
            self._open(self._selected)

    def _open(self, row: PaymentRow) -> None:
        from opdash.tui.screens.detail import DetailScreen

        self._hold()
        self.app.push_screen(DetailScreen(self.session, row.id))

    def action_copy_url(self) -> None:
        """Copy the selected payment's URL."""
        row = self._selected
        if row is not None:
            self._hold()
            self.app.copy_to_clipboard(row.id)
            self.tell(f"Copied the URL of {fmt.payment_name(row)}.")

    def action_methods(self) -> None:
        """Fetch the ways to pay the selected payment, and show them with its details."""
        if self._selected is None:
            return
        if self._pane is not None and self._pane.display:
            self._hold()
            self._pane.fetch_methods()
        else:
            self.action_open()

    def action_new_payment(self) -> None:
        """Open the form for a new payment."""
        if self.session.wallet is None:
            self.tell(
                "The wallet address is not known yet.",
                "Wait until it has answered once.",
                severity="warning",
            )
            return
        from opdash.tui.screens.create import CreateScreen

        self.app.push_screen(CreateScreen(self.session), self._created)

    def _created(self, creation: Creation | None) -> None:
        if creation is None:
            return
        self._reload()
        if creation.payment_id is None:
            self._creation_changed(creation)
            return
        if self._table is not None:
            self._table.select(creation.payment_id)
        asset = None if self.session.wallet is None else self.session.wallet.asset
        self.tell(creation_result(creation, asset))

    def action_complete(self) -> None:
        """Ask whether to close the selected payment for good."""
        row = self._selected
        if row is None:
            return
        reason = why_not_completable(row, self.session.now())
        if reason:
            self.tell(reason, severity="warning")
            return
        from opdash.tui.screens.complete import CompleteScreen

        self._hold()
        self.app.push_screen(CompleteScreen(self.session, row), lambda _row: self._reload())

    def action_outgoing(self) -> None:
        """Look up a payment by its URL."""
        from opdash.tui.screens.outgoing import OutgoingScreen

        self.app.push_screen(OutgoingScreen(self.session))

    def action_refresh(self) -> None:
        """Ask the server now."""
        self.session.poll_soon()

    def action_wallets(self) -> None:
        """Choose among the wallet addresses."""
        from opdash.tui.screens.wallets import WalletsScreen

        self.app.push_screen(WalletsScreen(current=self.session.profile.name))


def why_not_completable(row: PaymentRow, now: datetime) -> str:
    """Say why a payment cannot be completed, or return an empty string if it can."""
    if row.no_longer_at_server:
        return "This payment is no longer at the server, so it cannot be completed."
    if row.completed:
        return "This payment is completed already."
    if row.expires_at is not None and row.expires_at <= now:
        return "This payment has expired; only an open payment can be completed."
    return ""
