"""How invoices are named in what payments carry: metadata, other spellings, descriptions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import msgspec

_KEYS: Final = frozenset({"externalref", "invoicenumber", "orderid", "reference"})
_DEEPEST: Final = 32
_LONGEST_NAME: Final = 6
_SEPARATORS: Final = {
    code: None for code in range(128) if not chr(code).isalnum() and chr(code) not in "$+<=>^`|~"
}
_WORD: Final = re.compile(r"\w+(?:[-/.#_+:&]+\w+)*")
_DIGIT: Final = re.compile(r"\d")
_DECODER: Final = msgspec.json.Decoder(float_hook=str)


def references(metadata_json: str) -> tuple[str, ...]:
    """Return what a payment's metadata names it by, as sent, without repeating any.

    Those are the non-empty strings and numbers of ``externalRef``, ``invoiceNumber``, ``orderId``
    and ``reference`` at any depth; capitals, ``_`` and ``-`` in these keys do not matter. Numbers
    are given digit by digit.

    Args:
        metadata_json: The object's JSON as sent, or an empty string.
    """
    if not metadata_json:
        return ()
    try:
        metadata = _DECODER.decode(metadata_json)
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(dict.fromkeys(_named(metadata, _DEEPEST)))


def _named(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                if depth:
                    yield from _named(inner, depth - 1)
            elif inner is not None and not isinstance(inner, bool) and _is_reference(key):
                text = str(inner)
                if text.strip():
                    yield text
    elif isinstance(value, list):
        for inner in value:
            if depth and isinstance(inner, (dict, list)):
                yield from _named(inner, depth - 1)


def _is_reference(key: str) -> bool:
    return key.replace("_", "").replace("-", "").casefold() in _KEYS


def normalised(text: str) -> str:
    """Return a text without regard to width, case and separators: ``Inv-０7`` as ``inv07``.

    Compatibility forms are resolved (NFKC), case is folded, and blanks, punctuation and invisible
    characters are dropped.
    """
    if text.isascii():
        return text.translate(_SEPARATORS).casefold()
    plain = _plain(text)
    while (again := _plain(plain)) != plain:  # what is dropped may let neighbours combine
        plain = again
    return plain


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "PZC")


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded; what ``-``, ``/`` and the like join is one word."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return tuple(_WORD.findall(plain.casefold()))


def name_words(number: str) -> tuple[str, ...]:
    """Return the words of an invoice number that is telling enough for descriptions, or nothing."""
    found = words(number)
    plain = found[0] if len(found) == 1 else "".join(found)
    return found if len(plain) >= 4 and _DIGIT.search(plain) else ()


def names_in(description: str) -> Iterator[tuple[str, ...]]:
    """Yield every run of words of a description that may be an invoice number."""
    found = words(description)
    for start in range(len(found)):
        for end in range(start + 1, min(start + _LONGEST_NAME, len(found)) + 1):
            yield found[start:end]
