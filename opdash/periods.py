"""Stretches of time as bookkeepers name them: a day, a month, a year, in a time zone of theirs.

A period is typed as ``2026-10-05``, ``2026-10`` or ``2026``, as two of these with ``..`` between
them (the second is still part of it), or in words: ``today``, ``yesterday``, ``this month``,
``last month``, ``this year``, ``last year``. Its days begin at midnight on the clocks of its zone,
so that some have 23 or 25 hours.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

import msgspec

from opdash.errors import InputError
from opdash.safetext import safe_text

LOCAL: Final = "local time"
"""What this machine's own time zone is called."""

_ADVICE: Final = (
    "Type a day, a month, a year, two of them as 2026-10-01..2026-10-15, "
    "or today, yesterday, this month, last month."
)
_DASHED = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_BLANKS = re.compile(r"[\s_-]+")
_UTC_NAMES: Final = frozenset({"utc", "z"})
_LONGEST: Final = 64


class PeriodError(InputError):
    """A typed period or time zone cannot be read; the advice says what can."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time, from ``start`` to before ``end``.

    Attributes:
        start: Its first instant, in UTC.
        end: The first instant after it, in UTC.
        first: Its first day.
        last: Its last day.
        text: What it is called: ``2026-10-05``, ``2026-10``, ``2026`` or a range of these.
        zone: The name of its time zone, such as ``Europe/Berlin``, or `LOCAL`.
    """

    start: datetime
    end: datetime
    first: date
    last: date
    text: str
    zone: str

    def __contains__(self, instant: datetime) -> bool:
        """Return whether an aware instant lies in it."""
        return self.start <= instant < self.end


def read_zone(typed: str) -> tzinfo | None:
    """Return the time zone of that name; None, this machine's own, for an empty text.

    Raises:
        PeriodError: There is none; the advice names the nearest.
    """
    name = typed.strip()
    if not name or name.casefold() in ("local", LOCAL):
        return None
    if name.casefold() in _UTC_NAMES:
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = safe_text(name, limit=_LONGEST)
        raise PeriodError(f"“{shown}” is no time zone.", _nearest_zone(name)) from error


def zone_name(zone: tzinfo | None) -> str:
    """Return what a time zone that `read_zone` gave is called."""
    if zone is None:
        return LOCAL
    return str(getattr(zone, "key", None) or zone)


def local_date(instant: datetime, zone: tzinfo | None) -> date:
    """Return the day of an aware instant on the calendars of a zone; None is this machine's."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:  # on the calendar's first or last day
        return instant.date()


def read_period(typed: str, now: datetime, zone: tzinfo | None = None) -> Period:
    """Return the period that a person means.

    Args:
        typed: What they typed, as told at the top of this module.
        now: The present, aware; ``today`` is its day in the zone.
        zone: Where the days begin at midnight; None for this machine's zone.

    Raises:
        PeriodError: It cannot be read, names a day that does not exist, or ends before it begins.
    """
    words = _BLANKS.sub(" ", typed.strip().casefold())
    today = local_date(now, zone)
    named = _in_words(words, today)
    if named is not None:
        return _period(*named, zone)
    first_text, dots, last_text = typed.strip().partition("..")
    if not dots:
        return _period(*_dashed(first_text, typed), zone)
    first, _ = _dashed(first_text.strip(), typed)
    _, last = _dashed(last_text.strip(), typed)
    if last < first:
        raise PeriodError(
            f"“{_shown(typed)}” ends before it begins.", "Write the earlier day first."
        )
    return _period(first, last, zone)


def day_starts_at(day: date, zone: tzinfo | None) -> datetime:
    """Return the first instant of a day, in UTC.

    Where the clocks are put forward at midnight, the day begins with the first time there is.

    Raises:
        PeriodError: The calendar ends before that.
    """
    midnight = datetime.combine(day, time.min)
    try:
        aware = midnight.astimezone() if zone is None else midnight.replace(tzinfo=zone)
        return aware.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise _beyond(day.isoformat()) from error


def _in_words(words: str, today: date) -> tuple[date, date] | None:
    if words == "today":
        return today, today
    if words == "yesterday":
        yesterday = today - timedelta(days=1)
        return yesterday, yesterday
    if words == "this month":
        return _month(today.year, today.month)
    if words == "last month":
        before = today.replace(day=1) - timedelta(days=1)
        return _month(before.year, before.month)
    if words == "this year":
        return _year(today.year)
    if words == "last year":
        return _year(today.year - 1)
    return None


def _dashed(text: str, typed: str) -> tuple[date, date]:
    """Return the first and the last day of a day, a month or a year."""
    match = _DASHED.fullmatch(text)
    if match is None:
        raise PeriodError(f"“{_shown(typed)}” is no period.", _ADVICE)
    year, month, day = match.groups()
    try:
        if day is not None:
            only = date(int(year), int(month), int(day))
            return only, only
        return _year(int(year)) if month is None else _month(int(year), int(month))
    except ValueError as error:
        what = "day" if day is not None else "month" if month is not None else "year"
        raise PeriodError(f"There is no {what} {text}.", _ADVICE) from error


def _month(year: int, month: int) -> tuple[date, date]:
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1) if (year, month) != (9999, 12) else None
    return first, date.max if following is None else following - timedelta(days=1)


def _year(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year, 12, 31)


def _period(first: date, last: date, zone: tzinfo | None) -> Period:
    try:
        following = last + timedelta(days=1)
    except OverflowError as error:
        raise _beyond(last.isoformat()) from error
    return Period(
        start=day_starts_at(first, zone),
        end=day_starts_at(following, zone),
        first=first,
        last=last,
        text=_text(first, last),
        zone=zone_name(zone),
    )


def _text(first: date, last: date) -> str:
    """Return the shortest way to write a period."""
    if first == last:
        return first.isoformat()
    if (first, last) == _year(first.year):
        return f"{first.year:04}"
    if (first, last) == _month(first.year, first.month):
        return f"{first.year:04}-{first.month:02}"
    return f"{first.isoformat()}..{last.isoformat()}"


def _beyond(text: str) -> PeriodError:
    return PeriodError(f"The calendar ends at {text}.", "Choose a period between 0002 and 9998.")


def _nearest_zone(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = {zone.casefold(): zone for zone in available_timezones()}
    if not known:
        return "This machine has no time zone database; install tzdata, or use UTC."
    wanted = name.casefold().replace(" ", "_")
    near = get_close_matches(wanted, known, n=1, cutoff=0.6) or [
        zone for zone in sorted(known) if zone.rpartition("/")[2] == wanted.rpartition("/")[2]
    ]
    return f"Did you mean {known[near[0]]}?" if near else "Names are such as Europe/Berlin or UTC."


def _shown(typed: str) -> str:
    return safe_text(typed.strip(), limit=40)
