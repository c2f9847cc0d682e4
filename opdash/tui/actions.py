"""The one registry of actions.

What a key does, what the key line offers, what the help screen explains and what the command
palette finds are all made from `ACTIONS`. An action named ``copy_url`` runs the method
``action_copy_url`` of the screen it was pressed on (or of the app, for `Place.ANYWHERE`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding, BindingType


class Place(StrEnum):
    """Where an action works; the value is the place's name for people."""

    ANYWHERE = "Everywhere"
    WALLETS = "Wallet addresses"
    PAYMENTS = "Incoming payments"
    DETAIL = "One incoming payment"
    OUTGOING = "Outgoing payment"
    CREATE = "New incoming payment"
    COMPLETE = "Complete a payment"
    ADD_WALLET = "Add a wallet address"
    REMOVE_WALLET = "Remove a wallet address"
    SORT = "Sort order"
    FILTER = "Filter"
    SEARCHES = "Saved searches"
    CONSENT = "Consent"
    HELP = "Help"


MODAL_PLACES = frozenset(
    {
        Place.CREATE,
        Place.COMPLETE,
        Place.ADD_WALLET,
        Place.REMOVE_WALLET,
        Place.SORT,
        Place.FILTER,
        Place.SEARCHES,
        Place.CONSENT,
        Place.HELP,
    }
)
"""Places that lie over another screen or take text; what works everywhere does not work there."""

HIDDEN = 0
"""The rank of an action that never stands in a key line."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    Attributes:
        id: The name of the action; its method is ``action_<id>``.
        keys: Textual names of the keys that start it, the one to show first.
        label: Two words at most, for the key line.
        help: One sentence, for the help screen and the command palette.
        places: Where it works.
        rank: How long it stays on a narrow key line: 1 stays longest, `HIDDEN` is never there.
        argument: What its method is given, or None; actions of one id differ by it only.
        family_help: One sentence for all of them.
        in_palette: Whether the command palette offers it; plain movement is left out.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    places: tuple[Place, ...]
    rank: int = HIDDEN
    argument: int | None = None
    family_help: str = ""
    in_palette: bool = True

    @property
    def run(self) -> str:
        """The action as Textual runs it, wherever it is started from."""
        owner = "app" if Place.ANYWHERE in self.places else "screen"
        argument = "" if self.argument is None else f"({self.argument})"
        return f"{owner}.{self.id}{argument}"

    @property
    def shown_key(self) -> str:
        """The first key, as people write it."""
        return key_name(self.keys[0])

    @property
    def shown_keys(self) -> str:
        """All keys, as people write them."""
        return " ".join(key_name(key) for key in self.keys)


_KEY_NAMES = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "⏎",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "⇧Tab",
    "space": "Space",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "backspace": "⌫",
    "colon": ":",
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def key_name(key: str) -> str:
    """Return a Textual key name as people write it: ``⏎``, ``PgDn``, ``Ctrl+P``, ``]``."""
    if key in _KEY_NAMES:
        return _KEY_NAMES[key]
    if key.startswith("ctrl+"):
        return f"Ctrl+{key[5:].upper()}"
    return key.upper() if key[0] == "f" and key[1:].isdecimal() else key


SORT_COLUMNS = ("State", "Asked", "Received", "Reference", "Description", "Created", "Expires")
"""The table's columns in their order, as the keys 1 to 7 sort by them."""

_LISTS = (Place.PAYMENTS, Place.WALLETS)
_SHEETS = (Place.DETAIL, Place.OUTGOING)
_FORMS = (Place.CREATE, Place.COMPLETE, Place.ADD_WALLET, Place.REMOVE_WALLET)


def _everywhere() -> tuple[Action, ...]:
    anywhere = (Place.ANYWHERE,)
    return (
        Action(
            "command_palette",
            ("colon", "ctrl+p"),
            "Commands",
            "Find any command by typing a part of its name.",
            anywhere,
            rank=3,
            in_palette=False,
        ),
        Action(
            "help",
            ("question_mark", "f1"),
            "Help",
            "Show the keys that work on this screen.",
            anywhere,
            rank=1,
        ),
        Action("toggle_theme", ("t",), "Theme", "Change between dark and light.", anywhere),
        Action("quit", ("q", "ctrl+q"), "Quit", "Leave opdash.", anywhere, rank=9),
    )


