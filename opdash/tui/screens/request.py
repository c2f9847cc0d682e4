"""One inspected request on a screen of its own, and what can be done with it anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from opdash.errors import ConfigError
from opdash.service.inspection import Inspected
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, spread
from opdash.tui.widgets.request_facts import Part
from opdash.tui.widgets.request_pane import RequestPane
from opdash.tui.widgets.rule import Rule

if TYPE_CHECKING:
    from pathlib import Path

    from opdash.tui.app import OpdashApp

DIRECTORY = "requests"
"""Where reports are saved, below the data directory."""


class RequestActions:
    """What works in the list and on one request alike."""

    if TYPE_CHECKING:

        @property
        def opdash(self) -> OpdashApp:
            """The app."""

    @property
    def pane(self) -> RequestPane:
        """What shows the request."""
        raise NotImplementedError

    @property
    def selected(self) -> Inspected | None:
        """The request that is meant."""
        raise NotImplementedError

    def action_show_part(self, number: int) -> None:
        """Show a part."""
        self.pane.go_to(Part(number))

    def action_next_part(self) -> None:
        """Show the next part."""
        self.pane.step(1)

    def action_previous_part(self) -> None:
        """Show the part before."""
        self.pane.step(-1)

    def action_copy_request(self) -> None:
        """Copy the request."""
        if self.selected is not None:
            self.copy_report((self.selected,))

    def copy_report(self, requests: Sequence[Inspected]) -> None:
        """Copy requests as far as they fit into a clipboard, the first ones surely."""
        from opdash.service.request_reports import brief_report

        if not requests:
            return
        text, is_whole = brief_report(requests)
        self.opdash.copy_lines(text)
        told = f"Copied {fmt.count(len(requests), 'request')}; secrets are masked."
        advice = "" if is_whole else "It was too long for a clipboard and is cut; s saves all."
        self.opdash.tell(told, advice)

    def save_report(self, requests: Sequence[Inspected]) -> None:
        """Write requests into a file and tell its path."""
        self.opdash.background(lambda: self._save(tuple(requests)), "save-requests")

    async def _save(self, requests: tuple[Inspected, ...]) -> None:
        from opdash.service.request_reports import save_report

        dashboard = self.opdash.dashboard
        directory = dashboard.data_dir / DIRECTORY
        try:
            path = await asyncio.to_thread(save_report, requests, directory, dashboard.clock)
        except OSError as error:
            raise _unwritable(directory, error) from error
        gone = "It goes with the demo: copy it before you leave." if self.opdash.demo else ""
        self.opdash.tell(f"Saved {fmt.count(len(requests), 'request')} in {path}.", gone)


def _unwritable(directory: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"Nothing could be saved in {directory}: {error.strerror or error}.",
        "Make room or check its permissions; y copies the request instead.",
    )


class Scrolled:
    """A pane that the movement keys scroll."""

    def __init__(self, pane: VerticalScroll) -> None:
        self._pane = pane

    def move(self, rows: int) -> None:
        """Scroll by so many lines."""
        self._pane.scroll_relative(y=rows, animate=False)

    def move_screen(self, screens: int) -> None:
        """Scroll by so many screenfuls."""
        self.move(screens * max(self._pane.size.height - 1, 1))

    def go_first(self) -> None:
        """Scroll to the top."""
        self._pane.scroll_home(animate=False)

    def go_last(self) -> None:
        """Scroll to the bottom."""
        self._pane.scroll_end(animate=False)


class RequestScreen(RequestActions, OpdashScreen[tuple[int, Part]]):
    """One request; leads to its neighbours, and back to the one that was seen last.

    Args:
        requests: Those of the list, newest first.
        first: Which of them to show first.
        part: Which part of it.
        wallet_of: What people call the wallet of a request.
    """

    PLACE = Place.REQUEST
    CSS_PATH = sheets("inspector")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.REQUEST)
    AUTO_FOCUS = "#part"

    def __init__(
        self,
        requests: tuple[Inspected, ...],
        first: Inspected,
        part: Part,
        wallet_of: Callable[[Inspected], str],
    ) -> None:
        super().__init__()
        self._requests = requests
        self._place = requests.index(first)
        self._part = part
        self._wallet_of = wallet_of

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        yield Line(id="title")
        yield Rule(id="upper-rule")
        yield RequestPane(self._part)
        yield Rule(id="lower-rule")
        yield KeyLine(Place.REQUEST)

    def on_mount(self) -> None:
        """Show the first one."""
        self._fill()

    def on_resize(self) -> None:
        """Fit the title."""
        self._fill()

    def _fill(self) -> None:
        request, last = self.selected, len(self._requests) - 1
        wallet = self._wallet_of(request)
        left = [Span(" opdash", "accent"), GAP, Span("One request", "strong"), GAP, Span(wallet)]
        place = f"{self._place + 1:,} of {last + 1:,}, newest first "
        line = spread(left, [Span(place, "muted")], self.size.width)
        self.query_one("#title", Line).show(line)
        self.pane.show(request, wallet)
        off = ["older_request"] if self._place == last else []
        self.query_one(KeyLine).set_off(*off, *(["newer_request"] if not self._place else []))

    @property
    def pane(self) -> RequestPane:
        """What shows the request."""
        return self.query_one(RequestPane)

    @property
    def selected(self) -> Inspected:
        """The request that is shown."""
        return self._requests[self._place]

    # Actions

    def action_older_request(self) -> None:
        """Show the one before it."""
        self._place = min(self._place + 1, len(self._requests) - 1)
        self._fill()

    def action_newer_request(self) -> None:
        """Show the one after it."""
        self._place = max(self._place - 1, 0)
        self._fill()

    def action_save_requests(self) -> None:
        """Write the request into a file."""
        self.save_report((self.selected,))

    def action_back(self) -> None:
        """Go back to the list, and to this request there."""
        self.dismiss((self.selected.number, self.pane.part))

    def action_line_up(self) -> None:
        """Scroll one line up."""
        self._scrolled.move(-1)

    def action_line_down(self) -> None:
        """Scroll one line down."""
        self._scrolled.move(1)

    def action_screen_up(self) -> None:
        """Scroll one screenful up."""
        self._scrolled.move_screen(-1)

    def action_screen_down(self) -> None:
        """Scroll one screenful down."""
        self._scrolled.move_screen(1)

    def action_top(self) -> None:
        """Scroll to the top."""
        self._scrolled.go_first()

    def action_bottom(self) -> None:
        """Scroll to the bottom."""
        self._scrolled.go_last()

    @property
    def _scrolled(self) -> Scrolled:
        return Scrolled(self.pane.scroll)
