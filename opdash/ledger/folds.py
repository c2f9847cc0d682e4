"""Which payments stand in one line together: the rules, and what such a line tells.

A saved search may name payments that come in great numbers and matter little one by one, such as
web monetization and tips. Those of one *source* that were created on one day, and received the same
asset, make a *fold*.

A source is what payments tell of where they come from, as far as they agree on it: the text under
``source`` in their metadata, else under ``type``, else the words of their reference before the
first one with a digit. The description is left out, because it is where people write what they
like. Payments that tell nothing are of one source: the saved search itself.
"""

from __future__ import annotations

import re
from array import array
from datetime import date, datetime
from functools import lru_cache
from typing import Final

import msgspec

from opdash.ledger.search.terms import (
    All,
    Flag,
    InstantField,
    InstantIn,
    InstantIs,
    Is,
    Not,
    StateIn,
    Term,
)
from opdash.openpayments.amounts import Asset

MOST_RULES: Final = 255
"""How many saved searches can fold at once; further ones do not."""

_FIRST_WORDS: Final = re.compile(r"[^\W\d_]+(?:[\W_]+[^\W\d_]+)*(?=[\W_]|\Z)")
_LONGEST: Final = 80
_REMEMBERED: Final = 4096
_NOTHING: Final = msgspec.Raw()


class FoldRule(msgspec.Struct, frozen=True):
    """A saved search whose payments are folded.

    Attributes:
        name: What a person calls it.
        tree: What payments must match.
    """

    name: str
    tree: All

    @property
    def follows_the_clock(self) -> bool:
        """Whether what matches can change without anything new being observed."""
        return any(_follows_the_clock(term) for term in self.tree.terms)


class Fold(msgspec.Struct, frozen=True):
    """Payments that stand in one line; two at least.

    Attributes:
        id: What no other fold has; no payment's URL.
        search: The name of the saved search.
        source: As the newest of them tells it; empty where they tell none.
        day: When they were created, where the person is.
        asset: What they received.
        received: Minor units that they received together.
        newest_at: When the newest of them was created, encoded.
        oldest_at: When the oldest of them was created, encoded.
        keys: Their numbers, newest first.
        place: The number of the one whose place in the order the line takes.
    """

    id: str
    search: str
    source: str
    day: date
    asset: Asset
    received: int
    newest_at: int
    oldest_at: int
    keys: array[int]
    place: int


class FoldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fold as a row of a table.

    Attributes:
        id: What no other fold has; no payment's URL.
        search: The name of the saved search.
        source: As sent; empty where the payments tell none.
        day: When they were created, where the person is.
        count: How many there are.
        received: Minor units that they received together.
        received_asset: What ``received`` counts.
        newest_at: When the newest of them was created.
        oldest_at: When the oldest of them was created.
        is_open: Whether they stand below the line.
        asked: Nothing: what they ask for is not added up.
    """

    id: str
    search: str
    source: str
    day: date
    count: int
    received: int
    received_asset: Asset
    newest_at: datetime
    oldest_at: datetime
    is_open: bool
    asked: None = None


class _Told(msgspec.Struct):
    source: msgspec.Raw = _NOTHING
    type: msgspec.Raw = _NOTHING


_DECODER: Final = msgspec.json.Decoder(_Told)
_TEXT: Final = msgspec.json.Decoder(str)


def source_of(reference: str, metadata_json: str) -> str:
    """Return what a payment tells of where it comes from, as sent; empty where it tells nothing.

    Args:
        reference: From its metadata, as sent.
        metadata_json: The metadata object's JSON as sent; empty when there is none.
    """
    if told := _told(metadata_json):
        return told
    words = _FIRST_WORDS.match(reference[: 2 * _LONGEST].strip())
    return words[0][:_LONGEST] if words else ""


@lru_cache(_REMEMBERED)
def _told(metadata_json: str) -> str:
    if '"source"' not in metadata_json and '"type"' not in metadata_json:
        return ""
    try:
        known = _DECODER.decode(metadata_json)
    except (msgspec.DecodeError, RecursionError):
        return ""
    for raw in (known.source, known.type):
        if bytes(raw)[:1] == b'"':
            try:
                text = _TEXT.decode(raw).strip()
            except msgspec.DecodeError:
                continue
            if text:
                return text[:_LONGEST]
    return ""


def _follows_the_clock(term: Term) -> bool:
    match term:
        case Not(inner):
            return _follows_the_clock(inner)
        case StateIn() | Is(Flag.ACTION | Flag.FINAL):
            return True
        case InstantIs(field=field) | InstantIn(field=field):
            return field is InstantField.CHANGED
        case _:
            return False
