from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.canonical import (
    MAX_SAFE_INTEGER,
    MetadataError,
    canonical_json,
    parse_metadata,
    reserialised,
)

KEYS = st.text(max_size=8) | st.integers(0, 2**33).map(str)
SCALARS = (
    st.none() | st.booleans() | st.text(max_size=8)
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_nothing_is_lost_and_a_server_writes_it_the_same_way(value: Any) -> None:
    body = canonical_json(value)
    assert json.loads(body) == value
    assert reserialised(body) == body


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"b": 1, "2": "x", "1": "y"}, '{"1":"y","2":"x","b":1}'),
        ({"10": 0, "9": 0, "01": 0, "-1": 0, "0": 0}, '{"0":0,"9":0,"10":0,"01":0,"-1":0}'),
        ({"a": 0, "4294967295": 1, "4294967294": 2}, '{"4294967294":2,"a":0,"4294967295":1}'),
        ({"__proto__": 1, "constructor": None}, '{"__proto__":1,"constructor":null}'),
        ({"text": "Café ☕ 日本"}, '{"text":"Café ☕ 日本"}'),
        (["\u2028", "\x7f", "/", '"', "\\"], '["\u2028","\x7f","/","\\"","\\\\"]'),
        (["\b\t\n\f\r", "\x00\x1f"], '["\\b\\t\\n\\f\\r","\\u0000\\u001f"]'),
        (("tuple", [], {}), '["tuple",[],{}]'),
        ([True, False, None, -5, 2**53], "[true,false,null,-5,9007199254740992]"),
    ],
)
def test_it_is_spelt_as_javascript_spells_it(value: object, body: str) -> None:
    assert canonical_json(value).decode() == body


def test_text_of_a_subclass_is_text() -> None:
    class Word(StrEnum):
        ONE = "one"

    assert canonical_json({Word.ONE: Word.ONE}) == b'{"one":"one"}'


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"price": 1.5}, "1.5 at price is not whole"),
        ({"list": [0, {"n": 2.0}]}, r"2.0 at list\[1\].n is not whole"),
        ({"n": float("nan")}, "nan"),
        ({"n": 2**53 + 1}, "at n is beyond"),
        ({"n": -(2**53) - 1}, "at n is beyond"),
        ({"t": "\ud800"}, "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ({"b": b"bytes"}, "A bytes cannot be sent as JSON at b"),
        ({"s": {1, 2}}, "A set cannot be sent"),
        ({1: "one"}, "key 1 is not text"),
        ({None: 1}, "key None is not text"),
        (deep(65), "64 levels deep"),
    ],
)
def test_what_has_no_such_spelling_is_refused_by_name(value: object, words: str) -> None:
    with pytest.raises(MetadataError, match=words):
        canonical_json(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(MetadataError, match="levels deep"):
        canonical_json(ring)
    assert canonical_json(deep(64))


@pytest.mark.parametrize(
    ("body", "again"),
    [
        (' { "b" : 1 , "2":"x","1":"y"}\n', '{"1":"y","2":"x","b":1}'),
        ('{"n":1.0,"m":1e3,"z":-0}', '{"n":1,"m":1000,"z":0}'),
        ('{"n":"a\\/b","u":"\\u00e9"}', '{"n":"a/b","u":"é"}'),
        ('["\\ud83d\\ude00","\\uD800","\\udfffx"]', '["😀","\\ud800","\\udfffx"]'),
        ('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'),
        ("[1e400,-1e400,0.1,1e21,1e-7,123456789012345678]",
         "[null,null,0.1,1e+21,1e-7,123456789012345680]"),
        ('"just text"', '"just text"'),
    ],
)  # fmt: skip
def test_a_server_rewrites_what_others_sent(body: str, again: str) -> None:
    assert reserialised(body.encode()) == again.encode()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[NaN]", b"[Infinity]", b"\xff", b"[1,]", b"[" * 5000, b"{'a':1}"]
)
def test_what_is_no_json_is_not_rewritten(body: bytes) -> None:
    assert reserialised(body) is None


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_rewriting_never_fails(body: bytes) -> None:
    again = reserialised(body)
    assert again is None or reserialised(again) == again


def test_metadata_that_a_person_wrote() -> None:
    text = '{"order": "17", "lines": [1, 2, {"of": null}], "paid": true}'
    assert parse_metadata(text) == json.loads(text)
    assert parse_metadata("{}") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"order": "17", "order": "18"}', "“order” is given twice"),
        ('{"a": {"b": 1, "b": 2}}', "“b” is given twice"),
        ('{"price": 12.50}', "12.50 is not whole"),
        ('{"price": 1e2}', "1e2 is not whole"),
        ('{"price": NaN}', "NaN is not whole"),
        ('{"id": 9007199254740993}', "beyond 2\\^53"),
        ('{"id": "\\ud800"}', "lone surrogate"),
        ("[1, 2]", "not an object"),
        ('"text"', "not an object"),
        ("", r"not valid JSON \(line 1\)"),
        ('{\n"a": 1\n"b": 2}', r"not valid JSON \(line 3\)"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a":' + "9" * 5000 + "}", "not valid JSON|beyond"),
    ],
)
def test_metadata_that_would_not_arrive_as_written(text: str, words: str) -> None:
    with pytest.raises(MetadataError, match=words):
        parse_metadata(text)
