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
_WORDS = ("asked", "received", "difference")
_SHORT_WORDS = ("ask", "rec", "diff")


class TotalsLines(Vertical):
    """What all payments add up to, where a person wants to see it."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._of: tuple[Sequence[AssetTotals], str] | None = None

    def compose(self) -> ComposeResult:
        """Place the lines."""
        yield from (Line() for _ in range(_MOST_ASSETS))

    def show(self, totals: Sequence[AssetTotals] | None, of: str) -> None:
        """Show totals and what they range over; None while they are added up."""
        self._of = None if totals is None else (totals, of)
        self._fill()

    def on_resize(self) -> None:
        """Fit them."""
        self._fill()

    def _fill(self) -> None:
        width = self.app.size.width
        coming = [[Span(" adding up…", "accent")]]
        lines = coming if self._of is None else totals_spans(self._of[0], width, self._of[1])
        for line, spans in zip(self.query(Line), [*lines, *[[]] * _MOST_ASSETS], strict=False):
            line.display = bool(spans)
            line.show(spans)


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


def totals_spans(totals: Sequence[AssetTotals], width: int, of: str = "") -> list[list[Span]]:
    """Compose a line for each asset, three at most; the last says how many others there are.

    Args:
        totals: What payments add up to, asset by asset.
        width: Cells of a line.
        of: What they range over, in words, for the first line; left out where it does not fit.
    """
    if len(totals) > _MOST_ASSETS:
        others = fmt.count(len(totals) - _MOST_ASSETS + 1, "further asset")
        rest = [Span(f" and {others}; --filter of opdash list shows all of them", "muted")]
        shown = totals_spans(totals[: _MOST_ASSETS - 1], width, of)
        return [*shown, cut(rest, width)]
    words = [of, *[""] * len(totals)]
    return [_line(one, width, word) for one, word in zip(totals, words, strict=False)]


def _line(totals: AssetTotals, width: int, of: str) -> list[Span]:
    for words, gap, suffix in (
        (_WORDS, "   ", of),
        (_WORDS, "  ", of),
        (_WORDS, "   ", ""),
        (_WORDS, "  ", ""),
        (_SHORT_WORDS, "  ", ""),
    ):
        end = [[Span(suffix, "muted")]] if suffix else []
        spans = [Span(" "), *join([*_groups(totals, words), *end], gap)]
        if width_of(spans) <= width:
            return spans
    return cut(spans, width)


def _groups(totals: AssetTotals, words: tuple[str, str, str]) -> list[list[Span]]:
    code, scale = fmt.asset_code(totals.asset), totals.asset.scale
    amounts = (totals.asked, totals.received, totals.difference)
    return [
        [Span(f"{code} ", "strong"), Span(fmt.count(totals.count, "payment"), "muted")],
        *(
            [Span(f"{word} ", "muted"), Span(fmt.number(minor_units, scale))]
            for word, minor_units in zip(words, amounts, strict=True)
        ),
    ]
