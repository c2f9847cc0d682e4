"""A query as masks over sheets; it says the same as `opdash.ledger.search.evaluating`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import sub
from types import MappingProxyType
from typing import Final, NamedTuple, assert_never

from opdash.ledger.encoding import NEVER, STATE_CODES, encode_instant, split_id
from opdash.ledger.notes import NO_NOTE, Note
from opdash.ledger.search.batches import Batch, both, either, flipped
from opdash.ledger.search.compiling import id_begins, is_text, whole_bound
from opdash.ledger.search.evaluating import metadata_agrees, note_matches
from opdash.ledger.search.folding import folded, values_at
from opdash.ledger.search.numbers import read_numbers
from opdash.ledger.search.terms import (
    NOTE_PARTS,
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
    Leaf,
    MetadataIs,
    Not,
    NoteLeaf,
    NoteSays,
    Number,
    Op,
    Part,
    ResolvedAs,
    StateIn,
    Term,
    TextField,
    Word,
)
from opdash.ledger.sheets import (
    ACTION,
    COMPLETED,
    DESCRIPTION,
    DESCRIPTION_MARK,
    FINAL,
    GONE,
    METADATA,
    ODD,
    OTHERS_MARK,
    REFERENCE,
    REFERENCE_MARK,
    SLOTS,
    Outlines,
)

_AT_ONCE: Final = 200
_FLAGS: Final[Mapping[Flag, int]] = MappingProxyType(
    {
        Flag.ACTION: ACTION,
        Flag.FINAL: FINAL,
        Flag.COMPLETED: COMPLETED,
        Flag.GONE: GONE,
        Flag.ODD: ODD,
    }
)
_PARTS: Final[Mapping[Part, int]] = MappingProxyType(
    {Part.REFERENCE: REFERENCE, Part.DESCRIPTION: DESCRIPTION, Part.METADATA: METADATA}
)
_INSTANTS: Final[Mapping[InstantField, str]] = MappingProxyType(
    {
        InstantField.CREATED: "created",
        InstantField.EXPIRES: "expires",
        InstantField.CHANGED: "changed",
    }
)

Mask = Callable[[Batch, bytes], bytes]
"""Picks slots of a batch; the second mask tells which of them are asked about."""


class Test(NamedTuple):
    """What a term asks of a batch.

    Attributes:
        mask: Answers it.
        columns: Which columns that takes.
        texts: Whether it takes the texts.
        rows: Whether it reads payments one by one.
    """

    mask: Mask
    columns: tuple[str, ...] = ()
    texts: bool = False
    rows: bool = False


class Tester:
    """Turns terms into tests, for one wallet address as the ledger stands.

    Args:
        connection: The ledger, inside the transaction that runs the tests.
        wallet_key: The wallet address's number.
        outlines: The outlines of metadata.
        noted: What people wrote, by payments' numbers.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        wallet_key: int,
        outlines: Outlines,
        noted: Mapping[int, Note],
    ) -> None:
        self._connection = connection
        self._wallet_key = wallet_key
        self._outlines = outlines
        self._notes = noted
        found = connection.execute("SELECT asset_key, code, scale FROM asset").fetchall()
        self._codes = {key: folded(code) for key, code, _ in found}
        self._scales = {key: scale for key, _, scale in found}

    def tests(self, terms: Iterable[Term]) -> tuple[Test, ...]:
        """Return the tests of terms, those first that take the least time."""
        return tuple(sorted(map(self._test, terms), key=lambda test: (test.rows, test.texts)))

    def _test(self, term: Term) -> Test:
        if isinstance(term, Not):
            test = self._leaf(term.term)
            return test._replace(mask=_turned(test.mask))
        return self._leaf(term)

    def _leaf(self, term: Leaf) -> Test:  # noqa: C901 - one case for each kind of term
        match term:
            case Word(text):
                return _any([_contains(folded(text)), self._id(text), *self._written(term)])
            case Contains(field, text, whole):
                return _contains_in(field, folded(text), whole=whole)
            case IdIs(text):
                return self._id(text)
            case StateIn(states):
                return _byte("state", {STATE_CODES[state] for state in states})
            case AssetIn(codes):
                known = {key for key, code in self._codes.items() if code in codes}
                return _number("received_asset", known.__contains__)
            case AmountIs(field, op, number):
                return self._amount(field, op, number)
            case AmountIn(field, low, high):
                bounds = (Op.AT_LEAST, low), (Op.AT_MOST, high)
                return _all([self._amount(field, op, number) for op, number in bounds])
            case InstantIs(field, op, instant):
                return _instant(field, [(op, encode_instant(instant))])
            case InstantIn(field, start, end):
                ends = (Op.AT_LEAST, encode_instant(start)), (Op.LESS, encode_instant(end))
                return _instant(field, ends)
            case Is(flag):
                return _bit(_FLAGS[flag])
            case Has(Part.AMOUNT):
                return _number("asked_asset", bool)
            case Has(Part.EXPIRY):
                return _instant(InstantField.EXPIRES, ())
            case Has(part):
                return self._noted(term) if part in NOTE_PARTS else _bit(_PARTS[part])
            case Labelled() | NoteSays() | ResolvedAs():
                return self._noted(term)
            case MetadataIs(path, text, whole):
                return self._metadata(path, text, whole=whole)
            case _:
                assert_never(term)

    def _written(self, word: Word) -> list[Test]:
        return [self._noted(word)] if self._notes else []

    def _noted(self, term: NoteLeaf) -> Test:
        without = note_matches(term, NO_NOTE)
        keys = [key for key, note in self._notes.items() if note_matches(term, note) != without]
        test = _of_keys(keys)
        return test._replace(mask=_turned(test.mask)) if without else test

    def _id(self, text: str) -> Test:
        base, segment = split_id(text)
        if not is_text(text):
            return _NOTHING
        if segment:
            return self._id_begins(text)
        if not base:
            return _EVERYTHING
        found = self._connection.execute("SELECT base_key FROM base WHERE url = ?", (base,))
        keys = {key for (key,) in found}
        return _number("base", keys.__contains__)

    def _id_begins(self, text: str) -> Test:
        begins = id_begins(text)
        keys = read_numbers(
            self._connection,
            "SELECT p.payment_key AS number FROM payment p INDEXED BY payment_by_id "  # noqa: S608 - conditions of this package
            f"WHERE p.wallet_key = ? AND {begins.text}",
            (self._wallet_key, *begins.values),
        )
        return _of_keys(keys)

    def _amount(self, field: AmountField, op: Op, number: Number) -> Test:
        asset = "asked_asset" if field is AmountField.ASKED else "received_asset"
        bounds = {scale: whole_bound(op, number, scale) for scale in set(self._scales.values())}

        def mask(batch: Batch, _: bytes) -> bytes:
            values = _values(field, batch)
            scales = {self._scales.get(key) for key in set(batch.numbers(asset))} - {None}
            found = bytes(batch.size)
            for scale in scales:
                bound = None if scale is None else bounds[scale]
                if bound is not None:
                    of_scale = batch.where(asset, lambda key, s=scale: self._scales.get(key) == s)  # type: ignore[misc]
                    found = either(found, both(of_scale, _compared(values, *bound)))
            return both(found, _have_difference(batch)) if field is _DIFFERENCE else found

        columns = {
            AmountField.ASKED: ("asked_asset", "asked"),
            AmountField.RECEIVED: ("received_asset", "received"),
            AmountField.DIFFERENCE: ("received_asset", "received", "asked_asset", "asked"),
        }
        return Test(mask, columns[field])

    def _metadata(self, path: str, text: str | None, *, whole: bool) -> Test:
        outlined = _number("outline", lambda key: self._has_path(key, path))
        if text is None:
            return outlined
        holding = _all([outlined, _contains(folded(text))])

        def mask(batch: Batch, asked: bytes) -> bytes:
            found = bytearray(batch.size)
            places = {first: place * SLOTS for place, first in enumerate(batch.firsts)}
            keys = batch.keys(both(asked, holding.mask(batch, asked)))
            for key, metadata in self._metadata_of(keys):
                if metadata_agrees(metadata, path, text, whole=whole):
                    found[places[key // SLOTS * SLOTS] + key % SLOTS] = 1
            return bytes(found)

        return Test(mask, holding.columns, texts=True, rows=True)

    def _has_path(self, outline_key: int, path: str) -> bool:
        return values_at(self._outlines[outline_key], path) is not None

    def _metadata_of(self, keys: Sequence[int]) -> Iterable[tuple[int, str]]:
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            yield from self._connection.execute(
                f"SELECT payment_key, metadata FROM payment WHERE payment_key IN ({marks})",  # noqa: S608 - only marks
                some,
            )


_NOTHING: Final = Test(lambda batch, _: bytes(batch.size))
_EVERYTHING: Final = Test(lambda batch, _: b"\1" * batch.size)
_DIFFERENCE: Final = AmountField.DIFFERENCE


def _of_keys(keys: Sequence[int]) -> Test:
    """Return the test that picks payments by their numbers."""
    if not keys:
        return _NOTHING
    of_sheets: dict[int, bytearray] = {}
    for key in keys:
        of_sheets.setdefault(key // SLOTS, bytearray(SLOTS))[key % SLOTS] = 1

    def mask(batch: Batch, _: bytes) -> bytes:
        none = bytes(SLOTS)
        return b"".join([of_sheets.get(first // SLOTS, none) for first in batch.firsts])

    return Test(mask)


# Numbers


def _byte(column: str, wanted: set[int]) -> Test:
    table = bytes(byte in wanted for byte in range(256))
    return Test(lambda batch, _: batch.bytes_of(column).translate(table), (column,))


def _bit(bit: int) -> Test:
    return _byte("flags", {byte for byte in range(256) if byte & bit})


def _number(column: str, test: Callable[[int], object]) -> Test:
    return Test(lambda batch, _: batch.where(column, test), (column,))


def _instant(field: InstantField, bounds: Sequence[tuple[Op, int]]) -> Test:
    column = _INSTANTS[field]

    def mask(batch: Batch, _: bytes) -> bytes:
        numbers = batch.numbers(column)
        found = b"\1" * batch.size
        if field is InstantField.EXPIRES:
            found = bytes(map(NEVER.__ne__, numbers))
        for op, bound in bounds:
            found = both(found, _compared(numbers, op, bound))
        return found

    return Test(mask, (column,))


def _values(field: AmountField, batch: Batch) -> Iterable[int]:
    match field:
        case AmountField.ASKED:
            return batch.numbers("asked")
        case AmountField.RECEIVED:
            return batch.numbers("received")
        case AmountField.DIFFERENCE:
            return list(map(sub, batch.numbers("received"), batch.numbers("asked")))


def _have_difference(batch: Batch) -> bytes:
    return both(
        batch.alike("asked_asset", "received_asset"), bytes(map(bool, batch.numbers("asked")))
    )


def _compared(numbers: Iterable[int], op: Op, bound: int) -> bytes:
    """Return the mask of the numbers that compare so with a bound, which stands on the right."""
    match op:
        case Op.EQUAL:
            return bytes(map(bound.__eq__, numbers))
        case Op.LESS:
            return bytes(map(bound.__gt__, numbers))
        case Op.AT_MOST:
            return bytes(map(bound.__ge__, numbers))
        case Op.MORE:
            return bytes(map(bound.__lt__, numbers))
        case Op.AT_LEAST:
            return bytes(map(bound.__le__, numbers))


# Texts


def _contains(word: str) -> Test:
    return _holding(word.encode())


def _contains_in(field: TextField, word: str, *, whole: bool) -> Test:
    begin, end = REFERENCE_MARK, DESCRIPTION_MARK
    if field is TextField.DESCRIPTION:
        begin, end = DESCRIPTION_MARK, OTHERS_MARK
    part = word.encode()
    if whole:
        return _holding(begin + part + end)

    def in_sheet(batch: Batch, number: int) -> bytes:
        if part not in batch.texts[number]:
            return bytes(SLOTS)
        entries = batch.entries(number)
        starts: Iterable[int] = repeat(0)
        if begin != REFERENCE_MARK:
            starts = map(bytes.find, entries, repeat(begin))
        ends = map(bytes.find, entries, repeat(end))
        return bytes(map((-1).__lt__, map(bytes.find, entries, repeat(part), starts, ends)))

    def mask(batch: Batch, _: bytes) -> bytes:
        return b"".join([in_sheet(batch, number) for number in range(len(batch.texts))])

    return Test(mask, texts=True)


def _holding(part: bytes) -> Test:
    return Test(lambda batch, asked: batch.holding(part, asked), texts=True)


# Together


def _turned(mask: Mask) -> Mask:
    return lambda batch, asked: flipped(mask(batch, asked))


def _all(tests: Sequence[Test]) -> Test:
    return _joined(tests, both)


def _any(tests: Sequence[Test]) -> Test:
    return _joined(tests, either)


def _joined(tests: Sequence[Test], join: Callable[[bytes, bytes], bytes]) -> Test:
    def mask(batch: Batch, asked: bytes) -> bytes:
        found = tests[0].mask(batch, asked)
        for test in tests[1:]:
            found = join(found, test.mask(batch, asked))
        return found

    columns = tuple(column for test in tests for column in test.columns)
    return Test(
        mask,
        columns,
        texts=any(test.texts for test in tests),
        rows=any(test.rows for test in tests),
    )
