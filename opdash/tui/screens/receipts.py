"""What arrived per hour and per day, drawn and told exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from opdash.ledger.receipts import AssetReceipts, day_starts, hour_starts
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.reading_thread import OutdatedError, ReadingThread
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.bar_chart import BarChart
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line, Span, cut
from opdash.tui.widgets.session_header import SessionHeader
from opdash.tui.widgets.sheet import Entry, SheetView, row

_TICK = 1.0
_MOST_ASSETS = 3
_Figure = tuple[str, str, str, str, str]
"""A line of figures: what of, amount, asset, how many, of what."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time that is looked at.

    Attributes:
        words: What it is called.
        count: How many hours or days it has.
        starts: When the last so many of them began.
        hourly: Whether those are hours.
    """

    words: str
    count: int
    starts: Callable[[datetime, int], tuple[datetime, ...]]
    hourly: bool


STRETCHES = (
    Stretch("24 hours", 24, hour_starts, hourly=True),
    Stretch("48 hours", 48, hour_starts, hourly=True),
    Stretch("30 days", 30, day_starts, hourly=False),
    Stretch("90 days", 90, day_starts, hourly=False),
)
"""What the keys from 1 on choose."""


class ReceiptsScreen(OpdashScreen[None]):
    """Bars of what arrived in each asset, and the figures of the one that is chosen.

    Args:
        session: Whose receipts are shown.
    """

    PLACE = Place.RECEIPTS
    CSS_PATH = sheets("receipts")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.RECEIPTS)

    def __init__(self, session: WalletSession) -> None:
        super().__init__()
        self.session = session
        self._stretch = STRETCHES[0]
        self._starts = self._stretch.starts(session.now(), self._stretch.count)
        self._chosen: datetime | None = None
        self._found: tuple[AssetReceipts, ...] | None = None
        self._thread: ReadingThread | None = None
        self._revision = 0
        self._is_reading = False
        self._charts = tuple(BarChart() for _ in range(_MOST_ASSETS))
        self._choice = Line()
        self._figures = SheetView(id="figures")

    def compose(self) -> ComposeResult:
        """Place the choice of stretches above the bars, the figures below."""
        yield SessionHeader(self.session)
        yield self._choice
        with Vertical(id="charts"):
            yield from self._charts
        yield self._figures
        yield KeyLine(Place.RECEIPTS)

    def on_mount(self) -> None:
        """Begin to read, and follow the clock."""
        self._thread = ReadingThread(self.dashboard.reader.path, "opdash-receipts")
        self.set_interval(_TICK, self._tick)
        self._read_if_changed()
        self._fill()

    def on_unmount(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def on_resize(self) -> None:
        """Fit every line."""
        self.call_after_refresh(self._fill)

    # Reading

    def hear(self, event: Event) -> None:
        """Read on when payments have changed."""
        if isinstance(event, PaymentsChanged) and event.wallet_id == self.session.wallet_id:
            self._read_if_changed()

    def _tick(self) -> None:
        starts = self._stretch.starts(self.session.now(), self._stretch.count)
        if starts != self._starts:
            self._take(self._stretch)
        else:
            self._read_if_changed()  # another opdash may have written

    def _read_if_changed(self) -> None:
        wallet_id = self.session.wallet_id
        if wallet_id is None or self._is_reading:
            return
        revision = self.dashboard.reader.revision(wallet_id)
        if self._found is None or revision != self._revision:
            self._revision, self._is_reading = revision, True
            self.background(lambda: self._read(wallet_id), "receipts")

    async def _read(self, wallet_id: str) -> None:
        thread, starts = self._thread, self._starts
        if thread is None:
            return
        try:
            found = await thread.read(
                thread.current, lambda reader: reader.receipts(wallet_id, starts)
            )
        except OutdatedError:
            return
        finally:
            self._is_reading = False
        if starts == self._starts:
            self._found = found
            self._fill()
        self._read_if_changed()

    def _take(self, stretch: Stretch) -> None:
        """Look at a stretch of time, up to now."""
        self._stretch = stretch
        self._starts = stretch.starts(self.session.now(), stretch.count)
        if self._chosen not in self._starts:
            self._chosen = None
        self._found = None
        self._read_if_changed()
        self._fill()

    # Showing

    @property
    def chosen(self) -> int:
        """Which hour or day is chosen, from 0."""
        return len(self._starts) - 1 if self._chosen is None else self._starts.index(self._chosen)

    def _fill(self) -> None:
        if not self._charts[0].is_attached:
            return
        self._choice.show(cut(self._choice_spans(), self.size.width))
        found = self._found or ()
        labels = axis_labels(self._starts, hourly=self._stretch.hourly)
        for number, chart in enumerate(self._charts):
            chart.display = number < max(len(found), 1)
            if number < len(found):
                several = len(found) > 1
                chart.show(
                    _title(found[number], several=several), found[number].sums, labels, self.chosen
                )
            else:
                chart.show((), (), (), 0)
        self._figures.show(self._figure_entries(found))

    def _choice_spans(self) -> list[Span]:
        spans = [Span(" Receipts  ", "strong")]
        for number, stretch in enumerate(STRETCHES, start=1):
            chosen = stretch is self._stretch
            action = f"screen.stretch({number})"
            spans.append(Span(f" {number} ", "key", action))
            spans.append(Span(stretch.words, "strong" if chosen else "muted", action))
            spans.append(Span(" ● " if chosen else "   ", "accent", action))
        if self._found is None:
            spans.append(Span("adding up…", "accent"))
        return spans

    def _figure_entries(self, found: tuple[AssetReceipts, ...]) -> list[Entry]:
        now, chosen = self.session.now(), self.chosen
        when = stretch_words(self._starts[chosen], now, hourly=self._stretch.hourly)
        lines: list[_Figure] = []
        for one in found[:_MOST_ASSETS]:
            lines.append(_figure(when, one, one.sums[chosen], one.counts[chosen]))
            best = one.sums.index(max(one.sums))
            if len(found) == 1 and one.sums[best]:
                top = stretch_words(self._starts[best], now, hourly=self._stretch.hourly)
                lines.append(_figure(f"most: {top}", one, one.sums[best], one.counts[best]))
            lines.append(_figure(f"all {self._stretch.words}", one, one.total, one.payments))
        entries = _aligned(lines, strong=when)
        if len(found) > _MOST_ASSETS:
            others = fmt.count(len(found) - _MOST_ASSETS, "further asset")
            entries.append(row(" ", Content.styled(f"and {others}", "$muted")))
        return entries

    # Actions

    def on_bar_chart_chosen(self, message: BarChart.Chosen) -> None:
        """Take the bar that was clicked."""
        self._choose(message.number)

    def action_earlier(self) -> None:
        """Go to the hour or day before."""
        self._choose(self.chosen - 1)

    def action_later(self) -> None:
        """Go to the next hour or day."""
        self._choose(self.chosen + 1)

    def action_earliest(self) -> None:
        """Go to the first one."""
        self._choose(0)

    def action_latest(self) -> None:
        """Go to the present one, and stay with it."""
        self._choose(len(self._starts) - 1)

    def action_stretch(self, number: int) -> None:
        """Look at another stretch of time."""
        self._take(STRETCHES[number - 1])

    def action_next_stretch(self) -> None:
        """Look at the next stretch of time."""
        self._take(STRETCHES[(STRETCHES.index(self._stretch) + 1) % len(STRETCHES)])

    def action_back(self) -> None:
        """Go back to the payments."""
        self.dismiss(None)

    def _choose(self, number: int) -> None:
        number = max(min(number, len(self._starts) - 1), 0)
        self._chosen = None if number == len(self._starts) - 1 else self._starts[number]
        self._fill()


def axis_labels(starts: tuple[datetime, ...], *, hourly: bool) -> tuple[tuple[str, int], ...]:
    """Return a label for each hour or day, empty for most, and how much it matters."""
    return tuple(_hour_label(start) if hourly else _day_label(start) for start in starts)


def _hour_label(start: datetime) -> tuple[str, int]:
    local = start.astimezone()
    if local.hour == 0:
        return fmt.day(local), 2
    return (f"{local:%H:%M}", 1) if local.hour % 6 == 0 else ("", 0)


def _day_label(start: datetime) -> tuple[str, int]:
    local = start.astimezone()
    return (fmt.day(local), 1) if local.weekday() == 0 else ("", 0)


def stretch_words(start: datetime, now: datetime, *, hourly: bool) -> str:
    """Say which hour or day one is: ``today 14:00–15:00``, ``Thu 19 Nov``."""
    local, today = start.astimezone(), now.astimezone()
    is_today = local.date() == today.date()
    if hourly:
        end = f"{(local.hour + 1) % 24:02}:{local.minute:02}"
        return f"{'today' if is_today else fmt.day(local)} {local:%H:%M}–{end}"
    return "today" if is_today else f"{_WEEKDAYS[local.weekday()]} {fmt.day(local)}"


def _title(receipts: AssetReceipts, *, several: bool) -> list[Span]:
    return [Span(f" {fmt.asset_code(receipts.asset)}", "strong")] if several else []


def _aligned(lines: list[_Figure], *, strong: str) -> list[Entry]:
    """Return figures under each other; those of a label that is chosen stand out."""
    label, amount, code, count = (
        max((len(line[part]) for line in lines), default=0) for part in range(4)
    )
    return [
        row(
            " ",
            Content.assemble(
                (f"{line[0]:<{label}}", "bold" if line[0] == strong else "$muted"),
                (f"   {line[1]:>{amount}}", "bold" if line[0] == strong else ""),
                f" {line[2]:<{code}}",
                (f"   {line[3]:>{count}} {line[4]}", "$muted"),
            ),
        )
        for line in lines
    ]


def _figure(label: str, receipts: AssetReceipts, minor_units: int, payments: int) -> _Figure:
    asset = receipts.asset
    number, _, word = fmt.count(payments, "payment").partition(" ")
    return label, fmt.number(minor_units, asset.scale), fmt.asset_code(asset), number, word
