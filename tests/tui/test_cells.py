from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Scope, SortColumn
from opdash.openpayments.amounts import Asset
from opdash.table_view import Column, metadata_column
from opdash.tui.widgets.amount_column import AmountWidths
from opdash.tui.widgets.cells import amount_columns, cell_of, clock_of, clock_tone, fill
from opdash.tui.widgets.table_layout import Place
from tests.tui.doubles import NOW, USD, World, make_payment


@pytest.fixture
def row(tmp_path: Path) -> Iterator[PaymentRow]:
    world = World(tmp_path)
    world.record(make_payment(1, asked=1000, received=250, reference="INV-1"))
    yield world.reader.window(world.wallet.id, NEWEST_FIRST, 0, 1)[0]
    world.close()


def said(row: PaymentRow, column: Column | SortColumn, width: int = 12) -> str:
    """Return what a column of so many cells says of a payment."""
    place = Place(column if isinstance(column, Column) else Column(column), 0, width)
    widths = AmountWidths(USD)
    widths.take(row.received)
    widths.take(row.asked or 0)
    cell, clock = cell_of(place, amount_columns([place], widths)), clock_of(place)
    assert (cell is None) is not (clock is None)
    text = clock(row, NOW) if clock is not None else cell(row)[0] if cell is not None else ""
    assert cell_len(text) == width
    return text


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (SortColumn.DIFFERENCE, "       −7.50"),
        (SortColumn.ASKED, "       10.00"),
        (SortColumn.ASSET, "USD         "),
        (SortColumn.SCOPE, "own         "),
        (SortColumn.ID, "2f1b0c4e-8d…"),
        (SortColumn.CHANGED, "today 14:07 "),
        (SortColumn.FIRST_SEEN, "today 14:07 "),
        (SortColumn.EXPIRES, "in 2 d      "),
    ],
)
def test_every_column_fills_its_cells(row: PaymentRow, column: SortColumn, text: str) -> None:
    assert said(row, column) == text


def test_a_difference_has_its_sign_or_is_blank(row: PaymentRow) -> None:
    over = replace(row, difference=123_456)
    assert said(over, SortColumn.DIFFERENCE) == "    1,234.56"
    assert said(replace(row, difference=None), SortColumn.DIFFERENCE).strip() == ""
    huge = replace(row, difference=-(2**64 - 1))
    assert said(huge, SortColumn.DIFFERENCE).strip().startswith("−1.8")
    assert "×10¹⁷" in said(huge, SortColumn.DIFFERENCE)


def test_the_scope_and_the_asset_are_those_of_the_payment(row: PaymentRow) -> None:
    other = replace(row, scope=Scope.EVERYTHING, received_asset=Asset("E\x1bR", 2))
    assert said(other, SortColumn.SCOPE).strip() == "everything"
    assert said(other, SortColumn.ASSET).strip() == "E␛R"


@pytest.mark.parametrize(
    ("metadata", "path", "text"),
    [
        ('{"orderId":"A-7"}', "orderId", "A-7"),
        ('{"order":{"id":7}}', "order.id", "7"),
        ('{"order":{"id":7,"n":true}}', "order", "7, true"),
        ('{"a.b":"dotted"}', "a.b", "dotted"),
        ('{"x":"\\u001b[31m"}', "x", "␛[31m"),
        ('{"x":null}', "x", ""),
        ('{"y":1}', "x", ""),
        ("", "x", ""),
        ("nonsense", "x", ""),
    ],
)
def test_a_metadata_value_is_shown_as_safe_text(
    row: PaymentRow, metadata: str, path: str, text: str
) -> None:
    assert said(replace(row, metadata_json=metadata), metadata_column(path)).strip() == text


def test_what_can_still_run_out_stands_out(row: PaymentRow) -> None:
    expires = Place(Column(SortColumn.EXPIRES), 0, 9)
    assert clock_tone(expires, row) == "plain"
    assert clock_tone(expires, replace(row, final=True)) == "muted"
    assert said(replace(row, expires_at=None), SortColumn.EXPIRES).strip() == ""
    long = replace(row, expires_at=NOW + timedelta(minutes=12))
    assert said(long, SortColumn.EXPIRES, 7) == "in 12m "


@given(st.text(), st.integers(0, 30))
def test_filled_text_has_exactly_its_cells(text: str, width: int) -> None:
    from opdash.safetext import safe_text

    filled = fill(safe_text(text), width)
    assert cell_len(filled) == width
    if cell_len(safe_text(text)) > width > 0:
        assert "…" in filled
