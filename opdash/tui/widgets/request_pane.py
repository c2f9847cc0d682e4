"""One inspected request: its four parts, one at a time."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from opdash.service.inspection import Inspected
from opdash.tui.actions.inspector import PART_NAMES
from opdash.tui.widgets.line import Line, Span
from opdash.tui.widgets.request_facts import Part, request_entries
from opdash.tui.widgets.sheet import Entry, SheetView


class RequestPane(Vertical):
    """Shows one part of a request; it scrolls, and begins at the top of every other one.

    Attributes:
        part: Which part.
    """

    def __init__(self, part: Part = Part.REQUEST) -> None:
        super().__init__()
        self.part = part
        self._shown: tuple[Inspected, str] | None = None
        self._is_ready = False

    def compose(self) -> ComposeResult:
        """Place the names of the parts above the one that is shown."""
        yield Line(id="parts")
        with VerticalScroll(id="part"):
            yield SheetView()

    def on_mount(self) -> None:
        """Show what there is."""
        self._is_ready = True
        self._fill()

    @property
    def scroll(self) -> VerticalScroll:
        """What scrolls."""
        return self.query_one("#part", VerticalScroll)

    @property
    def text(self) -> str:
        """What it says."""
        return self.query_one(SheetView).text

    def show(self, request: Inspected | None, wallet: str = "") -> None:
        """Show another request, in the same part; the same one stays as it is.

        Args:
            request: Which, or None.
            wallet: What people call its wallet.
        """
        former = None if self._shown is None else self._shown[0].number
        self._shown = None if request is None else (request, wallet)
        if former != (None if request is None else request.number):
            self._fill()

    def go_to(self, part: Part) -> None:
        """Show another part."""
        if part is not self.part:
            self.part = part
            self._fill()

    def step(self, by: int) -> None:
        """Go to the part after this one, or before it; after the last comes the first."""
        self.go_to(Part((self.part - 1 + by) % len(Part) + 1))

    def _fill(self) -> None:
        if not self._is_ready:
            return
        self.query_one("#parts", Line).show(part_spans(self.part))
        entries: list[Entry] = []
        if self._shown is not None:
            request, wallet = self._shown
            entries = request_entries(request, self.part, wallet)
        self.query_one(SheetView).show(entries)
        self.scroll.scroll_home(animate=False)


def part_spans(current: Part) -> list[Span]:
    """Return the names of the parts; the one that is shown stands in brackets."""
    spans = [Span(" ")]
    for part, name in zip(Part, PART_NAMES, strict=True):
        action = f"screen.show_part({part.value})"
        if part is current:
            spans.append(Span(f"[{part.value} {name}] ", "key", action))
        else:
            spans.append(Span(f" {part.value} {name}  ", "muted", action))
    return spans
