"""Frames of the table: what one costs, and whether a million payments make it dearer.

A frame is a key, a page or a turn of the wheel, handled by the real widget in a headless app, up to
the bytes for the terminal; its cost is processor time. The baseline is Textual's own `DataTable`
with the same columns and texts. The apps take turns in rounds, in each of which they do the same.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path
from time import process_time

from rich.text import Text
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import DataTable

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, PaymentRow
from opdash.openpayments.amounts import Asset
from opdash.table_view import STANDARD
from opdash.tui import format as fmt
from opdash.tui.stylesheets import sheets
from opdash.tui.themes import DARK
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.row_window import LedgerRows
from opdash.tui.widgets.table_layout import heading
from tests.bench.figures import Bar, Figure
from tests.bench.million import ADDRESS, COUNT, NOW, million_ledger
from tests.bench.starting import command_over, known_row
from tests.bench.terminal import Screen as Terminal
from tests.bench.terminal import started

FEW, SEVERAL = 1_000, 10_000

_ROUNDS = 3
_FRAMES = 340
_PAGES = 60
_WARM_UP = 5
_SIZE = (120, 40)
_TURNS = 10
_USD = Asset("USD", 2)

_PAGE_DOWN = 2
"""Which of the things done is a page down."""

Act = Callable[[], object]
"""What a person does to a table."""


class _TableApp(App[None]):
    """Nothing but a table; what would go to the terminal is made, and counted."""

    CSS_PATH = sheets("base", "widgets", "payments")
    ROUNDS = _ROUNDS

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0
        self.register_theme(DARK)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables

    def _display(self, screen: Screen[object], renderable: object) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.frames += bool(renderable.render_segments(self.console))

    def acts(self, share: float) -> list[Act]:
        """Go past a share of the rows, and return what can be done there."""
        raise NotImplementedError


class _Own(_TableApp):
    """The table of payments."""

    def __init__(self, reader: LedgerReader) -> None:
        super().__init__()
        rows = LedgerRows(reader, ADDRESS)
        self.table = PaymentTable(rows, _USD, lambda: NOW)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.reload()

    def acts(self, share: float) -> list[Act]:
        table = self.table
        table.move(int(table.row_count * share))
        return [
            partial(table.move, 1),
            partial(table.move, -1),
            partial(table.move_screen, 1),
            partial(table.move_screen, -1),
            partial(table.scroll_relative, y=3, animate=False, force=True),
            partial(table.scroll_relative, y=-3, animate=False, force=True),
        ]


class _Textuals(_TableApp):
    """Textual's own table, with the same columns of the same payments."""

    ROUNDS = 1  # a frame takes a tenth of a second, and a thousand of them took minutes

    def __init__(self, rows: Sequence[PaymentRow]) -> None:
        super().__init__()
        self.table: DataTable[Text] = DataTable(cursor_type="row")
        self._rows = rows

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.add_columns(*(heading(column) for column in STANDARD))
        for row in self._rows:
            self.table.add_row(*_cells(row))
        self.table.focus()

    def acts(self, share: float) -> list[Act]:
        table = self.table
        table.move_cursor(row=int(table.row_count * share))
        return [
            table.action_cursor_down,
            table.action_cursor_up,
            table.action_page_down,
            table.action_page_up,
            partial(table.scroll_relative, y=3, animate=False, force=True),
            partial(table.scroll_relative, y=-3, animate=False, force=True),
        ]


def _cells(row: PaymentRow) -> list[Text]:
    expires = fmt.relative(row.expires_at, NOW) if row.expires_at else ""
    return [
        Text(f"{fmt.glyph(row.state)} {fmt.state_word(row)}", style="green"),
        Text(fmt.number(row.asked or 0, 2), justify="right"),
        Text(fmt.number(row.received, 2), justify="right"),
        Text(row.reference),
        Text(row.description, style="dim"),
        Text(fmt.moment(row.created_at, NOW), style="dim"),
        Text(expires),
    ]


async def _round(app: _TableApp, number: int, *, only: int | None = None) -> list[float]:
    """Return the seconds of processor time that each frame of a round took.

    Args:
        app: What is measured.
        number: Which round it is; all apps do the same in it.
        only: Do nothing but this; None to do everything by turns.
    """
    draw = random.Random(number)
    share = draw.uniform(0.4, 0.6) if only is None else draw.uniform(0.05, 0.2)
    async with app.run_test(size=_SIZE) as pilot:
        await pilot.pause()
        acts = app.acts(share)
        for _ in range(_WARM_UP):
            await _seconds(app, acts[_PAGE_DOWN])
        gc.collect()
        gc.freeze()  # the real app does so after its start
        before = app.frames
        todo = [acts[only]] * _PAGES if only is not None else _to_and_fro(acts, draw)
        seconds = [await _seconds(app, act) for act in todo]
        gc.unfreeze()
        if app.frames - before < len(todo) * 0.95:
            raise RuntimeError(f"only {app.frames - before} of {len(todo)} frames were painted")
    return seconds


