from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.safetext import safe_text
from opdash.tui.widgets.metadata_tree import TreeLimits, read_metadata, tree_rows
from opdash.tui.widgets.sheet import Sheet

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def shown(metadata: object, limits: TreeLimits | None = None) -> list[str]:
    chosen = limits or TreeLimits(lines=100, depth=9, total=9999)
    return Sheet(tree_rows(metadata, chosen)).plain.split("\n")


def test_a_tree_shows_its_branches() -> None:
    metadata = read_metadata(
        '{"order":{"id":4711,"paid":false,"items":["tea",{"n":1.10}]},"x":null}'
    )
    assert shown(metadata) == [
        "├─ order",
        "│  ├─ id  4711",
        "│  ├─ paid  false",
        "│  └─ items",
        "│     ├─ 0  tea",
        "│     └─ 1",
        "│        └─ n  1.10",
        "└─ x  null",
    ]


def test_a_text_that_looks_like_something_else_is_quoted() -> None:
    metadata = {"a": "4711", "b": "true", "c": "", "d": " x", "e": "tea", "f": "007", "g": "[1"}
    assert [line[3:] for line in shown(metadata)] == [
        "a  “4711”",
        "b  “true”",
        "c  “”",
        "d  “ x”",
        "e  tea",
        "f  007",
        "g  [1",
    ]


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0", "123456789012345678901234567890"])
def test_a_number_is_shown_as_it_was_sent(number: str) -> None:
    assert shown(read_metadata(f'{{"n":{number}}}')) == [f"└─ n  {number}"]


def test_what_is_left_out_is_counted_in_its_place() -> None:
    metadata = {"a": {"b": {"c": 1, "d": 2}}, "e": 1, "f": 2, "g": 3}
    assert shown(metadata, TreeLimits(lines=4, depth=2)) == [
        "├─ a",
        "│  └─ b",
        "│     └─ … 2 more",
        "├─ e  1",
        "├─ f  2",
        "└─ … 1 more",
    ]


def test_an_empty_tree_and_empty_branches() -> None:
    assert shown(read_metadata("")) == ["none"]
    assert shown({"a": {}, "b": []}) == ["├─ a  {}", "└─ b  []"]
    assert shown({"": 1}) == ["└─ “”  1"]


def test_what_is_no_json_is_shown_as_text() -> None:
    assert shown(read_metadata("\x1b[31mno")) == ["␛[31mno"]
    assert len(shown(read_metadata('{"a":' * 100_000))) == 1


@given(json_values, st.integers(1, 20), st.integers(1, 4))
def test_every_tree_is_bounded_and_harmless(value: object, lines: int, depth: int) -> None:
    limits = TreeLimits(lines=lines, depth=depth, text=50)
    rows = tree_rows(read_metadata(json.dumps(value)), limits)
    told = [row for row in rows if "… " not in row.body.plain]
    assert len(told) <= max(lines, 1)
    for row in rows:
        text = row.lead.plain + row.body.plain
        assert text == safe_text(text)
        assert len(row.body.plain) <= 40 + 2 + 50 + 2
        assert row.follow.cell_length == row.lead.cell_length or not row.follow


@given(json_values, st.integers(1, 100))
def test_a_sheet_is_as_high_as_it_says(value: object, width: int) -> None:
    sheet = Sheet(tree_rows(value))
    assert sheet.get_height({}, width) >= len(sheet.entries)


def test_long_values_use_up_the_room_of_the_others() -> None:
    metadata = {f"k{index}": "x" * 100 for index in range(10)}
    lines = shown(metadata, TreeLimits(lines=100, depth=9, text=100, total=300))
    assert len(lines) == 4
    assert lines[-1] == "└─ … 7 more"
