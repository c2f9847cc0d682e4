"""When the next poll is due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opdash.service.schedule import MAX_BACKOFF, MAX_RETRY_AFTER, next_delay

INTERVALS = st.floats(0.2, 3600)
JITTER = st.floats(0, 1)


def test_after_a_success_the_interval_is_kept() -> None:
    assert next_delay(5.0) == 5.0


def test_nobody_looking_makes_polls_rarer() -> None:
    assert next_delay(5.0, focused=False) == 20.0


@given(INTERVALS, st.integers(1, 50), JITTER)
def test_a_failure_never_polls_faster_than_three_quarters_of_the_interval(
    interval: float, failures: int, jitter: float
) -> None:
    delay = next_delay(interval, failures=failures, jitter=jitter)
    assert 0.75 * interval <= delay <= 1.25 * max(interval, MAX_BACKOFF)


@given(INTERVALS, st.integers(1, 50), JITTER, st.floats(0, 100_000))
def test_what_the_server_asked_for_is_honoured(
    interval: float, failures: int, jitter: float, retry_after: float
) -> None:
    delay = next_delay(interval, failures=failures, retry_after=retry_after, jitter=jitter)
    assert delay >= min(retry_after, MAX_RETRY_AFTER)


def test_failures_in_a_row_double_the_delay_up_to_a_minute() -> None:
    delays = [next_delay(1.0, failures=n, jitter=0.5) for n in range(1, 10)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
