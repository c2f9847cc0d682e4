"""Durations and instants as people type them on the command line."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from opdash.errors import InputError
from opdash.safetext import safe_text

_DURATION = re.compile(
    r"(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?", re.ASCII
)


class WhenError(InputError):
    """A typed duration or instant cannot be read."""


def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``2d``, ``90m`` or ``1d12h``.

    Raises:
        WhenError: It is none.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise WhenError(
            f"“{safe_text(text, limit=24)}” is no duration.", "Type one such as 30m, 12h, 2d or 1w."
        )
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_instant(text: str) -> datetime:
    """Read an instant such as ``2026-12-01``, ``2026-12-01 18:00`` or ``2026-12-01T17:00Z``.

    Without a zone it is local time; a date alone means the end of that day.

    Raises:
        WhenError: It is none.
    """
    typed = text.strip()
    try:
        instant = datetime.fromisoformat(typed)
        if len(typed) <= len("2026-12-01"):
            instant = datetime.combine(instant, time(23, 59, 59))
        return instant.astimezone()
    except (ValueError, OverflowError) as error:
        raise WhenError(
            f"“{safe_text(text, limit=40)}” is no date or time.",
            "Type one such as 2026-12-01 or 2026-12-01T18:00.",
        ) from error
