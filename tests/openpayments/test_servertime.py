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


class SetClock(StillClock):
    """A clock that a person sets, while the seconds go on as they were."""

    measured = 0.0

    def monotonic(self) -> float:
        return self.measured

    def pass_by(self, seconds: float) -> None:
        self.measured += seconds
        self.instant += timedelta(seconds=seconds)


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=-3), timedelta(seconds=90)])
def test_a_clock_that_is_set_moves_no_servers_time(jump: timedelta) -> None:
    clock = SetClock()
    there = clock.now() + timedelta(minutes=3)
    time = ServerTime(clock)
    time.learn(dated(there), clock.now())
    clock.pass_by(10)
    clock.instant += jump
    at_server = clock.now() + time.offset
    assert abs(at_server - there - timedelta(seconds=10)) <= timedelta(seconds=1)
    clock.pass_by(3600)
    time.learn(dated(there + timedelta(seconds=3610)), clock.now())
    at_server = clock.now() + time.offset
    assert abs(at_server - there - timedelta(seconds=3610)) <= timedelta(seconds=1)


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=-3)])
def test_an_answer_that_a_setting_of_the_clock_overtakes(jump: timedelta) -> None:
    clock = SetClock()
    time, asked_at, there = ServerTime(clock), clock.now(), clock.now()
    clock.instant += jump
    time.learn(dated(there), asked_at)
    assert abs(clock.now() + time.offset - there) <= timedelta(seconds=1)


def test_a_machine_that_slept_is_not_taken_for_one_that_was_set() -> None:
    """The seconds went on, too: the server's time is what this machine's clock says it is."""
    clock = SetClock()
    time = ServerTime(clock)
    time.learn(dated(clock.now()), clock.now())
    before = time.offset
    clock.pass_by(9 * 3600)
    assert time.offset == before


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
