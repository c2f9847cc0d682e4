"""Every cell of the table of states, and what must hold of every verdict."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.states import (
    GLYPHS,
    OPEN_STATES,
    Coverage,
    Facts,
    Life,
    State,
    Verdict,
    coverage,
    derive,
    grace,
    life,
)
from opdash.openpayments.amounts import Asset

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
GRACE = timedelta(seconds=30)
USD = Asset("USD", 2)
EUR = Asset("EUR", 2)

LIVES: dict[Life, dict[str, Any]] = {
    Life.OPEN: {"expires_at": NOW + timedelta(hours=1)},
    Life.EXPIRING: {"expires_at": NOW - timedelta(seconds=1)},
    Life.CLOSED: {"expires_at": NOW + timedelta(hours=1), "completed": True},
    Life.EXPIRED: {"expires_at": NOW - timedelta(hours=1)},
}
COVERAGES: dict[Coverage, dict[str, Any]] = {
    Coverage.NONE: {"asked": 1000, "received": 0},
    Coverage.PART: {"asked": 1000, "received": 999},
    Coverage.EXACT: {"asked": 1000, "received": 1000},
    Coverage.OVER: {"asked": 1000, "received": 1001},
    Coverage.FREE_EMPTY: {"asked": None, "received": 0},
    Coverage.FREE: {"asked": None, "received": 1},
}
TABLE = {
    Life.OPEN: "UNPAID, PARTIAL, SETTLING, SETTLING, OPEN, RECEIVING",
    Life.EXPIRING: "EXPIRING, EXPIRING, SETTLING, SETTLING, EXPIRING, EXPIRING",
    Life.CLOSED: "CLOSED UNPAID, CLOSED SHORT, PAID, OVERPAID, CLOSED UNPAID, RECEIVED",
    Life.EXPIRED: "EXPIRED UNPAID, EXPIRED PARTIAL, PAID*, OVERPAID*, EXPIRED UNPAID, RECEIVED",
}
CELLS = [
    (of_life, of_coverage, word.strip())
    for of_life, line in TABLE.items()
    for of_coverage, word in zip(COVERAGES, line.split(","), strict=True)
]


def make_facts(**given_facts: Any) -> Facts:
    facts: dict[str, Any] = {"received": 0, "received_asset": USD, **given_facts}
    if facts.get("asked") is not None:
        facts.setdefault("asked_asset", USD)
    return Facts(**facts)


@pytest.mark.parametrize(("of_life", "of_coverage", "word"), CELLS)
def test_every_cell_of_the_table(of_life: Life, of_coverage: Coverage, word: str) -> None:
    facts = make_facts(**LIVES[of_life], **COVERAGES[of_coverage])
    verdict = derive(facts, NOW, GRACE)
    assert life(facts, NOW, GRACE) is of_life
    assert coverage(facts) is of_coverage
    assert verdict.state == word.rstrip("*")
    assert verdict.not_completed_by_server == word.endswith("*")
    assert not verdict.no_longer_at_server
    assert verdict.final == (of_life is Life.CLOSED)


@pytest.mark.parametrize("of_coverage", COVERAGES)
def test_without_an_expiry_a_payment_is_open_for_ever(of_coverage: Coverage) -> None:
    facts = make_facts(**COVERAGES[of_coverage])
    with_expiry = make_facts(**LIVES[Life.OPEN], **COVERAGES[of_coverage])
    verdict = derive(facts, NOW, GRACE)
    assert verdict.state is derive(with_expiry, NOW, GRACE).state
    assert verdict.next_change_at is None


@pytest.mark.parametrize("of_life", [*LIVES, Life.GONE])
@pytest.mark.parametrize("received", [0, 1, 1000, 1001])
def test_other_assets_are_an_anomaly_whatever_the_life(of_life: Life, received: int) -> None:
    base = LIVES.get(of_life, {"expires_at": NOW + timedelta(hours=1), "gone_at": NOW})
    facts = make_facts(**base, asked=1000, asked_asset=EUR, received=received)
    verdict = derive(facts, NOW, GRACE)
    assert verdict.state is State.ANOMALY
    assert verdict.needs_action
    assert not verdict.not_completed_by_server


def test_another_scale_is_another_asset() -> None:
    facts = make_facts(asked=1000, asked_asset=Asset("USD", 9), received=1000)
    assert derive(facts, NOW, GRACE).state is State.ANOMALY


@pytest.mark.parametrize(("received", "state"), [(0, State.OPEN), (5, State.RECEIVING)])
def test_asking_for_zero_is_asking_for_nothing_with_an_anomaly(received: int, state: State) -> None:
    verdict = derive(make_facts(asked=0, received=received), NOW, GRACE)
    assert verdict.state is state
    assert verdict.needs_action


@pytest.mark.parametrize(
    ("moment", "of_life"),
    [
        (-TICK, Life.OPEN),
        (timedelta(0), Life.EXPIRING),
        (GRACE - TICK, Life.EXPIRING),
        (GRACE, Life.EXPIRED),
    ],
)
def test_the_edges_of_expiry(moment: timedelta, of_life: Life) -> None:
    facts = make_facts(asked=5, expires_at=NOW)
    assert life(facts, NOW + moment, GRACE) is of_life


def test_a_payment_is_final_more_than_a_day_past_its_expiry() -> None:
    facts = make_facts(asked=5, received=2, expires_at=NOW)
    day = timedelta(hours=24)
    assert not derive(facts, NOW + day, GRACE).final
    assert derive(facts, NOW + day + TICK, GRACE).final
    assert derive(facts, NOW + day, GRACE).next_change_at == NOW + day + TICK


class TestGone:
    """What is kept of a payment that the server has forgotten."""

    @pytest.mark.parametrize("of_coverage", COVERAGES)
    def test_a_closed_payment_keeps_its_state(self, of_coverage: Coverage) -> None:
        closed = make_facts(**LIVES[Life.CLOSED], **COVERAGES[of_coverage])
        gone = make_facts(**LIVES[Life.CLOSED], **COVERAGES[of_coverage], gone_at=NOW)
        verdict = derive(gone, NOW, GRACE)
        assert verdict.state is derive(closed, NOW, GRACE).state
        assert verdict.no_longer_at_server
        assert verdict.final

    @pytest.mark.parametrize("of_coverage", COVERAGES)
    def test_one_long_expired_keeps_its_state_and_flag(self, of_coverage: Coverage) -> None:
        long_ago = {"expires_at": NOW - timedelta(days=2), **COVERAGES[of_coverage]}
        before = derive(make_facts(**long_ago), NOW, GRACE)
        verdict = derive(make_facts(**long_ago, gone_at=NOW), NOW + timedelta(days=1), GRACE)
        assert before.final
        assert verdict.state is before.state
        assert verdict.not_completed_by_server == before.not_completed_by_server
        assert verdict.no_longer_at_server

    @pytest.mark.parametrize("asked", [None, 1000])
    def test_an_unpaid_one_expires_when_its_time_comes(self, asked: int | None) -> None:
        expires_at = NOW + timedelta(hours=1)
        facts = make_facts(asked=asked, expires_at=expires_at, gone_at=NOW)
        early = derive(facts, NOW, GRACE)
        assert early.state is State.UNAVAILABLE
        assert not early.needs_action
        assert early.next_change_at == expires_at
        late = derive(facts, expires_at, GRACE)
        assert late.state is State.EXPIRED_UNPAID
        assert late.next_change_at is None

    @pytest.mark.parametrize("of_life", [Life.OPEN, Life.EXPIRING, Life.EXPIRED])
    @pytest.mark.parametrize("of_coverage", [Coverage.PART, Coverage.EXACT, Coverage.FREE])
    def test_one_with_money_is_unavailable_and_needs_a_look(
        self, of_life: Life, of_coverage: Coverage
    ) -> None:
        facts = make_facts(**LIVES[of_life], **COVERAGES[of_coverage], gone_at=NOW)
        verdict = derive(facts, NOW + timedelta(days=9), GRACE)
        assert verdict.state is State.UNAVAILABLE
        assert verdict.needs_action
        assert verdict.final
        assert not verdict.not_completed_by_server

    def test_one_without_expiry_and_money_is_unavailable_for_ever(self) -> None:
        verdict = derive(make_facts(asked=5, gone_at=NOW), NOW + timedelta(days=900), GRACE)
        assert verdict.state is State.UNAVAILABLE
        assert verdict.next_change_at is None

    def test_life_is_gone(self) -> None:
        assert life(make_facts(completed=True, gone_at=NOW), NOW, GRACE) is Life.GONE


NEEDING = {"CLOSED SHORT", "EXPIRED PARTIAL", "OVERPAID", "OVERPAID*"}


@pytest.mark.parametrize(("of_life", "of_coverage", "word"), CELLS)
def test_what_needs_action(of_life: Life, of_coverage: Coverage, word: str) -> None:
    facts = {**LIVES[of_life], **COVERAGES[of_coverage]}
    assert derive(make_facts(**facts), NOW, GRACE).needs_action == (word in NEEDING)
    assert derive(make_facts(**facts, anomalous=True), NOW, GRACE).needs_action


def test_settling_needs_action_after_more_than_ten_minutes() -> None:
    facts = make_facts(asked=5, received=5, reached_at=NOW)
    patience = timedelta(minutes=10)
    assert derive(facts, NOW, GRACE).next_change_at == NOW + patience + TICK
    assert not derive(facts, NOW + patience, GRACE).needs_action
    assert derive(facts, NOW + patience + TICK, GRACE).needs_action
    completed = make_facts(asked=5, received=5, reached_at=NOW, completed=True)
    assert not derive(completed, NOW + timedelta(days=1), GRACE).needs_action


@pytest.mark.parametrize(
    ("interval", "seconds"), [(0.5, 30), (5.0, 30), (15.0, 30), (15.5, 31), (60, 120)]
)
def test_grace_is_two_polls_and_at_least_half_a_minute(interval: float, seconds: int) -> None:
    assert grace(interval) == timedelta(seconds=seconds)


def test_words_and_signs() -> None:
    assert set(GLYPHS) == set(State)
    assert len(set(GLYPHS.values())) == len(State)
    for glyph in GLYPHS.values():
        assert len(glyph) == 1
        assert unicodedata.east_asian_width(glyph) not in "WF"
    assert {state.value for state in OPEN_STATES} == {
        word.strip() for word in TABLE[Life.OPEN].split(",")
    }


DAY = timedelta(days=1)
instants = st.timedeltas(min_value=-2 * DAY, max_value=2 * DAY).map(lambda delay: NOW + delay)
any_instant = st.datetimes(timezones=st.just(UTC))
amounts = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1))
graces = st.sampled_from([GRACE, timedelta(seconds=90), timedelta(hours=30)])


@st.composite
def some_facts(draw: st.DrawFn, when: st.SearchStrategy[datetime] = instants) -> Facts:
    asked = draw(st.none() | amounts)
    return Facts(
        received=draw(amounts),
        received_asset=USD,
        asked=asked,
        asked_asset=None if asked is None else draw(st.sampled_from([USD, USD, USD, EUR])),
        completed=draw(st.booleans()),
        expires_at=draw(st.none() | when),
        gone_at=draw(st.none() | when),
        reached_at=draw(st.none() | when),
        anomalous=draw(st.booleans()),
    )


def without_next(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.state,
        verdict.final,
        verdict.needs_action,
        verdict.not_completed_by_server,
        verdict.no_longer_at_server,
    )


@given(some_facts(any_instant), any_instant, graces)
def test_every_payment_has_a_state_at_every_instant(
    facts: Facts, now: datetime, patience: timedelta
) -> None:
    verdict = derive(facts, now, patience)
    assert isinstance(verdict.state, State)
    assert verdict == derive(facts, now, patience)
    assert verdict.next_change_at is None or verdict.next_change_at > now


@given(some_facts(), instants, graces, st.floats(0, 1))
def test_nothing_changes_before_the_next_change_and_something_does_then(
    facts: Facts, now: datetime, patience: timedelta, part: float
) -> None:
    verdict = derive(facts, now, patience)
    end = verdict.next_change_at or datetime(2027, 6, 1, tzinfo=UTC)
    between = now + (end - now - TICK) * part
    assert derive(facts, between, patience) == verdict
    assert derive(facts, end - TICK, patience) == verdict
    if verdict.next_change_at is not None:
        assert without_next(derive(facts, end, patience)) != without_next(verdict)


@given(some_facts(), instants, instants, graces)
def test_what_is_final_stays_final(
    facts: Facts, now: datetime, later: datetime, patience: timedelta
) -> None:
    now, later = sorted([now, later])
    if derive(facts, now, patience).final:
        assert derive(facts, later, patience).final


@given(some_facts(), instants, graces, st.integers(0, 2**64 - 1))
def test_a_closed_payment_is_as_it_is_whenever_one_looks(
    facts: Facts, now: datetime, patience: timedelta, seconds: int
) -> None:
    facts = msgspec.structs.replace(facts, completed=True, gone_at=None)
    verdict = derive(facts, now, patience)
    assert verdict.next_change_at is None
    assert derive(facts, now + timedelta(seconds=seconds % 10**6), patience) == verdict
