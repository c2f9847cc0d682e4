"""Where a filter is typed; above it what is found adds up to, below it what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
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
    """The filter; nothing of it is built before it is first wanted.

    While it is typed into, it keeps room for totals and for what may be wrong: the table would
    jump with each letter else, and the whole screen be laid out and painted anew.
    """

    class Typed(Message):
        """The filter reads otherwise now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class FocusChanged(Message):
        """Typing into the filter began or ended."""

    def __init__(self, opened: Callable[[], None] = lambda: None) -> None:
        """Make an empty one.

        Args:
            opened: Is called when somebody is about to type.
        """
        super().__init__()
        self.display = False
        self._opened = opened
        self._input: FilterInput | None = None
        self._problem = Static(id="filter-problem", markup=False)
        self._totals = tuple(Line() for _ in range(_MOST_ASSETS))
        self._shown: tuple[AssetTotals, ...] | None = None
        self._of = ""
        self._awaits = False
        self._sentence = ""

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
            self._opened()
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
        if sentence != self._sentence:
            before, self._sentence = self._rows_of_problem(), sentence
            resized = self._rows_of_problem() != before
            self._problem.update(safe_text(sentence), layout=resized)
        self._make_room()

    def _rows_of_problem(self) -> int:
        room = max(self.app.size.width - 2, 1)
        return len(wrap(safe_text(self._sentence), room)) or 1

    def _make_room(self) -> None:
        self._problem.display = bool(self._sentence) or self.is_typed_into

    def show_totals(self, totals: Sequence[AssetTotals] | None, of: str = "") -> None:
        """Show what is found adds up to, and what that ranges over; None for nothing."""
        self._shown, self._of = None if totals is None else tuple(totals), of
        self._awaits = False
        self._fill()

    def await_totals(self) -> None:
        """Say that what is found is being added up; the lines stay as many as they are."""
        self._awaits = True
        self._fill()

    def on_resize(self) -> None:
        """Fit the totals."""
        self._fill()

    def _fill(self) -> None:
        width, shown = self.app.size.width, self._shown or ()
        lines = totals_spans(shown, width, self._of)
        if self._awaits:
            lines = [[Span(" adding up…", "accent")], *[[Span(" ")] for _ in lines[1:]]]
        for number, line in enumerate(self._totals):
            line.display = number < max(len(lines), 1)
            line.show(lines[number] if number < len(lines) else [])

    def on_input_changed(self, message: Input.Changed) -> None:
        """Hand on what is typed."""
        message.stop()
        self.post_message(self.Typed(message.value))

    def on_descendant_focus(self) -> None:
        """Tell that keys are text now."""
        self._make_room()
        self.post_message(self.FocusChanged())

    def on_descendant_blur(self) -> None:
        """Tell that keys are keys again."""
        self._make_room()
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
    if totals.difference != totals.received - totals.asked:
        words = (words[0], words[1], f"{words[2]} where asked")
    return [
        [Span(f"{code} ", "strong"), Span(fmt.count(totals.count, "payment"), "muted")],
        *(
            [Span(f"{word} ", "muted"), Span(fmt.number(minor_units, scale))]
            for word, minor_units in zip(words, amounts, strict=True)
        ),
    ]
