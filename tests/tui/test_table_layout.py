from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.tui.actions import SORT_COLUMNS
from opdash.tui.widgets.table_layout import (
    AMOUNTS,
    COLUMNS,
    GAP,
    GUTTER,
    HEADINGS,
    lay_out,
    next_order,
)


def widths(width: int, full: int = 9, usual: int = 9) -> dict[SortColumn, int]:
    return {place.column: place.width for place in lay_out(width, full, usual)}


def test_at_eighty_columns_only_the_description_is_left_out() -> None:
    shown = widths(79)
    assert set(shown) == set(COLUMNS) - {SortColumn.DESCRIPTION}
    assert shown[SortColumn.REFERENCE] >= 13
    assert shown[SortColumn.CREATED] >= len("today 14:02")


def test_the_description_comes_with_the_room() -> None:
    assert widths(119)[SortColumn.DESCRIPTION] >= 20
    assert widths(200)[SortColumn.DESCRIPTION] > widths(119)[SortColumn.DESCRIPTION]


def test_huge_amounts_get_room_only_where_nothing_else_suffers() -> None:
    assert widths(79, full=26)[SortColumn.ASKED] == 9
    assert widths(140, full=26)[SortColumn.ASKED] == 26


def test_a_narrow_screen_keeps_state_and_amounts() -> None:
    assert set(widths(40)) == {SortColumn.STATE} | AMOUNTS
    assert SortColumn.REFERENCE in widths(55)


@given(st.integers(41, 300), st.integers(9, 30), st.integers(9, 13))
def test_columns_keep_their_order_their_gaps_and_the_width(
    width: int, full: int, usual: int
) -> None:
    places = lay_out(width, full, min(full, usual))
    assert [place.column for place in places] == [
        column for column in COLUMNS if column in {place.column for place in places}
    ]
    assert places[0].left == GUTTER
    for place, following in pairwise(places):
        assert following.left - place.right in (GAP - 1, GAP)
    assert places[-1].right <= max(width, GUTTER + 17 + 2 * (GAP + min(full, 13)) - 1)


def test_a_column_begins_with_what_one_looks_for_and_turns_round() -> None:
    assert next_order(SortColumn.ASKED, NEWEST_FIRST) == Sort(SortColumn.ASKED, descending=True)
    assert next_order(SortColumn.REFERENCE, NEWEST_FIRST).descending is False
    assert next_order(SortColumn.CREATED, NEWEST_FIRST) == Sort(
        SortColumn.CREATED, descending=False
    )


def test_the_registry_names_the_columns_in_their_order() -> None:
    assert tuple(HEADINGS.values()) == SORT_COLUMNS
