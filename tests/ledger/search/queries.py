"""Random queries and random payments that they often match."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from opdash.ledger.notes import Edit, Resolution
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
    MetadataIs,
    Not,
    NoteSays,
    Number,
    Op,
    Part,
    ResolvedAs,
    StateIn,
    TextField,
    Word,
)
from opdash.ledger.search.values import is_less
from opdash.ledger.states import State
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import NOW, SERVER, payment

MOST = 2**64 - 1

WORDS = st.sampled_from(
    [
        "lamp",
        "LAMP",
        "inv-7",
        "INV",
        "in",
        "7",
        "ß",
        "Straße",
        "ｌａｍｐ",
        "p1",
        "P1",
        "77",
        'a"b',
        "back\\slash",
        "%",
        "_",
        "true",
        "K",
        "k",
        "1.50",
        f"{SERVER}/incoming-payments/p1",
    ]
)
TEXTS = WORDS | st.sampled_from(["desk lamp", "Desk Lamp, blue", "INV-77", "x", "\x00lamp"])
NUMBERS = st.builds(
    Number.of,
    st.sampled_from([0, 5, 10, 15, 1000, 1001, 995, MOST, MOST - 1, MOST + 1, 10**120]),
    st.sampled_from([0, 2, 3, 9]),
)
SIGNED = NUMBERS | NUMBERS.map(lambda number: Number(-number.units, number.places))
INSTANTS = st.sampled_from([-40, -1, 0, 1, 40]).map(lambda hours: NOW + timedelta(hours=hours))
PATHS = st.sampled_from(["orderId", "a.b", "a", "b", "externalRef", "list.b"])


def _amounts(make: Any) -> st.SearchStrategy[Any]:
    return st.one_of(
        make(st.sampled_from([AmountField.ASKED, AmountField.RECEIVED]), NUMBERS),
        make(st.just(AmountField.DIFFERENCE), SIGNED),
    )


def _ranges(
    field: st.SearchStrategy[AmountField], number: st.SearchStrategy[Number]
) -> st.SearchStrategy[AmountIn]:
    def between(field: AmountField, one: Number, other: Number) -> AmountIn:
        return AmountIn(field, *((other, one) if is_less(other, one) else (one, other)))

    return st.builds(between, field, number, number)


LEAVES = st.one_of(
    st.builds(Word, WORDS),
    st.builds(Contains, st.sampled_from(TextField), WORDS, st.booleans()),
    st.builds(IdIs, st.sampled_from(["p", "p1", "P", f"{SERVER}/incoming-payments/"])),
    st.sets(st.sampled_from(State), min_size=1).map(
        lambda states: StateIn(tuple(state for state in State if state in states))
    ),
    st.sampled_from([AssetIn(("usd",)), AssetIn(("eur", "jpy"))]),
    _amounts(lambda field, number: st.builds(AmountIs, field, st.sampled_from(Op), number)),
    _amounts(_ranges),
    st.builds(InstantIs, st.sampled_from(InstantField), st.sampled_from(Op), INSTANTS),
    st.builds(InstantIn, st.sampled_from(InstantField), INSTANTS, INSTANTS),
    st.builds(Is, st.sampled_from(Flag)),
    st.builds(Has, st.sampled_from(Part)),
    st.builds(MetadataIs, PATHS, st.none()),
    st.builds(MetadataIs, PATHS, WORDS, st.booleans()),
    st.builds(
        Labelled,
        st.sets(st.sampled_from(["lamp", "vip", "v", "in", "straße"]), min_size=1).map(
            lambda labels: tuple(sorted(map(folded, labels)))
        ),
        st.booleans(),
    ),
    st.builds(NoteSays, WORDS, st.booleans()),
    st.sets(st.sampled_from(Resolution), min_size=1).map(
        lambda found: ResolvedAs(tuple(one for one in Resolution if one in found))
    ),
)
TREES = st.lists(LEAVES | LEAVES.map(Not), max_size=3).map(lambda terms: All(tuple(terms)))

_VALUES = st.one_of(TEXTS, st.integers(-9, 99), st.booleans(), st.none())
_OBJECTS = st.dictionaries(st.just("b"), _VALUES)
METADATA = st.one_of(
    st.none(),
    st.sampled_from(["{}", "nonsense", '{"a": 1.50}', '{"a":"\\u006camp"}', '{"a.b":{"b":-0}}']),
    st.dictionaries(
        st.sampled_from(["externalRef", "description", "orderId", "a", "a.b", "lamp", "list"]),
        _VALUES | st.lists(_VALUES | _OBJECTS, max_size=2) | _OBJECTS,
        max_size=3,
    ),
)
AMOUNTS = st.sampled_from([0, 5, 10, 1000, 1001, MOST, MOST - 1, MOST])


@st.composite
def payments(draw: st.DrawFn, name: str) -> IncomingPayment:
    asked = draw(st.none() | AMOUNTS)
    code, scale = draw(st.sampled_from([("USD", 2), ("USD", 2), ("JPY", 0), ("USD", 9)]))
    return payment(
        name,
        asked=asked,
        received=draw(AMOUNTS),
        completed=draw(st.booleans()),
        created=NOW - timedelta(seconds=draw(st.sampled_from([0, 0, 1, 3600, 86400]))),
        expires=draw(st.none() | INSTANTS),
        metadata=draw(METADATA),
        code=code,
        scale=scale,
        asked_code=draw(st.sampled_from([None, None, None, "EUR"])),
    )


LEDGERS = st.lists(
    st.sampled_from(["p1", "p2", "P1", "q", "lamp-1", "inv-7", "x%y"]), unique=True, max_size=6
).flatmap(lambda names: st.tuples(*(payments(name) for name in names)))
"""What one ledger holds."""

EDITS = st.builds(
    Edit,
    add=st.lists(st.sampled_from(["Lamp", "vip", "VIP", "INV-7", "Straße"]), max_size=2).map(tuple),
    text=st.none() | TEXTS.filter(lambda text: "\0" not in text),
    resolution=st.none() | st.sampled_from(Resolution),
)
"""What a person writes on a payment."""

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
