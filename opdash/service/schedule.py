"""When to poll next: a pure function of how the last polls went."""

from __future__ import annotations

MAX_BACKOFF = 60.0
"""Seconds between tries, at the most, while a server is out of reach."""

UNFOCUSED_FACTOR = 4.0
"""How much slower a session polls while nobody looks."""

MAX_RETRY_AFTER = 3600.0
"""Seconds that a server's Retry-After is believed."""


def next_delay(
    interval: float,
    *,
    failures: int = 0,
    retry_after: float | None = None,
    focused: bool = True,
    jitter: float = 0.0,
) -> float:
    """Return the seconds to wait before the next poll.

    Args:
        interval: The profile's poll interval in seconds.
        failures: How many polls in a row have failed.
        retry_after: What the server asked for in seconds, where it did.
        focused: Whether somebody looks at this session.
        jitter: A random number from 0 to 1; spreads the tries of many clients.

    Returns:
        The interval after a success; after failures it doubles up to a minute, give or take a
        quarter, and is never shorter than what the server asked for.
    """
    if failures == 0:
        return interval if focused else interval * UNFOCUSED_FACTOR
    backoff = min(max(interval, 1.0) * 2.0 ** min(failures - 1, 10), MAX_BACKOFF)
    delay = max(backoff, interval) * (0.75 + 0.5 * jitter)
    return max(delay, min(retry_after or 0.0, MAX_RETRY_AFTER))
