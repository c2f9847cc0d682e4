"""Searching beside the screen: one request at a time, the newest one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.errors import LedgerError
from opdash.ledger.records import NEWEST_FIRST
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment
from opdash.tui.searching import FoundRows, OutdatedError, SearchThread
from tests.tui.doubles import NOW, World, many_payments, shop_payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments(), *many_payments(200))
    yield world
    world.close()


@pytest.fixture
def thread(world: World) -> Iterator[SearchThread]:
    thread = SearchThread(world.reader.path, world.wallet.id)
    yield thread
    thread.close()


def ask(line: str) -> Query:
    return read_query(line, Moment(NOW))


async def test_first_rows_then_all_then_what_they_add_up_to(
    world: World, thread: SearchThread
) -> None:
    request = thread.begin()
    first = await thread.first(request, ask("inv-1"))
    assert len(first) == 64
    matches = await thread.matches(request, ask("inv-1"), NEWEST_FIRST)
    rows = FoundRows(world.reader, world.wallet.id, first, matches)
    assert rows.count(NEWEST_FIRST) == len(matches) == 200
    assert await thread.count(request, ask("inv-1")) == 200
    assert rows.window(NEWEST_FIRST, 0, 64) == first
    (last,) = rows.window(NEWEST_FIRST, 199, 5)
    assert rows.position(NEWEST_FIRST, last.id) == 199
    assert rows.position(NEWEST_FIRST, "https://rs.example/nothing") is None
    (totals,) = await thread.totals(request, ask("inv-1"))
    assert (totals.count, totals.asked) == (200, sum(100 * n for n in range(1, 201)))


async def test_the_first_rows_are_a_list_of_their_own(world: World, thread: SearchThread) -> None:
    first = await thread.first(thread.begin(), ask("inv-1"))
    rows = FoundRows(world.reader, world.wallet.id, first)
    assert rows.count(NEWEST_FIRST) == 64
    assert rows.window(NEWEST_FIRST, 60, 9) == first[60:]
    assert rows.position(NEWEST_FIRST, first[3].id) == 3
    assert rows.position(NEWEST_FIRST, "elsewhere") is None


async def test_a_newer_request_takes_the_place_of_an_older_one(thread: SearchThread) -> None:
    older = thread.begin()
    waiting = asyncio.gather(
        thread.matches(older, ask("zq"), NEWEST_FIRST),
        thread.first(older, ask("inv")),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    newer = thread.begin()
    assert [type(result) for result in await waiting] == [OutdatedError, OutdatedError]
    assert not thread.is_current(older)
    assert len(await thread.first(newer, ask("tip"))) == 1


async def test_a_ledger_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    thread = SearchThread(tmp_path / "none.sqlite3", "https://ilp.example/rosa")
    with pytest.raises(LedgerError):
        await thread.first(thread.begin(), ask("x"))
    thread.close()
