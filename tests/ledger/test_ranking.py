"""Windows and ranks against a plain list, asked for in any order: each may lean on those before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from opdash.ledger import ranking
from opdash.ledger.ranking import Ranking

ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), unique=True, max_size=60)
WINDOWS = st.tuples(st.just("window"), st.integers(0, 70), st.integers(0, 9))
RANKS = st.tuples(st.just("rank"), st.integers(-1, 6), st.integers(-1, 41))


@contextmanager
def stored(rows: list[tuple[int, int]]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE TABLE payment (payment_key INTEGER PRIMARY KEY, wallet_key, created_at, tie)"
        )
        connection.executemany(
            "INSERT INTO payment (wallet_key, created_at, tie) VALUES (1, ?, ?)", rows
        )
        connection.execute("INSERT INTO payment (wallet_key, created_at, tie) VALUES (2, 3, 3)")
        yield connection


@given(ROWS, st.booleans(), st.booleans(), st.lists(WINDOWS | RANKS, max_size=12))
@example([(0, tie) for tie in range(5)], False, False, [("window", 4, 0), ("rank", 0, 1)])
def test_windows_and_ranks(
    rows: list[tuple[int, int]],
    descending: bool,
    is_total_known: bool,
    questions: list[tuple[str, int, int]],
) -> None:
    model = sorted(rows, reverse=descending)
    with stored(rows) as connection, mock.patch.object(ranking, "_STRIDE", 4):
        ordered = Ranking(
            connection,
            {"wallet_key": 1},
            ("created_at", "tie"),
            descending=descending,
            total=len(rows) if is_total_known else None,
        )
        for kind, first, second in questions:
            if kind == "window":
                found = [row.key for row in ordered.window(first, second)]
                assert found == model[first : first + second]
            else:
                key = (first, second)
                before = sum(row > key if descending else row < key for row in model)
                assert ordered.rank(key) == before


def test_the_way_to_a_far_place_is_taken_from_its_nearer_side() -> None:
    rows = [(0, number) for number in range(5_000)]
    with stored(rows) as connection:
        connection.execute("CREATE INDEX by_key ON payment (wallet_key, created_at, tie)")
        columns = ("created_at", "tie")
        ordered = Ranking(connection, {"wallet_key": 1}, columns, descending=False, total=5_000)
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        for offset in (4_990, 4_700, 4_400, 10):
            assert ordered.window(offset, 1)[0].key == (0, offset)
        steps = [int(text.rpartition("OFFSET ")[2]) for text in asked if "OFFSET" in text]
        assert max(steps) < 600
