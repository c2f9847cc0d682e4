"""Strips of rows: divided as Textual asks, whether or not the bar beside them is there."""

from __future__ import annotations

import pytest
from rich.segment import Segment

from opdash.tui.widgets.row_strip import RowStrip


@pytest.mark.parametrize(
    ("cuts", "parts"),
    [
        ([8], ["INV-2026"]),
        ([8, 9], ["INV-2026"]),
        ([9], ["INV-2026 "]),
        ([3, 8], ["INV", "-2026"]),
        ([3, 9], ["INV", "-2026 "]),
        ([3, 8, 9], ["INV", "-2026"]),
    ],
)
def test_no_part_is_lost(cuts: list[int], parts: list[str]) -> None:
    strip = RowStrip([Segment("INV-2026")], 8)
    assert [part.text for part in strip.divide(cuts)] == parts


def test_an_undivided_strip_is_itself() -> None:
    strip = RowStrip([Segment("INV-2026")], 8)
    assert strip.divide([8, 9])[0] is strip
