"""Which texts of a payment are searched, and how they are compared.

Texts are compared folded: without regard to case, to the width of letters, or to control
characters. A payment's texts are its reference, its description, and every other value that stands
anywhere in its metadata; the names of the values are not searched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

_DECODER: Final = msgspec.json.Decoder(float_hook=str)
_ENCODER: Final = msgspec.json.Encoder()
_UNWRITABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LINE_END: Final = "\n"


class Texts(NamedTuple):
    """A payment's texts, folded; values beside reference and description stand one a line."""

    reference: str
    description: str
    others: str

    def contain(self, folded_word: str) -> bool:
        """Return whether any one of the texts contains a folded word."""
        return any(folded_word in text for text in self)


def folded(text: str) -> str:
    """Return what a text is compared by; on one line, and fit for SQLite."""
    if text.isascii() and text.isprintable():
        return text.lower()
    even = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _UNWRITABLE.sub(" ", even)


def texts_of(reference: str, description: str, metadata_json: str) -> Texts:
    """Return a payment's texts, folded."""
    return _texts(reference, description, _decoded(metadata_json))


def texts_and_outline(reference: str, description: str, metadata_json: str) -> tuple[Texts, str]:
    """Return what `texts_of` and `outline_of` do."""
    metadata = _decoded(metadata_json)
    return _texts(reference, description, metadata), _outlined(metadata, metadata_json)


def _texts(reference: str, description: str, metadata: Any) -> Texts:
    own = (reference, description)
    others = [value for value in _leaves(metadata) if value not in own]
    return Texts(folded(reference), folded(description), _LINE_END.join(map(folded, others)))


def values_at(metadata_json: str, path: str) -> tuple[str, ...] | None:
    """Return the values at or below a dotted path; None where the object has no such path.

    A name that itself has dots is found too.
    """
    found = list(_at(_decoded(metadata_json), path))
    return tuple(text for value in found for text in _leaves(value)) if found else None


def outline_of(metadata_json: str) -> str:
    """Return which names a metadata object has, and in which, as JSON without values.

    `values_at` finds a path in it if and only if it finds one in the object; objects that are
    filled in alike have the same. It is empty where there are no names.
    """
    return _outlined(_decoded(metadata_json), metadata_json)


def _outlined(metadata: Any, metadata_json: str) -> str:
    try:
        outline = _outline(metadata)
        return _ENCODER.encode(outline).decode() if outline else ""
    except RecursionError:
        return metadata_json


def _outline(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {name: _outline(own) for name, own in value.items() if isinstance(own, dict | list)}
        return {name: inner.get(name, 0) for name in sorted(value)} or 0
    if isinstance(value, list):
        outlines = (_outline(member) for member in value if isinstance(member, dict | list))
        distinct = {_ENCODER.encode(outline): outline for outline in outlines if outline}
        return [distinct[text] for text in sorted(distinct)] or 0
    return 0


def _decoded(metadata_json: str) -> Any:
    try:
        return _DECODER.decode(metadata_json) if metadata_json else None
    except (msgspec.DecodeError, RecursionError):
        return None


def _leaves(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as members:
                waiting += reversed(members.values())
            case list() as members:
                waiting += reversed(members)
            case str() as text:
                yield text
            case bool() as truth:
                yield "true" if truth else "false"
            case int() as number:
                yield str(number)
            case _:
                pass


def _at(value: Any, path: str) -> Iterator[Any]:
    if isinstance(value, list):
        for member in value:
            yield from _at(member, path)
    if not isinstance(value, dict):
        return
    if path in value:
        yield value[path]
    for position, character in enumerate(path):
        if character == "." and path[:position] in value:
            yield from _at(value[path[:position]], path[position + 1 :])
