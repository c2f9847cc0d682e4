"""The keys that work on a screen, and what the signs in the table mean; made from the registry."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from opdash.ledger.states import GLYPHS, State
from opdash.tui.actions import Action, Place, actions_at, bindings
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.beyond import BEYOND
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.note_mark import SETTLED, WRITTEN
from opdash.tui.widgets.row_painter import CHANGED, GONE

_KEYS_WIDTH = 13
_STATE_WIDTH = 15

_SIGNS = (
    (CHANGED, "changed since the cursor was last on it"),
    ("*", "covered, but the server has not completed it"),
    (GONE, "no longer at the server; the ledger remembers it"),
    (BEYOND, "not visible under the scope (S), and not refreshed"),
    (WRITTEN, "has a label or a note, or has changed since you settled it"),
    (SETTLED, "settled by you: accepted, refunded or written off"),
)


_MEANINGS = {
    State.UNPAID: "asked for, nothing has arrived yet",
    State.PARTIAL: "a part has arrived",
    State.SETTLING: "all has arrived; the server is about to complete it",
    State.OPEN: "any amount may come; nothing has yet",
    State.RECEIVING: "any amount may come, and some has",
    State.EXPIRING: "it has just expired; the server's last word is waited for",
    State.PAID: "exactly what was asked has arrived",
    State.OVERPAID: "more than was asked has arrived",
    State.RECEIVED: "some has arrived, and no amount was asked for",
    State.CLOSED_SHORT: "completed with less than was asked",
    State.CLOSED_UNPAID: "completed with nothing",
    State.EXPIRED_PARTIAL: "expired with less than was asked",
    State.EXPIRED_UNPAID: "expired with nothing",
    State.UNAVAILABLE: "the server does not show it any more",
    State.ANOMALY: "asked and received are in different assets",
}


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
            yield Static("Help", classes="dialog-title", markup=False)
            with VerticalScroll(id="help"):
                yield Static(id="help-text")
            yield KeyLine(Place.HELP)

    def on_mount(self) -> None:
        """Write it, and let the arrow keys scroll."""
        colours = self.app.theme_variables
        key, title = Style(color=colours["primary"]), Style(bold=True)
        self.query_one("#help-text", Static).update(help_text(self.about, key, title))
        self.query_one("#help").focus()

    def on_resize(self) -> None:
        """Leave room for the title and the key line."""
        self.query_one("#help").styles.max_height = max(self.size.height - 8, 3)

    def action_close(self) -> None:
        """Close the help."""
        self.dismiss(None)


def help_text(place: Place, key: Style, title: Style) -> Group:
    """Return the help of a place: every action with its keys and its sentence.

    Args:
        place: The place that the help is about.
        key: How keys are written.
        title: How titles are written.
    """
    here = [action for action in actions_at(place) if place in action.places]
    everywhere = [action for action in actions_at(place) if place not in action.places]
    table = _grid(_KEYS_WIDTH)
    _section(table, Text(place.value, title), _rows(here), key)
    _section(table, Text("Everywhere", title), _rows(everywhere), key)
    if place is not Place.PAYMENTS:
        return Group(table)
    _section(table, Text("Signs", title), list(_SIGNS), key)
    states = _grid(_KEYS_WIDTH, _STATE_WIDTH)
    states.add_row()
    states.add_row("", Text("States", title))
    for state, meaning in _MEANINGS.items():
        states.add_row(Text(GLYPHS[state], key), Text(state.value), Text(meaning))
    return Group(table, states)


def _grid(*widths: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        grid.add_column(no_wrap=True, width=width)
    grid.add_column(ratio=1)
    return grid


def _section(table: Table, title: Text, rows: list[tuple[str, str]], key: Style) -> None:
    if rows:
        if table.row_count:
            table.add_row()
        table.add_row("", title)
    for sign, meaning in rows:
        table.add_row(Text(sign, key), Text(meaning))


def _rows(actions: list[Action]) -> list[tuple[str, str]]:
    """Return keys and sentences; the actions that differ by a number only share one line."""
    rows: list[tuple[str, str]] = []
    for action in actions:
        if action.argument is None:
            rows.append((action.shown_keys, action.help))
        elif action.argument == 1:
            family = [other for other in actions if other.id == action.id]
            rows.append((f"{action.shown_key}–{family[-1].shown_key}", action.family_help))
    return rows
