"""Bars over time: one for each hour or day, one of them chosen; drawn in eighths of a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from opdash.tui.widgets.line import Span, cut, width_of

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_FULL = len(_EIGHTHS) - 1
_WIDEST = 6
_MARGIN = 1
CHOSEN = "▲"
"""Stands under the bar that is chosen, so that it is found without colour."""


@dataclass(frozen=True, slots=True)
class BarPlan:
    """Which bars are in view, and how wide they are.

    Attributes:
        first: The first bar in view, from 0.
        count: How many are in view.
        step: Cells from one bar to the next.
        bar: Cells of a bar.
    """

    first: int
    count: int
    step: int
    bar: int

    @property
    def width(self) -> int:
        """Cells from the first bar's left edge to the last one's right edge."""
        return self.count * self.step - (self.step - self.bar)

    def left(self, number: int) -> int:
        """Return the cell at which a bar begins."""
        return (number - self.first) * self.step

    def at(self, cell: int) -> int | None:
        """Return the bar at a cell, or None."""
        number = cell // self.step
        return self.first + number if 0 <= number < self.count else None


def plan_bars(count: int, width: int, chosen: int) -> BarPlan:
    """Plan bars as wide as there is room for; where not all fit, those around the chosen one.

    Args:
        count: How many there are, one at least.
        width: Cells of the chart.
        chosen: The one that must be in view.
    """
    step = max(min(width // count, _WIDEST), 1)
    shown = max(min(count, width // step), 1)
    first = count - shown
    if chosen < first:
        first = chosen
    return BarPlan(first, shown, step, step - 1 if step > 1 else 1)


def bar_lines(values: Sequence[int], height: int) -> list[list[str]]:
    """Return a sign for each line and value, the top line first; only nothing is blank.

    Args:
        values: Numbers from zero upwards, of any size.
        height: Lines.
    """
    highest = max(values, default=0)
    levels = [-(-value * height * _FULL // highest) if value > 0 else 0 for value in values]
    return [
        [_EIGHTHS[max(min(level - line * _FULL, _FULL), 0)] for level in levels]
        for line in reversed(range(height))
    ]


def axis_line(labels: Sequence[tuple[str, int]], plan: BarPlan, width: int) -> str:
    """Write as many labels under their bars as stand clear of each other.

    Args:
        labels: A label for each bar, empty for none, with its weight; the heavier go first.
        plan: Which bars are in view.
        width: Cells of the line.
    """
    cells = [" "] * width
    numbers = range(plan.first, min(plan.first + plan.count, len(labels)))
    for number in sorted(numbers, key=lambda one: -labels[one][1]):
        text, left = labels[number][0], plan.left(number)
        right = left + len(text)
        around = cells[max(left - 1, 0) : right + 1]
        if text and right <= width and not "".join(around).strip():
            cells[left:right] = text
    return "".join(cells)


class BarChart(Widget):
    """Bars with a title above, and an axis with the chosen bar's sign below."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bar-chart--bar",
        "bar-chart--chosen",
        "bar-chart--axis",
        "bar-chart--strong",
        "bar-chart--muted",
    }

    ALLOW_SELECT = False

    @dataclass
    class Chosen(Message):
        """A person clicked on a bar."""

        number: int

    def __init__(self) -> None:
        super().__init__()
        self._title: tuple[Span, ...] = ()
        self._values: tuple[int, ...] = ()
        self._labels: tuple[tuple[str, int], ...] = ()
        self._chosen = 0

    @property
    def text(self) -> str:
        """What it shows, line by line."""
        return "\n".join(self.render_line(y).text.rstrip() for y in range(self.size.height))

    def show(
        self,
        title: Sequence[Span],
        values: Sequence[int],
        labels: Sequence[tuple[str, int]],
        chosen: int,
    ) -> None:
        """Set what it shows.

        Args:
            title: The line above the bars.
            values: How high they are.
            labels: As for `axis_line`.
            chosen: Which one is chosen.
        """
        shown = (tuple(title), tuple(values), tuple(labels), chosen)
        if shown != (self._title, self._values, self._labels, self._chosen):
            self._title, self._values, self._labels, self._chosen = shown
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the title, a line of bars, the axis, or the labels below it."""
        width, height = self.size.width, self.size.height
        if y == 0:
            spans = cut(self._title, width)
            segments = [Segment(span.text, self._style(span.tone)) for span in spans]
            return Strip(segments, width_of(spans)).adjust_cell_length(width, self.rich_style)
        if not self._values:
            return Strip.blank(width, self.rich_style)
        plan = self._plan
        if y == height - 1:
            labels = axis_line(self._labels, plan, width - 2 * _MARGIN)
            return self._line([Segment(labels, self._style("muted"))])
        if y == height - 2:
            return self._line(self._axis(plan))
        return self._line(self._bars(plan, y - 1, height - 3))

    @property
    def _plan(self) -> BarPlan:
        return plan_bars(len(self._values), max(self.size.width - 2 * _MARGIN, 1), self._chosen)

    def _bars(self, plan: BarPlan, line: int, height: int) -> list[Segment]:
        values = self._values[plan.first : plan.first + plan.count]
        gap = Segment(" " * (plan.step - plan.bar), self.rich_style)
        segments: list[Segment] = []
        for number, sign in enumerate(bar_lines(values, height)[line], start=plan.first):
            tone = "chosen" if number == self._chosen else "bar"
            segments += [Segment(sign * plan.bar, self._style(tone)), gap]
        return segments

    def _axis(self, plan: BarPlan) -> list[Segment]:
        left = plan.left(self._chosen)
        axis = self._style("axis")
        return [
            Segment("─" * left, axis),
            Segment(CHOSEN * plan.bar, self._style("chosen")),
            Segment("─" * (plan.width - left - plan.bar), axis),
        ]

    def _line(self, segments: Sequence[Segment]) -> Strip:
        margin = Segment(" " * _MARGIN, self.rich_style)
        return Strip([margin, *segments]).adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, tone: str) -> Style:
        name = f"bar-chart--{tone}"
        if name not in self.COMPONENT_CLASSES:
            return self.rich_style
        return self.rich_style + self.get_component_rich_style(name, partial=True)

    def on_click(self, event: events.Click) -> None:
        """Choose the bar under the pointer."""
        offset = event.get_content_offset(self)
        if offset is None or not self._values:
            return
        number = self._plan.at(offset.x - _MARGIN)
        if number is not None:
            self.post_message(self.Chosen(number))
