"""The machine's clock: aware, in UTC, and never backwards where it measures."""

from __future__ import annotations

from datetime import UTC, timedelta

from opdash.clock import Clock, SystemClock


async def test_the_machines_clock() -> None:
    clock: Clock = SystemClock()
    before, started = clock.now(), clock.monotonic()
    await clock.sleep(0.01)
    assert before.tzinfo is UTC
    assert clock.now() >= before
    assert clock.monotonic() - started >= timedelta(milliseconds=9).total_seconds()
