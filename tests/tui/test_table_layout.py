from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.table_view import (
    FURTHER,
    NARROWEST,
    STANDARD,
    STANDARD_CHOICE,
    WIDEST,
    Column,
    ColumnChoice,
    metadata_column,
    next_order,
)
from opdash.tui.actions import SORT_COLUMNS
from opdash.tui.widgets.table_layout import AMOUNTS, GAP, GUTTER, heading, lay_out

STATE, ASKED, RECEIVED, REFERENCE, DESCRIPTION, CREATED, EXPIRES = STANDARD
ORDER = metadata_column("orderId")
CHOICES = st.lists(
    st.builds(
        ColumnChoice,
        st.sampled_from([*STANDARD, *FURTHER, ORDER, metadata_column("a.b")]),
        st.just(0) | st.integers(NARROWEST, WIDEST),
    ),
    min_size=1,
    unique_by=lambda choice: choice.column,
).map(tuple)


def widths(
    width: int, full: int = 9, usual: int = 9, choices: tuple[ColumnChoice, ...] = STANDARD_CHOICE
) -> dict[Column, int]:
    return {place.column: place.width for place in lay_out(width, full, usual, choices)}


def chosen(*columns: Column, **wide: int) -> tuple[ColumnChoice, ...]:
    return tuple(ColumnChoice(column, wide.get(column.kind.value, 0)) for column in columns)


def test_at_eighty_columns_only_the_description_is_left_out() -> None:
    shown = widths(79)
    assert set(shown) == set(STANDARD) - {DESCRIPTION}
    assert shown[REFERENCE] >= 13
    assert shown[CREATED] >= len("today 14:02")


def test_the_description_comes_with_the_room() -> None:
    assert widths(119)[DESCRIPTION] >= 20
    assert widths(200)[DESCRIPTION] > widths(119)[DESCRIPTION]


def test_huge_amounts_get_room_only_where_nothing_else_suffers() -> None:
    assert widths(79, full=26)[ASKED] == 9
    assert widths(140, full=26)[ASKED] == 26


def test_a_narrow_screen_keeps_state_and_amounts() -> None:
    assert set(widths(41)) == {STATE, ASKED, RECEIVED}
    assert set(widths(40)) == {STATE, RECEIVED}
    assert set(widths(15)) == {RECEIVED}
    assert REFERENCE in widths(55)


def test_columns_stand_as_they_were_chosen() -> None:
    places = lay_out(120, 9, 9, chosen(CREATED, ORDER, STATE, RECEIVED))
    assert [place.column for place in places] == [CREATED, ORDER, STATE, RECEIVED]


def test_a_chosen_width_counts_first_and_is_kept() -> None:
    shown = widths(119, choices=chosen(*STANDARD, reference=30, created=8))
    assert (shown[REFERENCE], shown[CREATED]) == (30, 8)
    assert widths(119, choices=chosen(STATE, REFERENCE, reference=5))[REFERENCE] == 5


def test_an_amount_is_never_narrower_than_its_figures() -> None:
    assert widths(119, 14, 13, chosen(STATE, ASKED, asked=4))[ASKED] == 14
    assert widths(34, 14, 13, chosen(STATE, ASKED, asked=4))[ASKED] == 13


def test_a_difference_has_room_for_its_sign() -> None:
    difference = FURTHER[0]
    shown = widths(119, 12, 12, chosen(RECEIVED, difference))
    assert shown[difference] == shown[RECEIVED] + 1


def test_columns_give_way_from_the_right_but_state_and_received_stay() -> None:
    everything = chosen(RECEIVED, STATE, CREATED, ORDER, *FURTHER, ASKED, REFERENCE)
    gone: list[Column] = []
    for width in range(240, 10, -1):
        shown = widths(width, choices=everything)
        gone += [
            choice.column
            for choice in reversed(everything)
            if choice.column not in shown and choice.column not in gone
        ]
    assert gone == [REFERENCE, *reversed(FURTHER), ORDER, CREATED, ASKED, STATE]


@given(st.integers(1, 300), st.integers(9, 30), st.integers(9, 13), CHOICES)
def test_columns_keep_their_order_their_gaps_and_the_width(
    width: int, full: int, usual: int, choices: tuple[ColumnChoice, ...]
) -> None:
    places = lay_out(width, full, min(full, usual), choices)
    shown = {place.column for place in places}
    assert [place.column for place in places] == [
        choice.column for choice in choices if choice.column in shown
    ]
    assert places[0].left == GUTTER
    for place, following in pairwise(places):
        assert following.left - place.right in (GAP - 1, GAP)
    assert places[-1].right <= width or len(places) == 1
    for place in places:
        if place.column.kind in AMOUNTS:
            assert place.width >= min(full, usual)


def test_a_column_begins_with_what_one_looks_for_and_turns_round() -> None:
    assert next_order(ASKED, NEWEST_FIRST) == Sort(SortColumn.ASKED, descending=True)
    assert next_order(REFERENCE, NEWEST_FIRST).descending is False
    assert next_order(CREATED, NEWEST_FIRST) == Sort(SortColumn.CREATED, descending=False)
    by_order = next_order(ORDER, NEWEST_FIRST)
    assert by_order == Sort(SortColumn.METADATA, False, "orderId")
    assert next_order(ORDER, by_order).descending is True
    assert next_order(metadata_column("other"), by_order).descending is False


def test_the_registry_names_the_columns_in_their_order() -> None:
    assert tuple(heading(column) for column in STANDARD) == SORT_COLUMNS
    assert heading(metadata_column("a\x1bb")) == "a␛b"
