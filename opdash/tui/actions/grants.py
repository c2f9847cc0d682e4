"""What a person can do with grants, tokens and the scope."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def grants() -> tuple[Action, ...]:
    """Return what works in the list of grants, and in the questions that it asks."""
    here = (Place.GRANTS,)
    give_back, scope = Place.GIVE_BACK, Place.SCOPE

    def dialog(id_: str, key: str, label: str, sentence: str, place: Place, rank: int) -> Action:
        return Action(id_, (key,), label, sentence, (place,), rank=rank, in_palette=False)

    return (
        Action(
            "renew",
            ("r",),
            "Renew",
            "Exchange the token now, or ask for the grant where there is none.",
            here,
            rank=2,
        ),
        Action(
            "revoke",
            ("d",),
            "Revoke",
            "Revoke the token at the server and forget it; you are asked first.",
            here,
            rank=4,
        ),
        Action(
            "cancel_grant",
            ("x",),
            "Cancel grant",
            "End the grant and its token at the server; you are asked first.",
            here,
            rank=5,
        ),
        Action(
            "sign_out",
            ("o",),
            "Sign out",
            "Give back all grants of this wallet and delete its kept tokens; you are asked first.",
            here,
            rank=6,
        ),
        Action(
            "keep_tokens",
            ("m",),
            "Keep or not",
            "Keep this wallet's tokens for the next start, or in memory only.",
            here,
            rank=7,
        ),
        Action(
            "switch_pane",
            ("tab",),
            "Other pane",
            "Change between the list and the grant, to scroll it.",
            here,
            in_palette=False,
        ),
        Action(
            "back",
            ("escape", "T"),
            "Back",
            "Go back.",
            here,
            rank=3,
            in_palette=False,
        ),
        dialog("give_back", "ctrl+y", "Give back", "Give the grant back.", give_back, 1),
        dialog("leave", "escape", "Keep", "Keep the grant.", give_back, 2),
        dialog("change_scope", "ctrl+y", "Change", "Change what opdash may see.", scope, 1),
        dialog("leave", "escape", "Leave it", "Leave the scope as it is.", scope, 2),
    )
