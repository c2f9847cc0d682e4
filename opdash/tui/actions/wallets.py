"""What a person can do with wallet addresses and outgoing payments."""

from __future__ import annotations

from opdash.tui.actions.base import SHEETS, Action, Place


def wallets() -> tuple[Action, ...]:
    """Return what works in the choice of wallet addresses."""
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


def lookups() -> tuple[Action, ...]:
    """Return what works with an outgoing payment."""
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
            SHEETS,
            rank=3,
            in_palette=False,
        ),
    )
