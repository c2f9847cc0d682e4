"""How fresh the screen is, in words: what the right end of the header says."""

from __future__ import annotations

from datetime import datetime, timedelta

from opdash.service.status import Phase, Status
from opdash.tui.format import age
from opdash.tui.widgets.line import Span

_DOT = Span(" · ", "muted")
_STALE_AFTER = timedelta(seconds=30)


def freshness(
    status: Status,
    now: datetime,
    interval: timedelta,
    *,
    last_known_at: datetime | None = None,
    short: bool = False,
) -> list[Span]:
    """Say how fresh what is on the screen is.

    Args:
        status: How the session stands.
        now: The present instant, the server's time.
        interval: The time between two polls, as configured.
        last_known_at: When the server last answered in an earlier run, or None.
        short: Leave out what a narrow screen has no room for.

    Returns:
        For example ``● live · updated 3 s ago · next in 2 s``.
    """
    head = [_phase(status, now, interval)]
    known_at = status.last_ok_at or last_known_at
    updated = _updated(status, known_at, now, short=short)
    parts = [head, updated, _oldest(status, now, interval), _next(status, now)]
    spans: list[Span] = []
    for part in parts:
        if part:
            spans += [_DOT, *part] if spans else part
    return spans


def is_stale(status: Status, now: datetime, interval: timedelta) -> bool:
    """Return whether a session that calls itself live has not been refreshed for too long."""
    if status.phase is not Phase.LIVE or status.last_ok_at is None:
        return False
    return now - status.last_ok_at > max(_STALE_AFTER, 3 * interval)


def _phase(status: Status, now: datetime, interval: timedelta) -> Span:
    match status.phase:
        case Phase.IDLE:
            return Span("○ not connected", "muted")
        case Phase.CONNECTING:
            return Span("◌ connecting", "accent")
        case Phase.OFFLINE:
            return Span("▲ offline", "attention")
        case Phase.REFUSED:
            return Span("▲ refused", "bad")
        case Phase.LIVE:
            if is_stale(status, now, interval):
                return Span("◍ stale", "attention")
            return Span("● live", "good")


def _updated(
    status: Status, known_at: datetime | None, now: datetime, *, short: bool
) -> list[Span]:
    if known_at is None:
        return []
    if status.phase is Phase.LIVE:
        word = "" if short else "updated "
        return [Span(f"{word}{age(now - known_at)} ago", "muted")]
    return [Span(f"as of {age(now - known_at)} ago", "muted")]


def _oldest(status: Status, now: datetime, interval: timedelta) -> list[Span]:
    oldest = status.oldest_unrefreshed_at
    if status.phase is not Phase.LIVE or oldest is None:
        return []
    if now - oldest <= max(3 * interval, timedelta(seconds=15)):
        return []
    return [Span(f"oldest {age(now - oldest)}", "attention")]


def _next(status: Status, now: datetime) -> list[Span]:
    if status.phase is Phase.IDLE:
        return []
    word = "next" if status.phase is Phase.LIVE else "next try"
    if status.polling or (status.next_poll_at is not None and status.next_poll_at <= now):
        return [Span("asking…" if status.phase is Phase.LIVE else "trying…", "muted")]
    if status.next_poll_at is None:
        return []
    return [Span(f"{word} in {age(status.next_poll_at - now)}", "muted")]