def _movement() -> tuple[Action, ...]:
    def move(id_: str, keys: tuple[str, ...], label: str, sentence: str) -> Action:
        return Action(id_, keys, label, sentence, _LISTS, in_palette=False)

    def scroll(
        id_: str, keys: tuple[str, ...], label: str, sentence: str, *, forms: bool = False
    ) -> Action:
        places = (*_SHEETS, *_FORMS) if forms else _SHEETS
        return Action(id_, keys, label, sentence, places, in_palette=False)

    def field(id_: str, key: str, label: str, sentence: str) -> Action:
        return Action(id_, (key,), label, sentence, _FORMS, in_palette=False)

    return (
        field(
            "next_field",
            "tab",
            "Next field",
            "Go to the next field; where it is a choice, ← and → change it.",
        ),
        field("previous_field", "shift+tab", "Previous field", "Go to the previous field."),
        scroll("line_up", ("up", "k"), "Up", "Scroll one line up."),
        scroll("line_down", ("down", "j"), "Down", "Scroll one line down."),
        scroll("screen_up", ("pageup",), "Screen up", "Scroll one screenful up.", forms=True),
        scroll(
            "screen_down", ("pagedown",), "Screen down", "Scroll one screenful down.", forms=True
        ),
        scroll("top", ("home", "g"), "Top", "Scroll to the top."),
        scroll("bottom", ("end", "G"), "Bottom", "Scroll to the bottom."),
        move("move_up", ("up", "k"), "Up", "Go one row up."),
        move("move_down", ("down", "j"), "Down", "Go one row down."),
        move("screen_up", ("pageup", "ctrl+b"), "Screen up", "Go one screenful up."),
        move("screen_down", ("pagedown", "ctrl+f"), "Screen down", "Go one screenful down."),
        move("first", ("home", "g"), "First", "Go to the first row; the newest is followed there."),
        move("last", ("end", "G"), "Last", "Go to the last row that is known."),
    )


def _payments() -> tuple[Action, ...]:
    here = (Place.PAYMENTS,)
    return (
        Action(
            "new_payment",
            ("n",),
            "New",
            "Create an incoming payment: an amount, a reference, an expiry.",
            here,
            rank=2,
        ),
        Action(
            "complete",
            ("c",),
            "Complete",
            "Close the selected payment for good; it is fetched anew and you are asked first.",
            (Place.PAYMENTS, Place.DETAIL),
            rank=5,
        ),
        Action("open", ("enter",), "Open", "Show all about the selected payment.", here, rank=4),
        Action(
            "copy_url",
            ("y",),
            "Copy URL",
            "Copy the selected payment's URL, which a payer needs.",
            (Place.PAYMENTS, Place.DETAIL),
            rank=6,
        ),
        Action(
            "filter",
            ("slash",),
            "Filter",
            "Show only payments that match: words, state:short, amount>10, since:7d, -is:gone.",
            here,
            rank=7,
        ),
        Action(
            "searches",
            ("f",),
            "Searches",
            "Choose among saved searches, such as Needs action or Today; each tells how many.",
            here,
            rank=12,
        ),
        Action(
            "keep_filter",
            ("enter", "down"),
            "Keep",
            "Keep the filter and go to the rows.",
            (Place.FILTER,),
            rank=1,
            in_palette=False,
        ),
        Action(
            "clear_filter",
            ("escape",),
            "Clear filter",
            "Show all payments again.",
            (Place.PAYMENTS, Place.FILTER),
            rank=13,
        ),
        Action("sort", ("s",), "Sort", "Choose the column to sort by.", here, rank=9),
        Action(
            "next_page",
            ("right_square_bracket",),
            "Next page",
            "Go to the next page; beyond the last known one, older payments are fetched.",
            here,
            rank=8,
        ),
        Action(
            "previous_page",
            ("left_square_bracket",),
            "Previous page",
            "Go to the previous page.",
            here,
        ),
        Action("page_size", ("z",), "Page size", "Change the page size: 20, 50 or 100 rows.", here),
        Action("wallets", ("w",), "Wallets", "Choose among your wallet addresses.", here, rank=10),
        Action(
            "refresh",
            ("r",),
            "Refresh now",
            "Ask the server at once instead of at the next interval.",
            (Place.PAYMENTS, Place.DETAIL, Place.OUTGOING),
        ),
        Action(
            "pause_scan",
            ("p",),
            "Pause reading",
            "Pause reading the whole list in the background, or let it go on.",
            here,
        ),
        Action(
            "methods",
            ("m",),
            "Methods",
            "Fetch the ways to pay the selected payment; their secrets stay masked.",
            (Place.PAYMENTS, Place.DETAIL),
            rank=11,
        ),
        Action(
            "outgoing",
            ("o",),
            "Outgoing",
            "Look up an outgoing payment, or any payment, by its URL.",
            here,
        ),
        Action(
            "switch_pane",
            ("tab",),
            "Other pane",
            "Change between the table and the details at its right.",
            here,
            in_palette=False,
        ),
        *(
            Action(
                "sort_by",
                (str(number),),
                f"Sort by {name}",
                f"Sort by {name}; once more turns the order round.",
                here,
                argument=number,
                family_help="Sort by that column; once more turns the order round.",
            )
            for number, name in enumerate(SORT_COLUMNS, start=1)
        ),
    )


def _wallets() -> tuple[Action, ...]:
    here = (Place.WALLETS,)
    return (
        Action("choose", ("enter",), "Open", "Show this wallet address's payments.", here, rank=2),
        Action("add_wallet", ("a",), "Add", "Add a wallet address.", here, rank=4),
        Action(
            "remove_wallet",
            ("d",),
            "Remove",
            "Remove the selected wallet address from opdash; you are asked first.",
            here,
            rank=5,
        ),
        Action(
            "back",
            ("escape", "w"),
            "Back",
            "Go back to the payments.",
            here,
            rank=6,
            in_palette=False,
        ),
    )


