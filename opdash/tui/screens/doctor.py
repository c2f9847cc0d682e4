"""The doctor: what is wrong between opdash and a wallet, found while one looks on."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from opdash.safetext import safe_text
from opdash.service.doctor.door import examined
from opdash.service.doctor.report import detail_lines, whole_report
from opdash.service.doctor.steps import Step, StepName, summary
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, spread
from opdash.tui.widgets.line_list import LineEntry, LineList
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.sheet import Entry, SheetView, row

Examination = Callable[[Profile], AsyncGenerator[Step]]
"""Examines a wallet, one step after the other."""

_WAITING, _RUNNING = "○", "◌"
_TONES = {True: "good", False: "bad", None: "muted"}
_HEADING = max(len(name.heading) for name in StepName) + 2
_LABEL = re.compile(r"[a-z][a-z ]{0,22}?  +(?=\S)|Broken rule: ")
_UNBROKEN = 100_000


class DoctorScreen(CursorActions, OpdashScreen[None]):
    """All steps of an examination as they come, and below them what one of them found.

    Args:
        profile: The wallet.
        examine: Examines it; the service does unless given.
    """

    PLACE = Place.DOCTOR
    CSS_PATH = sheets("doctor")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.DOCTOR)
    AUTO_FOCUS = "LineList"

    def __init__(self, profile: Profile, examine: Examination | None = None) -> None:
        super().__init__()
        self._profile = profile
        self._examine = examine
        self._steps: dict[StepName, Step] = {}
        self._is_running = False
        self._is_verbose = False
        self._has_moved = False

    def compose(self) -> ComposeResult:
        """Place the steps, and the selected one below."""
        yield Line(id="title")
        yield Rule(id="upper-rule")
        yield LineList(id="steps")
        yield Rule(id="middle-rule")
        with VerticalScroll(id="found"):
            yield SheetView()
        yield Rule(id="lower-rule")
        yield KeyLine(Place.DOCTOR)

    def on_mount(self) -> None:
        """Begin."""
        self._fill()
        self.action_run_again()

    def on_resize(self) -> None:
        """Fit the title."""
        self._fill_title()

    # The examination

    def action_run_again(self) -> None:
        """Go through all steps, from the first; what is under way ends."""
        self._steps.clear()
        self._is_running, self._has_moved = True, False
        self.workers.cancel_group(self, "examination")
        self.background(self._run, "examination")
        self._fill()

    async def _run(self) -> None:
        steps = self._examination()
        try:
            async with contextlib.aclosing(steps):
                async for step in steps:
                    self._steps[step.name] = step
                    self._fill()
        finally:
            self._is_running = False
        if not self._has_moved:
            first_wrong = (step.name.value for step in self._steps.values() if step.ok is False)
            self._list.select(next(first_wrong, StepName.CONFIGURATION.value))
        self._fill()

    def _examination(self) -> AsyncGenerator[Step]:
        if self._examine is not None:
            return self._examine(self._profile)
        return examined(self.dashboard, self._profile)

    @property
    def _under_way(self) -> StepName | None:
        """The step that is under way."""
        waiting = (name for name in StepName if name not in self._steps)
        return next(waiting, None) if self._is_running else None

    # Filling

    def _fill(self) -> None:
        if not self.is_mounted:
            return
        self._list.show([self._entry(name) for name in StepName])
        if self._under_way is not None and not self._has_moved:
            self._list.select(self._under_way.value)
        self._fill_title()
        self._fill_found()
        self.query_one(KeyLine).set_off(*(["copy_report"] if self._is_running else []))

    def _fill_title(self) -> None:
        left = [
            Span(" opdash", "accent"),
            GAP,
            Span("Doctor", "strong"),
            GAP,
            Span(safe_text(self._profile.title, limit=40)),
            GAP,
            Span(safe_text(self._profile.wallet_address), "muted"),
        ]
        self.query_one("#title", Line).show(spread(left, self._outcome(), self.size.width))

    def _outcome(self) -> list[Span]:
        failed = sum(step.ok is False for step in self._steps.values())
        wrong = f"✗ {failed} wrong" if failed else ""
        if self._is_running:
            now = f"{_RUNNING} {len(self._steps) + 1} of {len(StepName)} "
            return [Span(f"{wrong} · " if wrong else "", "bad"), Span(now, "accent")]
        if failed:
            return [Span(f"{wrong} ", "bad")]
        return [Span("✓ nothing is wrong ", "good")] if self._steps else []

    def _entry(self, name: StepName) -> LineEntry:
        heading = name.heading.ljust(_HEADING)
        step = self._steps.get(name)
        if step is not None:
            tone = "muted" if step.ok is None else "plain"
            found = safe_text(step.found, limit=300)
            sign = Span(f"{step.sign} ", _TONES[step.ok])
            return LineEntry(name.value, (sign, Span(heading, "strong"), Span(found, tone)))
        if name is self._under_way:
            words = (Span(f"{_RUNNING} ", "accent"), Span(heading, "strong"), Span("looking…"))
            return LineEntry(name.value, words)
        waits = (Span(f"{_WAITING} ", "muted"), Span(heading, "muted"), Span("waits", "muted"))
        return LineEntry(name.value, waits)

    def _fill_found(self) -> None:
        step = self._selected
        self.query_one(SheetView).show([] if step is None else self._entries(step))

    def _entries(self, step: Step) -> list[Entry]:
        found = safe_text(f"{step.sign} {step.found}")
        entries: list[Entry] = [row("", Content.styled(found, "bold"))]
        if step.advice:
            entries.append(row(Content.styled("→ ", "$primary"), safe_text(step.advice)))
        lines = list(detail_lines(step, verbose=self._is_verbose, width=_UNBROKEN, advice=False))
        if lines:
            entries.append(row("", ""))
        return [*entries, *(_laid_out(line) for line in lines)]

    @property
    def _selected(self) -> Step | None:
        return next(
            (step for name, step in self._steps.items() if name.value == self._list.selected), None
        )

    @property
    def _list(self) -> LineList:
        return self.query_one(LineList)

    def movable(self) -> LineList | FoundScroll:
        """Return the steps, or what is below them while that has the focus."""
        found = self.query_one("#found", VerticalScroll)
        return FoundScroll(found) if found.has_focus else self._list

    def on_line_list_moved(self) -> None:
        """Show the step under the cursor, and leave the cursor there."""
        self._has_moved = True
        self.query_one("#found", VerticalScroll).scroll_home(animate=False)
        self._fill_found()

    # Actions

    def action_switch_pane(self) -> None:
        """Change between the steps and what was found."""
        found = self.query_one("#found", VerticalScroll)
        (self._list if found.has_focus else found).focus()

    def action_verbose(self) -> None:
        """Show requests and answers whole, or in brief."""
        self._is_verbose = not self._is_verbose
        self._fill_found()

    def action_copy_report(self) -> None:
        """Copy all that was found, whole."""
        if self._is_running:
            self.tell("The doctor has not finished yet.", severity="warning")
            return
        title = f"opdash doctor: {self._profile.title}  {self._profile.wallet_address}"
        self.opdash.copy_lines(whole_report(title, self._steps.values(), verbose=True))
        self.tell("Copied the report; secrets are masked in it.", summary(self._steps.values()))

    def action_back(self) -> None:
        """Go back; an examination that is under way ends, and gives back what it got."""
        self.dismiss(None)


def _laid_out(line: str) -> Entry:
    """Return a line of a report: labels muted, headings bold, all of it with a hanging indent."""
    text = line.lstrip()
    indent = " " * (len(line) - len(text))
    label = _LABEL.match(text)
    if label is not None and not indent:
        style = "bold" if label[0].endswith(": ") else "$muted"
        return row(Content.styled(label[0], style), text[label.end() :])
    if text.endswith(":") and not indent:
        return row("", Content.styled(text, "bold"))
    return row(indent, text)


class FoundScroll:
    """Scrolls what was found as if it were a list."""

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
