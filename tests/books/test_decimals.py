"""Amounts as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.books.decimals import (
    DecimalError,
    DecimalMark,
    decimals_written,
    guess_mark,
    parse_written,
)

POINT, COMMA = DecimalMark.POINT, DecimalMark.COMMA


@pytest.mark.parametrize(
    ("text", "mark", "minor_units"),
    [
        ("1.234,56", COMMA, 123456),
        ("1,234.56", POINT, 123456),
        ("1 234,56", COMMA, 123456),
        ("1\u202f234,56", COMMA, 123456),
        ("1'234.56", POINT, 123456),
        ("1.234.567", COMMA, 123456700),
        ("1234", POINT, 123400),
        ("12.5", POINT, 1250),
        (",5", COMMA, 50),
        ("12.", POINT, 1200),
        ("12.5000", POINT, 1250),
        ("EUR 12.50", POINT, 1250),
        ("12,50 eur", COMMA, 1250),
        ("€ 12,50", COMMA, 1250),
        ("12,50\u00a0€", COMMA, 1250),
        ("184467440737095516159.99", POINT, 18446744073709551615999),
    ],
)
def test_what_people_write(text: str, mark: DecimalMark, minor_units: int) -> None:
    assert parse_written(text, 2, mark, "EUR") == minor_units


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("-5", "negative"),
        ("\u22125", "negative"),
        ("(5.00)", "negative"),
        ("5.00-", "negative"),
        ("0", "is zero"),
        ("0.00", "is zero"),
        ("12.345", "more than 2"),
        ("1.234,56", "is no amount"),
        ("1,23", "is no amount"),
        ("1,2345", "is no amount"),
        ("12,34,567", "is no amount"),
        ("1 2.00", "is no amount"),
        ("1,234 567.00", "is no amount"),
        ("1e3", "is no amount"),
        ("0x10", "is no amount"),
        ("twelve", "is no amount"),
        (".", "is no amount"),
        ("١٢", "is no amount"),
        ("USD 5", "is no amount"),
        ("9" * 61, "is no amount"),
        ("=1+1", "is no amount"),
        ("1\x1b2", "“1␛2” is no amount"),
    ],
)
def test_what_is_no_amount(text: str, said: str) -> None:
    with pytest.raises(DecimalError, match=said):
        parse_written(text, 2, POINT, "EUR")


def _written(minor_units: int, scale: int, mark: DecimalMark, group: str) -> str:
    digits = str(minor_units).rjust(scale + 1, "0")
    whole, fraction = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    whole = f"{int(whole):,}".replace(",", group)
    return f"{whole}{mark.value}{fraction}" if fraction else whole


_GROUPS = st.sampled_from(["", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f", "other"])


@given(st.integers(1, 10**20), st.integers(0, 18), st.sampled_from(DecimalMark), _GROUPS)
def test_every_mark_and_grouping_round_trips(
    minor_units: int, scale: int, mark: DecimalMark, group: str
) -> None:
    group = {POINT: ",", COMMA: "."}[mark] if group == "other" else group
    text = _written(minor_units, scale, mark, group)

    assert parse_written(text, scale, mark) == minor_units
    assert parse_written(f"XTS {text}", scale, mark, "XTS") == minor_units
    assert decimals_written(text, mark) == scale


@given(st.text(max_size=12), st.sampled_from(DecimalMark))
def test_any_text_is_an_exact_amount_or_refused(text: str, mark: DecimalMark) -> None:
    try:
        found = parse_written(text, 2, mark)
    except DecimalError:
        return
    assert found > 0
    assert [letter for letter in str(found) if letter != "0"] == [
        letter for letter in text if letter in "123456789"
    ]


@pytest.mark.parametrize(
    ("texts", "marks"),
    [
        (["12.50", "1"], (POINT,)),
        (["12,50", "1"], (COMMA,)),
        (["1.234,56"], (COMMA,)),
        (["1,234.56"], (POINT,)),
        (["1,234"], (POINT,)),
        (["1.234"], (COMMA,)),
        (["1.500", "2,50"], (COMMA,)),
        (["1.500"], (POINT, COMMA)),
        (["12.50", "12,50"], (POINT, COMMA)),
        (["5", "1200", "nonsense"], (POINT,)),
        ([], (POINT,)),
    ],
)
def test_the_mark_of_a_column(texts: list[str], marks: tuple[DecimalMark, ...]) -> None:
    assert tuple(guess_mark((text, 2, "EUR") for text in texts)) == marks


@given(st.lists(st.integers(1, 10**9), min_size=1), st.sampled_from(DecimalMark))
def test_a_guess_never_reads_a_column_wrongly(amounts: list[int], mark: DecimalMark) -> None:
    group = {POINT: ",", COMMA: "."}[mark]
    texts = [_written(one, 2, mark, group) for one in amounts]

    marks = guess_mark((text, 2, "EUR") for text in texts)

    assert [parse_written(text, 2, marks[0], "EUR") for text in texts] == amounts
    assert len(marks) == 1
