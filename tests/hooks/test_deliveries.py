from __future__ import annotations

import pytest

from opdash.hooks.deliveries import Postman, StoppedError
from opdash.hooks.letters import Letter
from tests.hooks.doubles import FakeTarget, QuickClock, record, refused, stopped

LETTER = Letter.of(record())


def postman(clock: QuickClock, told: list[str], retries: int = 5, jitter: float = 1.0) -> Postman:
    return Postman(clock, lambda: jitter, retries, told.append)


async def test_it_is_tried_again_with_growing_pauses() -> None:
    clock, told = QuickClock(), list[str]()
    target = FakeTarget(*[refused()] * 4)
    assert await postman(clock, told).deliver(target, LETTER) == (5, "")
    assert clock.slept == [1.0, 2.0, 4.0, 8.0]
    assert target.taken == [LETTER.id]
    assert told[0] == "target answered 500; again in 1 s"


async def test_pauses_are_spread_and_bounded() -> None:
    clock = QuickClock()
    await postman(clock, [], retries=10, jitter=0.0).deliver(FakeTarget(*[refused()] * 11), LETTER)
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]


async def test_what_the_receiver_asks_for_is_waited_within_reason() -> None:
    clock = QuickClock()
    target = FakeTarget(refused(wait=30.0), refused(wait=1e9), refused(wait=0.0))
    await postman(clock, []).deliver(target, LETTER)
    assert clock.slept == [30.0, 3600.0, 4.0]


async def test_after_the_last_attempt_it_is_given_up() -> None:
    clock = QuickClock()
    target = FakeTarget(*[refused(f"answered {500 + n}") for n in range(9)])
    assert await postman(clock, [], retries=2).deliver(target, LETTER) == (3, "answered 502")
    assert await postman(clock, [], retries=0).deliver(target, LETTER) == (1, "answered 503")


async def test_what_cannot_succeed_is_not_tried_again() -> None:
    clock = QuickClock()
    target = FakeTarget(refused("answered 301", is_final=True))
    assert await postman(clock, []).deliver(target, LETTER) == (1, "answered 301")
    assert clock.slept == []


async def test_a_receiver_that_wants_no_more_is_left_alone() -> None:
    with pytest.raises(StoppedError):
        await postman(QuickClock(), []).deliver(FakeTarget(stopped()), LETTER)
