from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from opdash.openpayments.servertime import ServerTime
from tests.openpayments.conftest import StillClock


def dated(instant: datetime) -> dict[str, str]:
    return {"date": format_datetime(instant, usegmt=True)}


def test_nothing_is_known_before_the_first_answer(clock: StillClock) -> None:
    assert ServerTime(clock).offset == timedelta(0)


def test_the_offset_is_that_of_the_date_header(clock: StillClock) -> None:
    time = ServerTime(clock)
    time.learn(dated(clock.now() + timedelta(minutes=3)), clock.now())
    assert abs(time.offset - timedelta(minutes=3)) <= timedelta(seconds=1)


def test_it_is_measured_in_the_middle_of_the_exchange(clock: StillClock) -> None:
    time, asked_at = ServerTime(clock), clock.now()
    clock.instant += timedelta(seconds=8)
    time.learn(dated(asked_at + timedelta(seconds=4)), asked_at)
    assert abs(time.offset) <= timedelta(seconds=1)


def test_one_odd_answer_does_not_move_it(clock: StillClock) -> None:
    time = ServerTime(clock)
    for hours in (0, 0, 700, 0, 0):
        time.learn(dated(clock.now() + timedelta(hours=hours)), clock.now())
    assert abs(time.offset) <= timedelta(seconds=1)


def test_a_new_time_is_believed_after_three_answers(clock: StillClock) -> None:
    time = ServerTime(clock)
    for hours in (0, 0, 0, 0, 0, 2, 2, 2):
        time.learn(dated(clock.now() + timedelta(hours=hours)), clock.now())
    assert abs(time.offset - timedelta(hours=2)) <= timedelta(seconds=1)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "yesterday"},
        {"date": "Fri, 20 Nov 2026 04:10:04 -0000"},
        {"date": "Fri, 99 Nov 99999 04:10:04 GMT"},
        {"date": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"date": "Fri, 20 Nov 2020 04:10:04 GMT", "age": "600"},
    ],
)
def test_what_is_no_time_of_the_server_is_passed_over(
    headers: dict[str, str], clock: StillClock
) -> None:
    time = ServerTime(clock)
    time.learn(headers, clock.now())
    assert time.offset == timedelta(0)
