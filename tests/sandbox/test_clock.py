"""The sandbox's clock, and how it spells instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
from hypothesis import given
from hypothesis import strategies as st

from opdash.sandbox.clock import (
    SECOND,
    SandboxClock,
    from_datetime,
    http_date,
    iso_instant,
    to_datetime,
)
from opdash.sandbox.process import SandboxProcess
from tests.sandbox.support import RawClient

INSTANTS = st.integers(0, 7_000_000_000 * SECOND).map(to_datetime)


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@given(INSTANTS)
def test_dates_are_spelled_as_http_wants_them(instant: datetime) -> None:
    assert http_date(from_datetime(instant)) == format_datetime(instant, usegmt=True)


@given(INSTANTS)
def test_instants_keep_their_microseconds(instant: datetime) -> None:
    assert to_datetime(from_datetime(instant)) == instant


@given(INSTANTS)
def test_instants_are_printed_in_milliseconds(instant: datetime) -> None:
    printed = iso_instant(from_datetime(instant))

    assert len(printed) == len("2026-11-20T06:00:00.000Z")
    assert timedelta(0) <= instant - datetime.fromisoformat(printed) < timedelta(milliseconds=1)


def test_skipped_time_adds_up() -> None:
    clock = SandboxClock(HandClock(), skipped=5 * SECOND)
    before = clock.now()

    clock.advance(90 * SECOND)

    assert clock.now() - before == 90 * SECOND
    assert clock.skipped == 95 * SECOND


def test_the_clock_never_runs_backwards() -> None:
    wall = HandClock()
    clock = SandboxClock(wall)
    before = clock.now()

    wall.at -= timedelta(hours=1)

    assert clock.now() == before


def test_the_date_header_follows(fresh_sandbox: SandboxProcess) -> None:
    before = parsedate_to_datetime(httpx.get(fresh_sandbox.url + "/rosa").headers["date"])

    fresh_sandbox.advance(30 * 86_400)
    after = parsedate_to_datetime(httpx.get(fresh_sandbox.url + "/rosa").headers["date"])

    assert timedelta(days=30) <= after - before < timedelta(days=30, minutes=1)


def test_part_of_a_second_can_be_skipped(fresh_sandbox: SandboxProcess) -> None:
    before = datetime.fromisoformat(fresh_sandbox.state()["now"])

    fresh_sandbox.advance(0.5)

    after = datetime.fromisoformat(fresh_sandbox.state()["now"])
    assert after - before >= timedelta(milliseconds=500)


def test_skipping_is_refused_backwards(raw: RawClient) -> None:
    answer = raw.plain("POST", raw.sandbox.url + "/sandbox/clock", json={"advance": -1})

    assert answer.status_code == 400
