"""What works in the list of outgoing payments, and in that of all wallets."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def outgoing_list() -> tuple[Action, ...]:
    """Return what works in the list of outgoing payments, and on one of them."""
    here = (Place.OUTGOINGS,)
    both = (Place.OUTGOINGS, Place.OUTGOING)
    return (
        Action("open", ("enter",), "Open", "Show all about the selected payment.", here, rank=2),
        Action(
            "open_receiver",
            ("i",),
            "Incoming",
            "Open the incoming payment that it pays, if it is one of yours.",
            both,
            rank=5,
        ),
        Action("copy_url", ("y",), "Copy URL", "Copy the outgoing payment's URL.", both, rank=6),
        Action("refresh", ("r",), "Refresh", "Ask the server for the newest.", here, rank=5),
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
        Action("outgoing", ("o", "u"), "Look up", "Look up a payment by its URL.", here, rank=4),
        Action(
            "back",
            ("escape", "O", "backspace"),
            "Back",
            "Go back.",
            here,
            rank=3,
            in_palette=False,
        ),
        Action(
            "open_payer",
            ("o",),
            "Outgoing",
            "Open the outgoing payment that pays this one, where opdash has seen it.",
            (Place.DETAIL,),
            rank=12,
        ),
    )


def all_wallets() -> tuple[Action, ...]:
    """Return what works in the list of all wallets' payments; filters do not."""
    here = (Place.ALL_WALLETS,)
    return (
        Action("open", ("enter",), "Open", "Show all about the selected payment.", here, rank=2),
        Action("copy_url", ("y",), "Copy URL", "Copy the selected payment's URL.", here, rank=5),
        Action(
            "show_wallet",
            ("p",),
            "Its wallet",
            "Show the payments of the selected payment's wallet, where they can be filtered.",
            here,
            rank=4,
        ),
        Action("refresh", ("r",), "Refresh", "Ask all servers at once.", here, rank=6),
        Action("wallets", ("w",), "Wallets", "Choose among your wallet addresses.", here, rank=7),
        Action("back", ("escape", "A"), "Back", "Go back.", here, rank=3, in_palette=False),
    )
