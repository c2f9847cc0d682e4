"""Whether one payment matches a query: the plain reading, which the SQL must agree with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, assert_never

from opdash.ledger.encoding import split_id
from opdash.ledger.notes import Note
from opdash.ledger.records import PaymentRow
from opdash.ledger.search.folding import Texts, folded, texts_of, values_at
from opdash.ledger.search.terms import (
    NOTE_PARTS,
    All,
    AmountField,
    AmountIn,
    AmountIs,
    AssetIn,
    Contains,
    Flag,
    Has,
    IdIs,
    InstantField,
    InstantIn,
    InstantIs,
    Is,
    Labelled,
    MetadataIs,
    Not,
    NoteLeaf,
    NoteSays,
    Number,
    Op,
    Part,
    ResolvedAs,
    StateIn,
    TextField,
    Tree,
    Word,
)

COMPARE: Final[Mapping[Op, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        Op.EQUAL: operator.eq,
        Op.LESS: operator.lt,
        Op.AT_MOST: operator.le,
        Op.MORE: operator.gt,
        Op.AT_LEAST: operator.ge,
    }
)
"""What each comparison does."""


def matches(tree: Tree, row: PaymentRow) -> bool:  # noqa: C901 - one case for each kind of term
    """Return whether a payment matches."""
    match tree:
        case All(terms):
            return all(matches(term, row) for term in terms)
        case Not(term):
            return not matches(term, row)
        case Word(text):
            own = _texts(row).contain(folded(text)) or id_begins(row.id, text)
            return own or note_matches(tree, row.note)
        case IdIs(text):
            return id_begins(row.id, text)
        case Contains(field, text, whole):
            remote = row.reference if field is TextField.REFERENCE else row.description
            return _agree(folded(remote), folded(text), whole=whole)
        case StateIn(states):
            return row.state in states
        case AssetIn(codes):
            return folded(row.received_asset.code) in codes
        case AmountIs(field, op, number):
            return _amount(field, op, number, row)
        case AmountIn(field, low, high):
            return _amount(field, Op.AT_LEAST, low, row) and _amount(field, Op.AT_MOST, high, row)
        case InstantIs(field, op, instant):
            own_instant = _instant(field, row)
            return own_instant is not None and COMPARE[op](own_instant, instant)
        case InstantIn(field, start, end):
            own_instant = _instant(field, row)
            return own_instant is not None and start <= own_instant < end
        case Is(flag):
            return _flag(flag, row)
        case Has(part):
            return note_matches(tree, row.note) if part in NOTE_PARTS else _has(part, row)
        case MetadataIs(path, wanted, whole):
            return metadata_agrees(row.metadata_json, path, wanted, whole=whole)
        case Labelled() | NoteSays() | ResolvedAs():
            return note_matches(tree, row.note)
        case _:
            assert_never(tree)


def note_matches(term: NoteLeaf, note: Note) -> bool:
    """Return whether what people wrote on a payment matches."""
    match term:
        case Word(text):
            word = folded(text)
            return any(word in own for own in map(folded, (*note.names, note.text)) if own)
        case Labelled(texts, whole):
            labels = [folded(label) for label in note.names]
            if whole:
                return any(label in texts for label in labels)
            return any(label.startswith(texts) for label in labels)
        case NoteSays(text, whole):
            return note.text != "" and _agree(folded(note.text), folded(text), whole=whole)
        case ResolvedAs(resolutions):
            return note.resolution in resolutions
        case Has(Part.LABEL):
            return bool(note.labels)
        case Has(Part.NOTE):
            return note.text != ""
        case Has(Part.RESOLUTION):
            return note.settlement is not None
        case Has():
            return False
        case _:
            assert_never(term)


def id_begins(payment_id: str, text: str) -> bool:
    """Return whether a payment's URL, or its last segment, begins with a text."""
    base, segment = split_id(text)
    own_base, own_segment = split_id(payment_id)
    return own_segment.startswith(segment) and base in ("", own_base)


def metadata_agrees(metadata_json: str, path: str, text: str | None, *, whole: bool) -> bool:
    """Return whether a metadata object has a path, and a value there contains or equals a text."""
    values = values_at(metadata_json, path)
    if values is None or text is None:
        return values is not None
    return any(_agree(folded(value), folded(text), whole=whole) for value in values)


def _agree(own: str, wanted: str, *, whole: bool) -> bool:
    return own == wanted if whole else wanted in own


def _texts(row: PaymentRow) -> Texts:
    return texts_of(row.reference, row.description, row.metadata_json)


def _amount(field: AmountField, op: Op, number: Number, row: PaymentRow) -> bool:
    asset, minor_units = row.received_asset, row.difference
    if field is AmountField.RECEIVED:
        minor_units = row.received
    elif field is AmountField.ASKED:
        if row.asked_asset is None:
            return False
        asset, minor_units = row.asked_asset, row.asked
    if minor_units is None:
        return False
    return COMPARE[op](minor_units * 10**number.places, number.units * 10**asset.scale)


def _instant(field: InstantField, row: PaymentRow) -> datetime | None:
    match field:
        case InstantField.CREATED:
            return row.created_at
        case InstantField.EXPIRES:
            return row.expires_at
        case InstantField.CHANGED:
            return row.changed_at


def _flag(flag: Flag, row: PaymentRow) -> bool:
    match flag:
        case Flag.ACTION:
            return row.needs_action
        case Flag.FINAL:
            return row.final
        case Flag.COMPLETED:
            return row.completed
        case Flag.GONE:
            return row.no_longer_at_server
        case Flag.ODD:
            return bool(row.anomalies)


def _has(part: Part, row: PaymentRow) -> bool:
    match part:
        case Part.REFERENCE:
            return row.reference != ""
        case Part.DESCRIPTION:
            return row.description != ""
        case Part.METADATA:
            return row.metadata_json != ""
        case Part.AMOUNT:
            return row.asked is not None
        case Part.EXPIRY:
            return row.expires_at is not None
        case Part.LABEL | Part.NOTE | Part.RESOLUTION:
            return False
