"""What is said about a grant, as a line of a list and as the entries of a sheet; pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.content import Content

from opdash.safetext import safe_text
from opdash.service.grant_office import GrantView
from opdash.service.rights import Right
from opdash.tui.format import age, instant_long, moment, relative, short_address
from opdash.tui.widgets.line import Span
from opdash.tui.widgets.sheet import Entry, facts, row
from opdash.tui.widgets.wallet_list import WalletEntry

KINDS = {Right.INCOMING: "incoming payments", Right.OUTGOING: "outgoing payments"}
"""What each right is about, in words."""

SOON = timedelta(minutes=1)
"""From how short a rest of its life a token stands out."""

_DOT = Span(" · ", "muted")


def entry_name(view: GrantView) -> str:
    """Return what a grant is called in the list: no two have the same name."""
    return f"{view.right.name} {view.profile}"


def grant_entry(view: GrantView, now: datetime) -> WalletEntry:
    """Return a grant's two lines in the list."""
    first = (
        Span(safe_text(view.title, limit=32), "strong"),
        _DOT,
        Span(KINDS[view.right]),
    )
    if not view.is_held:
        return WalletEntry(entry_name(view), first, (_state(view, now),), _absent(view), ())
    consent = "with consent" if view.with_consent else "without consent"
    second = (Span(f"{safe_text(', '.join(view.actions), limit=80)}", "muted"),)
    kept = "kept" if view.is_kept else "memory only"
    right = (Span(f"{consent} · {kept}", "muted"),)
    return WalletEntry(entry_name(view), first, (_state(view, now),), second, right)


def grant_entries(view: GrantView, now: datetime, *, brief: bool = False) -> list[Entry]:
    """Return all that is known of a grant.

    Args:
        view: The grant.
        now: This machine's instant.
        brief: Whether there is little room; what the list says already is left out.
    """
    title = f"{safe_text(view.title, limit=60)}: {KINDS[view.right]}"
    head: list[Entry] = [row("", Content.styled(title, "bold"))]
    head += [] if brief else [row("", "")]
    if not view.is_held:
        return [*head, row("", _why_absent(view)), row("", "r asks for it.")]
    may = "\n".join(f"{safe_text(words)}" for words in view.rights) or "nothing"
    about = ", ".join(safe_text(short_address(one)) for one in view.identifiers)
    return [
        *head,
        *facts(
            [
                ("opdash may", may),
                *([] if brief else [("actions", safe_text(", ".join(view.actions)))]),
                ("about", about or "what opdash itself created"),
                ("limits", safe_text(view.limits, limit=400) or "none"),
                ("given", _given(view, now)),
                ("token", _token(view, now)),
                ("last used", _used(view, now)),
                ("kept", _kept(view)),
            ]
        ),
    ]


def _state(view: GrantView, now: datetime) -> Span:
    if view.is_given_up:
        return Span("○ given back", "attention")
    if not view.is_held:
        return Span("○ none", "muted")
    if view.expires_at is None:
        return Span("● no end told", "good")
    left = view.expires_at - now
    if left <= timedelta(0):
        return Span("◌ expired, renewed when needed", "muted")
    return Span(f"● {countdown(left)} left", "attention" if left < SOON else "good")


def countdown(left: timedelta) -> str:
    """Write what is left of a token's life: ``9:12``, ``45 s``, ``3 h``."""
    seconds = int(left.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02}"
    return age(left)


def _why_absent(view: GrantView) -> str:
    if not view.is_given_up:
        return "opdash holds no grant for this."
    at = view.given_up_elsewhere_at
    if at is None:
        return "You gave this right back; opdash asks for no other until you want it."
    return (
        f"Another opdash gave this right back at {at.astimezone():%H:%M:%S}; "
        "this one asks for no other until you want it."
    )


def _absent(view: GrantView) -> tuple[Span, ...]:
    if view.is_given_up:
        return (Span("opdash asks for no other until you press r", "muted"),)
    asked = "asked for when needed, with consent"
    return (Span(asked if view.right is Right.OUTGOING else "asked for when needed", "muted"),)


def _given(view: GrantView, now: datetime) -> str:
    how = "with the account holder's consent" if view.with_consent else "without asking anybody"
    when = "" if view.given_at is None else f"{moment(view.given_at, now)}, "
    return f"{when}{how}"


def _token(view: GrantView, now: datetime) -> str:
    renewed = "" if view.renewed_at is None else f"; renewed {_ago(view.renewed_at, now)}"
    if view.expires_at is None:
        return f"the server does not say when it ends{renewed}"
    left = view.expires_at - now
    if left <= timedelta(0):
        return f"expired {relative(view.expires_at, now)}; it is exchanged when it is needed"
    return f"{countdown(left)} left, until {instant_long(view.expires_at)}{renewed}"


def _used(view: GrantView, now: datetime) -> str:
    return "not yet" if view.last_used_at is None else _ago(view.last_used_at, now)


def _ago(instant: datetime, now: datetime) -> str:
    return "now" if now - instant < timedelta(seconds=1) else relative(instant, now)


def _kept(view: GrantView) -> str:
    if view.is_kept:
        return "for the next start, in a file that only you can read"
    return "in memory only, until opdash ends"
