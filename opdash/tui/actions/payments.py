"""What a person can do in the table of payments."""

from __future__ import annotations

from opdash.tui.actions.base import SORT_COLUMNS, Action, Place


def payments() -> tuple[Action, ...]:
    """Return what works in the table of payments, and on one of them."""
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
        Action(
            "save_search",
            ("ctrl+s",),
            "Save search",
            "Keep the filter under a name, for this wallet or for all.",
            (Place.PAYMENTS, Place.FILTER),
            rank=14,
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
            "Open the outgoing payment that pays this one, or look up any payment by its URL.",
            here,
        ),
        Action(
            "fold",
            ("space",),
            "Fold",
            "Open or close a line that stands for several payments; searches say which fold.",
            here,
            rank=16,
        ),
        Action(
            "fold_all",
            ("a",),
            "Fold all",
            "Close all such lines; if all are closed, give each payment a row, or fold them again.",
            here,
            rank=17,
        ),
        Action(
            "totals",
            ("equals_sign",),
            "Totals",
            "Show what all payments add up to in each asset; with a filter, its totals are there.",
            here,
            rank=18,
        ),
        Action(
            "receipts",
            ("h",),
            "Receipts",
            "Show what arrived per hour and per day.",
            here,
            rank=15,
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
        Action(
            "note",
            ("N",),
            "Note",
            "Label the payment, write a note on it, or say how you settled it; nothing of it is "
            "sent.",
            (Place.PAYMENTS, Place.DETAIL),
            rank=19,
        ),
        Action(
            "receipt",
            ("R",),
            "Receipt",
            "Show the payment's receipt, as a customer may have it; copy or save it.",
            (Place.PAYMENTS, Place.DETAIL),
        ),
    )
