"""Amounts, instants and names as people type them into a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple, TypeVar

import msgspec

from opdash.ledger.notes import Resolution
from opdash.ledger.search.terms import Number, SearchError
from opdash.ledger.states import OPEN_STATES, State
from opdash.safetext import safe_text

_T = TypeVar("_T")
_NUMBER = re.compile(r"([+\-\N{MINUS SIGN}]?)([0-9]{1,300})(?:\.([0-9]{0,300}))?", re.ASCII)
_DURATION = re.compile(
    r"(?:(\d{1,4})w)?(?:(\d{1,7})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m(?:in)?)?(?:(\d{1,9})s)?", re.ASCII
)
_SPELT = re.compile(
    r"-?(\d{1,9})\s*([wdhms])(?:eeks?|ays?|ours?|rs?|in(?:ute)?s?|ec(?:ond)?s?)?", re.ASCII
)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_PARTING = re.compile(r"[\s_-]+")


class Moment(msgspec.Struct, frozen=True):
    """When and where a query is read.

    Attributes:
        now: The server's time, aware.
        zone: Where the person is; None for this machine's zone.
    """

    now: datetime
    zone: tzinfo | None = None

    def at_home(self, naive: datetime) -> datetime:
        """Return what a person means by a date and time without a zone, in UTC."""
        aware = naive.astimezone() if self.zone is None else naive.replace(tzinfo=self.zone)
        return aware.astimezone(UTC)

    def midnight(self, days: int = 0) -> datetime:
        """Return the beginning of today, or of a day so many days later, without its zone."""
        local = self.now.astimezone(self.zone).replace(tzinfo=None)
        return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


class Span(NamedTuple):
    """A stretch of time, from ``start`` to before ``end``; a point where both are the same."""

    start: datetime
    end: datetime


def read_number(typed: str, term: str, *, signed: bool = False) -> Number:
    """Read a decimal number. Raises `SearchError`."""
    match = _NUMBER.fullmatch(typed)
    if match is None:
        advice = f"Write decimals with a point and without grouping: {_without_grouping(typed)}."
        raise SearchError(f"“{shown(typed)}” in “{shown(term)}” is no amount.", advice)
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if sign and not signed:
        raise SearchError(
            f"“{shown(term)}” has a sign, but amounts asked and received have none.",
            "A missing amount is a difference: difference<0.",
        )
    units = int(whole + fraction)
    return Number.of(-units if sign not in ("", "+") else units, len(fraction))


def is_less(one: Number, other: Number) -> bool:
    """Return whether one number is less than another, exactly."""
    return bool(one.units * 10**other.places < other.units * 10**one.places)


def read_duration(typed: str) -> timedelta | None:
    """Read a duration such as ``7d`` or ``1d12h``; None where it is none."""
    match = _DURATION.fullmatch(typed.lower())
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def read_span(typed: str, moment: Moment, term: str) -> Span:
    """Read a day, a month, or a point in time. Raises `SearchError`."""
    try:
        return _span(typed.lower(), moment)
    except (ValueError, OverflowError, OSError) as error:
        spelt = _SPELT.fullmatch(typed.lower())
        meant = f"{spelt[1]}{spelt[2]}" if spelt else ""
        if meant == typed.lower():  # a duration, but of more digits than any has
            raise SearchError(
                f"“{shown(term)}” lies beyond the calendar.", "Write a shorter duration."
            ) from error
        near = f"Did you mean “{meant}”?" if meant else nearest(typed.lower(), _DAYS)
        advice = near or "Write a date such as 2026-11-01, today, or a duration such as 7d or 12h."
        raise SearchError(
            f"“{shown(typed)}” in “{shown(term)}” is no date or time.", advice
        ) from error


def within_calendar(make: Callable[[], _T], term: str) -> _T:
    """Return what is made of instants. Raises `SearchError` where the calendar ends before."""
    try:
        return make()
    except OverflowError as error:
        raise SearchError(
            f"“{shown(term)}” lies beyond the calendar.", "Write a shorter duration."
        ) from error


def _span(typed: str, moment: Moment) -> Span:
    if typed in _DAYS:
        return _days(moment, moment.midnight(_DAYS[typed]))
    if _DAY.fullmatch(typed):
        return _days(moment, datetime.fromisoformat(typed))
    if month := _MONTH.fullmatch(typed):
        first = datetime(int(month[1]), int(month[2]), 1)  # noqa: DTZ001 - placed at home below
        following = (first + timedelta(days=31)).replace(day=1)
        return Span(moment.at_home(first), moment.at_home(following))
    if _TIME.fullmatch(typed.upper()):
        point = datetime.fromisoformat(typed.upper())
        point = moment.at_home(point) if point.tzinfo is None else point.astimezone(UTC)
        return Span(point, point)
    raise ValueError(typed)


def _days(moment: Moment, day: datetime) -> Span:
    return Span(moment.at_home(day), moment.at_home(day + timedelta(days=1)))


def read_states(typed: str, term: str, *, exactly: bool) -> tuple[State, ...]:
    """Read names of states, or of groups of them, parted by commas. Raises `SearchError`."""
    found: set[State] = set()
    for name in typed.split(","):
        found |= _states(name, term, exactly=exactly)
    return tuple(state for state in State if state in found)


def named_state(typed: str) -> str:
    """Return how a state is written in a search where a text is its whole name; else nothing."""
    name = _PARTING.sub(" ", typed.strip()).upper()
    found = (state for state in State if name in (state.value, _joined(state)))
    return next((state.value.lower().replace(" ", "-") for state in found), "")


def _states(typed: str, term: str, *, exactly: bool) -> frozenset[State]:
    name = _PARTING.sub(" ", typed.strip()).upper()
    if name == "OPEN" and not exactly:
        return OPEN_STATES
    same = frozenset(state for state in State if name in (state.value, _joined(state)))
    if same:
        return same
    words = frozenset(
        state for state in State if any(word.startswith(name) for word in _readings(state))
    )
    if name and words and not exactly:
        return words
    names = [state.value.lower().replace(" ", "-") for state in State]
    parts = [part for name in names for part in name.split("-")]
    near = nearest(typed.strip().lower(), names if exactly else names + parts)
    advice = near or f"There are {', '.join(names)}."
    raise SearchError(f"“{shown(typed)}” in “{shown(term)}” is no state.", advice)


def _joined(state: State) -> str:
    return state.value.replace(" ", "")


def _readings(state: State) -> tuple[str, ...]:
    return (state.value, _joined(state), *state.value.split())


def read_resolutions(typed: str, term: str) -> tuple[Resolution, ...]:
    """Read names of resolutions, parted by commas. Raises `SearchError`."""
    found: set[Resolution] = set()
    for part in typed.split(","):
        name = _PARTING.sub("-", part.strip().lower())
        named = [one for one in Resolution if name and one.value.startswith(name)]
        if len(named) != 1:
            near = nearest(name, Resolution)
            raise SearchError(
                f"“{shown(part)}” in “{shown(term)}” is no resolution.",
                near or f"There are {', '.join(Resolution)}.",
            )
        found.add(named[0])
    return tuple(one for one in Resolution if one in found)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question that names what was probably meant, or an empty string."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"Did you mean “{near[0]}”?" if near else ""


def shown(typed: str) -> str:
    """Return what was typed, fit for a sentence."""
    return safe_text(typed, limit=40)


def _without_grouping(typed: str) -> str:
    plain = typed.replace(",", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    return plain if _NUMBER.fullmatch(plain) else "12.50"
