"""States of outgoing payments, as far as they can be known."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.outgoing import (
    MOVING_FOR,
    OUTGOING_GLYPHS,
    YOUNG_FOR,
    OutgoingFacts,
    OutgoingState,
    derive_outgoing,
    effective_rate,
    outgoing_cost,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
instants = st.timedeltas(min_value=-2 * DAY, max_value=2 * DAY).map(lambda delay: NOW + delay)


def test_each_state_has_its_sign() -> None:
    assert set(OUTGOING_GLYPHS) == set(OutgoingState)
    for glyph in OUTGOING_GLYPHS.values():
        assert len(glyph) == 1
        assert unicodedata.east_asian_width(glyph) not in "WF"


def outgoing(**given_facts: Any) -> OutgoingFacts:
    facts: dict[str, Any] = {"failed": False, "sent": 0, "debit": 100, "created_at": NOW}
    return OutgoingFacts(**{**facts, **given_facts})


LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("facts", "state", "certain"),
    [
        (outgoing(failed=True), OutgoingState.FAILED, True),
        (outgoing(failed=True, sent=1), OutgoingState.FAILED_PARTIAL, True),
        (outgoing(), OutgoingState.SENDING, True),
        (outgoing(sent=100), OutgoingState.SENT, True),
        (outgoing(sent=98, receiver_settled=True), OutgoingState.SENT, True),
        (outgoing(sent=98), OutgoingState.SENT, False),
        (outgoing(sent=98, receiver_settled=False), OutgoingState.SENT, False),
    ],
)
def test_outgoing_payments_when_all_is_quiet(
    facts: OutgoingFacts, state: OutgoingState, certain: bool
) -> None:
    verdict = derive_outgoing(facts, LATER)
    assert (verdict.state, verdict.certain) == (state, certain)


def test_an_outgoing_payment_moves_until_it_has_been_quiet() -> None:
    facts = outgoing(sent=98, receiver_settled=True, sent_changed_at=LATER)
    moving = derive_outgoing(facts, LATER)
    assert moving.state is OutgoingState.SENDING
    assert moving.next_change_at == LATER + MOVING_FOR
    assert derive_outgoing(facts, LATER + MOVING_FOR).state is OutgoingState.SENT


def test_a_young_outgoing_payment_of_which_little_is_known_is_under_way() -> None:
    facts = outgoing(sent=98)
    assert derive_outgoing(facts, NOW).state is OutgoingState.SENDING
    assert derive_outgoing(facts, NOW).next_change_at == NOW + YOUNG_FOR
    assert derive_outgoing(facts, NOW + YOUNG_FOR).state is OutgoingState.SENT


@given(
    st.booleans(),
    st.integers(0, 3),
    instants,
    st.none() | instants,
    st.none() | st.booleans(),
    instants,
)
def test_an_outgoing_verdict_holds_until_it_changes(
    failed: bool,
    sent: int,
    created_at: datetime,
    changed_at: datetime | None,
    settled: bool | None,
    now: datetime,
) -> None:
    facts = OutgoingFacts(
        failed=failed,
        sent=sent,
        debit=2,
        created_at=created_at,
        sent_changed_at=changed_at,
        receiver_settled=settled,
    )
    verdict = derive_outgoing(facts, now)
    end = verdict.next_change_at or datetime(2027, 1, 1, tzinfo=UTC)
    assert derive_outgoing(facts, end - TICK) == verdict
    if verdict.next_change_at is not None:
        assert derive_outgoing(facts, end).state is not verdict.state


def test_rate_and_cost_of_an_outgoing_payment() -> None:
    assert effective_rate(90, 120) == Fraction(3, 4)
    assert effective_rate(90, 0) is None
    assert outgoing_cost(OutgoingState.SENDING, 100, 50) is None
    assert outgoing_cost(OutgoingState.SENT, 100, 98) == 2
    assert outgoing_cost(OutgoingState.FAILED_PARTIAL, 100, 30) == 70
