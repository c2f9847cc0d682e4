"""The keys that work on a screen, and what the signs in the table mean; made from the registry."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from opdash.ledger.states import GLYPHS
from opdash.tui.actions import Action, Place, actions_at, bindings
from opdash.tui.screens.base import OpdashModal
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.row_painter import CHANGED, GONE

_KEY_WIDTH = 14

_SIGNS = (
    (CHANGED, "changed since the cursor was last on it"),
    ("*", "covered, but the server has not completed it"),
    (GONE, "no longer at the server; the ledger remembers it"),
)


class HelpScreen(OpdashModal[None]):
    """Help for one place."""

    PLACE = Place.HELP
    CSS_PATH = sheets("modals", "help")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.HELP)

    def __init__(self, about: Place) -> None:
        super().__init__()
        self.about = about

    def compose(self) -> ComposeResult:
        """Write the keys down, those of the place before those that work everywhere."""
        with Vertical(classes="dialog"):
            yield Static(f"Help · {self.about}", classes="dialog-title", markup=False)
            with VerticalScroll(id="help"):
                yield Static(help_text(self.about), markup=False)
            yield KeyLine(Place.HELP)

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one("#help").focus()

    def action_close(self) -> None:
        """Close the help."""
        self.dismiss(None)


def help_text(place: Place) -> Content:
    """Return the help of a place: every action with its keys and its sentence."""
    here = [action for action in actions_at(place) if place in action.places]
    everywhere = [action for action in actions_at(place) if place not in action.places]
    parts = [_section(str(place), here)]
    if everywhere:
        parts.append(_section("Everywhere", everywhere))
    if place is Place.PAYMENTS:
        parts += [_signs(), _states()]
    return Content("\n\n").join(parts)


def _section(title: str, actions: list[Action]) -> Content:
    lines = [_line(action.shown_keys, action.help) for action in actions]
    return Content("\n").join([Content.styled(title, "bold"), *lines])


def _line(keys: str, sentence: str) -> Content:
    return Content.assemble((f"{keys:<{_KEY_WIDTH}}", "$primary"), " ", sentence)


def _signs() -> Content:
    lines = [_line(sign, meaning) for sign, meaning in _SIGNS]
    return Content("\n").join([Content.styled("Signs", "bold"), *lines])


def _states() -> Content:
    words = [f"{glyph} {state.value}" for state, glyph in GLYPHS.items()]
    rows = [
        Content("".join(f"{word:<20}" for word in words[start : start + 3]).rstrip())
        for start in range(0, len(words), 3)
    ]
    return Content("\n").join([Content.styled("States", "bold"), *rows])
