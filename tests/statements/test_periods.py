"""Which period a statement is about, and what is told of one that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from opdash.periods import PeriodError
from opdash.statements.periods import month_after, month_before, month_of, read_month, read_span

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("2026-10", "October 2026"),
        ("this", "November 2026"),
        ("last", "October 2026"),
        ("Last Month", "October 2026"),
        (" 2026-11 ", "November 2026"),
    ],
)
def test_a_month_is_read(typed: str, title: str) -> None:
    assert read_month(typed, NOW, UTC).title == title


@pytest.mark.parametrize(
    ("typed", "title", "within"),
    [
        ("2026-10-05", "5 October 2026", "on 5 October 2026"),
        ("2025", "2025", "in 2025"),
        ("2024..2025", "2024 to 2025", "from 2024 to 2025"),
        (
            "2026-10-01..2026-10-15",
            "1 October 2026 to 15 October 2026",
            "from 1 October 2026 to 15 October 2026",
        ),
        ("2026-02", "February 2026", "in February 2026"),
        ("today", "20 November 2026", "on 20 November 2026"),
    ],
)
def test_a_period_is_called_what_people_call_it(typed: str, title: str, within: str) -> None:
    span = read_span(typed, NOW, UTC)
    assert (span.title, span.within) == (title, within)


def test_its_days_begin_in_its_zone() -> None:
    span = read_month("2026-10", NOW, BERLIN)
    assert span.start == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert span.end == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert (span.first, span.last) == (date(2026, 10, 1), date(2026, 10, 31))
    assert span.zone_name == "Europe/Berlin"


@pytest.mark.parametrize(
    "typed", ["2026-10-05", "2026", "2026-10-01..2026-10-30", "2026-10..2026-11"]
)
def test_what_is_no_month_is_no_month(typed: str) -> None:
    with pytest.raises(PeriodError) as caught:
        read_month(typed, NOW, UTC)
    assert caught.value.sentence == f"“{typed}” is no month."


@pytest.mark.parametrize("typed", ["2026-12", "2027-10"])
def test_a_month_in_the_future_has_not_begun(typed: str) -> None:
    with pytest.raises(PeriodError) as caught:
        read_month(typed, NOW, UTC)
    assert "has not begun: its first day is 1 " in caught.value.sentence


def test_the_month_has_begun_where_it_has() -> None:
    just_before = datetime(2026, 11, 30, 22, 59, tzinfo=UTC)
    with pytest.raises(PeriodError):
        read_month("2026-12", just_before, BERLIN)
    just_after = datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert read_month("2026-12", just_after, BERLIN).title == "December 2026"


def test_months_follow_each_other() -> None:
    november = month_of(date(2026, 11, 20), NOW, UTC)
    october = month_before(november, NOW)
    assert october.title == "October 2026"
    assert october.end == november.start
    assert month_after(october, NOW) == november
    with pytest.raises(PeriodError, match="December 2026 has not begun"):
        month_after(november, NOW)
    assert month_before(month_of(date(2026, 1, 1), NOW, UTC), NOW).title == "December 2025"
    assert month_after(month_of(date(2026, 1, 31), NOW, UTC), NOW).title == "February 2026"
    assert month_after(month_of(date(2025, 12, 31), NOW, UTC), NOW).title == "January 2026"
