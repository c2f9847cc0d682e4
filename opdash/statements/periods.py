"""Which period a statement is about."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from opdash.periods import Period, PeriodError, read_period, zone_name
from opdash.safetext import safe_text
from opdash.statements.records import Span
from opdash.statements.wording import long_day, month_words


def read_month(typed: str, now: datetime, zone: tzinfo | None) -> Span:
    """Return the month that a person typed: ``2026-10``, “this month”, “last month”.

    Raises:
        PeriodError: It is no month, or has not begun.
    """
    words = typed.strip().casefold()
    typed = f"{words} month" if words in ("this", "last") else typed
    period = read_period(typed, now, zone)
    if not _is_month(period.first, period.last):
        raise PeriodError(
            f"“{safe_text(typed.strip(), limit=40)}” is no month.",
            "Write one such as 2026-10; other stretches of time go with --period.",
        )
    return span_of(period, now, zone)


def read_span(typed: str, now: datetime, zone: tzinfo | None) -> Span:
    """Return the period that a person typed; see `opdash.periods.read_period`.

    Raises:
        PeriodError: It cannot be read, or has not begun.
    """
    return span_of(read_period(typed, now, zone), now, zone)


def month_of(day: date, now: datetime, zone: tzinfo | None) -> Span:
    """Return the month that a day lies in.

    Raises:
        PeriodError: It has not begun, or lies beyond the calendar.
    """
    return span_of(read_period(f"{day.year:04}-{day.month:02}", now, zone), now, zone)


def month_before(span: Span, now: datetime) -> Span:
    """Return the month before the one that a period begins in. Raises `PeriodError`."""
    first = span.first.replace(day=1)
    if first == date.min:
        raise PeriodError("The calendar begins here.")
    return month_of(first - timedelta(days=1), now, span.zone)


def month_after(span: Span, now: datetime) -> Span:
    """Return the month after the one that a period ends in. Raises `PeriodError`."""
    following = span.last.replace(day=1) + timedelta(days=32)
    return month_of(following.replace(day=1), now, span.zone)


def span_of(period: Period, now: datetime, zone: tzinfo | None) -> Span:
    """Return a period as a statement tells it.

    Raises:
        PeriodError: It has not begun.
    """
    title, within = _named(period)
    if period.start > now:
        raise PeriodError(
            f"{title} has not begun: its first day is {long_day(period.first)}.",
            "Choose a period that has begun, such as “this month” or “last month”.",
        )
    return Span(
        title=title,
        within=within,
        first=period.first,
        last=period.last,
        start=period.start,
        end=period.end,
        zone=zone,
        zone_name=_zone_words(zone, now),
    )


def _named(period: Period) -> tuple[str, str]:
    """Return what a period is called, alone and in a sentence."""
    first, last = period.first, period.last
    if first == last:
        return long_day(first), f"on {long_day(first)}"
    if _is_month(first, last):
        return month_words(first), f"in {month_words(first)}"
    if (first.month, first.day, last.month, last.day) != (1, 1, 12, 31):
        title = f"{long_day(first)} to {long_day(last)}"
    elif first.year != last.year:
        title = f"{first.year} to {last.year}"
    else:
        return str(first.year), f"in {first.year}"
    return title, f"from {title}"


def _is_month(first: date, last: date) -> bool:
    return (
        first.day == 1
        and (first.year, first.month) == (last.year, last.month)
        and (last + timedelta(days=1)).day == 1
    )


def _zone_words(zone: tzinfo | None, now: datetime) -> str:
    return zone_name(zone) if zone is not None else f"local time ({now.astimezone():%Z})"
