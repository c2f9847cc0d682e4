"""Where a filter is typed; above it what is found adds up to, below it what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from opdash.ledger.records import AssetTotals
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.widgets.line import Line, Span, cut, join, width_of

if TYPE_CHECKING:
    from textual.widgets import Input

    from opdash.tui.widgets.filter_input import FilterInput

_MOST_ASSETS = 3


class FilterLine(Vertical):
    """The filter; nothing of it is built before it is first wanted."""

    class Typed(Message):
        """The filter reads otherwise now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class FocusChanged(Message):
        """Typing into the filter began or ended."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._input: FilterInput | None = None
        self._problem = Static(id="filter-problem", markup=False)
        self._totals = tuple(Line() for _ in range(_MOST_ASSETS))
        self._of: tuple[AssetTotals, ...] | None = None

    @property
    def text(self) -> str:
        """What is typed."""
        return "" if self._input is None else self._input.value

    @property
    def is_typed_into(self) -> bool:
        """Whether keys are text now."""
        return self._input is not None and self._input.has_focus

    async def open(self, text: str | None = None, *, typing: bool = True) -> None:
        """Show the line, with another text where one is given.

        Args:
            text: What it shall read; None to leave it.
            typing: Whether to begin typing.
        """
        if self._input is None:
            from opdash.tui.widgets.filter_input import FilterInput

            self._input = FilterInput(
                placeholder="lamp  state:short  amount>10  since:7d  -is:gone",
                compact=True,
                max_length=500,
                select_on_focus=False,
                id="filter-input",
            )
            row = Horizontal(Static("/", id="filter-mark"), self._input, id="filter-row")
            await self.mount(*self._totals, row, self._problem)
        self.display = True
        if text is not None and text != self._input.value:
            self._input.value = text
            self._input.cursor_position = len(text)
        if typing:
            self._input.focus()

    def close(self) -> None:
        """Hide the line, and empty it without telling."""
        self.display = False
        self.complain("")
        self.show_totals(None)
        if self._input is not None:
            with self.prevent(self._input.Changed):
                self._input.value = ""

    def compose(self) -> ComposeResult:
        """Nothing yet."""
        yield from ()

    def complain(self, sentence: str) -> None:
        """Say what is wrong with the filter, or nothing."""
        self._problem.display = bool(sentence)
        self._problem.update(safe_text(sentence))

    def show_totals(self, totals: Sequence[AssetTotals] | None) -> None:
        """Show what is found adds up to; None while that is not known."""
        self._of = None if totals is None else tuple(totals)
        self._fill()

    def on_resize(self) -> None:
        """Fit the totals."""
        self._fill()

    def _fill(self) -> None:
        lines = [] if self._of is None else totals_spans(self._of, self.app.size.width)
        for line, spans in zip(self._totals, [*lines, *[[]] * _MOST_ASSETS], strict=False):
            line.display = bool(spans)
            line.show(spans)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Hand on what is typed."""
        message.stop()
        self.post_message(self.Typed(message.value))

    def on_descendant_focus(self) -> None:
        """Tell that keys are text now."""
        self.post_message(self.FocusChanged())

    def on_descendant_blur(self) -> None:
        """Tell that keys are keys again."""
        self.post_message(self.FocusChanged())


def totals_spans(totals: Sequence[AssetTotals], width: int) -> list[list[Span]]:
    """Compose a line for each asset, three at most; the last says how many others there are."""
    if len(totals) > _MOST_ASSETS:
        others = fmt.count(len(totals) - _MOST_ASSETS + 1, "further asset")
        rest = [Span(f" and {others}; --filter of opdash list shows all of them", "muted")]
        return [*(_line(one, width) for one in totals[: _MOST_ASSETS - 1]), cut(rest, width)]
    return [_line(one, width) for one in totals]


def _line(totals: AssetTotals, width: int) -> list[Span]:
    code, scale = fmt.asset_code(totals.asset), totals.asset.scale
    groups = [
        [Span(f"{code} ", "strong"), Span(fmt.count(totals.count, "payment"), "muted")],
        *(
            [Span(f"{word} ", "muted"), Span(fmt.number(minor_units, scale))]
            for word, minor_units in (
                ("asked", totals.asked),
                ("received", totals.received),
                ("difference", totals.difference),
            )
        ),
    ]
    for gap in ("   ", "  "):
        spans = [Span(" "), *join(groups, gap)]
        if width_of(spans) <= width:
            return spans
    return cut(spans, width)
