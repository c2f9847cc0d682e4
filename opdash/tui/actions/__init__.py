"""The one registry of actions.

What a key does, what the key line offers, what the help screen explains and what the command
palette finds are all made from `ACTIONS`. An action named ``copy_url`` runs the method
``action_copy_url`` of the screen it was pressed on (or of the app, for `Place.ANYWHERE`).
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from opdash.tui.actions.base import HIDDEN, MODAL_PLACES, SORT_COLUMNS, Action, Place, key_name
from opdash.tui.actions.billing import billing
from opdash.tui.actions.books import books
from opdash.tui.actions.columns import columns
from opdash.tui.actions.dialogs import dialogs, explanations, forms
from opdash.tui.actions.doctor import doctor
from opdash.tui.actions.exports import exports
from opdash.tui.actions.grants import grants
from opdash.tui.actions.inspector import inspector
from opdash.tui.actions.keys import keys
from opdash.tui.actions.moving import everywhere, movement
from opdash.tui.actions.notes import notes
from opdash.tui.actions.outgoing import all_wallets, beside, outgoing_list
from opdash.tui.actions.payments import payments, receipts
from opdash.tui.actions.statements import statements
from opdash.tui.actions.till import sales, till
from opdash.tui.actions.wallets import lookups, wallets

__all__ = [
    "ACTIONS",
    "HIDDEN",
    "MODAL_PLACES",
    "SORT_COLUMNS",
    "Action",
    "Place",
    "actions_at",
    "bindings",
    "key_name",
]

ACTIONS: tuple[Action, ...] = (
    *payments(),
    *notes(),
    *columns(),
    *receipts(),
    *statements(),
    *wallets(),
    *lookups(),
    *exports(),
    *beside(),
    *outgoing_list(),
    *all_wallets(),
    *grants(),
    *doctor(),
    *books(),
    *billing(),
    *forms(),
    *keys(),
    *movement(),
    *inspector(),
    *till(),
    *sales(),
    *dialogs(),
    *explanations(),
    *everywhere(),
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
