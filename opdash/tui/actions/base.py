"""What an action is, and the places where actions work."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Place(StrEnum):
    """Where an action works; the value is the place's name for people."""

    ANYWHERE = "Everywhere"
    WALLETS = "Wallet addresses"
    PAYMENTS = "Incoming payments"
    DETAIL = "One incoming payment"
    OUTGOING = "Outgoing payment"
    OUTGOINGS = "Outgoing payments"
    ALL_WALLETS = "All wallets"
    RECEIPTS = "Receipts per hour and day"
    STATEMENT = "Statement"
    RECEIPT = "Receipt"
    GRANTS = "Grants and tokens"
    DOCTOR = "Doctor"
    CREATE = "New incoming payment"
    COMPLETE = "Complete a payment"
    ADD_WALLET = "Add a wallet address"
    REGISTER_KEY = "Register a key"
    REPLACE_KEY = "Replace a key"
    PASSPHRASE = "Passphrase"  # noqa: S105 - the name of a place
    REMOVE_WALLET = "Remove a wallet address"
    GIVE_BACK = "Give a grant back"
    SCOPE = "Scope"
    SORT = "Sort order"
    COLUMNS = "Columns"
    FILTER = "Filter"
    SEARCHES = "Saved searches"
    SAVE_SEARCH = "Save a search"
    NOTE = "Note on a payment"
    SAVE_PAPER = "Save into a file"
    EXPORT = "Export"
    CONSENT = "Consent"
    HELP = "Help"
    INSPECTOR = "Request inspector"
    REQUEST = "One request"
    TILL = "Till"
    SALE = "A sale at the till"
    END_SALE = "End a sale"
    INVOICES = "File of invoices"
    REVIEW = "Invoices against payments"
    INVOICE = "One invoice"
    PICK = "Choose one"
    SPLIT = "Split"
    BILL = "Payments for invoices"


MODAL_PLACES = frozenset(
    {
        Place.CREATE,
        Place.COMPLETE,
        Place.ADD_WALLET,
        Place.REGISTER_KEY,
        Place.REPLACE_KEY,
        Place.PASSPHRASE,
        Place.REMOVE_WALLET,
        Place.GIVE_BACK,
        Place.SCOPE,
        Place.SORT,
        Place.COLUMNS,
        Place.FILTER,
        Place.SEARCHES,
        Place.SAVE_SEARCH,
        Place.NOTE,
        Place.SAVE_PAPER,
        Place.EXPORT,
        Place.CONSENT,
        Place.HELP,
        Place.TILL,
        Place.SALE,
        Place.END_SALE,
        Place.PICK,
        Place.SPLIT,
        Place.BILL,
    }
)
"""Places that lie over another screen or take text; what works everywhere does not work there."""

HIDDEN = 0
"""The rank of an action that never stands in a key line."""


class Action(msgspec.Struct, frozen=True):
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
    "asterisk": "*",
    "plus": "+",
    "minus": "-",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "equals_sign": "=",
    "comma": ",",
    "full_stop": ".",
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

LISTS = (
    Place.PAYMENTS,
    Place.WALLETS,
    Place.ALL_WALLETS,
    Place.OUTGOINGS,
    Place.GRANTS,
    Place.DOCTOR,
)
SHEETS = (Place.DETAIL, Place.OUTGOING)
FORMS = (
    Place.CREATE,
    Place.COMPLETE,
    Place.ADD_WALLET,
    Place.REGISTER_KEY,
    Place.REPLACE_KEY,
    Place.PASSPHRASE,
    Place.REMOVE_WALLET,
    Place.SAVE_SEARCH,
    Place.NOTE,
    Place.SAVE_PAPER,
    Place.EXPORT,
    Place.GIVE_BACK,
    Place.SCOPE,
    Place.TILL,
    Place.END_SALE,
    Place.SPLIT,
    Place.BILL,
)
