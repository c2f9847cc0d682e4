"""What a person types into a form, read exactly: expiries and metadata values.

Amounts are read by `opdash.openpayments.amounts.parse_minor`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import Never

from opdash.errors import InputError
from opdash.safetext import safe_text
from opdash.service.drafts import ExpiryError

JSON_SIGN = "="
"""What a metadata value begins with when it is meant as JSON and not as text."""

_LARGEST_EXACT = 2**53
_INSTANT = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}):(\d{2})")
_MINUTE = timedelta(minutes=1)
_MOST_MARKS = 2


class ValueTypeError(InputError):
    """A typed metadata value cannot be sent; the sentence says why."""


class Expiry(Enum):
    """The presets of the create form."""

    HOUR = "1 h"
    DAY = "1 d"
    WEEK = "7 d"
    MONTH = "30 d"
    AT = "at …"
    """A date and time that the person types."""


_SPANS = {
    Expiry.HOUR: timedelta(hours=1),
    Expiry.DAY: timedelta(days=1),
    Expiry.WEEK: timedelta(days=7),
}


def preset_expiry(preset: Expiry, now: datetime) -> datetime:
    """Return the instant that a preset means, at a whole minute so that it can be read.

    A span is never shorter than it says. Thirty days is what servers allow at most, so there it
    is up to two minutes less, which a server whose clock lags still accepts.

    Args:
        preset: Any but `Expiry.AT`.
        now: The server's present instant, UTC.
    """
    minute = now.replace(second=0, microsecond=0)
    if preset is Expiry.MONTH:
        return minute + timedelta(days=30) - _MINUTE
    begun = minute if minute == now else minute + _MINUTE
    return begun + _SPANS[preset]


def parse_instant(text: str, zone: tzinfo | None = None) -> datetime:
    """Read a date and time such as ``2026-11-22 14:02``.

    Args:
        text: What a person typed; blanks around it are ignored.
        zone: The zone it is meant in; None for this machine's.

    Returns:
        The instant in UTC.

    Raises:
        ExpiryError: It is no such date and time, or the clocks skip it.
    """
    typed = text.strip()
    example = "Type it as YYYY-MM-DD HH:MM, for example 2026-11-22 14:02."
    if not typed:
        raise ExpiryError("The date is empty.", example)
    match = _INSTANT.fullmatch(typed)
    if match is None:
        raise ExpiryError(f"“{safe_text(typed, limit=24)}” is no date and time.", example)
    try:
        year, month, day, hour, minute = (int(part) for part in match.groups())
        naive = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - the zone follows
        instant = _in_zone(naive, zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ExpiryError(f"There is no {safe_text(typed, limit=24)}.", example) from error
    if instant.astimezone(zone).replace(tzinfo=None) != naive:
        raise ExpiryError(
            f"The clocks skip {safe_text(typed, limit=24)}.", "Choose an hour earlier or later."
        )
    return instant


def minute_long(instant: datetime) -> str:
    """Write an instant to the minute, with this machine's zone: ``2026-11-22 14:02 CET``."""
    local = instant.astimezone()
    return f"{local:%Y-%m-%d %H:%M} {local.tzname() or ''}".rstrip()


def parse_value(text: str) -> object:
    """Read a metadata value: text as it is, or JSON after a ``=``.

    ``4711`` is the text "4711", ``=4711`` the number, ``=true`` the word of JSON, ``=["a"]`` a
    list. A text that itself begins with ``=`` is written ``="=…"``.

    Raises:
        ValueTypeError: What follows the ``=`` is no JSON, or has a number that servers would read
            differently (decimals, or beyond 2^53).
    """
    if not text.startswith(JSON_SIGN):
        return text
    source = text[len(JSON_SIGN) :].strip()
    if not source:
        raise ValueTypeError("Nothing follows the “=”.", "Write JSON after it, such as =42.")
    try:
        value = json.loads(
            source,
            parse_int=_whole_number,
            parse_float=_no_decimals,
            parse_constant=_no_constant,
            object_pairs_hook=_no_duplicates,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueTypeError("The JSON is nested too deeply.") from error
    except UnicodeEncodeError as error:
        raise ValueTypeError("The JSON holds half of a character.") from error
    except ValueError as error:
        raise ValueTypeError(
            "What follows the “=” is no JSON.",
            'Write =42, =true, =["a"] or leave the “=” out for text.',
        ) from error
    return value


def kind_of(text: str) -> str:
    """Return in a word how a typed value will be sent: as text, number, true/false, list.

    Raises:
        ValueTypeError: It cannot be sent at all.
    """
    match parse_value(text):
        case str():
            return "text"
        case bool():
            return "true/false"
        case int():
            return "number"
        case None:
            return "null"
        case list():
            return "list"
        case _:
            return "object"


def visible_json(text: str) -> str:
    r"""Return JSON with every character that a terminal may not show written as ``\\uXXXX``.

    It means the same, and nothing in it can hide.
    """
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        harmless = marks <= _MOST_MARKS and safe_text(character) == character
        shown.append(character if harmless or character == "\n" else _escaped(character))
    return "".join(shown)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def _in_zone(naive: datetime, zone: tzinfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)


def _whole_number(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > _LARGEST_EXACT:
        raise ValueTypeError(
            "The number is beyond 2^53, where servers lose digits.", "Send it as text."
        )
    return int(digits)


def _no_decimals(number: str) -> Never:
    raise ValueTypeError(
        f"{safe_text(number, limit=24)} has decimals or an exponent, which servers rewrite.",
        "Send it as text: leave the “=” out.",
    )


def _no_constant(word: str) -> Never:
    raise ValueTypeError(f"{word} is no JSON.", "Send it as text: leave the “=” out.")


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
    if twice is not None:
        raise ValueTypeError(f"The key “{safe_text(twice, limit=40)}” is given twice.")
    return dict(pairs)
