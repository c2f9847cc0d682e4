"""What stands where payments would be, when there are none to show."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from opdash.ledger.records import Scope
from opdash.safetext import safe_text
from opdash.service.status import Phase, Status
from opdash.settings import Profile
from opdash.tui import format as fmt

DOCTOR = "D finds out why."
"""Offers the doctor where something fails."""

_WHY_NOT = {
    Phase.OFFLINE: "Offline",
    Phase.REFUSED: "The server said no",
    Phase.FAILED: "opdash cannot ask",
}

UNWELL = frozenset(_WHY_NOT)
"""The phases in which something fails."""


def empty_text(profile: Profile, status: Status, now: datetime) -> Content:
    """Say why there is nothing, and what to do, for each way in which that can be."""
    title, *rest = _paragraphs(profile, status, now)
    lines = [Content.styled(title, "bold"), *(Content(line) for line in rest)]
    return Content("\n\n").join(lines)


def nothing_found(query: str) -> Content:
    """Say that no payment matches a filter."""
    title = Content.styled("○ No payment that is known matches.", "bold")
    text = Content(f"The filter is  {safe_text(query, limit=200)}")
    return Content("\n\n").join([title, text, Content("/ changes it, Esc shows all payments.")])


def _paragraphs(profile: Profile, status: Status, now: datetime) -> list[str]:
    address = fmt.short_address(profile.wallet_address)
    match status.phase:
        case Phase.IDLE | Phase.CONNECTING:
            return [
                f"◌ Connecting to {address}…",
                "The first answer of a wallet address takes a moment.",
                "w chooses another wallet address, q leaves.",
            ]
        case Phase.OFFLINE | Phase.REFUSED | Phase.FAILED:
            return [
                f"▲ {_WHY_NOT[status.phase]}, and nothing is known yet.",
                safe_text(f"{status.problem} {status.advice}".strip(), limit=400),
                f"{_next_try(status, now)} {DOCTOR}",
            ]
        case Phase.LIVE:
            return [
                "○ No incoming payments yet.",
                _scope_sentence(profile),
                "Press n to create the first one. It is watched from then on.",
            ]


def _next_try(status: Status, now: datetime) -> str:
    if status.polling or status.next_poll_at is None or status.next_poll_at <= now:
        return "Trying again now…"
    return f"Next try in {fmt.age(status.next_poll_at - now)}; r tries at once."


def _scope_sentence(profile: Profile) -> str:
    if profile.scope is Scope.OWN:
        return "This wallet shows the payments that opdash created, and there are none."
    return (
        "The wallet address has never been asked to receive a payment, as far as its server says."
    )
