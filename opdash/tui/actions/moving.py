"""What works everywhere, what explains a form, and how to move."""

from __future__ import annotations

from opdash.tui.actions.base import FORMS, LISTS, SHEETS, Action, Place


def everywhere() -> tuple[Action, ...]:
    """Return what works everywhere."""
    anywhere = (Place.ANYWHERE,)
    return (
        Action(
            "inspector",
            ("I",),
            "Requests",
            "Look at the last requests: what was signed, sent and answered, secrets masked.",
            anywhere,
        ),
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
        Action(
            "show_consent",
            ("C",),
            "Consent",
            "Show where to give the consent that opdash waits for.",
            anywhere,
        ),
        Action("toggle_theme", ("t",), "Theme", "Change between dark and light.", anywhere),
        Action(
            "change_notices",
            ("b",),
            "Bell, notification",
            "Choose how payments that come in are told: bell, notification, both or neither.",
            anywhere,
        ),
        Action("quit", ("q", "ctrl+q"), "Quit", "Leave opdash.", anywhere, rank=9),
    )


def movement() -> tuple[Action, ...]:
    """Return how to move in lists, sheets and forms."""

    def move(id_: str, keys: tuple[str, ...], label: str, sentence: str) -> Action:
        places = (*LISTS, Place.INSPECTOR, Place.REVIEW, Place.INVOICES)
        return Action(id_, keys, label, sentence, places, in_palette=False)

    def scroll(
        id_: str, keys: tuple[str, ...], label: str, sentence: str, *, forms: bool = False
    ) -> Action:
        sheets = (*SHEETS, Place.REQUEST, Place.STATEMENT, Place.RECEIPT, Place.INVOICE)
        places = (*sheets, *FORMS, Place.SALE) if forms else sheets
        return Action(id_, keys, label, sentence, places, in_palette=False)

    def field(id_: str, key: str, label: str, sentence: str) -> Action:
        return Action(id_, (key,), label, sentence, FORMS, in_palette=False)

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


def explanations() -> tuple[Action, ...]:
    """Return the key that explains a form or a dialog."""
    return (
        Action(
            "explain",
            ("f1",),
            "Help",
            "Show the keys that work in this dialog.",
            (
                *FORMS,
                Place.SORT,
                Place.COLUMNS,
                Place.SEARCHES,
                Place.FILTER,
                Place.CONSENT,
                Place.PICK,
                Place.SALE,
            ),
            rank=7,
            in_palette=False,
        ),
    )
