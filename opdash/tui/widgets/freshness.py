"""How fresh the screen is, in words: what the right end of the header says."""

from __future__ import annotations

from datetime import datetime, timedelta

from opdash.service.status import Phase, Status
from opdash.tui.format import age
from opdash.tui.widgets.line import Span

_DOT = Span(" · ", "muted")
_SECOND = timedelta(seconds=1)
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
        case Phase.FAILED:
            return Span("▲ failed", "bad")
        case Phase.LIVE:
            if is_stale(status, now, interval):
                return Span("◍ stale", "attention")
            return Span("● live", "good")


def _updated(
    status: Status, known_at: datetime | None, now: datetime, *, short: bool
) -> list[Span]:
    if known_at is None:
        return []
    ago = f"{age(now - known_at)} ago" if now - known_at >= _SECOND else "now"
    if status.phase is not Phase.LIVE:
        return [Span(f"as of {ago}", "muted")]
    return [Span(ago if short else f"updated {ago}", "muted")]


def _oldest(status: Status, now: datetime, interval: timedelta) -> list[Span]:
    oldest = status.oldest_unrefreshed_at
    if status.phase is not Phase.LIVE or oldest is None:
        return []
    if now - oldest <= max(3 * interval, timedelta(seconds=15)):
        return []
    return [Span(f"oldest {age(now - oldest)}", "attention")]


def _next(status: Status, now: datetime) -> list[Span]:
    live = status.phase is Phase.LIVE
    due = status.next_poll_at
    if status.phase is Phase.IDLE:
        return []
    if status.polled_elsewhere:
        return [Span("another opdash polls", "muted")]
    if due is None:
        return [Span("asking…", "muted")] if status.polling else []
    if due <= now - _SECOND:
        # A poll that takes no time is not announced: the line would flicker at every one.
        return [Span("asking…" if live else "trying…", "muted")]
    left = max(-((now - due) // _SECOND), 1) * _SECOND
    return [Span(f"{'next' if live else 'next try'} in {age(left)}", "muted")]
