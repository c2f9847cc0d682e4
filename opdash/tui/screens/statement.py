"""The statement of a month: what arrived, by day and reference, and what needs action."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from opdash.periods import PeriodError, local_date
from opdash.service.session import WalletSession
from opdash.statements.document import Document
from opdash.statements.periods import month_after, month_before, month_of
from opdash.statements.reading import Subject, read_statement
from opdash.statements.records import AssetStatement, Span, Statement
from opdash.statements.statement_document import figures_first, leaves_out, statement_document
from opdash.statements.wording import weekday
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.reading_thread import OutdatedError, ReadingThread
from opdash.tui.screens.paper import PaperScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets import line
from opdash.tui.widgets.bar_chart import BarChart
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.paper_view import PaperView
from opdash.tui.widgets.session_header import SessionHeader

_TICK = 1.0
_TALL = 32
_PATIENCE = 10.0
"""So many times as long as reading took, nothing is read again."""


class StatementScreen(PaperScreen):
    """A month of one wallet address: a bar for each day, and the statement below.

    Args:
        session: Whose statement.
    """

    PLACE = Place.STATEMENT
    CSS_PATH = sheets("statement")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.STATEMENT)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (_TALL, "-tall")]  # noqa: RUF012 - as Textual has it

    def __init__(self, session: WalletSession) -> None:
        super().__init__()
        self.session = session
        now = session.now()
        self._span = month_of(local_date(now, None), now, None)
        self._day = local_date(now, None)
        self._statement: Statement | None = None
        self._thread: ReadingThread | None = None
        self._revision = -1
        self._rests_until = 0.0
        self._title = Line()
        self._chart = BarChart()

    def compose(self) -> ComposeResult:
        """Place the bars above the statement."""
        yield SessionHeader(self.session)
        yield self._title
        yield self._chart
        yield PaperView()
        yield KeyLine(Place.STATEMENT)

    def on_mount(self) -> None:
        """Begin to read, and follow the clock."""
        self._thread = ReadingThread(self.dashboard.reader.path, "opdash-statement")
        self.set_interval(_TICK, self._tick)
        self._read_anew()

    def on_unmount(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def on_resize(self) -> None:
        """Fit the title."""
        self.call_after_refresh(self._fill)

    # Reading

    @property
    def _address(self) -> str:
        return self.session.wallet_id or self.session.profile.wallet_address

    def _tick(self) -> None:
        """Read again when something has changed, but not all the time where that takes long."""
        if self.dashboard.clock.monotonic() < self._rests_until:
            return
        if self.dashboard.reader.revision(self._address) != self._revision:
            self._read_anew()

    def _read_anew(self) -> None:
        thread = self._thread
        if thread is not None:
            self._revision = self.dashboard.reader.revision(self._address)
            request, span = thread.begin(), self._span
            self.background(lambda: self._read(thread, request, span), "statement")
        self._fill()

    async def _read(self, thread: ReadingThread, request: int, span: Span) -> None:
        profile, now = self.session.profile, self.session.now()
        subject = Subject(profile.title, self._address, profile.scope)
        clock = self.dashboard.clock
        began = clock.monotonic()
        try:
            found = await thread.read(
                request, lambda reader: read_statement(reader, [subject], span, now)
            )
        except OutdatedError:
            return
        self._rests_until = clock.monotonic() + _PATIENCE * (clock.monotonic() - began)
        self._statement = found
        self._fill()

    # Showing

    @property
    def _shown(self) -> Statement | None:
        """The statement, unless it is one of another month."""
        statement = self._statement
        return statement if statement is not None and statement.span == self._span else None

    def document(self) -> Document | None:
        """Return the statement; None while it is added up."""
        return None if self._shown is None else statement_document(self._shown)

    def whole_document(self) -> Callable[[], Document] | None:
        """Return what makes it with all references and payments, where some were left out."""
        statement = self._shown
        if statement is None or not leaves_out(statement):
            return None
        return lambda: statement_document(statement, whole=True)

    def file_name(self) -> str:
        """Return a name from the wallet's and the month."""
        name = re.sub(r"[^\w-]+", "-", self.session.profile.name).strip("-") or "wallet"
        return f"statement-{name}-{self._span.first:%Y-%m}"

    def _fill(self) -> None:
        if not self._chart.is_attached:
            return
        width = self.size.width
        self._title.show(line.cut(self._title_spans(), width))
        document = self.document()
        self.paper.show(() if document is None else figures_first(document).blocks)
        self._fill_chart()

    def _title_spans(self) -> list[line.Span]:
        spans = [
            line.Span(" Statement  ", "strong"),
            line.Span("[ ", "key", "screen.previous_month"),
            line.Span(self._span.title, "strong"),
            line.Span(" ]", "key", "screen.next_month"),
        ]
        if self._shown is None:
            spans.append(line.Span("  adding up…", "accent"))
        elif not self._shown.is_over:
            spans.append(line.Span("  so far", "muted"))
        return spans

    @property
    def _asset(self) -> AssetStatement | None:
        """The wallet's own asset of the month."""
        shown = self._shown
        return next(iter(shown.wallets[0].assets), None) if shown is not None else None

    def _fill_chart(self) -> None:
        days, asset = _days(self._span), self._asset
        sums = {} if asset is None else {one.day: one for one in asset.days}
        chosen = sums.get(self._day)
        title = [line.Span(f" {weekday(self._day)}", "strong")]
        if asset is not None:
            received = 0 if chosen is None else chosen.received
            receipts = 0 if chosen is None else chosen.receipts
            title.append(line.Span(f"   {fmt.money(received, asset.asset)}", "strong"))
            title.append(line.Span(f"   {fmt.count(receipts, 'receipt')}", "muted"))
        values = [sums[day].received if day in sums else 0 for day in days]
        labels = [(str(day.day) if day.day == 1 or day.day % 5 == 0 else "", 1) for day in days]
        self._chart.show(title, values, labels, days.index(self._day))

    # Actions

    def action_previous_month(self) -> None:
        """Show the month before."""
        self._take(lambda: month_before(self._span, self.session.now()))

    def action_next_month(self) -> None:
        """Show the next month, unless it has not begun."""
        self._take(lambda: month_after(self._span, self.session.now()))

    def _take(self, other: Callable[[], Span]) -> None:
        try:
            self._span = other()
        except PeriodError as error:
            self.tell(error.sentence)
            return
        today = local_date(self.session.now(), None)
        self._day = min(self._span.last, today)
        self.paper.scroll_home(animate=False)
        self._read_anew()

    def on_bar_chart_chosen(self, message: BarChart.Chosen) -> None:
        """Take the day that was clicked."""
        self._choose(_days(self._span)[message.number])

    def action_previous_day(self) -> None:
        """Tell of the day before."""
        self._choose(self._day - timedelta(days=1))

    def action_next_day(self) -> None:
        """Tell of the next day."""
        self._choose(self._day + timedelta(days=1))

    def _choose(self, day: date) -> None:
        if self._span.first <= day <= self._span.last:
            self._day = day
            self._fill_chart()


def _days(span: Span) -> list[date]:
    return [
        span.first + timedelta(days=number) for number in range((span.last - span.first).days + 1)
    ]
