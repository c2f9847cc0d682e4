"""Widths on a terminal, and lines that fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opdash.cellwidth import folded, padded, width_of
from opdash.safetext import safe_text


def test_wide_characters_take_two_cells_and_marks_none() -> None:
    assert width_of("abc") == 3
    assert width_of("お茶") == 4
    assert width_of("e\u0301") == 1
    assert padded("お茶", 6) == "お茶  "
    assert padded("12", 5, right=True) == "   12"


def test_lines_are_folded_between_words_and_words_where_they_must() -> None:
    assert folded("one two three", 7) == ["one two", "three"]
    assert folded("abcdefgh ij", 4) == ["abcd", "efgh", "ij"]
    assert folded("お茶とお菓子", 5) == ["お茶", "とお", "菓子"]
    assert folded("", 5) == [""]


@given(st.text(max_size=60).map(safe_text), st.integers(2, 30))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width: int) -> None:
    lines = folded(text, width)
    assert lines
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
