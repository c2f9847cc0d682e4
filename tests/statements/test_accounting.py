"""Adding up, without a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.amounts import Asset
from opdash.statements.accounting import Days, add_up
from opdash.statements.periods import month_of
from opdash.statements.records import Span, Step

USD, EUR, YEN = Asset("USD", 2), Asset("EUR", 2), Asset("JPY", 0)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EARLIEST = datetime(2026, 9, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = month_of(date(2026, 10, 1), NOW, BERLIN)

steps = st.builds(
    Step,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["", "INV-1", "INV-2"]),
    st.sampled_from([USD, EUR, YEN]),
    st.integers(0, 61 * 24 * 60).map(lambda minutes: EARLIEST + timedelta(minutes=minutes)),
    st.integers(1, 10**20),
)
falls = st.builds(
    lambda step: Step(
        step.payment_id, step.reference, step.asset, step.at, -step.delta, "received went down"
    ),
    steps,
)


@given(st.lists(steps | falls, max_size=40))
def test_the_closing_total_is_the_opening_one_and_all_between(given_steps: list[Step]) -> None:
    found = {one.asset: one for one in add_up(given_steps, OCTOBER, USD)}
    for asset in (USD, EUR, YEN):
        own = [step for step in given_steps if step.asset == asset and step.at < OCTOBER.end]
        if not own and asset != USD:
            assert asset not in found
            continue
        one = found[asset]
        assert one.opening + one.received + one.corrected == one.closing
        assert one.closing == sum(step.delta for step in own)
        assert one.opening == sum(step.delta for step in own if step.at < OCTOBER.start)
        assert sum(day.received for day in one.days) == one.received
        assert sum(day.receipts for day in one.days) == one.receipts
        assert sum(reference.received for reference in one.references) == one.received
        assert sum(reference.receipts for reference in one.references) == one.receipts
        in_it = [step for step in own if step.at >= OCTOBER.start and step.delta > 0]
        assert one.payments == len({step.payment_id for step in in_it})
        assert Counter(step.at.astimezone(BERLIN).date() for step in in_it) == {
            day.day: day.receipts for day in one.days
        }


@given(st.lists(steps | falls, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_steps_makes_no_difference(given_steps: list[Step], random: object) -> None:
    shuffled = list(given_steps)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _told(given_steps) == _told(shuffled)


def _told(given_steps: Sequence[Step]) -> list[object]:
    found = add_up(given_steps, OCTOBER, USD)
    return [
        (one.asset, one.opening, one.days, one.references, Counter(one.corrections))
        for one in found
    ]


def test_the_wallets_own_asset_comes_first_and_is_never_missing() -> None:
    step = Step("a", "", EUR, OCTOBER.start, 5)
    assert [one.asset for one in add_up([step], OCTOBER, USD)] == [USD, EUR]
    (empty,) = add_up([], OCTOBER, USD)
    assert (empty.opening, empty.received, empty.closing, empty.days) == (0, 0, 0, ())


def test_references_stand_by_their_sums() -> None:
    found = add_up(
        [
            Step("a", "small", USD, OCTOBER.start, 5),
            Step("b", "large", USD, OCTOBER.start, 50),
            Step("c", "small", USD, OCTOBER.start, 6),
            Step("d", "alike", USD, OCTOBER.start, 11),
        ],
        OCTOBER,
        USD,
    )
    assert [(one.reference, one.payments, one.received) for one in found[0].references] == [
        ("large", 1, 50),
        ("alike", 1, 11),
        ("small", 2, 11),
    ]


def test_days_are_those_of_the_zone_where_the_clocks_change() -> None:
    days = Days(BERLIN)
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)  # the 25th has 25 hours there
    assert days.of(midnight - timedelta(seconds=1)) == date(2026, 10, 24)
    assert days.of(midnight) == date(2026, 10, 25)
    assert days.of(midnight + timedelta(hours=25, seconds=-1)) == date(2026, 10, 25)
    assert days.of(midnight + timedelta(hours=25)) == date(2026, 10, 26)


def test_a_month_spanning_a_clock_change_has_every_hour() -> None:
    hours = [
        Step(str(number), "", USD, OCTOBER.start + timedelta(hours=number), 1)
        for number in range(31 * 24 + 1)
    ]
    (found,) = add_up(hours, OCTOBER, USD)
    assert found.received == 31 * 24 + 1
    assert {day.day: day.receipts for day in found.days if day.receipts != 24} == {
        date(2026, 10, 25): 25
    }
    assert isinstance(OCTOBER, Span)
    assert OCTOBER.end - OCTOBER.start == timedelta(days=31, hours=1)
