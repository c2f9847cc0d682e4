"""The one spelling of JSON that the reference server can verify.

It checks ``Content-Digest`` not over the bytes it received but over ``JSON.stringify`` of what it
parsed. A body that reads otherwise, though it means the same, fails as a bad signature. So opdash
writes bodies in that spelling, and refuses values that have none: fractions, whole numbers beyond
2^53, broken surrogates.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from opdash.errors import InputError
from opdash.safetext import safe_text

MAX_SAFE_INTEGER = 2**53
"""The largest whole number that comes back from a JavaScript server as it was sent."""

_MAX_DEPTH = 64
_LAST_ARRAY_INDEX = 2**32 - 2
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class MetadataError(InputError):
    """Metadata cannot be sent as it is; the sentence names the place."""


class _Number(str):
    """A number in its final spelling."""

    __slots__ = ()


def canonical_json(value: object) -> bytes:
    """Write a value as ``JSON.stringify(JSON.parse(…))`` would give it back.

    Compact, UTF-8 unescaped, object keys that look like array indices first and ascending, all
    others in their order.

    Args:
        value: Mappings with text keys, lists, tuples, text, whole numbers, booleans and None.

    Raises:
        MetadataError: A part of it has no such spelling.
    """
    out: list[str] = []
    _write(value, out.append, "", _MAX_DEPTH)
    try:
        return "".join(out).encode()
    except UnicodeEncodeError as error:
        raise MetadataError(
            "The text holds half of a character (a lone surrogate), which no server can read.",
            "Type the text anew.",
        ) from error


def reserialised(body: bytes) -> bytes | None:
    """Return ``JSON.stringify(JSON.parse(body))``, or None when the body is no JSON.

    This is what a server that verifies a digest looks at; it knows fractions too.
    """
    out: list[str] = []
    try:
        value = json.loads(
            body.decode(), parse_int=_js_integer, parse_float=_js_number, parse_constant=_refuse
        )
        _write(value, out.append, "", sys.maxsize)
    except (ValueError, RecursionError):
        return None
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", "".join(out)).encode()


def parse_metadata(text: str) -> dict[str, Any]:
    """Read a JSON object that a person wrote, so that nothing in it is lost unseen.

    Raises:
        MetadataError: It is no JSON object, has a key twice, or a number with no exact spelling.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_no_key_twice,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
        )
    except MetadataError:
        raise
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise MetadataError(
            f"The metadata is not valid JSON{where}.", 'Write an object such as {"order": "17"}.'
        ) from error
    if not isinstance(value, dict):
        raise MetadataError(
            "The metadata is JSON, but not an object.", 'Write an object such as {"order": "17"}.'
        )
    canonical_json(value)
    return value


def _write(value: object, put: Callable[[str], object], where: str, levels: int) -> None:
    if levels < 0:
        raise MetadataError(f"The metadata is nested more than {_MAX_DEPTH} levels deep.")
    match value:
        case _Number():
            put(value)
        case str():
            put(json.dumps(value, ensure_ascii=False))
        case None | True | False:
            put({None: "null", True: "true", False: "false"}[value])
        case int():
            put(_integer(value, where))
        case Mapping():
            _write_object(value, put, where, levels)
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            _write_array(value, put, where, levels)
        case float():
            _no_fraction(repr(value), where)
        case _:
            raise MetadataError(f"A {type(value).__name__} cannot be sent as JSON{_at(where)}.")


def _write_object(
    value: Mapping[Any, object], put: Callable[[str], object], where: str, levels: int
) -> None:
    mark = "{"
    for key in _key_order(value):
        if not isinstance(key, str):
            raise MetadataError(f"The key {key!r} is not text{_at(where)}.")
        put(f"{mark}{json.dumps(key, ensure_ascii=False)}:")
        _write(value[key], put, f"{where}.{key}" if where else key, levels - 1)
        mark = ","
    put("}" if mark == "," else "{}")


def _write_array(
    value: Sequence[object], put: Callable[[str], object], where: str, levels: int
) -> None:
    mark = "["
    for index, item in enumerate(value):
        put(mark)
        _write(item, put, f"{where}[{index}]", levels - 1)
        mark = ","
    put("]" if mark == "," else "[]")


def _key_order(value: Mapping[Any, object]) -> list[Any]:
    indices = [key for key in value if isinstance(key, str) and _is_array_index(key)]
    if not indices:
        return list(value)
    indices.sort(key=int)
    return indices + [key for key in value if not (isinstance(key, str) and _is_array_index(key))]


def _is_array_index(key: str) -> bool:
    return _INDEX.fullmatch(key) is not None and int(key) <= _LAST_ARRAY_INDEX


def _integer(value: int, where: str) -> str:
    if abs(value) > MAX_SAFE_INTEGER:
        raise MetadataError(
            f"The number{_at(where)} is beyond 2^53 and would arrive changed.", "Send it as text."
        )
    return int.__repr__(value)


def _js_integer(text: str) -> int | _Number:
    return int(text) if len(text) < 16 else _js_number(text)


def _js_number(text: str) -> _Number:
    """Spell a number as ECMAScript's Number::toString does."""
    number = float(text)
    if number - number != 0:
        return _Number("null")
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = int(exponent or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return _Number("0")
    sign = "-" if number < 0 else ""
    if len(digits) <= point <= 21:
        spelling = digits.ljust(point, "0")
    elif 0 < point <= 21:
        spelling = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        spelling = "0." + "0" * -point + digits
    else:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        spelling = f"{digits[0]}{rest}e{point - 1:+d}"
    return _Number(sign + spelling)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MetadataError(
            f"The metadata key “{safe_text(twice, limit=40)}” is given twice.", "Keep one of them."
        )
    return found


def _no_fraction(spelling: str, where: str = "") -> NoReturn:
    raise MetadataError(
        f"The number {safe_text(spelling, limit=24)}{_at(where)} is not whole, and would not "
        "arrive as it was sent.",
        'Send it as text, such as "1.50".',
    )


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _at(where: str) -> str:
    return f" at {safe_text(where, limit=60)}" if where else ""
