"""Dates as people write them in files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final

from opdash.errors import InputError
from opdash.safetext import safe_text

_TIME: Final = r"(?:[T ] ?[0-9]{1,2}:[0-9]{2}.*)?"
_YEAR_FIRST: Final = re.compile(rf"([0-9]{{4}})([-./])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}")
_YEAR_LAST: Final = re.compile(
    rf"([0-9]{{1,2}})([-./ ]|\. )([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}"
)
_COMPACT: Final = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})")


class DateOrder(StrEnum):
    """In which order a date that does not begin with its year is written."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class DateError(InputError):
    """A date cannot be read; the sentence is the rest of “row 3, column Date: …”."""


def parse_date(text: str, order: DateOrder) -> date:
    """Read a date; one that begins with its year is read as such, a time of day is left out.

    Years of two digits are those from 2000 on.

    Raises:
        DateError: It is no date.
    """
    typed = text.strip()
    try:
        if found := _YEAR_LAST.fullmatch(typed):
            first, _, second, year = found.groups()
            day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
            return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
        if found := _YEAR_FIRST.fullmatch(typed):
            year, _, month, day = found.groups()
            return date(int(year), int(month), int(day))
        if found := _COMPACT.fullmatch(typed):
            return date(*map(int, found.groups()))
    except ValueError:
        pass
    raise DateError(f"“{safe_text(text, limit=24)}” is no date.")


def guess_order(dates: Iterable[str]) -> tuple[DateOrder, ...]:
    """Return the order in which more dates of a column make sense.

    Returns:
        One order; both, days first, where they make sense of as many dates, not all alike.
    """
    read = dict.fromkeys(DateOrder, 0)
    differ = False
    for text in {one.strip() for one in dates}:
        found = [_or_none(text, order) for order in DateOrder]
        differ |= found[0] != found[1]
        for order, day in zip(DateOrder, found, strict=True):
            read[order] += day is not None
    if not differ:
        return (DateOrder.DAY_FIRST,)
    best = tuple(sorted(DateOrder, key=lambda order: -read[order]))
    return best[:1] if read[best[0]] > read[best[1]] else best


def _or_none(text: str, order: DateOrder) -> date | None:
    try:
        return parse_date(text, order)
    except DateError:
        return None
