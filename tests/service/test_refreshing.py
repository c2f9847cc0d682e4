"""Plans carried out over HTTP: what was planned is refreshed, and servers that spoil a plan."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opdash.service import refreshing
from opdash.service.costs import LearntCosts
from opdash.service.planner import MIN_HEAD, Get, Page, Plan, plan_poll
from tests.openpayments.rawserver import answer
from tests.service.conftest import OpenDashboard, Watched
from tests.service.lists import ListServer, list_server, page_of, profile_at
from tests.service.test_scan import OpenAt, open_at

if TYPE_CHECKING:
    from tests.conftest import StartSandbox

__all__ = ["open_at"]  # a fixture

PATIENT = 3600.0
"""A poll interval; its budget allows for many requests, and nothing is due by itself."""


@pytest.fixture
async def server() -> AsyncIterator[ListServer]:
    async with list_server([f"p{number:04}" for number in range(700)]) as running:
        yield running


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """All plans that are drawn."""
    drawn: list[Plan] = []

    def note(*args: Any, **options: Any) -> Plan:
        drawn.append(plan_poll(*args, **options))
        return drawn[-1]

    monkeypatch.setattr(refreshing, "plan_poll", note)
    return drawn


def last_seen(watched: Watched) -> dict[str, datetime]:
    """When each payment that can still change was last seen, by its last segment."""
    changeable = watched.dashboard.reader.changeable(watched.wallet)
    return {one.id.rpartition("/")[2]: one.last_seen_at for one in changeable}


async def watch_all(watched: Watched) -> None:
    """Make all payments due by their being on the screen: a poll interval later, that is."""
    changeable = watched.dashboard.reader.changeable(watched.wallet)
    watched.session.watch_on_screen(one.id for one in changeable)
    await asyncio.sleep(watched.session.profile.poll_interval)


async def ready(open_at: OpenAt, server: ListServer, home: Path, **changes: Any) -> Watched:
    """A ledger that knows the server's whole list, all that can change being due."""
    settings = {"poll_interval": 1.0, "poll_rate": 1000.0} | changes
    watched = await open_at(profile_at(server, home, **settings))
    await watched.session.poll_once()
    await watched.session.read_all()
    await watch_all(watched)
    server.asked.clear()
    server.got.clear()
    return watched


def shows(plan: Plan) -> set[str]:
    return {name.rpartition("/")[2] for request in plan.requests for name in request.shows}


