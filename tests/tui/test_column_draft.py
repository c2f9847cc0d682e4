from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.ledger.records import NEWEST_FIRST, PaymentRow
from opdash.table_view import (
    FURTHER,
    MOST_COLUMNS,
    NARROWEST,
    STANDARD,
    STANDARD_CHOICE,
    WIDEST,
    ColumnChoice,
    ViewError,
    metadata_column,
    read_columns,
)
from opdash.tui.column_draft import ColumnDraft, metadata_columns
from tests.tui.doubles import World, make_payment

STATE, ASKED, RECEIVED, REFERENCE, *_ = STANDARD
ORDER = metadata_column("orderId")


def names(draft: ColumnDraft) -> list[str]:
    return [str(choice) for choice in draft.choices]


def test_it_begins_with_what_is_shown_and_offers_all_others() -> None:
    draft = ColumnDraft(read_columns(["created", "state:20"]), [ORDER])
    assert names(draft) == ["created", "state:20"]
    assert [column.name for column in draft.columns[:3]] == ["created", "state", "asked"]
    assert set(draft.columns) == {*STANDARD, *FURTHER, ORDER}


def test_a_column_is_hidden_and_comes_back_where_it_was() -> None:
    draft = ColumnDraft(STANDARD_CHOICE)
    before = draft.choices
    assert draft.toggle(ASKED)
    assert ColumnChoice(ASKED) not in draft.choices
    assert draft.toggle(ASKED)
    assert draft.choices == before


def test_one_column_stays_and_there_is_a_limit() -> None:
    draft = ColumnDraft([ColumnChoice(STATE)])
    assert not draft.toggle(STATE)
    for number in range(MOST_COLUMNS - 1):
        draft.add(f"key{number}", None)
    assert not draft.toggle(RECEIVED)
    assert len(draft.choices) == MOST_COLUMNS


def test_columns_are_moved_within_bounds() -> None:
    draft = ColumnDraft(STANDARD_CHOICE)
    draft.move(REFERENCE, -2)
    assert names(draft)[:4] == ["state", "reference", "asked", "received"]
    draft.move(REFERENCE, -9)
    assert names(draft)[0] == "reference"
    draft.move(REFERENCE, 99)
    assert draft.columns[-1] == REFERENCE


@pytest.mark.parametrize(("width", "kept"), [(1, NARROWEST), (30, 30), (999, WIDEST), (0, 0)])
def test_a_width_stays_within_bounds(width: int, kept: int) -> None:
    draft = ColumnDraft(STANDARD_CHOICE)
    draft.set_width(REFERENCE, width)
    assert draft.width(REFERENCE) == kept


def test_a_path_becomes_a_column_beside_another() -> None:
    draft = ColumnDraft(STANDARD_CHOICE)
    assert draft.add("orderId", STATE) == ORDER
    assert names(draft)[:3] == ["state", "metadata.orderId", "asked"]
    draft.toggle(ORDER)
    draft.add("orderId", RECEIVED)
    assert names(draft)[:4] == ["state", "asked", "received", "metadata.orderId"]
    draft.add("orderId", STATE)
    assert names(draft)[:4] == ["state", "asked", "received", "metadata.orderId"]
    with pytest.raises(ViewError, match="1 to 100 characters"):
        draft.add(" ", STATE)


def test_a_reset_forgets_order_and_widths_but_not_what_was_offered() -> None:
    draft = ColumnDraft(read_columns(["id:9", "state:20"]), [ORDER])
    draft.reset()
    assert draft.choices == STANDARD_CHOICE
    assert ORDER in draft.columns


@pytest.fixture
def row(tmp_path: Path) -> Iterator[PaymentRow]:
    world = World(tmp_path)
    world.record(make_payment(1))
    yield world.reader.window(world.wallet.id, NEWEST_FIRST, 0, 1)[0]
    world.close()


def test_values_that_payments_have_are_offered_the_most_common_first(row: PaymentRow) -> None:
    def having(metadata: object) -> PaymentRow:
        return replace(row, metadata_json=json.dumps(metadata))

    deep = {"a": {"b": {"c": {"d": 1}}}}
    rows = [
        having({"orderId": 1, "customer": {"name": "A", "id": 2}, "": 3, " ": 4}),
        having({"orderId": 2, "bad\x1b": 1, "x" * 200: 1, "list": [1]}),
        having(deep),
        having([1, 2]),
        replace(row, metadata_json="no JSON"),
        replace(row, metadata_json='{"\\ud800": 1}'),
        replace(row, metadata_json=""),
    ]
    found = [column.path for column in metadata_columns(rows)]
    assert found == ["orderId", "customer.id", "customer.name", "list"]
    assert len(metadata_columns([having({str(number): 1 for number in range(99)})])) == 12
