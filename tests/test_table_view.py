from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.table_view import (
    FURTHER,
    LONGEST_PATH,
    NARROWEST,
    STANDARD,
    WIDEST,
    Column,
    ColumnChoice,
    ViewError,
    metadata_column,
    read_columns,
    read_sort,
    write_sort,
)

PATHS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST_PATH)
COLUMNS = st.sampled_from([*STANDARD, *FURTHER]) | (
    (PATHS | st.sampled_from(["a:12", "a:auto", "line 2", "a.b"]))
    .filter(str.strip)
    .map(metadata_column)
)
CHOICES = st.lists(
    st.builds(ColumnChoice, COLUMNS, st.just(0) | st.integers(NARROWEST, WIDEST)),
    min_size=1,
    max_size=12,
    unique_by=lambda choice: choice.column,
)


@given(CHOICES)
def test_columns_are_read_as_they_are_written(choices: list[ColumnChoice]) -> None:
    assert list(read_columns(map(str, choices))) == choices


@given(COLUMNS, st.booleans())
def test_an_order_is_read_as_it_is_written(column: Column, descending: bool) -> None:
    sort = Sort(column.kind, descending, column.path)
    assert read_sort(write_sort(sort)) == sort


def test_how_it_is_written() -> None:
    assert write_sort(NEWEST_FIRST) == "created descending"
    assert write_sort(Sort(SortColumn.METADATA, False, "orderId")) == "metadata.orderId ascending"
    assert str(ColumnChoice(metadata_column("a:9"))) == "metadata.a:9:auto"
    assert str(ColumnChoice(STANDARD[3], 20)) == "reference:20"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["recieved"], "“recieved” is no column; did you mean “received”?"),
        (["nonsense"], "“nonsense” is no column; there are state, asked, "),
        (["metadta.orderId"], "did you mean “metadata.…”?"),
        (["reference:2"], "“reference” can be 4 to 80 cells wide; the nearest is 4."),
        (["reference:900"], "the nearest is 80."),
        (["state", "state:9"], "“state” stands there twice."),
        (["metadata. "], "has 1 to 100 characters"),
        ([], "one column at the least"),
        ([f"metadata.{number}" for number in range(50)], "40 columns at the most"),
    ],
)
def test_what_is_no_column_is_said_with_what_is_near(texts: list[str], said: str) -> None:
    with pytest.raises(ViewError) as caught:
        read_columns(texts)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("received", "such as “received descending”"),
        ("received descnding", "“descnding” is no direction; write “descending”."),
        ("received up", "write ascending or descending."),
        ("recived descending", "did you mean “received”?"),
    ],
)
def test_what_is_no_order_is_said_with_what_is_near(text: str, said: str) -> None:
    with pytest.raises(ViewError) as caught:
        read_sort(text)
    assert said in str(caught.value)
