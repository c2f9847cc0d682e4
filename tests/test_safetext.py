"""Whatever a server sends, what reaches a screen is one harmless line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.safetext import ELLIPSIS, REPLACEMENT, safe_text

HOSTILE = st.sampled_from(
    "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u00a0\u00ad\u0301\u061c\u200b\u200d\u200e\u200f\u2028\u2029"
    "\u202a\u202e\u2066\u2069\ufe0f\ufeff\ufffd\ud800\udfff\ue000\U000e0001\U0010ffff[]\\😀é日"
)
TEXTS = st.text(st.characters() | HOSTILE, max_size=60)
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@settings(deadline=None, max_examples=400)
@given(TEXTS)
def test_nothing_that_acts_gets_through(text: str) -> None:
    shown = safe_text(text)
    assert not {unicodedata.category(character) for character in shown} & FORBIDDEN
    assert not any(
        unicodedata.category(character) == "Zs" and character != " " for character in shown
    )
    assert len(shown.splitlines()) <= 1
    shown.encode()


@settings(deadline=None, max_examples=400)
@given(TEXTS)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    shown = safe_text(text)
    assert safe_text(shown) == shown


@settings(deadline=None)
@given(st.text("abc XYZ019.,:;!?-_/()[]{}<>@#$%&*+='\"äöüßéñ日本語", max_size=60))
def test_plain_text_is_not_touched(text: str) -> None:
    assert safe_text(text) == text


@settings(deadline=None)
@given(TEXTS | st.text(min_size=200, max_size=400), st.integers(1, 40))
def test_a_limit_is_kept(text: str, limit: int) -> None:
    shown = safe_text(text, limit=limit)
    assert len(shown) <= limit
    whole = safe_text(text)
    if len(whole) <= limit and len(text) <= limit:
        assert shown == whole
    elif len(shown) == limit and shown != whole:
        assert shown.endswith(ELLIPSIS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("two\r\nlines", "two␍␊lines"),
        ("tab\there", "tab␉here"),
        ("\x7f\x9b", "␡" + REPLACEMENT),
        ("pay\u202egpj.exe", f"pay{REPLACEMENT}gpj.exe"),
        ("zero\u200bwidth", f"zero{REPLACEMENT}width"),
        ("a\u00a0b\u3000c", "a b c"),
        ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302"),
        ("line\u2028para\u2029", f"line{REPLACEMENT}para{REPLACEMENT}"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
        ("\ud800", REPLACEMENT),
        ("👩\u200d💻", "👩💻"),
        ("❤\ufe0f \U0001f3f3\ufe0f\u200d🌈", "❤ \U0001f3f3🌈"),
        ("👍\U0001f3fd 1\ufe0f\u20e3", "👍 1"),
        ("", ""),
    ],
)
def test_what_dangerous_text_looks_like(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_a_cut_text_says_so() -> None:
    assert safe_text("abcdef", limit=4) == "abc…"
    assert safe_text("abcd", limit=4) == "abcd"
    assert safe_text("abc", limit=1) == ELLIPSIS
    assert len(safe_text("\u0301" * 100_000 + "a" * 100, limit=10)) <= 10
