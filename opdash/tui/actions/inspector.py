"""What works in the request inspector."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place

PART_NAMES = ("Request", "Signature", "Body", "Answer")
"""The parts in which a request is shown, as the keys 1 to 4 choose them."""


def inspector() -> tuple[Action, ...]:
    """Return what works in the list of requests, and on one of them."""
    both = (Place.INSPECTOR, Place.REQUEST)
    whole_list, one = (Place.INSPECTOR,), (Place.REQUEST,)
    return (
        Action(
            "open_request",
            ("enter",),
            "Open",
            "Show the selected request on the whole screen.",
            whole_list,
            rank=2,
        ),
        *(
            Action(
                "show_part",
                (str(number),),
                name,
                f"Show the request's {name.lower()}."
                if name != "Request"
                else "Show what was asked, with its headers.",
                both,
                argument=number,
                family_help="Show what was asked, its signature, its body, or the answer.",
            )
            for number, name in enumerate(PART_NAMES, 1)
        ),
        *(
            Action(
                "next_part",
                ("right",),
                "Next part",
                "Go to the next part: request, signature, body, answer.",
                (place,),
                rank=rank,
                in_palette=False,
            )
            for place, rank in ((Place.INSPECTOR, 11), (Place.REQUEST, 2))
        ),
        Action(
            "previous_part",
            ("left",),
            "Part before",
            "Go to the part before.",
            both,
            in_palette=False,
        ),
        Action(
            "older_request",
            ("n",),
            "Older",
            "Show the request before it.",
            one,
            5,
            in_palette=False,
        ),
        Action(
            "newer_request", ("N",), "Newer", "Show the request after it.", one, 6, in_palette=False
        ),
        Action(
            "copy_request",
            ("y",),
            "Copy",
            "Copy the request as a text report, secrets masked.",
            both,
            rank=6,
        ),
        Action(
            "copy_requests",
            ("Y",),
            "Copy all",
            "Copy all requests that are shown as a text report; where it is long, bodies are cut.",
            whole_list,
            rank=10,
        ),
        Action(
            "save_requests",
            ("s",),
            "Save",
            "Write all requests that are shown, whole, into a file that only you can read.",
            whole_list,
            rank=8,
        ),
        Action(
            "save_requests",
            ("s",),
            "Save",
            "Write the request into a file that only you can read.",
            one,
            rank=8,
        ),
        Action(
            "errors_only",
            ("e",),
            "Errors",
            "Show only what was refused or got no answer, or everything again.",
            whole_list,
            rank=5,
        ),
        Action(
            "next_wallet",
            ("w",),
            "Wallet",
            "Show the requests of one wallet after the other, or of all.",
            whole_list,
            rank=9,
        ),
        Action(
            "pause",
            ("p", "space"),
            "Pause",
            "Let the list stand still while you explain it, or go on.",
            whole_list,
            rank=7,
        ),
        Action(
            "switch_pane",
            ("tab",),
            "Other pane",
            "Change between the list and the details at its right, to scroll them.",
            whole_list,
            in_palette=False,
        ),
        Action("back", ("escape", "I"), "Back", "Go back.", whole_list, rank=3, in_palette=False),
        Action(
            "back",
            ("escape", "I", "backspace"),
            "Back",
            "Go back to the list.",
            one,
            rank=3,
            in_palette=False,
        ),
    )
