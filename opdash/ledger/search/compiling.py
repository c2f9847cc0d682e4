"""A query as SQL over ``payment p``; it says the same as `opdash.ledger.search.evaluating`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, assert_never

import msgspec

from opdash.ledger.encoding import (
    NEVER,
    STATE_CODES,
    decode_amount,
    encode_amount,
    encode_instant,
    split_id,
)
from opdash.ledger.notes import NO_NOTE, Note
from opdash.ledger.search.evaluating import metadata_agrees, note_matches
from opdash.ledger.search.folding import folded, texts_of
from opdash.ledger.search.index import is_indexed, wallet_span
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

SHORTEST: Final = 3
"""The fewest letters that the index can look up."""

_END: Final = 6
_MORE_THAN_ANY: Final = 10**98
_AFTER_ALL: Final = chr(0x10FFFF)
_NOT_PLAIN: Final = "*[^ -~]*"
_COLUMNS: Final = {TextField.REFERENCE: "reference", TextField.DESCRIPTION: "description"}
_INSTANTS: Final = {
    InstantField.CREATED: "p.created_at",
    InstantField.EXPIRES: "p.expires_at",
    InstantField.CHANGED: "p.changed_at",
}
_FLAGS: Final = {
    Flag.ACTION: "p.needs_action = 1",
    Flag.FINAL: "p.final = 1",
    Flag.COMPLETED: "p.completed = 1",
    Flag.GONE: "p.gone_at IS NOT NULL",
    Flag.ODD: "p.anomalies <> ''",
}
_PARTS: Final = {
    Part.REFERENCE: "p.reference <> ''",
    Part.DESCRIPTION: "p.description <> ''",
    Part.METADATA: "p.metadata <> ''",
    Part.AMOUNT: "p.asked <> ''",
    Part.EXPIRY: f"p.expires_at <> {NEVER}",
}


class Sql(NamedTuple):
    """A condition and its parameters."""

    text: str
    values: tuple[Any, ...] = ()


_TRUE: Final = Sql("1")
_FALSE: Final = Sql("0")
_Bound: TypeAlias = tuple[Op, int]


class Compiler(msgspec.Struct, frozen=True):
    """Turns terms into SQL for one wallet address, as the ledger stands.

    Attributes:
        wallet_key: The wallet address's number.
        scales: The scales of all assets that the ledger has met.
        indexed: Whether texts can be looked up in the index.
        loose: Whether to look up only both ends of long texts, and to read what is found: quicker
            where few rows are wanted, slower where all are.
        noted: What people wrote, by payments' numbers.
    """

    wallet_key: int
    scales: tuple[int, ...]
    indexed: bool
    loose: bool
    noted: Mapping[int, Note]

    @classmethod
    def of(
        cls,
        connection: sqlite3.Connection,
        wallet_key: int,
        noted: Mapping[int, Note],
        *,
        loose: bool = False,
    ) -> Compiler:
        """Look at the ledger; inside the transaction that runs the SQL."""
        found = connection.execute("SELECT DISTINCT scale FROM asset").fetchall()
        scales = tuple(scale for (scale,) in found)
        return cls(wallet_key, scales, is_indexed(connection), loose, noted)

    def condition(self, terms: Sequence[Term]) -> Sql:
        """Return the condition that all terms match; it may be NULL for no."""
        return _all([self._term(term) for term in terms])

    def phrase(self, term: Term) -> str | None:
        """Return what a term asks of the index, or None where it does not help.

        Every payment that matches and is in the index matches the phrase, but for a `Word` that an
        id begins with, or that people wrote on it.
        """
        match term:
            case Word(text):
                return self._phrase(text, "")
            case Contains(field, text):
                return self._phrase(text, _COLUMNS[field])
            case MetadataIs(_, str() as text):
                return self._phrase(text, "")
            case _:
                return None

    def beyond_phrase(self, term: Term) -> Sql:
        """Return what a term asks of a payment that is known to match its phrase."""
        match term:
            case Contains(whole=True) | MetadataIs():
                return self._check(term)
            case Word(text) | Contains(_, text) if self._in_pieces(folded(text)):
                return self._check(term)
            case _:
                return _TRUE

    def _term(self, term: Term) -> Sql:
        if isinstance(term, Not):
            negated = self._leaf(term.term)
            # As a condition, not as a value, it is evaluated no further than needed.
            return Sql(f"({negated.text}) IS NOT TRUE", negated.values)
        return self._leaf(term)

    def _leaf(self, term: Leaf) -> Sql:  # noqa: C901 - one case for each kind of term
        match term:
            case Word(text):
                return _any([self._looked_up(term), id_begins(text), self._noted(term)])
            case Contains() | MetadataIs():
                return self._looked_up(term)
            case IdIs(text):
                return id_begins(text)
            case StateIn(states):
                return _one_of("p.state", [STATE_CODES[state] for state in states])
            case AssetIn(codes):
                inner = _one_of("opdash_folded(code)", codes)
                return _asset("p.received_asset_key", inner)
            case AmountIs(field, op, number):
                return self._amount(field, op, number)
            case AmountIn(field, low, high):
                both = (
                    self._amount(field, Op.AT_LEAST, low),
                    self._amount(field, Op.AT_MOST, high),
                )
                return _all(both)
            case InstantIs(field, op, instant):
                return _instant(field, [(op, encode_instant(instant))])
            case InstantIn(field, start, end):
                ends = (Op.AT_LEAST, encode_instant(start)), (Op.LESS, encode_instant(end))
                return _instant(field, ends)
            case Is(flag):
                return Sql(_FLAGS[flag])
            case Has(part):
                return self._noted(term) if part in NOTE_PARTS else Sql(_PARTS[part])
            case Labelled() | NoteSays() | ResolvedAs():
                return self._noted(term)
            case _:
                assert_never(term)

    # What people wrote

    def noted_keys(self, term: NoteLeaf) -> list[int]:
        """Return the numbers of payments that match, or do not, unlike those with no note."""
        without = note_matches(term, NO_NOTE)
        return [key for key, note in self.noted.items() if note_matches(term, note) != without]

    def _noted(self, term: NoteLeaf) -> Sql:
        keys, without = self.noted_keys(term), note_matches(term, NO_NOTE)
        if not keys:
            return _TRUE if without else _FALSE
        word = "NOT IN" if without else "IN"
        return Sql(
            f"p.payment_key {word} (SELECT value FROM json_each(?))",  # noqa: S608 - no values
            (json.dumps(keys),),
        )

    # Texts

    def _phrase(self, text: str, column: str) -> str | None:
        word = folded(text)
        if not self.indexed or len(word) < SHORTEST:
            return None
        # References begin alike and differ at their ends; the rarer end leads the other.
        pieces = [word[:_END], word[-_END:]] if self._in_pieces(word) else [word]
        phrases = ['"' + piece.replace('"', '""') + '"' for piece in pieces]
        prefix = f"{column} : " if column else ""
        return " AND ".join(prefix + phrase for phrase in phrases)

    def _in_pieces(self, word: str) -> bool:
        return self.loose and len(word) > _END

    def _looked_up(self, term: Word | Contains | MetadataIs) -> Sql:
        """Return the condition that a text matches: by the index, or by reading what it lacks."""
        phrase, check = self.phrase(term), self._check(term)
        if phrase is None:
            return check
        found = Sql(
            """p.payment_key IN (
                   SELECT d.payment_key FROM words CROSS JOIN document d ON d.doc_key = words.rowid
                   WHERE words MATCH ? AND words.rowid BETWEEN ? AND ?)""",
            (phrase, *wallet_span(self.wallet_key)),
        )
        unindexed = Sql("p.payment_key IN (SELECT payment_key FROM unindexed)")
        return _any([_all([found, self.beyond_phrase(term)]), _all([unindexed, check])])

    def _check(self, term: Word | Contains | MetadataIs) -> Sql:
        """Return the condition that a text matches, found out by reading it."""
        match term:
            case Word(text):
                word = folded(text)
                contains = "opdash_contains(p.reference, p.description, p.metadata, ?)"
                return _all([_may_contain("p.metadata", word), Sql(contains, (word,))])
            case Contains(field, text, whole):
                column, word = f"p.{_COLUMNS[field]}", folded(text)
                agrees = f"opdash_folded({column}) = ?" if whole else f"opdash_in({column}, ?)"
                return _all([_may_contain(column, word), Sql(agrees, (word,))])
            case MetadataIs(path, wanted, whole):
                if not is_text(path):
                    return _FALSE
                value = None if wanted is None else folded(wanted)
                first = path.split(".", 1)[0]
                named = Sql(r"(instr(p.metadata, ?) OR instr(p.metadata, '\'))", (first,))
                check = Sql("opdash_metadata(p.metadata, ?, ?, ?)", (path, value, whole))
                return _all([named, check])

    # Amounts

    def _amount(self, field: AmountField, op: Op, number: Number) -> Sql:
        if field is AmountField.DIFFERENCE:
            asset, given = "p.received_asset_key", "p.asked NOT IN ('', ?)"
            same = Sql(f"p.asked_asset_key = p.received_asset_key AND {given}", (encode_amount(0),))
            return _all([same, _any([self._difference(op, number, s) for s in self.scales])])
        column = "asked" if field is AmountField.ASKED else "received"
        asset = f"p.{column}_asset_key"
        compared = [
            _all(
                [
                    _asset(asset, Sql("scale = ?", (scale,))),
                    _compared(f"p.{column}", op, number, scale),
                ]
            )
            for scale in self.scales
        ]
        return _all([Sql(f"p.{column} <> ''"), _any(compared)])

    def _difference(self, op: Op, number: Number, scale: int) -> Sql:
        bound = whole_bound(op, number, scale)
        of_scale = _asset("p.received_asset_key", Sql("scale = ?", (scale,)))
        if bound is None:
            return _FALSE
        compare = f"opdash_difference(p.received, p.asked, ?) {bound[0].value} 0"
        return _all([of_scale, Sql(compare, (str(bound[1]),))])


def id_begins(text: str) -> Sql:
    """Return the condition that a payment's URL, or its last segment, begins with a text."""
    if not is_text(text):
        return _FALSE
    base, segment = split_id(text)
    parts = []
    if base:
        parts.append(Sql("p.base_key = (SELECT base_key FROM base WHERE url = ?)", (base,)))
    if segment:
        parts.append(
            Sql(
                "p.segment >= ? AND p.segment < ? AND substr(p.segment, 1, ?) = ?",
                (segment, segment + _AFTER_ALL, len(segment), segment),
            )
        )
    return _all(parts)


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection what the conditions call."""
    for name, arguments, function in (
        ("opdash_folded", 1, folded),
        ("opdash_in", 2, lambda text, word: word in folded(text)),
        ("opdash_contains", 4, lambda *texts: texts_of(*texts[:3]).contain(texts[3])),
        ("opdash_metadata", 4, lambda *how: metadata_agrees(*how[:3], whole=bool(how[3]))),
        ("opdash_difference", 3, _compare_difference),
    ):
        connection.create_function(name, arguments, function, deterministic=True)


def _compare_difference(received: str, asked: str, bound: str) -> int:
    difference = (decode_amount(received) or 0) - (decode_amount(asked) or 0)
    return (difference > int(bound)) - (difference < int(bound))


def _compared(column: str, op: Op, number: Number, scale: int) -> Sql:
    """Compare stored minor units of a scale, which are texts, with a number."""
    bound = whole_bound(op, number, scale)
    if bound is None:
        return _FALSE
    op, minor_units = bound
    if minor_units < 0:
        return _TRUE if op in (Op.MORE, Op.AT_LEAST) else _FALSE
    if minor_units >= _MORE_THAN_ANY:
        return _TRUE if op in (Op.LESS, Op.AT_MOST) else _FALSE
    return Sql(f"{column} {op.value} ?", (encode_amount(minor_units),))


def whole_bound(op: Op, number: Number, scale: int) -> _Bound | None:
    """Return a comparison of whole minor units that says the same; None where none can match."""
    whole, rest = divmod(number.units * 10**scale, 10**number.places)
    if not rest:
        return op, whole
    match op:
        case Op.EQUAL:
            return None
        case Op.LESS | Op.AT_MOST:
            return Op.AT_MOST, whole
        case Op.MORE | Op.AT_LEAST:
            return Op.MORE, whole


def _instant(field: InstantField, bounds: Sequence[_Bound]) -> Sql:
    column = _INSTANTS[field]
    parts = [Sql(f"{column} {op.value} ?", (instant,)) for op, instant in bounds]
    if field is InstantField.EXPIRES:
        parts.append(Sql(f"{column} <> {NEVER}"))
    return _all(parts)


def _asset(column: str, of_asset: Sql) -> Sql:
    return Sql(
        f"{column} IN (SELECT asset_key FROM asset WHERE {of_asset.text})",  # noqa: S608 - conditions of this file
        of_asset.values,
    )


def _may_contain(column: str, word: str) -> Sql:
    """Return a condition that costs little and holds wherever a text can contain a folded word.

    Only texts without escapes and beyond plain letters can contain a word that is not in them as
    it stands.
    """
    if not (word.isascii() and word.isprintable()):
        return _TRUE
    escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return Sql(
        rf"""({column} LIKE ? ESCAPE '!' OR instr({column}, '\') OR {column} GLOB ?
             OR instr({column}, char(0)))""",
        (f"%{escaped}%", _NOT_PLAIN),
    )


def _one_of(column: str, values: Sequence[Any]) -> Sql:
    return Sql(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def _all(parts: Sequence[Sql]) -> Sql:
    return _joined(parts, " AND ", _TRUE)


def _any(parts: Sequence[Sql]) -> Sql:
    return _joined(parts, " OR ", _FALSE)


def _joined(parts: Sequence[Sql], word: str, nothing: Sql) -> Sql:
    if not parts:
        return nothing
    texts = [part.text for part in parts]
    values = tuple(value for part in parts for value in part.values)
    return parts[0] if len(parts) == 1 else Sql(f"({word.join(texts)})", values)


def is_text(text: str) -> bool:
    """Return whether SQLite can hold a text to its end."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
