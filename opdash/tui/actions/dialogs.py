"""What works in forms and dialogs."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def forms() -> tuple[Action, ...]:
    """Return what works in the forms."""

    def form(id_: str, key: str, label: str, sentence: str, place: Place, rank: int) -> Action:
        return Action(id_, (key,), label, sentence, (place,), rank=rank, in_palette=False)

    create, complete = Place.CREATE, Place.COMPLETE
    remove = Place.REMOVE_WALLET
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
        form("remove_for_good", "ctrl+y", "Remove", "Remove it from opdash.", remove, 1),
        form("leave", "escape", "Keep", "Keep the wallet address.", remove, 2),
        form("save", "ctrl+s", "Save", "Keep the search under its name.", Place.SAVE_SEARCH, 1),
        form(
            "leave",
            "escape",
            "Back",
            "Leave; you are asked if you typed something.",
            Place.SAVE_SEARCH,
            2,
        ),
    )


def dialogs() -> tuple[Action, ...]:
    """Return what works in the dialogs."""
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
            "new_search",
            ("n",),
            "New",
            "Keep a search under a name; it begins with the filter that is there.",
            (Place.SEARCHES,),
            rank=2,
            in_palette=False,
        ),
        Action(
            "edit_search",
            ("e",),
            "Change",
            "Change or rename the search; a built-in one becomes your own.",
            (Place.SEARCHES,),
            rank=3,
            in_palette=False,
        ),
        Action(
            "delete_search",
            ("d",),
            "Delete",
            "Delete a search of your own; you are asked first.",
            (Place.SEARCHES,),
            rank=4,
            in_palette=False,
        ),
        Action(
            "open_page",
            ("o",),
            "Open",
            "Open the address in the browser on this machine.",
            (Place.CONSENT,),
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
            "change_way",
            ("p",),
            "Other way",
            "Ask anew: for a phone or any browser, or for the browser on this machine.",
            (Place.CONSENT,),
            rank=3,
            in_palette=False,
        ),
        Action(
            "zoom_code",
            ("z",),
            "QR code",
            "Draw the QR code on the whole screen, or go back.",
            (Place.CONSENT,),
            rank=5,
            in_palette=False,
        ),
        Action(
            "stop_waiting",
            ("x",),
            "Withdraw",
            "Withdraw the request; nobody can consent to it any more.",
            (Place.CONSENT,),
            rank=6,
            in_palette=False,
        ),
        Action(
            "hide",
            ("escape",),
            "Hide",
            "Go on without waiting; C shows this again.",
            (Place.CONSENT,),
            rank=4,
            in_palette=False,
        ),
    )
