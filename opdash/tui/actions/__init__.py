"""The one registry of actions.

What a key does, what the key line offers, what the help screen explains and what the command
palette finds are all made from it. An action named ``copy_url`` runs the method ``action_copy_url``
of the screen it was pressed on (or of the app, for `Place.ANYWHERE`).

What works in the table of payments is known at once; all else, in `opdash.tui.actions.registry`, is
imported when another place is asked about, because the first frame does without.
"""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from opdash.tui.actions.base import HIDDEN, MODAL_PLACES, SORT_COLUMNS, Action, Place, key_name
from opdash.tui.actions.moving import everywhere, explanations, movement
from opdash.tui.actions.payments import payments
from opdash.tui.actions.ways import ways

__all__ = [
    "HIDDEN",
    "MODAL_PLACES",
    "SORT_COLUMNS",
    "Action",
    "Place",
    "actions_at",
    "bindings",
    "key_name",
    "key_of",
]

_TABLE: Final = (*payments(), *ways(), *movement(), *explanations(), *everywhere())
_AT_THE_TABLE: Final = frozenset({Place.ANYWHERE, Place.PAYMENTS, Place.FILTER})


def actions_at(place: Place) -> tuple[Action, ...]:
    """Return what works at a place, what works everywhere included, in the registry's order."""
    found = _own(place)
    if place not in MODAL_PLACES and place is not Place.ANYWHERE:
        found += _own(Place.ANYWHERE)
    return found


def bindings(place: Place) -> list[BindingType]:
    """Return the bindings of a place's own actions, for a screen's or the app's ``BINDINGS``."""
    return [
        Binding(",".join(action.keys), action.run, action.label, show=False)
        for action in _own(place)
    ]


def key_of(action_id: str, place: Place) -> str:
    """Return the first key of an action that works at a place, as people write it."""
    return next(action for action in _own(place) if action.id == action_id).shown_key


def _own(place: Place) -> tuple[Action, ...]:
    return tuple(action for action in _known_of(place) if place in action.places)


def _known_of(place: Place) -> tuple[Action, ...]:
    if place in _AT_THE_TABLE:
        return _TABLE
    from opdash.tui.actions.registry import ACTIONS

    return ACTIONS
