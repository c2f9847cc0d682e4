"""Reading a query.

A query is words and terms parted by blanks; all of them must match. ``-`` before one turns it
round, quotes keep blanks together and make a word of what would be a term::

    lamp "desk lamp"             a text contains it, or the id begins with it
    state:short  state:paid,overpaid  is:action  is:open  is:gone
    amount>10  received<5  difference<0  amount:10..20
    asset:USD  ref:INV-7  ref=INV-7  desc:lamp  id:2f1b
    since:7d  before:2026-11-01  created:today  expires<2d  changed<1h
    has:ref  has:metadata.orderId  metadata.orderId:77
    label:vip  note:call  resolution:refunded  has:note

``:`` asks for a part of a text and ``=`` for the whole of it. A duration counts back from now, for
``expires`` forward. A quote that is still open ends with the line, because the line is being typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from opdash.ledger.search.folding import folded
from opdash.ledger.search.terms import (
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
    Leaf,
    MetadataIs,
    Not,
    NoteSays,
    Op,
    Part,
    Query,
    ResolvedAs,
    SearchError,
    StateIn,
    Term,
    TextField,
    Word,
)
from opdash.ledger.search.values import (
    Moment,
    is_less,
    named_state,
    nearest,
    read_duration,
    read_number,
    read_resolutions,
    read_span,
    read_states,
    shown,
    within_calendar,
)
from opdash.ledger.states import OPEN_STATES, PAID_STATES, State

LONGEST: Final = 500
"""The most characters of a query."""

_MOST_TERMS: Final = 40
_TERM = re.compile(r"([^\W\d_][\w.-]*)(>=|<=|[:=<>])")
_LOOSE_SIGNS: Final = frozenset({">", "<", ">=", "<=", "=", ":"})
_SIGNS = re.compile(r"[:=<>]+")
_METADATA = re.compile(r"meta(?:data)?\.", re.IGNORECASE)


class _Typed(NamedTuple):
    """A term, parted: its name, its operator, its value, and all of it as typed."""

    name: str
    op: str
    value: str
    typed: str


class _Token(NamedTuple):
    """What stands between two blanks.

    Attributes:
        text: Without quotes.
        bare: How many characters at its beginning stood outside quotes.
    """

    text: str
    bare: int


def read_query(line: str, moment: Moment) -> Query:
    """Read a query.

    Args:
        line: As typed; an empty one asks for nothing.
        moment: When and where it is read; durations and days count from there.

    Raises:
        SearchError: A term is wrong; the advice says what was probably meant.
    """
    if len(line) > LONGEST:
        raise SearchError(f"The filter is longer than {LONGEST} characters.", "Shorten it.")
    tokens = tuple(_tokens(line))
    _refuse_loose_signs(tokens)
    terms = tuple(_term(token, moment) for token in tokens)
    if len(terms) > _MOST_TERMS:
        raise SearchError(f"The filter has more than {_MOST_TERMS} terms.", "Leave some out.")
    return Query(line, All(terms))


def _refuse_loose_signs(tokens: Sequence[_Token]) -> None:
    """Raise for ``amount > 10``: read as three words it would find nothing, without a hint."""
    for before, sign, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if sign.bare and sign.text in _LOOSE_SIGNS:
            raise SearchError(
                f"“{shown(sign.text)}” stands alone.",
                f"Write it without blanks: {shown(before.text + sign.text + after.text)}",
            )


def _tokens(line: str) -> Iterator[_Token]:
    text, bare, quoted, any_quote, escaped = "", 0, False, False, False
    for character in line:
        if escaped:
            text, escaped = text + character, False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted, any_quote = not quoted, True
        elif character.isspace() and not quoted:
            if text:
                yield _Token(text, bare)
            text, bare, any_quote = "", 0, False
        else:
            text += character
            bare += not any_quote
    if text:
        yield _Token(text, bare)


def _term(token: _Token, moment: Moment) -> Term:
    text, bare = token
    if bare and text[0] == "-" and len(text) > 1:
        term = _term(_Token(text[1:], bare - 1), moment)
        return term.term if isinstance(term, Not) else Not(term)
    return _leaf(text, bare, moment)


def _leaf(text: str, bare: int, moment: Moment) -> Leaf:
    match = _TERM.match(text, 0, bare)
    if match is None or text.startswith("://", match.end(1)):
        return Word(text)
    name = match[1] if _METADATA.match(match[1]) else match[1].lower()
    term = _Typed(name, match[2], text[match.end() :], text)
    read = _metadata if _METADATA.match(name) else _READERS.get(name)
    if read is None:
        advice = nearest(name, _READERS) or f"Terms are {', '.join(_SHOWN)}."
        raise SearchError(
            f"“{shown(name)}{term.op}” is not a term.",
            f"{advice} To find the text itself, put it in quotes.",
        )
    if (more := _SIGNS.match(term.value)) and bare > match.end():
        sign = {"=>": ">=", "=<": "<="}.get(term.op + more[0], term.op)
        meant = f"{match[1]}{sign}{term.value[more.end() :]}"
        raise SearchError(
            f"“{shown(term.op + more[0])}” in “{shown(text)}” compares nothing.",
            f"Did you mean “{shown(meant)}”? To find the text itself, put it in quotes.",
        )
    if not term.value:
        raise SearchError(f"“{shown(text)}” needs a value.", f"For example {_example(name)}.")
    return read(term, moment)


def _metadata(term: _Typed, _: Moment) -> Leaf:
    path = _METADATA.sub("", term.name, count=1)
    if not path:
        raise SearchError(
            f"“{shown(term.typed)}” names no key.", "For example metadata.orderId:77."
        )
    return MetadataIs(path, term.value, _whole(term))


def _text(field: TextField) -> Callable[[_Typed, Moment], Leaf]:
    return lambda term, _: Contains(field, term.value, _whole(term))


def _id(term: _Typed, _: Moment) -> Leaf:
    _whole(term)
    return IdIs(term.value)


def _state(term: _Typed, _: Moment) -> Leaf:
    return StateIn(read_states(term.value, term.typed, exactly=_whole(term)))


def _asset(term: _Typed, _: Moment) -> Leaf:
    _whole(term)
    codes = sorted({folded(code.strip()) for code in term.value.split(",")})
    return AssetIn(tuple(codes))


def _label(term: _Typed, _: Moment) -> Leaf:
    labels = {folded(label.strip()) for label in term.value.split(",")} - {""}
    if not labels:
        raise SearchError(f"“{shown(term.typed)}” names no label.", "For example label:vip.")
    return Labelled(tuple(sorted(labels)), _whole(term))


def _resolution(term: _Typed, _: Moment) -> Leaf:
    _whole(term)
    return ResolvedAs(read_resolutions(term.value, term.typed))


def _amount(field: AmountField) -> Callable[[_Typed, Moment], Leaf]:
    signed = field is AmountField.DIFFERENCE

    def read(term: _Typed, _: Moment) -> Leaf:
        if ends := _range(term):
            low, high = (read_number(end, term.typed, signed=signed) for end in ends)
            if is_less(high, low):
                raise SearchError(
                    f"“{shown(term.typed)}” holds no amount.",
                    f"Write the smaller one first: {shown(f'{term.name}:{ends[1]}..{ends[0]}')}.",
                )
            return AmountIn(field, low, high)
        return AmountIs(field, _op(term), read_number(term.value, term.typed, signed=signed))

    return read


def _past(field: InstantField) -> Callable[[_Typed, Moment], Leaf]:
    def read(term: _Typed, moment: Moment) -> Leaf:
        if (age := read_duration(term.value)) is None:
            return _at(field, _op(term), term, moment)
        instant = within_calendar(lambda: moment.now - age, term.typed)
        return InstantIs(field, _AGES[_op(term)], instant)

    return read


def _expires(term: _Typed, moment: Moment) -> Leaf:
    op, field = _op(term), InstantField.EXPIRES
    if (ahead := read_duration(term.value)) is None:
        return _at(field, op, term, moment)
    instant = within_calendar(lambda: moment.now + ahead, term.typed)
    if op in (Op.MORE, Op.AT_LEAST):
        return InstantIs(field, op, instant)
    return InstantIn(field, moment.now, instant)


def _at(field: InstantField, op: Op, term: _Typed, moment: Moment) -> Leaf:
    """Compare with a day, a month or a point in time: after a day is after the end of it."""
    if ends := _range(term):
        first, last = (read_span(end, moment, term.typed) for end in ends)
        return InstantIn(field, first.start, last.end)
    start, end = read_span(term.value, moment, term.typed)
    if start == end:
        return InstantIs(field, op, start)
    match op:
        case Op.EQUAL:
            return InstantIn(field, start, end)
        case Op.LESS | Op.AT_LEAST:
            return InstantIs(field, op, start)
        case Op.AT_MOST:
            return InstantIs(field, Op.LESS, end)
        case Op.MORE:
            return InstantIs(field, Op.AT_LEAST, end)


def _bound(op: Op) -> Callable[[_Typed, Moment], Leaf]:
    def read(term: _Typed, moment: Moment) -> Leaf:
        _whole(term)
        age = read_duration(term.value)
        if age is None:
            if _range(term):
                raise SearchError(
                    f"“{shown(term.typed)}” has two ends.",
                    f"Write created:{shown(term.value)}.",
                )
            instant = read_span(term.value, moment, term.typed).start
        else:
            instant = within_calendar(lambda: moment.now - age, term.typed)
        return InstantIs(InstantField.CREATED, op, instant)

    return read


def _is(term: _Typed, _: Moment) -> Leaf:
    _whole(term)
    if term.value.lower() not in _FLAGS and (state := named_state(term.value)):
        raise SearchError(
            f"“{shown(term.value)}” in “{shown(term.typed)}” is a state.",
            f"Did you mean “state:{state}”?",
        )
    return _named(_FLAGS, term, "something a payment can be")


def _has(term: _Typed, _: Moment) -> Leaf:
    _whole(term)
    if found := _METADATA.match(term.value):
        path = term.value[found.end() :]
        if path:
            return MetadataIs(path)
    elif term.value.lower() not in _PARTS:
        name, dot, path = term.value.partition(".")
        near = nearest(name.lower(), ("metadata",)) if dot else nearest(name.lower(), _PARTS)
        meant = f"has:metadata.{shown(path if near and dot else term.value)}"
        raise SearchError(
            f"“{shown(term.value)}” in “{shown(term.typed)}” is not something a payment can have.",
            f"Did you mean “{meant}”?" if dot or not near else f"{near} For a key, {meant}.",
        )
    return _named(_PARTS, term, "something a payment can have")


def _named(known: Mapping[str, Leaf], term: _Typed, what: str) -> Leaf:
    tree = known.get(term.value.lower())
    if tree is None:
        advice = nearest(term.value.lower(), known) or f"There are {', '.join(known)}."
        raise SearchError(f"“{shown(term.value)}” in “{shown(term.typed)}” is not {what}.", advice)
    return tree


def _range(term: _Typed) -> tuple[str, str] | None:
    """Return the ends of ``10..20``, or None. Raises `SearchError` for half of it."""
    first, dots, last = term.value.partition("..")
    if not dots:
        return None
    _whole(term)
    if not first or not last:
        raise SearchError(
            f"“{shown(term.typed)}” lacks an end.",
            f"Write both, or compare: {term.name}{'>=' if first else '<='}{shown(first or last)}.",
        )
    return first, last


def _op(term: _Typed) -> Op:
    return Op.EQUAL if term.op == ":" else Op(term.op)


def _whole(term: _Typed) -> bool:
    """Return whether all of a text is asked for. Raises `SearchError` where it cannot compare."""
    if term.op not in ":=":
        raise SearchError(
            f"“{shown(term.typed)}” compares what has no order.",
            f"Write it with a colon: {shown(term.name)}:{shown(term.value)}.",
        )
    return term.op == "="


def _example(name: str) -> str:
    return next((shown for shown in _SHOWN if shown.startswith(name)), "metadata.orderId:77")


_AGES: Final[Mapping[Op, Op]] = MappingProxyType(
    {
        Op.EQUAL: Op.AT_LEAST,
        Op.LESS: Op.MORE,
        Op.AT_MOST: Op.AT_LEAST,
        Op.MORE: Op.LESS,
        Op.AT_LEAST: Op.AT_MOST,
    }
)
"""What an age says of an instant: the younger, the later."""

_FLAGS: Final[Mapping[str, Leaf]] = MappingProxyType(
    {
        "action": Is(Flag.ACTION),
        "open": StateIn(tuple(state for state in State if state in OPEN_STATES)),
        "paid": StateIn(tuple(state for state in State if state in PAID_STATES)),
        "final": Is(Flag.FINAL),
        "completed": Is(Flag.COMPLETED),
        "gone": Is(Flag.GONE),
        "anomaly": Is(Flag.ODD),
    }
)
_PARTS: Final[Mapping[str, Leaf]] = MappingProxyType(
    {
        "ref": Has(Part.REFERENCE),
        "reference": Has(Part.REFERENCE),
        "desc": Has(Part.DESCRIPTION),
        "description": Has(Part.DESCRIPTION),
        "metadata": Has(Part.METADATA),
        "amount": Has(Part.AMOUNT),
        "expires": Has(Part.EXPIRY),
        "label": Has(Part.LABEL),
        "note": Has(Part.NOTE),
        "resolution": Has(Part.RESOLUTION),
        "anomaly": Is(Flag.ODD),
    }
)
_READERS: Final[Mapping[str, Callable[[_Typed, Moment], Leaf]]] = MappingProxyType(
    {
        "state": _state,
        "is": _is,
        "has": _has,
        "ref": _text(TextField.REFERENCE),
        "reference": _text(TextField.REFERENCE),
        "desc": _text(TextField.DESCRIPTION),
        "description": _text(TextField.DESCRIPTION),
        "id": _id,
        "asset": _asset,
        "label": _label,
        "note": lambda term, _: NoteSays(term.value, _whole(term)),
        "resolution": _resolution,
        "amount": _amount(AmountField.ASKED),
        "asked": _amount(AmountField.ASKED),
        "received": _amount(AmountField.RECEIVED),
        "difference": _amount(AmountField.DIFFERENCE),
        "since": _bound(Op.AT_LEAST),
        "before": _bound(Op.LESS),
        "created": _past(InstantField.CREATED),
        "changed": _past(InstantField.CHANGED),
        "expires": _expires,
    }
)
_SHOWN: Final = (
    "state:short",
    "is:action",
    "has:ref",
    "ref:INV-7",
    "desc:lamp",
    "id:2f1b",
    "asset:USD",
    "label:vip",
    "note:call",
    "resolution:refunded",
    "amount>10",
    "received<5",
    "difference<0",
    "since:7d",
    "before:2026-11-01",
    "created:today",
    "changed<1h",
    "expires<2d",
    "metadata.orderId:77",
)
