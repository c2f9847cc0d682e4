"""The ways from the table of payments to everything else."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def ways() -> tuple[Action, ...]:
    """Return what opens other screens from the table; some of it works elsewhere, too."""
    here = (Place.PAYMENTS,)
    lists = (Place.PAYMENTS, Place.WALLETS)
    return (
        Action(
            "columns",
            ("v",),
            "Columns",
            "Choose the table's columns, their order and their widths.",
            here,
            rank=15,
        ),
        Action(
            "statement",
            ("M",),
            "Statement",
            "Show the statement of this month: what arrived, by day and reference, and what needs "
            "action.",
            here,
        ),
        Action(
            "export",
            ("e",),
            "Export",
            "Write the payments, or those that the filter shows, to a file for the bookkeeper.",
            here,
            rank=19,
        ),
        Action(
            "previous_wallet",
            ("comma",),
            "Wallet before",
            "Go to the wallet before this one, whether its server answers or not.",
            here,
        ),
        Action(
            "next_wallet",
            ("full_stop",),
            "Next wallet",
            "Go to the next wallet, whether its server answers or not.",
            here,
            rank=19,
        ),
        Action(
            "all_wallets",
            ("A",),
            "All wallets",
            "Show the payments of all wallets in one list, and what they add up to in each asset.",
            lists,
            rank=20,
        ),
        Action(
            "list_outgoing",
            ("O",),
            "Outgoing list",
            "List this wallet's outgoing payments; servers want the account holder's consent.",
            lists,
            rank=21,
        ),
        Action(
            "grants",
            ("T",),
            "Tokens",
            "Show the grants and tokens that opdash holds; renew them or give them back.",
            lists,
        ),
        Action(
            "scope",
            ("S",),
            "Scope",
            "Choose whether to see what opdash created only, or everything on the wallet.",
            (*lists, Place.GRANTS),
        ),
        Action(
            "doctor",
            ("D",),
            "Doctor",
            "Find out step by step what is wrong between opdash and this wallet, and what to do.",
            (*lists, Place.GRANTS),
        ),
        Action(
            "books",
            ("B",),
            "Books",
            "Hold a file of invoices against the payments: which are paid, short, over, missing.",
            lists,
            rank=22,
        ),
        Action(
            "till",
            ("P",),
            "Till",
            "Take payments at the counter: an amount, a QR code for the customer, and PAID.",
            here,
            rank=22,
        ),
    )
