from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from opdash.openpayments.amounts import MAX_VALUE, Asset
from opdash.tui.widgets.amount_column import AmountWidths, power_of_ten

SCALES = (0, 1, 2, 3, 9, 18, 255)


def column_cells(scale: int, width: int, *amounts: int) -> list[str]:
    asset = Asset("USD", scale)
    widths = AmountWidths(asset)
    for amount in amounts:
        widths.take(amount)
    column = widths.column(width)
    return [column.cell(amount, asset) for amount in amounts]


def test_points_stand_below_each_other() -> None:
    assert column_cells(2, 10, 0, 1999, 120450) == ["      0.00", "     19.99", "  1,204.50"]


def test_decimals_that_are_zero_everywhere_take_no_room() -> None:
    assert column_cells(9, 12, 5 * 10**9, 12_500_000_000) == ["        5.00", "       12.50"]
    assert column_cells(9, 13, 5 * 10**9, 1) == ["  5.000000000", "  0.000000001"]


def test_a_huge_amount_does_not_hide_the_decimals_of_the_others() -> None:
    assert column_cells(2, 9, 1999, MAX_VALUE) == ["    19.99", "1.8…×10¹⁷"]


def test_decimals_that_do_not_fit_end_in_an_ellipsis() -> None:
    assert column_cells(18, 13, 10**18, MAX_VALUE) == [" 1.000000000 ", "18.446744073…"]


def test_another_asset_is_named() -> None:
    column = AmountWidths(Asset("USD", 2)).column(9)
    assert column.cell(5000, Asset("EUR", 2)) == "50.00 EUR"
    assert column.cell(MAX_VALUE, Asset("EUR", 2)) == "    … EUR"
    assert column.cell(None, None) == " " * 9


@pytest.mark.parametrize("scale", SCALES)
def test_the_greatest_amount_is_written_in_full_where_there_is_room(scale: int) -> None:
    widths = AmountWidths(Asset("USD", scale))
    widths.take(MAX_VALUE)
    cell = widths.column(widths.full).cell(MAX_VALUE, widths.asset).strip()
    if scale <= 18:
        assert cell.replace(",", "").replace(".", "") == str(MAX_VALUE)
    else:
        assert cell.endswith("…")


@given(
    st.sampled_from(SCALES),
    st.integers(9, 30),
    st.lists(st.integers(0, MAX_VALUE), min_size=1, max_size=8),
)
def test_a_cell_is_as_wide_as_its_column_and_never_lies(
    scale: int, width: int, amounts: list[int]
) -> None:
    for amount, cell in zip(amounts, column_cells(scale, width, *amounts), strict=True):
        assert cell_len(cell) == width
        assert_true_of(amount, scale, cell.strip())


def assert_true_of(amount: int, scale: int, text: str) -> None:
    """Check that a shown figure is exact, or marked as cut and right as far as it goes."""
    with localcontext() as context:
        context.prec = 600
        value = Decimal(amount).scaleb(-scale)
        figure, _, power = text.partition("×10")
        exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
        digits = figure.replace(",", "").rstrip("…")
        decimals = len(digits.partition(".")[2])
        shown, step = Decimal(digits).scaleb(exponent), Decimal(1).scaleb(exponent - decimals)
        if figure.endswith("…"):
            assert shown < value < shown + step
        else:
            assert shown == value


@given(st.integers(0, MAX_VALUE), st.sampled_from(SCALES), st.integers(9, 30))
def test_a_power_of_ten_keeps_to_its_width(amount: int, scale: int, width: int) -> None:
    text = power_of_ten(amount, scale, width)
    assert_true_of(amount, scale, text)
    assert len(text) <= width or width < 11
