"""Rows of which some stand in one line, held to listing them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.ledger.folds import Fold, FoldRow, FoldRule
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Sort, SortColumn
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.tui.folded_rows import FoldedRows
from opdash.tui.widgets.row_window import TableRow
from tests.tui.doubles import NOW, World, make_payment

OLDEST_FIRST = Sort(SortColumn.CREATED, descending=False)
BY_RECEIVED = Sort(SortColumn.RECEIVED)
TIPS = FoldRule("Tips", read_query("ref:tip", Moment(NOW, UTC)).tree)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    hours = (0, 1, 2, 5, 9, 13, 15, 16, 17, 20, 30, 31, 38, 40, 41, 47, 60, 62, 100)
    world.record(
        *(
            make_payment(
                number,
                received=number,
                ago=timedelta(hours=ago),
                reference="tip" if number % 3 else f"INV-{number}",
            )
            for number, ago in enumerate(hours, start=1)
        )
    )
    yield world
    world.close()


def folded(world: World) -> FoldedRows:
    index = world.reader.fold(world.wallet.id, (TIPS,), UTC)
    assert index is not None
    return FoldedRows(world.reader, world.wallet.id, index)


def names(rows: tuple[TableRow, ...]) -> list[Any]:
    return [
        row.id[-2:] if isinstance(row, PaymentRow) else f"{row.count} of {row.day:%d}"
        for row in rows
    ]


def all_rows(rows: FoldedRows, sort: Sort = NEWEST_FIRST) -> tuple[TableRow, ...]:
    return rows.window(sort, 0, 1000)


def test_rows_fold_and_unfold(world: World) -> None:
    rows = folded(world)
    assert names(all_rows(rows)) == [
        *("4 of 20", "03", "06"),
        *("5 of 19", "09", "0c"),
        *("3 of 18", "0f", "12", "13"),
    ]
    fold = all_rows(rows)[3]
    assert isinstance(fold, FoldRow)
    assert not fold.is_open
    rows.turn(fold.id)
    assert names(all_rows(rows))[2:10] == ["06", "5 of 19", *("07", "08", "0a", "0b"), "0d", "09"]
    opened = all_rows(rows)[3]
    assert isinstance(opened, FoldRow)
    assert opened.is_open
    assert sorted(member[-2:] for member in rows.members) == ["07", "08", "0a", "0b", "0d"]
    rows.turn(fold.id)
    assert rows.count(NEWEST_FIRST) == 10
    assert rows.members == set()


def test_the_oldest_can_stand_first(world: World) -> None:
    rows = folded(world)
    assert names(all_rows(rows, OLDEST_FIRST)) == names(all_rows(rows))[::-1]
    fold = all_rows(rows)[0]
    rows.turn(fold.id)
    assert names(all_rows(rows, OLDEST_FIRST))[-6:] == ["03", "4 of 20", "05", "04", "02", "01"]


def test_in_other_orders_folds_rest(world: World) -> None:
    rows = folded(world)
    assert rows.count(BY_RECEIVED) == 19
    plain = world.reader.window(world.wallet.id, BY_RECEIVED, 0, 100)
    assert rows.window(BY_RECEIVED, 0, 100) == plain
    assert rows.position(BY_RECEIVED, plain[4].id) == 4


def test_a_payment_knows_its_fold(world: World) -> None:
    rows = folded(world)
    fold = rows.fold_of(world.reader.window(world.wallet.id)[0].id)
    assert isinstance(fold, Fold)
    assert len(fold.keys) == 4
    assert rows.fold_of(world.reader.window(world.wallet.id)[2].id) is None
    assert rows.fold_of("https://elsewhere.example/1") is None
    assert rows.position(NEWEST_FIRST, "https://elsewhere.example/1") is None


@pytest.mark.parametrize("sort", [NEWEST_FIRST, OLDEST_FIRST], ids=["newest", "oldest"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sets(st.integers(0, 2)), st.integers(0, 30), st.integers(0, 30))
def test_any_window_and_any_position(
    world: World, sort: Sort, opened: set[int], first: int, limit: int
) -> None:
    rows = folded(world)
    folds = [row for row in all_rows(rows) if isinstance(row, FoldRow)]
    rows.set_open(frozenset(folds[number].id for number in opened))
    everything = all_rows(rows, sort)
    assert len(everything) == rows.count(sort) == 10 + sum(folds[one].count for one in opened)
    assert rows.window(sort, first, limit) == everything[first : first + limit]
    for position, row in enumerate(everything):
        assert rows.position(sort, row.id) == position
    hidden = {row.id for row in world.reader.window(world.wallet.id, limit=100)} - {
        row.id for row in everything
    }
    for payment_id in hidden:
        fold, place = rows.fold_of(payment_id), rows.position(sort, payment_id)
        assert fold is not None
        assert place is not None
        assert everything[place].id == fold.id
