from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.tui.widgets.progress_line import filled, percent

uint64 = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("received", "asked", "expected"),
    [
        (12000, 25000, "48 %"),
        (0, 8000, "0 %"),
        (1, 2**64 - 1, "<1 %"),
        (2**64 - 2, 2**64 - 1, "99 %"),
        (250, 250, "100 %"),
        (300, 250, "120 %"),
        (5, 0, ""),
    ],
)
def test_percent_is_exact(received: int, asked: int, expected: str) -> None:
    assert percent(received, asked) == expected


@given(uint64, uint64.filter(bool))
def test_percent_never_flatters(received: int, asked: int) -> None:
    shown = percent(received, asked)
    assert (shown == "0 %") == (received == 0)
    if not shown.startswith("<"):
        share = int(shown.split()[0])
        assert share * asked <= received * 100 < (share + 1) * asked


@given(uint64, uint64.filter(bool), st.integers(2, 200))
def test_a_bar_is_full_only_when_all_is_there(received: int, asked: int, width: int) -> None:
    cells = filled(received, asked, width)
    assert 0 <= cells <= width
    assert (cells == 0) == (received == 0)
    assert (cells == width) == (received >= asked)
