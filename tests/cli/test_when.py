"""Durations and instants as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.cli.when import WhenError, parse_duration, parse_instant
from opdash.errors import ExitCode


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("90m", 5400),
        ("12h", 43200),
        ("2d", 172800),
        ("1w", 604800),
        ("1d12h", 129600),
        (" 2D ", 172800),
        ("0s", 0),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "2", "d", "-2d", "2.5h", "2 d", "12h1d", "2y", "٢d", "9" * 9 + "d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(WhenError, match="30m, 12h, 2d or 1w") as caught:
        parse_duration(text)
    assert caught.value.exit_code is ExitCode.USAGE


@given(st.integers(0, 9999), st.integers(0, 99999))
def test_parts_add_up(days: int, hours: int) -> None:
    assert parse_duration(f"{days}d{hours}h") == timedelta(days=days, hours=hours)


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-01", datetime(2026, 12, 1, 22, 59, 59, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC)),
        ("2026-12-01T18:00", datetime(2026, 12, 1, 17, tzinfo=UTC)),
        (" 2026-12-01 18:00 ", datetime(2026, 12, 1, 17, tzinfo=UTC)),
        ("2026-12-01T18:00Z", datetime(2026, 12, 1, 18, tzinfo=UTC)),
        ("2026-12-01T18:00+05:00", datetime(2026, 12, 1, 13, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_local_time_unless_it_names_a_zone(
    text: str, instant: datetime
) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13-01", "01.12.2026", "2026-12-01T25:00", "\x1b[31m"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(WhenError, match="2026-12-01") as caught:
        parse_instant(text)
    assert "\x1b" not in str(caught.value)
