"""How fast background work asks, and what it lets go first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.service.pace import Pace, RightOfWay

_AT = datetime(2026, 11, 20, tzinfo=UTC)


class SoloClock:
    """A clock whose time passes while its only user sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return _AT + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@given(st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.2, 3.0]), min_size=20, max_size=80))
def test_no_second_has_more_requests_than_allowed(pauses: list[float]) -> None:
    async def send() -> list[float]:
        clock = SoloClock()
        pace = Pace(clock, 10.0)
        sent = []
        for pause in pauses:
            clock.seconds += pause
            await pace.wait()
            sent.append(clock.seconds)
            pace.answered()
        return sent

    sent = asyncio.run(send())
    assert all(later - earlier > 0.99 for earlier, later in zip(sent, sent[10:], strict=False))


async def test_without_a_limit_nothing_is_waited_for() -> None:
    clock = SoloClock()
    pace = Pace(clock, None)
    for _ in range(100):
        await pace.wait()
    assert clock.seconds == 0.0


@pytest.mark.parametrize("limit", [10.0, None])
async def test_a_server_that_wants_fewer_is_asked_less_until_it_recovers(
    limit: float | None,
) -> None:
    clock = SoloClock()
    pace = Pace(clock, limit)
    await pace.wait()
    pace.slow_down(30.0)
    await pace.wait()
    assert clock.seconds == pytest.approx(30.0)
    before = clock.seconds
    await pace.wait()
    slowed = clock.seconds - before
    assert slowed >= 0.1
    for _ in range(500):
        pace.answered()
        await pace.wait()
    before = clock.seconds
    await pace.wait()
    assert clock.seconds - before == pytest.approx(0.0 if limit is None else 0.1)


async def test_refusals_without_an_end_slow_down_to_a_bound() -> None:
    clock = SoloClock()
    pace = Pace(clock, 10.0)
    for _ in range(50):
        pace.slow_down(None)
    await pace.wait()
    before = clock.seconds
    await pace.wait()
    assert clock.seconds - before == pytest.approx(2.0)


async def test_what_goes_first_is_waited_for() -> None:
    way = RightOfWay()
    await way.wait()
    with way.taken():
        with way.taken():
            pass
        waiting = asyncio.create_task(way.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
