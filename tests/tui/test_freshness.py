from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opdash.service.status import Phase, Status
from opdash.tui.widgets.freshness import freshness, is_stale

NOW = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
INTERVAL = timedelta(seconds=5)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def said(status: Status, *, last: datetime | None = None, short: bool = False) -> str:
    spans = freshness(status, NOW, INTERVAL, last_known_at=last, short=short)
    return "".join(span.text for span in spans)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status(), "○ not connected"),
        (Status(Phase.CONNECTING, polling=True), "◌ connecting · asking…"),
        (
            Status(Phase.LIVE, last_ok_at=ago(3), next_poll_at=ago(-2)),
            "● live · updated 3 s ago · next in 2 s",
        ),
        (
            Status(Phase.LIVE, last_ok_at=ago(7), next_poll_at=ago(2)),
            "● live · updated 7 s ago · asking…",
        ),
        (
            Status(Phase.LIVE, polling=True, last_ok_at=ago(0.2), next_poll_at=ago(-1.3)),
            "● live · updated now · next in 2 s",
        ),
        (
            Status(Phase.LIVE, last_ok_at=ago(90), next_poll_at=ago(-2)),
            "◍ stale · updated 1 min ago · next in 2 s",
        ),
        (
            Status(
                Phase.LIVE,
                last_ok_at=ago(3),
                next_poll_at=ago(-2),
                oldest_unrefreshed_at=ago(40),
            ),
            "● live · updated 3 s ago · oldest 40 s · next in 2 s",
        ),
        (
            Status(
                Phase.LIVE, last_ok_at=ago(3), next_poll_at=ago(-2), oldest_unrefreshed_at=ago(9)
            ),
            "● live · updated 3 s ago · next in 2 s",
        ),
        (
            Status(Phase.OFFLINE, last_ok_at=ago(180), next_poll_at=ago(-8)),
            "▲ offline · as of 3 min ago · next try in 8 s",
        ),
        (
            Status(Phase.LIVE, polled_elsewhere=True, last_ok_at=ago(3)),
            "● live · updated 3 s ago · another opdash polls",
        ),
        (Status(Phase.REFUSED, next_poll_at=ago(-60)), "▲ refused · next try in 1 min"),
        (Status(Phase.FAILED, next_poll_at=ago(-60)), "▲ failed · next try in 1 min"),
    ],
)
def test_what_the_bar_says(status: Status, text: str) -> None:
    assert said(status) == text


def test_a_poll_that_takes_no_time_does_not_make_the_line_flicker() -> None:
    for polling in (False, True):
        due = Status(Phase.LIVE, polling=polling, last_ok_at=ago(5), next_poll_at=ago(0.5))
        assert said(due) == "● live · updated 5 s ago · next in 1 s"


def test_before_the_first_answer_it_says_how_old_the_picture_is() -> None:
    text = said(Status(Phase.CONNECTING, polling=True), last=NOW - timedelta(hours=3))
    assert text == "◌ connecting · as of 3 h ago · asking…"


def test_a_narrow_screen_loses_a_word_and_no_fact() -> None:
    live = Status(Phase.LIVE, last_ok_at=ago(3), next_poll_at=ago(-2))
    assert said(live, short=True) == "● live · 3 s ago · next in 2 s"


def test_stale_is_only_what_calls_itself_live() -> None:
    old = ago(31)
    assert is_stale(Status(Phase.LIVE, last_ok_at=old), NOW, INTERVAL)
    assert not is_stale(Status(Phase.LIVE, last_ok_at=old), NOW, timedelta(minutes=1))
    assert not is_stale(Status(Phase.OFFLINE, last_ok_at=old), NOW, INTERVAL)