class TestCarriedOut:
    async def test_what_was_planned_is_refreshed_and_nothing_else_is_asked(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path, plans: list[Plan]
    ) -> None:
        chance = random.Random(7)
        server.still_open = set(chance.sample(server.names, 60))
        watched = await ready(open_at, server, tmp_path)
        before, drawn = last_seen(watched), len(plans)
        await watched.session.poll_once()
        head, rest = plans[drawn:]
        assert shows(head) == server.still_open
        asked = [request for request in rest.requests if isinstance(request, Page)]
        assert asked
        wire = [(page.cursor, -page.rows if page.backwards else page.rows) for page in asked]
        assert server.asked == [(None, head.requests[0].rows), *wire]  # type: ignore[union-attr]
        single = [one.payment_id for one in rest.requests if isinstance(one, Get)]
        assert server.got == [one.rpartition("/")[2] for one in single]
        after = last_seen(watched)
        assert {name for name in before if after[name] > before[name]} == server.still_open
        assert len(server.asked) + len(server.got) <= 15

    async def test_pages_go_both_ways(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        server.opaque = True
        known = {at: server.cursor(f"p{at:04}") for at in (19, 20, 119, 120, 219, 220)}
        server.still_open = {f"p{at:04}" for at in (121, 123, 125, 127, 212, 214, 216, 218)}
        watched = await ready(open_at, server, tmp_path)
        watched.session._poller.server.costs = LearntCosts()
        await watched.session.poll_once()
        assert server.got == []
        assert sorted(server.asked[1:], key=str) == sorted(
            [(known[120], 7), (known[219], -7)], key=str
        )

    async def test_final_payments_are_not_asked_for(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await ready(open_at, server, tmp_path)
        for _ in range(5):
            await watched.session.poll_once()
        assert server.asked == [(None, MIN_HEAD)] * 5
        assert server.got == []

    async def test_the_limit_of_a_poll_is_kept(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        server.still_open = {f"p{at:04}" for at in range(25, 700, 60)}
        watched = await ready(open_at, server, tmp_path, poll_rate=0.5)
        await asyncio.sleep(1.0)
        await watched.session.poll_once()
        assert len(server.asked) + len(server.got) == 2

    async def test_on_the_sandbox_every_kind_of_page_is_answered(
        self, start_sandbox: StartSandbox, open_dashboard: OpenDashboard, plans: list[Plan]
    ) -> None:
        sandbox = start_sandbox(payments=900)
        watched = open_dashboard(sandbox, page_size=100, poll_interval=1.0, poll_rate=1000.0)
        await watched.session.poll_once()
        await watched.session.read_all()
        for _ in range(3):
            await watch_all(watched)
            before, drawn = last_seen(watched), len(plans)
            watched.exchanges.clear()
            await watched.session.poll_once()
            after = last_seen(watched)
            planned = shows(plans[drawn])
            assert planned <= {name for name in after if after[name] > before[name]}
            assert len(watched.exchanges) == 1 + len(plans[drawn + 1].requests)
            assert len(plans) == drawn + 2
        assert watched.session._poller.server.takes_ids
        assert any(
            isinstance(request, Page) and request.is_made_up
            for plan in plans
            for request in plan.requests
        )


class TestSpoiltPlans:
    async def test_ids_are_not_taken_for_cursors_where_they_are_none(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        server.opaque = True
        server.still_open = {f"p{at:04}" for at in range(150, 190, 2)}
        watched = await ready(open_at, server, tmp_path)
        before = last_seen(watched)
        for _ in range(3):
            await watched.session.poll_once()
            await asyncio.sleep(1.0)
        cursors = {server.cursor(name) for name in server.names}
        assert {cursor for cursor, _ in server.asked} <= {None, *cursors}
        assert not watched.session._poller.server.takes_ids
        after = last_seen(watched)
        assert all(after[name] > before[name] for name in server.still_open)

    async def test_a_server_that_takes_only_cursors_that_it_handed_out(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        handed_out: set[str | None] = {None}

        def remember(cursor: str | None, _: int, page: dict[str, Any]) -> dict[str, Any]:
            if cursor not in handed_out:
                return page_of([], end=None)
            there = page["pagination"]
            handed_out.update({there.get("startCursor"), there.get("endCursor")})
            return page

        server.twist = remember
        server.still_open = {f"p{at:04}" for at in (*range(150, 170, 2), *range(440, 460, 2))}
        watched = await ready(open_at, server, tmp_path)
        refused = 0
        for _ in range(8):
            before = last_seen(watched)
            await watched.session.poll_once()
            after = last_seen(watched)
            assert all(after[name] > before[name] for name in server.still_open)
            await asyncio.sleep(1.0)
            refused = sum(cursor not in handed_out for cursor, _ in server.asked)
        assert 0 < refused <= 3

    @pytest.mark.parametrize("says", ["nothing", "404", "500"])
    async def test_a_cursor_that_vanished_is_not_used_again(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path, says: str
    ) -> None:
        server.opaque = True
        server.still_open = {f"p{at:04}" for at in range(125, 145, 2)}
        watched = await ready(open_at, server, tmp_path)
        lost = {server.cursor(f"p{at:04}") for at in (119, 120, 219, 220)}

        def lose(cursor: str | None, _: int, page: dict[str, Any]) -> dict[str, Any] | bytes:
            if cursor not in lost:
                return page
            if says == "nothing":
                return page_of([], end=None)
            return answer(b"", {"404": "404 Not Found", "500": "500 Oops"}[says])

        server.twist = lose
        before = last_seen(watched)
        await watched.session.poll_once()
        after = last_seen(watched)
        assert all(after[name] > before[name] for name in server.still_open)
        assert set(server.got) == server.still_open
        await asyncio.sleep(1.0)
        server.asked.clear()
        await watched.session.poll_once()
        assert not {cursor for cursor, _ in server.asked} & lost

    async def test_what_a_page_does_not_show_is_asked_for_by_itself(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        server.still_open = {f"p{at:04}" for at in range(125, 145, 2)}
        watched = await ready(open_at, server, tmp_path)

        def hide(_: str | None, __: int, page: dict[str, Any]) -> dict[str, Any]:
            shown = [one for one in page["result"] if not one["id"].endswith("p0131")]
            return page | {"result": shown}

        server.twist = hide
        before = last_seen(watched)
        await watched.session.poll_once()
        after = last_seen(watched)
        assert all(after[name] > before[name] for name in server.still_open)
        assert server.got == ["p0131"]
        await asyncio.sleep(1.0)
        server.asked.clear()
        await watched.session.poll_once()
        assert server.got == ["p0131", "p0131"]
        assert len(server.asked) == 2

    async def test_a_server_with_shorter_pages_is_asked_for_shorter_ones(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        asked_for: list[int] = []

        def cut(cursor: str | None, size: int, page: dict[str, Any]) -> dict[str, Any]:
            asked_for.append(size)
            return server.page(cursor, min(size, 30)) if size > 30 else page

        server.twist = cut
        server.still_open = {f"p{at:04}" for at in range(300, 400, 3)}
        watched = await ready(open_at, server, tmp_path)
        asked_for.clear()
        before = last_seen(watched)
        await watched.session.poll_once()
        after = last_seen(watched)
        assert all(after[name] > before[name] for name in server.still_open)
        assert max(asked_for) <= 30

    async def test_new_payments_above_do_not_spoil_the_plan(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        server.still_open = {f"p{at:04}" for at in (5, 18, 25, 60, *range(125, 145, 2))}
        watched = await ready(open_at, server, tmp_path)
        server.names = [f"q{number}" for number in range(7)] + server.names
        before = last_seen(watched)
        await watched.session.poll_once()
        after = last_seen(watched)
        assert all(after[name] > before[name] for name in server.still_open)
        assert watched.payment(f"{server.origin}/rs/incoming-payments/q3").completed


async def test_neither_head_nor_single_payments_wait_for_a_long_gap(
    server: ListServer, open_at: OpenAt, tmp_path: Path
) -> None:
    server.names = [f"p{number:04}" for number in range(200)]
    server.still_open = {"p0150", "p0190"}
    watched = await ready(
        open_at, server, tmp_path, poll_interval=0.5, poll_rate=20.0, scan_rate=20.0
    )
    server.names = [f"q{number:04}" for number in range(4000)] + server.names
    before = last_seen(watched)
    await watched.session.poll_once()
    after = last_seen(watched)
    walk = watched.dashboard.reader.walk_state(watched.wallet, watched.session.profile.scope)
    assert walk is not None
    assert walk.gaps == ()
    assert watched.dashboard.reader.count(watched.wallet) == 4200
    pages = [(cursor, size) for cursor, size in server.asked if size == 100 and cursor]
    heads = [(cursor, size) for cursor, size in server.asked if cursor is None]
    assert len(pages) >= 39
    assert len(heads) >= 3
    assert after["p0190"] > before["p0190"]
    assert len(server.got) >= 4
