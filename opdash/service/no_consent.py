"""The ways in which a wait for consent ends without it, each with a sentence of its own."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from opdash.openpayments.errors import GrantDeniedError

AGAIN = "Press r to ask again; on the command line, run the command again."


class NoConsent(Enum):
    """Why the account holder's consent is not there."""

    REFUSED = "refused"
    """They said no."""
    EXPIRED = "expired"
    """Their page had expired before they decided."""
    UNANSWERED = "unanswered"
    """They never decided; the window may have been closed."""
    FORGED = "forged"
    """What the browser brought is not from the server that was asked."""
    UNKNOWN_REFERENCE = "unknown reference"
    """The server does not know the reference that the browser brought."""
    GIVEN_UP = "given up"
    """Nobody waits for it any more."""
    NOT_ASKED = "not asked"
    """It was not given before, and nobody wanted it to be asked for again."""


class NoConsentError(GrantDeniedError):
    """The account holder did not consent.

    Attributes:
        why: Why not.
    """

    def __init__(self, why: NoConsent, sentence: str, advice: str) -> None:
        super().__init__(sentence, advice, status=0)
        self.why = why


def no_consent(why: NoConsent, purpose: str, *, by_redirect: bool) -> NoConsentError:
    """Return the error with its sentence.

    Args:
        why: How the wait ended.
        purpose: What was asked for, as the end of "opdash may …".
        by_redirect: Whether the browser was to come back to this machine.
    """
    return NoConsentError(why, *_explained(why, purpose, by_redirect=by_redirect))


def refused_elsewhere(at: datetime) -> NoConsentError:
    """Return the error where the account holder refused what another process asked for.

    Args:
        at: When they refused.
    """
    return NoConsentError(
        NoConsent.NOT_ASKED,
        f"The account holder refused at {at.astimezone():%H:%M:%S}, when another opdash asked; "
        "this one does not ask by itself.",
        AGAIN,
    )


def _explained(why: NoConsent, purpose: str, *, by_redirect: bool) -> tuple[str, str]:
    match why:
        case NoConsent.REFUSED:
            return (
                f"The account holder refused: opdash may not {purpose}.",
                "Ask again when they agree.",
            )
        case NoConsent.EXPIRED:
            return (
                "The consent page had expired before the account holder decided.",
                "Ask again; there are ten minutes from then on.",
            )
        case NoConsent.UNANSWERED if by_redirect:
            return (
                "No browser came back within ten minutes; perhaps the window was closed.",
                "Ask again. Where the browser runs on another machine, choose polling.",
            )
        case NoConsent.UNANSWERED:
            return (
                "Nobody decided within ten minutes; the consent page no longer works.",
                "Ask again when the account holder is ready.",
            )
        case NoConsent.FORGED:
            return (
                "What the browser brought is not from the server that was asked: its hash is off.",
                "opdash did not use it. Ask again, and open only the address that opdash shows.",
            )
        case NoConsent.UNKNOWN_REFERENCE:
            return (
                "The authorization server does not know the reference that the browser brought.",
                "Ask again.",
            )
        case NoConsent.GIVEN_UP:
            return "The request for consent was withdrawn.", AGAIN
        case NoConsent.NOT_ASKED:
            return "Nobody waits for consent any more.", AGAIN