def _to_and_fro(acts: Sequence[Act], draw: random.Random) -> list[Act]:
    """Return what is done in a round: each as often as its opposite, so that no end is met."""
    todo: list[Act] = []
    while len(todo) < _FRAMES:
        todo += draw.sample(acts, len(acts))
    return todo[:_FRAMES]


async def _seconds(app: _TableApp, act: Act) -> float:
    begun = process_time()
    act()
    await _painted(app)
    return process_time() - begun


async def _painted(app: _TableApp) -> None:
    """Let messages be handled, and the screen be painted, without waiting for the next tick."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    app.screen._on_timer_update()


def _in_turn(makers: Sequence[Callable[[], _TableApp]], only: int | None) -> list[list[float]]:
    """Return the seconds of each app's frames, in order."""
    found: list[list[float]] = [[] for _ in makers]
    for number in range(_ROUNDS):
        for seconds, make in zip(found, makers, strict=True):
            app = make()
            if number < app.ROUNDS:
                seconds += asyncio.run(_round(app, number, only=only))
    return [sorted(seconds) for seconds in found]


def _at(share: float, ordered: Sequence[float]) -> float:
    return ordered[int(len(ordered) * share)]


@cache
def mixed_frames() -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of frames over few and a million payments, and of Textual's over several.

    Cursor moves, pages and turns of the wheel, as many as each other, from the same places on.
    """
    with ExitStack() as stack:
        few, million, several = (
            stack.enter_context(LedgerReader.open(million_ledger(count)))
            for count in (FEW, COUNT, SEVERAL)
        )
        rows = several.window(ADDRESS, NEWEST_FIRST, 0, SEVERAL)
        makers = (partial(_Own, few), partial(_Own, million), partial(_Textuals, rows))
        one, two, three = _in_turn(makers, None)
    return one, two, three


def _scale() -> float:
    few, million, _ = mixed_frames()
    return _at(0.5, million) / _at(0.5, few)


def _against_textuals() -> float:
    _, million, textuals = mixed_frames()
    return _at(0.99, million) / _at(0.99, textuals)


def _page_down() -> float:
    with LedgerReader.open(million_ledger(SEVERAL)) as several:
        rows = several.window(ADDRESS, NEWEST_FIRST, 0, SEVERAL)
        makers = (partial(_Own, several), partial(_Textuals, rows))
        own, textuals = _in_turn(makers, _PAGE_DOWN)
    return _at(0.5, own) / _at(0.5, textuals)


# Memory


_KEYS = (b"\x1b[6~" * 5, b"]" * 5, b"G", b"2", b"2", b"5", b"6", b"g", b"\x1b[B" * 20)
"""Pages, the end, other orders, the beginning."""

_MOMENT = 0.5


def _memory() -> float:
    return _resident(COUNT) / _resident(FEW)


def _resident(count: int) -> int:
    """Return the kilobytes that are the real app's own after a walk through its table."""
    ledger = million_ledger(count)
    with started(command_over(ledger)) as terminal:
        terminal.wait_for(known_row(ledger))
        for keys in _KEYS:
            terminal.type(keys)
            _quiet(terminal)
        return _proportional(terminal.pid)


def _quiet(terminal: Terminal) -> None:
    """Read until nothing has been written for a moment; the header counts seconds."""
    with suppress(TimeoutError):
        while terminal.read_on(_MOMENT):
            pass


def _proportional(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


FIGURES = (
    Figure(
        "frame_p50_scale",
        "× at 1,000 payments, processor time of the table's frames at 1,000,000",
        Bar.AT_MOST,
        1.25,
        _scale,
    ),
    Figure(
        "frame_p99_vs_datatable",
        "× DataTable's at 10,000 rows, 99th percentile at 1,000,000",
        Bar.AT_MOST,
        0.25,
        _against_textuals,
    ),
    Figure(
        "page_down_vs_datatable",
        "× DataTable's, median of a page down in the same 10,000 rows",
        Bar.AT_MOST,
        0.2,
        _page_down,
    ),
    Figure(
        "memory_scale",
        "× at 1,000 payments, the app's own memory at 1,000,000",
        Bar.AT_MOST,
        1.2,
        _memory,
    ),
)
