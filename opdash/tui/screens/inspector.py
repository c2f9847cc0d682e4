"""The request inspector: the last requests of all wallets, and one of them in full."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from opdash.errors import OpdashError
from opdash.safetext import safe_text
from opdash.service.inspection import Inspected
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions, Movable
from opdash.tui.screens.request import RequestActions, RequestScreen, Scrolled
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, spread
from opdash.tui.widgets.line_list import LineEntry, LineList
from opdash.tui.widgets.request_facts import Part
from opdash.tui.widgets.request_lines import (
    ANSWERED,
    FAILED,
    SIGNED,
    UNSIGNED,
    has_failed,
    heading_spans,
    request_line,
)
from opdash.tui.widgets.request_pane import RequestPane
from opdash.tui.widgets.rule import Rule

_LOOK = 0.25
_WIDE = 110
_NEED_A_REQUEST = ("open_request", "next_part", "copy_request", "copy_requests", "save_requests")


class InspectorScreen(RequestActions, CursorActions, OpdashScreen[None]):
    """The list, newest first, and the selected request beside it where there is room.

    The newest is followed until the cursor leaves it. The service is looked at four times a
    second: what goes over the wire costs the screen nothing more.
    """

    PLACE = Place.INSPECTOR
    CSS_PATH = sheets("inspector")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.INSPECTOR)
    AUTO_FOCUS = "LineList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - as Textual has it

    def __init__(self) -> None:
        super().__init__()
        self._known: tuple[Inspected, ...] = ()
        self._shown: tuple[Inspected, ...] = ()
        self._looked_at = -1
        self._wallet: str | None = None
        self._errors_only = False
        self._is_paused = False
        self._follows = True
        self._lines: dict[tuple[int, int], LineEntry] = {}

    def compose(self) -> ComposeResult:
        """Place the list and the details."""
        yield Line(id="title")
        yield Rule(id="upper-rule")
        with Horizontal(id="body"):
            with Vertical(id="requests"):
                yield Line(id="columns")
                yield LineList()
            yield RequestPane()
        yield Rule(id="lower-rule")
        yield Line(id="status")
        yield KeyLine(Place.INSPECTOR)

    def on_mount(self) -> None:
        """Look, and go on looking."""
        self._look()
        self.set_interval(_LOOK, self._look)

    def on_resize(self) -> None:
        """Fit every line, once the list knows its width."""
        self.call_after_refresh(self._fill)

    # Filling

    def _look(self) -> None:
        log = self.dashboard.requests
        if log.count == self._looked_at:
            return
        if self._is_paused:
            self._fill_title()
            return
        self._looked_at = log.count
        self._known = log.newest_first()
        self._fill()

    def _fill(self) -> None:
        if not self.is_mounted:
            return
        name, before = self._list.selected, self._position
        self._shown = tuple(one for one in self._known if self._matches(one))
        width = self._list.scrollable_content_region.width
        heading = heading_spans(width) if self._shown else (Span(f"  {self._why_none}"),)
        self.query_one("#columns", Line).show(heading)
        self._list.show(self._entries(width))
        if self._follows:
            self._list.select(self._newest)
        elif name != self._list.selected:  # it is no longer kept
            self._list.select(self._oldest)
        elif (moved := self._position - before) > 0:
            self._list.scroll_to(y=self._list.scroll_y + moved, animate=False, force=True)
        self._fill_title()
        self._fill_status()
        self._fill_selected()

    def _entries(self, width: int) -> list[LineEntry]:
        made = {
            (one.number, width): self._lines.get((one.number, width))
            or request_line(one, self.wallet_of(one), width)
            for one in self._shown
        }
        self._lines = made
        return list(made.values())

    def _matches(self, one: Inspected) -> bool:
        if self._errors_only and not has_failed(one.trace):
            return False
        return self._wallet is None or one.profile == self._wallet

    @property
    def _why_none(self) -> str:
        """Why the list is empty."""
        if not self.dashboard.requests.most:
            return "inspector_requests is 0 in the configuration file, so none are kept."
        if not self._known:
            return "No request yet; whatever opdash asks a server is listed here."
        return "Nothing has failed here." if self._errors_only else "Nothing was asked for it yet."

    def _fill_title(self) -> None:
        chosen = "all wallets" if self._wallet is None else self._name_of(self._wallet)
        left = [Span(" opdash", "accent"), GAP, Span("Requests", "strong"), GAP, Span(chosen)]
        if self._errors_only:
            left += [GAP, Span("errors only", "attention")]
        self.query_one("#title", Line).show(spread(left, self._standing(), self.size.width))

    def _standing(self) -> list[Span]:
        """Say whether the list moves."""
        if self._is_paused:
            newer = self.dashboard.requests.count - self._looked_at
            return [Span(f"‖ paused{f', {newer:,} newer' if newer else ''} ", "attention")]
        if not self.dashboard.requests.most:
            return [Span("○ switched off in the settings ", "attention")]
        if self._follows:
            return [Span("● follows the newest ", "good")]
        above = self._position
        return [Span(f"↑ {above:,} newer above " if above else "", "muted")]

    def _fill_status(self) -> None:
        failed = sum(has_failed(one.trace) for one in self._shown)
        log = self.dashboard.requests
        legend = f" {SIGNED} signed  {UNSIGNED} not signed  {ANSWERED} answered  {FAILED} failed"
        right = [
            Span(fmt.count(len(self._shown), "request"), "plain"),
            Span(f" of the last {log.most:,}" if log.most else "", "muted"),
            Span(f" · {FAILED} {failed}" if failed else "", "bad"),
            Span(" "),
        ]
        self.query_one("#status", Line).show(
            spread([Span(legend, "muted")], right, self.size.width)
        )

    def _fill_selected(self) -> None:
        selected = self.selected
        self.pane.show(selected, self.wallet_of(selected) if selected else "")
        self.query_one(KeyLine).set_off(*(() if selected else _NEED_A_REQUEST))

    # What is there

    @property
    def pane(self) -> RequestPane:
        """The details."""
        return self.query_one(RequestPane)

    @property
    def selected(self) -> Inspected | None:
        """The request under the cursor."""
        position = self._position
        return self._shown[position] if self._shown else None

    @property
    def _list(self) -> LineList:
        return self.query_one(LineList)

    @property
    def _newest(self) -> str:
        return str(self._shown[0].number) if self._shown else ""

    @property
    def _oldest(self) -> str:
        return str(self._shown[-1].number) if self._shown else ""

    @property
    def _position(self) -> int:
        """How many are above the cursor."""
        name = self._list.selected
        numbers = (place for place, one in enumerate(self._shown) if str(one.number) == name)
        return next(numbers, 0)

    def wallet_of(self, request: Inspected) -> str:
        """Return what people call the wallet of a request."""
        return self._name_of(request.profile)

    def _name_of(self, profile: str) -> str:
        if not profile:
            return "not set up yet"
        try:
            return safe_text(self.dashboard.settings.profile(profile).title, limit=40)
        except OpdashError:
            return safe_text(profile, limit=40)

    def movable(self) -> Movable:
        """Return the list, or the details while they have the focus."""
        scroll = self.pane.scroll
        return Scrolled(scroll) if scroll.has_focus else self._list

    def on_line_list_moved(self) -> None:
        """Show the request under the cursor, and follow the newest only while it is that."""
        self._follows = self._list.selected == self._newest
        self._fill_title()
        self._fill_selected()

    # Actions

    def action_open_request(self) -> None:
        """Show the selected request on the whole screen."""
        selected = self.selected
        if selected is None:
            return

        def left(end: tuple[int, Part] | None) -> None:
            if end is not None:
                number, part = end
                self._list.select(str(number))
                self.pane.go_to(part)
                self.on_line_list_moved()

        screen = RequestScreen(self._shown, selected, self.pane.part, self.wallet_of)
        self.app.push_screen(screen, left)

    def action_switch_pane(self) -> None:
        """Change between the list and the details, where both are there."""
        scroll = self.pane.scroll
        (self._list if scroll.has_focus or not self.pane.display else scroll).focus()

    def action_errors_only(self) -> None:
        """Show only what failed, or everything again."""
        self._errors_only = not self._errors_only
        self._filtered()

    def action_next_wallet(self) -> None:
        """Go on to the next wallet of which there are requests; after the last come all."""
        there = [profile.name for profile in self.dashboard.profiles]
        there += sorted({one.profile for one in self._known} - set(there))
        choices: list[str | None] = [None, *there]
        place = choices.index(self._wallet) if self._wallet in choices else 0
        self._wallet = choices[(place + 1) % len(choices)]
        self._filtered()

    def _filtered(self) -> None:
        self._follows = True
        self._fill()

    def action_pause(self) -> None:
        """Let the list stand still, or go on."""
        self._is_paused = not self._is_paused
        self._fill_title()
        self._look()

    def action_copy_requests(self) -> None:
        """Copy all that are shown."""
        self.copy_report(self._shown)

    def action_save_requests(self) -> None:
        """Write all that are shown into a file."""
        if self._shown:
            self.save_report(self._shown)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)
