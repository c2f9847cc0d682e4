"""How many requests polls may make, and what a server that wants fewer does to that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.errors import TooManyRequestsError
from opdash.service.budget import Budget
from opdash.service.servers import POLL_RATE, SCAN_RATE, Servers
from opdash.settings import Profile
from tests.service.test_pace import SoloClock


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 50)), min_size=5, max_size=60))
def test_in_the_long_run_no_more_is_allowed_than_was_set(steps: list[tuple[float, int]]) -> None:
    clock = SoloClock()
    budget = Budget(clock, 2.0)
    made = 0
    for pause, wanted in steps:
        clock.seconds += pause
        clock.seconds += budget.wait_left()
        some = min(wanted, budget.allowance(1))
        budget.spend(some)
        made += some
    assert made <= 2.0 * clock.seconds + 10 + 1e-6


def test_what_was_not_used_is_saved_up_for_one_poll_only() -> None:
    clock = SoloClock()
    budget = Budget(clock, 2.0)
    assert budget.allowance(1) == 10
    clock.seconds += 3600
    assert budget.allowance(1) == 10
    budget.spend(10)
    assert budget.wait_left() == pytest.approx(1.0)
    clock.seconds += 1.0
    assert budget.wait_left() == 0.0
    assert budget.allowance(1) == 2


def test_several_share_it() -> None:
    budget = Budget(SoloClock(), 2.0)
    assert [budget.allowance(sharers) for sharers in (1, 2, 3, 100)] == [10, 5, 3, 2]


def test_what_cannot_be_done_without_is_made_up_for() -> None:
    clock = SoloClock()
    budget = Budget(clock, 2.0)
    budget.spend(14)
    assert budget.wait_left() == pytest.approx(3.0)


def test_a_server_that_wants_fewer_is_asked_less_until_it_recovers() -> None:
    clock = SoloClock()
    budget = Budget(clock, 2.0)
    budget.slow_down(30.0)
    assert budget.per_second == 1.0
    assert budget.wait_left() == pytest.approx(30.0)
    clock.seconds += 30.0
    assert budget.wait_left() == 0.0
    rates = []
    for _ in range(20):
        budget.answered()
        rates.append(budget.per_second)
    assert rates == sorted(rates)
    assert rates[0] < 1.1
    assert rates[-1] == 2.0


def test_refusals_without_an_end_slow_down_to_a_bound() -> None:
    clock = SoloClock()
    budget = Budget(clock, 2.0)
    for _ in range(50):
        budget.slow_down(None)
    assert budget.per_second == pytest.approx(0.1)
    budget.slow_down(1e9)
    assert budget.wait_left() == pytest.approx(3600.0)


def profile(name: str, **changes: float) -> Profile:
    return Profile(name, f"https://ilp.example/{name}", **changes)  # type: ignore[arg-type]


class TestServers:
    def test_a_server_is_its_origin(self) -> None:
        servers = Servers(SoloClock())
        one = servers.of("https://rs.example/tenant")
        assert servers.of("https://rs.example/another") is one
        assert servers.of("https://rs.example:8443/tenant") is not one

    def test_the_lowest_rate_that_is_named_counts(self) -> None:
        server = Servers(SoloClock()).of("https://rs.example")
        usual, fast, faster = (
            profile("a"), profile("b", poll_rate=5.0), profile("c", poll_rate=9.0)
        )  # fmt: skip
        server.join(usual)
        assert (server.polling.per_second, server.pollers) == (POLL_RATE, 1)
        server.join(fast)
        server.join(faster)
        assert (server.polling.per_second, server.pollers) == (5.0, 3)
        server.leave(fast)
        assert (server.polling.per_second, server.pollers) == (9.0, 2)

    def test_a_poll_now_and_then_may_use_what_was_saved_up(self) -> None:
        clock = SoloClock()
        server = Servers(clock).of("https://rs.example")
        server.join(profile("a", poll_interval=30.0))
        clock.seconds += 30
        assert server.polling.allowance(server.pollers) == 60

    async def test_a_refusal_slows_polls_and_scans(self) -> None:
        clock = SoloClock()
        server = Servers(clock).of("https://rs.example")
        server.refused(TooManyRequestsError("Fewer.", status=429, retry_after=20.0))
        assert server.polling.per_second < POLL_RATE
        assert server.polling.wait_left() == pytest.approx(20.0)
        await server.scanning.wait()
        assert clock.seconds == pytest.approx(20.0)
        for _ in range(300):
            server.answered()
        assert server.polling.per_second == POLL_RATE
        await server.scanning.wait()
        before = clock.seconds
        await server.scanning.wait()
        assert clock.seconds - before == pytest.approx(1 / SCAN_RATE)

    async def test_a_scan_has_the_rate_that_a_profile_names(self) -> None:
        clock = SoloClock()
        server = Servers(clock).of("https://rs.example")
        server.join(profile("a", scan_rate=2.0))
        for _ in range(5):
            await server.scanning.wait()
        assert clock.seconds == pytest.approx(2.0)

    def test_ids_are_no_cursors_until_they_were_seen_to_be(self) -> None:
        server = Servers(SoloClock()).of("https://rs.example")
        seen = [server.takes_ids]
        server.took_id(handed_out=True)
        seen.append(server.takes_ids)
        server.refused_id()
        server.refused_id()
        server.took_id(handed_out=False)
        for _ in range(3):
            seen.append(server.takes_ids)
            server.took_id(handed_out=True)
            server.refused_id()
        seen.append(server.takes_ids)
        server.took_id(handed_out=False)
        seen.append(server.takes_ids)
        assert seen == [False, True, True, True, True, False, False]
