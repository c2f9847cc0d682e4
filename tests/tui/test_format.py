from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from opdash.ledger.states import GLYPHS, State
from opdash.openpayments.amounts import Asset
from opdash.tui import format as fmt
from tests.tui.form_doubles import payment

NOW = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (48 * 3600 - 1, "47 h"),
        (48 * 3600, "2 d"),
        (400 * 86400, "400 d"),
    ],
)
def test_an_age_has_one_unit_and_is_never_rounded_up(seconds: float, text: str) -> None:
    assert fmt.age(timedelta(seconds=seconds)) == text


def test_an_instant_is_told_as_seen_from_now() -> None:
    assert fmt.relative(NOW, NOW) == "now"
    assert fmt.relative(NOW + timedelta(seconds=30), NOW) == "in 30 s"
    assert fmt.relative(NOW - timedelta(days=2), NOW) == "2 d ago"
    assert fmt.relative_short(NOW - timedelta(minutes=59), NOW) == "59m ago"


def test_today_this_year_and_another_year_read_differently() -> None:
    assert fmt.moment(NOW - timedelta(minutes=5), NOW) == "today 14:02"
    assert fmt.moment(NOW - timedelta(days=6), NOW) == "14 Nov 14:07"
    assert fmt.moment(NOW - timedelta(days=400), NOW) == "16 Oct 2025"
    assert fmt.moment_short(NOW, NOW) == "14:07"
    assert fmt.moment_short(NOW - timedelta(days=6), NOW) == "14 Nov"
    assert fmt.instant_long(NOW) == "20 Nov 2026 14:07:00"


@given(st.timedeltas(timedelta(days=-20_000), timedelta(days=20_000)).map(NOW.__add__))
def test_a_moment_never_takes_more_cells_than_its_column(instant: datetime) -> None:
    assert len(fmt.moment(instant, NOW)) <= 12
    assert len(fmt.moment_short(instant, NOW)) <= 11


def test_money_is_exact_and_grouped_with_a_true_minus_sign() -> None:
    assert fmt.money(120450, Asset("USD", 2)) == "1,204.50 USD"
    assert fmt.money(-13000, Asset("USD", 2)) == "−130.00 USD"
    assert fmt.money(500, Asset("JP\x1bY", 0)) == "500 JP␛Y"


def test_a_brief_number_loses_zeros_and_nothing_else() -> None:
    assert fmt.brief_number(4_800_000_000, Asset("XRP", 9)) == "4.80"
    assert fmt.brief_number(4_800_000_001, Asset("XRP", 9)) == "4.800000001"
    assert fmt.brief_number(500, Asset("JPY", 0)) == "500"
    assert fmt.brief_number(120450, Asset("USD", 2)) == "1,204.50"


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([0, 0], "▁▁"),
        ([0, 1, 10**30], "▁▂█"),
        ([7, 1, 2, 3, 4, 5, 6], "█▂▃▄▅▆▇"),
    ],
)
def test_a_sparkline_shows_the_smallest_sum_as_more_than_nothing(
    values: list[int], bars: str
) -> None:
    assert fmt.sparkline(values) == bars


@given(st.lists(st.integers(0, 2**70), max_size=40))
def test_a_sparkline_keeps_the_order_of_sizes(values: list[int]) -> None:
    bars = fmt.sparkline(values)
    for (one, bar), (other, other_bar) in pairwise(zip(values, bars, strict=True)):
        assert one <= other or bar >= other_bar


def test_every_state_has_a_glyph_of_one_cell() -> None:
    assert {cell_len(fmt.glyph(state)) for state in State} == {1}
    assert len(set(GLYPHS.values())) == len(State)


def test_a_state_that_the_server_has_not_completed_carries_a_star() -> None:
    assert fmt.state_word(payment(state=State.PAID)) == "PAID"
    assert fmt.state_word(payment(state=State.PAID, not_completed_by_server=True)) == "PAID*"


def test_what_needs_a_person_stands_out() -> None:
    assert fmt.state_tone(payment(state=State.CLOSED_SHORT, needs_action=True)) == "attention"
    assert fmt.state_tone(payment(state=State.PAID)) == "good"
    assert fmt.state_tone(payment(state=State.PAID, anomalies=("reopened",))) == "bad"
    assert fmt.state_tone(payment(state=State.EXPIRED_UNPAID)) == "muted"


def test_a_payment_is_named_by_the_first_text_that_it_has() -> None:
    assert fmt.payment_name(payment(reference="INV-7", description="Mug")) == "INV-7"
    assert fmt.payment_name(payment(reference=" ", description="Mug\x1b[2J")) == "Mug␛[2J"
    nameless = payment(reference="", description="", id="https://a.example/p/0123456789abcdef")
    assert fmt.payment_name(nameless) == "…89abcdef"


def test_an_address_is_shown_without_what_all_have() -> None:
    assert fmt.short_address("https://ilp.example/rosa/") == "ilp.example/rosa"
    assert fmt.short_address("http://localhost:3000/a") == "localhost:3000/a"
    assert fmt.short_address("nonsense") == "nonsense"


def test_counts_agree_with_their_noun() -> None:
    assert fmt.count(1, "payment") == "1 payment"
    assert fmt.count(5000, "address", "addresses") == "5,000 addresses"
