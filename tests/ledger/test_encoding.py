from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.encoding import (
    NEVER,
    OPEN_CODES,
    SCOPE_CODES,
    SCOPES,
    STATE_CODES,
    STATES,
    decode_amount,
    decode_instant,
    decode_optional_instant,
    encode_amount,
    encode_instant,
    split_id,
    text_sort_key,
)
from opdash.ledger.records import Scope
from opdash.ledger.states import OPEN_STATES, State

uint64 = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 9, 10, 2**63, 2**64 - 1]))


@given(st.lists(st.none() | uint64, min_size=1))
def test_sqlite_orders_amounts_as_python_does(amounts: list[int | None]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (amount TEXT)")
    connection.executemany("INSERT INTO t VALUES (?)", [(encode_amount(a),) for a in amounts])
    found = [decode_amount(a) for (a,) in connection.execute("SELECT amount FROM t ORDER BY 1")]
    connection.close()
    assert found == sorted(amounts, key=lambda a: -1 if a is None else a)


@given(st.integers(0, 10**99 - 1))
def test_an_amount_of_any_size_survives(amount: int) -> None:
    assert decode_amount(encode_amount(amount)) == amount


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_in_their_order(one: datetime, other: datetime) -> None:
    assert decode_instant(encode_instant(one)) == one
    assert (encode_instant(one) < encode_instant(other)) == (one < other)
    assert encode_instant(one) < NEVER


def test_an_instant_beyond_the_calendar_is_its_end() -> None:
    before = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))
    after = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
    assert decode_instant(encode_instant(before)) == datetime.min.replace(tzinfo=UTC)
    assert decode_instant(encode_instant(after)) == datetime.max.replace(tzinfo=UTC)


def test_no_instant() -> None:
    assert encode_instant(None) == NEVER
    assert decode_optional_instant(NEVER) is None
    assert decode_optional_instant(None) is None
    assert decode_optional_instant(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_every_word_has_its_number() -> None:
    assert set(STATE_CODES) == set(State)
    assert {STATES[code]: code for code in STATES} == dict(STATE_CODES)
    assert sorted(STATE_CODES.values()) == list(STATE_CODES.values())
    low, high = OPEN_CODES
    assert {state for state in State if low <= STATE_CODES[state] <= high} == OPEN_STATES
    assert {SCOPES[SCOPE_CODES[scope]] for scope in Scope} == set(Scope)


@given(st.text())
def test_the_parts_of_a_url_are_the_url(url: str) -> None:
    base, segment = split_id(url)
    assert base + segment == url
    assert "/" not in segment


@given(st.text())
def test_a_sort_key_is_short_and_blind_to_case(text: str) -> None:
    key = text_sort_key(text)
    assert len(key) <= 64
    assert text_sort_key(f"  {text[:60]}") == text_sort_key(text[:60])
    assert text_sort_key("INV-É") == text_sort_key("inv-é")
