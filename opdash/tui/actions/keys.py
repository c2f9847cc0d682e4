"""What works where a wallet's key is chosen, registered, replaced and opened."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def keys() -> tuple[Action, ...]:
    """Return the way to a wallet's key, and what works in the dialogs about keys."""
    add, register, change = Place.ADD_WALLET, Place.REGISTER_KEY, Place.REPLACE_KEY

    def form(id_: str, key: str, label: str, sentence: str, place: Place, rank: int) -> Action:
        return Action(id_, (key,), label, sentence, (place,), rank=rank, in_palette=False)

    return (
        Action(
            "replace_key",
            ("K",),
            "Key",
            "Replace the selected wallet's key by a new one, without a break.",
            (Place.WALLETS,),
        ),
        form("next_step", "ctrl+s", "Next", "Go on: register the key, and save.", add, 1),
        form("make_key", "f3", "New key", "Make a private key, kept for you only.", add, 3),
        form("show_more", "f4", "More", "Show client, scope, access, interval and CA.", add, 4),
        form("next_key", "f6", "Next key", "Take the next of the keys that are there.", add, 5),
        form("check_again", "ctrl+r", "Ask again", "Ask the address, read the key again.", add, 6),
        form("leave", "escape", "Back", "Leave; you are asked if you typed something.", add, 2),
        form("save", "ctrl+s", "Save", "Save the wallet, ready or not.", register, 1),
        form("copy_key", "f2", "Copy key", "Copy the public key (JWK).", register, 3),
        form("copy_base64", "f6", "Base64", "Copy the public key as base64.", register, 4),
        form("check_again", "ctrl+r", "Check now", "Check now, not later.", register, 5),
        form("leave", "escape", "Back", "Go back to the form.", register, 2),
        form("go_on", "ctrl+y", "Go on", "Do what comes next, as the button says.", change, 1),
        form(
            "discard",
            "ctrl+t",
            "Discard",
            "Give up the next key, or delete the former one; you are asked first.",
            change,
            6,
        ),
        form("copy_key", "f2", "Copy key", "Copy the next public key (JWK).", change, 3),
        form("copy_base64", "f6", "Base64", "Copy the next public key as base64.", change, 4),
        form("check_again", "ctrl+r", "Check now", "Check now, not later.", change, 5),
        form("leave", "escape", "Back", "Leave; K goes on where this was left.", change, 2),
        form("unlock", "ctrl+s", "Open", "Open the key.", Place.PASSPHRASE, 1),
        form(
            "leave",
            "escape",
            "Not now",
            "Go on without this wallet; r asks again.",
            Place.PASSPHRASE,
            2,
        ),
    )
