"""JavaScript itself says what ``JSON.stringify(JSON.parse(body))`` is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.openpayments.canonical import MAX_SAFE_INTEGER, canonical_json, reserialised
from tests.interop.node import run

_TEXTS = st.text(max_size=12)
_KEYS = st.one_of(_TEXTS, st.integers(0, 2**33).map(str), st.just("__proto__"))
_SAFE_INTEGERS = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6),
        max_leaves=12,
    )


SENT = _trees(st.none() | st.booleans() | _SAFE_INTEGERS | _TEXTS)
RECEIVED = _trees(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS)


def rewritten_by_javascript(texts: list[str]) -> list[str | None]:
    answer: list[str | None] = run("signatures.mjs", {"rewrite": texts})["rewrite"]
    return answer


@settings(max_examples=8, deadline=None)
@given(st.lists(SENT, min_size=40, max_size=60))
def test_javascript_gives_back_every_body_as_opdash_writes_it(values: list[Any]) -> None:
    bodies = [canonical_json(value).decode() for value in values]
    assert rewritten_by_javascript(bodies) == bodies


@settings(max_examples=8, deadline=None)
@given(st.lists(RECEIVED, min_size=40, max_size=60))
def test_the_sandbox_rewrites_a_body_as_javascript_does(values: list[Any]) -> None:
    bodies = [
        json.dumps(value, ensure_ascii=False, indent=1, allow_nan=True).replace("Infinity", "1e999")
        for value in values
    ]
    rewritten = [reserialised(body.encode()) for body in bodies]
    assert [text and text.decode() for text in rewritten] == rewritten_by_javascript(bodies)


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1.0, "b": 1e21, "c": 1e-7, "d": 123456789012345680000, "e": -0, "f": 0.1e1}',
        '{"b": 1, "10": 2, "9": 3, "a": 4, "01": 5, "4294967295": 6, "4294967294": 7, "-1": 8}',
        '{"a": 1, "b": 2, "a": 3}',
        '["\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\/", "\\u2028", "\\u007f", "\\u0001"]',
        '{"a": 1,}',
        "[NaN]",
        "",
    ],
)
def test_the_traps(body: str) -> None:
    ours = reserialised(body.encode())
    assert [ours and ours.decode()] == rewritten_by_javascript([body])
