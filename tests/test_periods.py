from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.periods import (
    LOCAL,
    PeriodError,
    day_starts_at,
    local_date,
    read_period,
    read_zone,
    zone_name,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # already the 21st in Berlin


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("typed", "start", "end", "text"),
    [
        ("2026-10-05", utc(2026, 10, 4, 22), utc(2026, 10, 5, 22), "2026-10-05"),
        ("2026-10", utc(2026, 9, 30, 22), utc(2026, 10, 31, 23), "2026-10"),
        ("2026", utc(2025, 12, 31, 23), utc(2026, 12, 31, 23), "2026"),
        (
            "2026-10-01..2026-10-15",
            utc(2026, 9, 30, 22),
            utc(2026, 10, 15, 22),
            "2026-10-01..2026-10-15",
        ),
        ("2026-01..2026-03", utc(2025, 12, 31, 23), utc(2026, 3, 31, 22), "2026-01-01..2026-03-31"),
        ("2026-10-01 .. 2026-10-31", utc(2026, 9, 30, 22), utc(2026, 10, 31, 23), "2026-10"),
        ("today", utc(2026, 11, 20, 23), utc(2026, 11, 21, 23), "2026-11-21"),
        (" Yesterday ", utc(2026, 11, 19, 23), utc(2026, 11, 20, 23), "2026-11-20"),
        ("this month", utc(2026, 10, 31, 23), utc(2026, 11, 30, 23), "2026-11"),
        ("last-month", utc(2026, 9, 30, 22), utc(2026, 10, 31, 23), "2026-10"),
        ("this year", utc(2025, 12, 31, 23), utc(2026, 12, 31, 23), "2026"),
        ("last year", utc(2024, 12, 31, 23), utc(2025, 12, 31, 23), "2025"),
        ("2024-02", utc(2024, 1, 31, 23), utc(2024, 2, 29, 23), "2024-02"),
    ],
)
def test_a_period_is_read_in_its_zone(
    typed: str, start: datetime, end: datetime, text: str
) -> None:
    period = read_period(typed, NOW, BERLIN)

    assert (period.start, period.end, period.text) == (start, end, text)
    assert period.zone == "Europe/Berlin"
    assert start in period
    assert end not in period


@pytest.mark.parametrize(
    ("zone", "typed", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),  # there is no midnight that day
        ("Atlantic/Azores", "2026-10-25", 25),  # there are two midnights that day
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Pacific/Apia", "2011-12-30", 0),  # there is no such day
    ],
)
def test_days_are_as_long_as_clocks_make_them(zone: str, typed: str, hours: float) -> None:
    period = read_period(typed, NOW, ZoneInfo(zone))

    assert period.end - period.start == timedelta(hours=hours)


@given(
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"]),
)
def test_days_follow_one_another_without_gap_or_overlap(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    first = read_period(day.isoformat(), NOW, zone)
    second = read_period((day + timedelta(days=1)).isoformat(), NOW, zone)

    assert first.end == second.start
    assert local_date(first.start, zone) == day
    assert local_date(first.end - timedelta(microseconds=1), zone) == day


def test_a_month_is_its_days() -> None:
    month = read_period("2026-10", NOW, BERLIN)
    days = [read_period(f"2026-10-{day:02}", NOW, BERLIN) for day in range(1, 32)]

    assert month.start == days[0].start
    assert month.end == days[-1].end
    assert (month.first, month.last) == (date(2026, 10, 1), date(2026, 10, 31))


def test_without_a_zone_days_are_those_of_this_machine() -> None:
    period = read_period("2026-10-05", NOW)

    assert period.start == datetime(2026, 10, 5).astimezone()
    assert period.end == datetime(2026, 10, 6).astimezone()
    assert period.zone == LOCAL


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "“” is no period."),
        ("october", "“october” is no period."),
        ("2026-1-5", "“2026-1-5” is no period."),
        ("２０２６-10", "“２０２６-10” is no period."),
        ("2026-10-05..", "“2026-10-05..” is no period."),
        ("2026-13", "There is no month 2026-13."),
        ("2026-02-30", "There is no day 2026-02-30."),
        ("0000", "There is no year 0000."),
        ("2026-10-15..2026-10-01", "“2026-10-15..2026-10-01” ends before it begins."),
        ("9999-12-31", "The calendar ends at 9999-12-31."),
        ("9999", "The calendar ends at 9999-12-31."),
        ("0001-01-01", "The calendar ends at 0001-01-01."),
        ("\x1b[31m", "“␛[31m” is no period."),
    ],
)
def test_what_is_no_period_is_refused(typed: str, sentence: str) -> None:
    with pytest.raises(PeriodError, match=re.escape(sentence)) as caught:
        read_period(typed, NOW, BERLIN)

    assert caught.value.advice


def test_months_at_the_end_of_the_calendar() -> None:
    assert read_period("9999-11", NOW, BERLIN).last == date(9999, 11, 30)
    with pytest.raises(PeriodError):
        read_period("9999-12", NOW, BERLIN)


def test_zones_have_names() -> None:
    assert zone_name(read_zone("Europe/Berlin")) == "Europe/Berlin"
    assert zone_name(read_zone("utc")) == "UTC"
    assert zone_name(read_zone("  ")) == LOCAL
    assert read_zone("local") is None


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("europe/new york", "Did you mean America/New_York?"),
        ("../../etc/passwd", "Names are such as"),
        ("Europe", "Names are such as"),
        ("nowhere at all", "Names are such as"),
    ],
)
def test_a_zone_that_does_not_exist_is_refused(typed: str, advice: str) -> None:
    with pytest.raises(PeriodError, match="is no time zone") as caught:
        read_zone(typed)

    assert advice in caught.value.advice or "Did you mean" in caught.value.advice


def test_a_day_begins_with_the_first_time_there_is() -> None:
    zone = ZoneInfo("America/Sao_Paulo")

    assert day_starts_at(date(2018, 11, 4), zone) == utc(2018, 11, 4, 3)


def test_instants_at_the_ends_of_the_calendar_have_a_day() -> None:
    assert local_date(datetime.min.replace(tzinfo=UTC), ZoneInfo("America/New_York")) == date.min