def _lookups() -> tuple[Action, ...]:
    here = (Place.OUTGOING,)
    return (
        Action(
            "look_up",
            ("enter",),
            "Look up",
            "Ask the server for the payment at the typed URL.",
            here,
            rank=2,
            in_palette=False,
        ),
        Action("edit_url", ("u",), "Other URL", "Type or paste another URL.", here, rank=4),
        Action(
            "back",
            ("escape", "backspace"),
            "Back",
            "Go back to the payments.",
            _SHEETS,
            rank=3,
            in_palette=False,
        ),
    )


def _forms() -> tuple[Action, ...]:
    def form(id_: str, key: str, label: str, sentence: str, place: Place, rank: int) -> Action:
        return Action(id_, (key,), label, sentence, (place,), rank=rank, in_palette=False)

    create, complete = Place.CREATE, Place.COMPLETE
    add, remove = Place.ADD_WALLET, Place.REMOVE_WALLET
    return (
        form("send", "ctrl+s", "Create", "Create the payment; it is sent once.", create, 1),
        form("add_row", "ctrl+n", "Add key", "Add a key to the metadata.", create, 3),
        form("remove_row", "ctrl+t", "Remove key", "Remove the key you are in.", create, 4),
        form("leave", "escape", "Back", "Leave; you are asked if you typed something.", create, 2),
        form(
            "complete_for_good",
            "ctrl+y",
            "Complete",
            "Complete the payment as shown; this cannot be undone.",
            complete,
            1,
        ),
        form("fetch_again", "ctrl+r", "Fetch again", "Fetch the payment anew.", complete, 3),
        form("leave", "escape", "Back", "Leave the payment as it is.", complete, 2),
        form("save", "ctrl+s", "Save", "Add the wallet address and begin to watch it.", add, 1),
        form("check_again", "ctrl+r", "Check again", "Ask address and key once more.", add, 3),
        form("make_key", "f3", "New key", "Make a private key, kept for you only.", add, 4),
        form("copy_key", "f2", "Copy key", "Copy the public key for the provider.", add, 5),
        form("leave", "escape", "Back", "Leave; you are asked if you typed something.", add, 2),
        form("remove_for_good", "ctrl+y", "Remove", "Remove it from opdash.", remove, 1),
        form("leave", "escape", "Keep", "Keep the wallet address.", remove, 2),
    )


def _dialogs() -> tuple[Action, ...]:
    return (
        Action(
            "close",
            ("escape", "q", "question_mark"),
            "Close",
            "Close the help.",
            (Place.HELP,),
            rank=1,
            in_palette=False,
        ),
        Action(
            "cancel",
            ("escape", "s", "q"),
            "Cancel",
            "Leave the order as it is.",
            (Place.SORT,),
            rank=1,
            in_palette=False,
        ),
        Action(
            "cancel",
            ("escape", "f", "q"),
            "Cancel",
            "Leave the filter as it is.",
            (Place.SEARCHES,),
            rank=1,
            in_palette=False,
        ),
        Action(
            "copy_consent_url",
            ("y", "c"),
            "Copy URL",
            "Copy the address at which the account holder consents.",
            (Place.CONSENT,),
            rank=2,
            in_palette=False,
        ),
        Action(
            "hide",
            ("escape",),
            "Hide",
            "Go on without waiting; opdash keeps asking in the background.",
            (Place.CONSENT,),
            rank=3,
            in_palette=False,
        ),
    )


def _explanations() -> tuple[Action, ...]:
    return (
        Action(
            "explain",
            ("f1",),
            "Help",
            "Show the keys that work in this dialog.",
            (*_FORMS, Place.SORT, Place.SEARCHES, Place.FILTER, Place.CONSENT),
            rank=7,
            in_palette=False,
        ),
    )


ACTIONS: tuple[Action, ...] = (
    *_payments(),
    *_wallets(),
    *_lookups(),
    *_forms(),
    *_movement(),
    *_dialogs(),
    *_explanations(),
    *_everywhere(),
)
"""Every action there is, in the order of key lines and help."""


def actions_at(place: Place) -> tuple[Action, ...]:
    """Return what works at a place, what works everywhere included, in the registry's order."""
    found = [action for action in ACTIONS if place in action.places]
    if place not in MODAL_PLACES and place is not Place.ANYWHERE:
        found += [action for action in ACTIONS if Place.ANYWHERE in action.places]
    return tuple(found)


def bindings(place: Place) -> list[BindingType]:
    """Return the bindings of a place's own actions, for a screen's or the app's ``BINDINGS``."""
    return [
        Binding(",".join(action.keys), action.run, action.label, show=False)
        for action in ACTIONS
        if place in action.places
    ]
