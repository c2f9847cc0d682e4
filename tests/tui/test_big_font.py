"""Large figures: what is drawn is whole, fits, and is as large as there is room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from opdash.ledger.states import GLYPHS
from opdash.tui.big_font import _SHORT, _TALL, big_lines
from opdash.tui.widgets.big_text import BigText

FIGURES = "0123456789.,-−"
ROOM = st.integers(min_value=1, max_value=200)


@pytest.mark.parametrize("font", [_TALL, _SHORT], ids=["tall", "short"])
def test_every_character_is_a_rectangle_of_dots(font: dict[str, str]) -> None:
    heights = {len(drawn.split(" ")) for drawn in font.values()}
    assert len(heights) == 1
    for character, drawn in font.items():
        assert len({len(row) for row in drawn.split(" ")}) == 1, character
        assert set(drawn) <= set("#. "), character


@pytest.mark.parametrize("font", [_TALL, _SHORT], ids=["tall", "short"])
def test_no_two_characters_look_alike(font: dict[str, str]) -> None:
    # The two signs for minus are one; figures and letters never stand in one text.
    shapes = [drawn for character, drawn in font.items() if character not in "−O"]
    assert len(set(shapes)) == len(shapes)


def test_letters_figures_and_the_signs_of_ends_are_drawn() -> None:
    letters = "".join(chr(code) for code in range(ord("A"), ord("Z") + 1))
    signs = "".join(GLYPHS[state] for state in GLYPHS if GLYPHS[state] in "●◉▲▼✕□!?")
    assert big_lines(f"{letters} {signs}", 400, 4)
    assert len(signs) == 8


@given(
    text=st.text(FIGURES, min_size=1, max_size=20),
    width=ROOM,
    height=st.integers(min_value=1, max_value=30),
)
def test_it_fits_whole_or_is_not_drawn(text: str, width: int, height: int) -> None:
    lines = big_lines(text, width, height)
    assert len(lines) <= height
    assert all(len(line) == len(lines[0]) <= width for line in lines)
    if width >= 4 * len(text) and height >= 3:
        assert lines
    more = big_lines(text, width + 10, height + 2)
    assert len(more) >= len(lines)


@pytest.mark.parametrize("text", ["", "12 €", "paid", "١٢"])
def test_what_cannot_be_drawn_is_not(text: str) -> None:
    assert big_lines(text, 200, 20) == ()


class Page(App[None]):
    CSS = "BigText { width: 1fr; height: auto; }"

    def compose(self) -> ComposeResult:
        yield BigText(highest=5)


async def test_the_unit_goes_below_where_it_would_make_figures_smaller() -> None:
    async with Page().run_test(size=(40, 20)) as pilot:
        big = pilot.app.query_one(BigText)
        big.show("12.50", unit="USD")
        await pilot.pause()
        assert big.text == "12.50 USD"
        assert big.size.height == 5
        await pilot.resize_terminal(36, 20)
        await pilot.pause()
        assert big.size.height == 6
        assert big._rows(36)[-1] == "USD"


async def test_what_has_no_room_stands_in_usual_letters() -> None:
    async with Page().run_test(size=(12, 20)) as pilot:
        big = pilot.app.query_one(BigText)
        big.show("1,234,567.89", unit="USD")
        await pilot.pause()
        assert big._rows(12) == ["1,234,567.89", "USD"]


async def test_two_lines_are_as_large_as_the_longer_one_allows() -> None:
    async with Page().run_test(size=(80, 20)) as pilot:
        big = pilot.app.query_one(BigText)
        big.show("EXPIRED", "A")
        await pilot.pause()
        alone = big_lines("A", 80, 5)
        rows = big._rows(80)
        assert len(rows) == 2 * rows.index("") + 1
        assert rows.index("") == len(big_lines("EXPIRED", 80, 5)) <= len(alone)
