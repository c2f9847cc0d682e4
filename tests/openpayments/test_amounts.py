from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.amounts import (
    MAX_CREATE_VALUE,
    MAX_VALUE,
    Amount,
    AmountError,
    Asset,
    format_amount,
    format_minor,
    parse_minor,
)

SCALES = st.sampled_from([0, 2, 9, 18, 255]) | st.integers(0, 255)
UINT64 = st.integers(0, MAX_VALUE)


@given(UINT64, SCALES)
def test_what_is_formatted_is_parsed_to_the_same(minor_units: int, scale: int) -> None:
    text = format_minor(minor_units, scale)
    assert parse_minor(text, scale) == minor_units
    assert parse_minor(f"  {text}\n", scale) == minor_units


@given(st.integers(), SCALES)
def test_the_format_is_exact(minor_units: int, scale: int) -> None:
    with localcontext() as context:
        context.prec = 1000
        assert Decimal(format_minor(minor_units, scale)) == Decimal(minor_units).scaleb(-scale)


@given(st.integers(), SCALES)
def test_grouping_changes_only_how_it_looks(minor_units: int, scale: int) -> None:
    shown = format_minor(minor_units, scale, grouped=True)
    assert shown.replace(",", "") == format_minor(minor_units, scale)
    whole = shown.lstrip("-").partition(".")[0]
    assert all(len(group) == 3 for group in whole.split(",")[1:])


@pytest.mark.parametrize(
    ("minor_units", "scale", "shown"),
    [
        (120450, 2, "1,204.50"),
        (500, 0, "500"),
        (5, 2, "0.05"),
        (-13000, 2, "-130.00"),
        (0, 0, "0"),
        (0, 9, "0.000000000"),
        (1, 18, "0.000000000000000001"),
        (MAX_VALUE, 0, "18,446,744,073,709,551,615"),
        (MAX_VALUE, 2, "184,467,440,737,095,516.15"),
    ],
)
def test_how_amounts_look(minor_units: int, scale: int, shown: str) -> None:
    assert format_minor(minor_units, scale, grouped=True) == shown


def test_the_minus_sign_is_the_callers_choice() -> None:
    assert format_minor(-5, 2, minus="\u2212") == "\u22120.05"


def test_a_scale_of_255_is_exact() -> None:
    text = format_minor(1, 255)
    assert len(text) == 257
    assert parse_minor(text, 255) == 1
    assert parse_minor("0", 255) == 0


@pytest.mark.parametrize(
    ("text", "scale", "minor_units"),
    [
        ("12", 2, 1200),
        ("12.5", 2, 1250),
        ("12.", 2, 1200),
        (".5", 2, 50),
        ("0012.50", 2, 1250),
        ("18446744073709551615", 0, MAX_VALUE),
        ("4,80", 2, 480),
        ("4,8", 2, 480),
        (",5", 9, 500_000_000),
    ],
)
def test_what_people_type(text: str, scale: int, minor_units: int) -> None:
    assert parse_minor(text, scale) == minor_units


def test_zeros_in_front_do_not_count() -> None:
    assert parse_minor("0" * 5000 + "1", 0) == 1


@pytest.mark.parametrize(
    ("text", "scale", "words"),
    [
        ("", 2, "empty"),
        ("   ", 2, "empty"),
        (".", 2, "not a number"),
        ("-5", 2, "cannot be negative"),
        ("\u22125", 2, "cannot be negative"),
        ("+5", 2, "not a number"),
        ("1e3", 2, "not a number"),
        ("1_000", 2, "not a number"),
        ("٣", 2, "not a number"),
        ("１２", 2, "not a number"),
        ("½", 2, "not a number"),
        ("0x10", 2, "not a number"),
        ("NaN", 2, "not a number"),
        ("1.2.3", 2, "not a number"),
        ("1,500", 2, "two ways"),
        ("1,500", 3, "two ways"),
        ("1,000.50", 2, "two ways"),
        ("1,5,0", 2, "two ways"),
        ("1,", 2, "two ways"),
        ("1,50", 1, "more"),
        ("1,5", 0, "no decimals"),
        ("1.505", 2, "2 decimal places"),
        ("1.50", 1, "1 decimal place,"),
        ("1.5", 0, "no decimals"),
        ("18446744073709551616", 0, "too large"),
        ("9" * 5000, 0, "too large"),
        ("9" * 300, 255, "too large"),
        ("\x1b[2J5", 2, "␛"),
    ],
)
def test_what_cannot_be_an_amount_is_told_why(text: str, scale: int, words: str) -> None:
    with pytest.raises(AmountError, match=words) as caught:
        parse_minor(text, scale)
    assert "\x1b" not in str(caught.value)


@given(st.text(max_size=30), SCALES)
def test_typing_never_breaks_it(text: str, scale: int) -> None:
    try:
        minor_units = parse_minor(text, scale)
    except AmountError:
        return
    assert 0 <= minor_units <= MAX_VALUE


def test_the_largest_amount_is_named() -> None:
    with pytest.raises(AmountError) as caught:
        parse_minor("92233720368547758.08", 2, maximum=MAX_CREATE_VALUE)
    assert "92233720368547758.07" in caught.value.advice


@given(UINT64, st.text(max_size=5), SCALES)
def test_an_amount_is_its_minor_units_of_an_asset(units: int, code: str, scale: int) -> None:
    amount = Amount.of(units, Asset(code, scale))
    assert (amount.minor_units, amount.asset) == (units, Asset(code, scale))


@pytest.mark.parametrize("units", [-1, MAX_VALUE + 1])
def test_an_amount_beyond_uint64_is_refused(units: int) -> None:
    with pytest.raises(AmountError):
        Amount.of(units, Asset("EUR", 2))


def test_an_asset_code_is_remote_text() -> None:
    assert format_amount(Amount("120450", "USD", 2)) == "1,204.50 USD"
    assert "\x1b" not in format_amount(Amount("1", "\x1b[31mEUR", 0))
    assert len(format_amount(Amount("1", "X" * 500, 0))) < 20
