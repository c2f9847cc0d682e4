"""The table of all wallets' payments: a window onto a long merged list, with a cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opdash.errors import OpdashError
from opdash.ledger.records import PaymentRow
from opdash.safetext import ELLIPSIS, safe_text
from opdash.tui import format as fmt
from opdash.tui.inks import LINE_INKS, ground_of, style_of
from opdash.tui.merged_rows import MergedRows
from opdash.tui.widgets.line import Span, cut
from opdash.tui.widgets.row_painter import CURSOR

_STATE = 17
_WALLET = 12
_CREATED = 12
_SHORT_CREATED = 7
_AMOUNT = 12
_GAP = "  "


class MergedList(ScrollView, can_focus=True, inherit_bindings=False):
    """Payments of several wallets, newest first; only what is in view is read."""

    ALLOW_SELECT = False

    @dataclass
    class Chosen(Message):
        """The payment under the cursor was opened with the mouse."""

        row: PaymentRow

    class Moved(Message):
        """The cursor is on another payment."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._rows: MergedRows | None = None
        self._titles: Mapping[str, str] = {}
        self._now: datetime | None = None
        self._index = 0
        self._held: PaymentRow | None = None
        self._amount = _AMOUNT

    @property
    def selected(self) -> PaymentRow | None:
        """The payment under the cursor, or None in an empty list."""
        rows = self._read(self._index, 1)
        return rows[0] if rows else None

    @property
    def index(self) -> int:
        """The place of the cursor, from 0."""
        return self._index

    def show(self, rows: MergedRows, titles: Mapping[str, str], now: datetime) -> None:
        """Show a list that was just reloaded; the cursor keeps its payment.

        At the top the cursor stays there, so that what is new is seen.

        Args:
            rows: What to show.
            titles: The wallets' names, by their ids.
            now: The present instant, UTC.
        """
        self._rows, self._titles, self._now = rows, titles, now
        if self._held is not None and self._index:
            place = rows.position(self._held)
            if place is not None and place != self._index:
                shift = place - self._index
                self._index = place
                self.scroll_to(y=round(self.scroll_y) + shift, animate=False, force=True)
        self._index = max(min(self._index, rows.count - 1), 0)
        self._held = self.selected
        self.virtual_size = Size(0, rows.count)
        self.refresh()

    def tick(self, now: datetime) -> None:
        """Follow the clock."""
        if self._now is None or now.astimezone().date() != self._now.astimezone().date():
            self.refresh()
        self._now = now

    def heading(self, width: int) -> list[Span]:
        """Return the names of the columns above a list of so many cells."""
        reference = self._reference(width)
        pieces = [
            Span("  "),
            Span("STATE".ljust(_STATE), "muted"),
            Span(_GAP + "WALLET".ljust(_WALLET), "muted"),
            Span(_GAP + "ASKED".rjust(self._amount), "muted"),
            Span(_GAP + "RECEIVED".rjust(self._amount), "muted"),
        ]
        if reference:
            name = "REFERENCE" if reference >= len("REFERENCE") else "REF"
            pieces.append(Span(_GAP + name.ljust(reference), "muted"))
        return [*pieces, Span(_GAP + "CREATED", "muted")]

    # Moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a row."""
        count = self._rows.count if self._rows else 0
        index = max(min(index, count - 1), 0)
        moved, self._index = index != self._index, index
        self._held = self.selected
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif height and index >= top + height:
            self.scroll_to(y=index + 1 - height, animate=False, force=True)
        self.refresh()
        if moved:
            self.post_message(self.Moved())

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self.move_to(self._index + rows)

    def move_screen(self, screens: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.move(screens * max(self.scrollable_content_region.height - 1, 1))

    def go_first(self) -> None:
        """Go to the newest payment."""
        self.move_to(0)

    def go_last(self) -> None:
        """Go to the oldest payment that is known."""
        self.move_to((self._rows.count if self._rows else 0) - 1)

    def on_click(self, event: events.Click) -> None:
        """Select a payment; one that is selected already is opened."""
        offset = event.get_content_offset(self)
        index = -1 if offset is None else offset.y + round(self.scroll_y)
        rows = self._read(index, 1) if index >= 0 else []
        if rows and index == self._index:
            self.post_message(self.Chosen(rows[0]))
        elif rows:
            self.move_to(index)

    # Painting

    def render_line(self, y: int) -> Strip:
        """Return one line of the view."""
        index, width = y + round(self.scroll_y), self.scrollable_content_region.width
        rows = self._read(index, 1)
        if not rows or self._now is None:
            return Strip.blank(width, self.rich_style)
        under_cursor = index == self._index
        ground = self.rich_style + ground_of(self.app, "cursor" if under_cursor else "row")
        mark = Span(f"{CURSOR} " if under_cursor else "  ", "accent")
        spans = cut([mark, *self._spans(rows[0], self._now, width - 2)], width)
        segments = [
            Segment(span.text, ground + style_of(self.app, LINE_INKS[span.tone])) for span in spans
        ]
        return Strip(segments).adjust_cell_length(width, ground)

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def _spans(self, row: PaymentRow, now: datetime, width: int) -> list[Span]:
        asked = (
            "" if row.asked is None else fmt.money(row.asked, row.asked_asset or row.received_asset)
        )
        received = fmt.money(row.received, row.received_asset)
        self._widen(max(len(asked), len(received)))
        reference = self._reference(width + 2)
        state = f"{fmt.glyph(row.state)} {fmt.state_word(row)}"
        pieces = [
            Span(_fit(state, _STATE), fmt.state_tone(row)),
            Span(_GAP + _fit(self._titles.get(row.wallet, ""), _WALLET), "muted"),
            Span(_GAP + asked.rjust(self._amount)),
            Span(_GAP + received.rjust(self._amount)),
        ]
        if reference:
            name = safe_text(row.reference or row.description, limit=80)
            pieces.append(Span(_GAP + _fit(name, reference)))
        when = fmt.moment if self._is_wide(width + 2) else _moment
        return [*pieces, Span(_GAP + when(row.created_at, now), "muted")]

    def _widen(self, cells: int) -> None:
        """Give amounts the room that the widest one has needed so far; none is ever cut."""
        if cells > self._amount:
            self._amount = cells
            self.call_later(self.refresh)
            self.call_later(self.post_message, self.Moved())

    def _is_wide(self, width: int) -> bool:
        return width >= 100

    def _reference(self, width: int) -> int:
        created = _CREATED if self._is_wide(width) else _SHORT_CREATED
        taken = 2 + _STATE + 2 + _WALLET + 2 * (2 + self._amount) + 2 + created
        left = width - taken - 2
        return left if left >= 6 else 0

    def _read(self, index: int, limit: int) -> list[PaymentRow]:
        if self._rows is None:
            return []
        try:
            return self._rows.rows(index, limit)
        except OpdashError:
            return []


def _moment(instant: datetime, now: datetime) -> str:
    """Write an instant in seven cells: ``14:02``, ``14 Nov``, ``2025-11``."""
    text = fmt.moment_short(instant, now)
    return text if len(text) <= _SHORT_CREATED else f"{instant.astimezone():%Y-%m}"


def _fit(text: str, width: int) -> str:
    """Return a text in exactly so many cells; an ellipsis says that something is missing."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + ELLIPSIS, width)
