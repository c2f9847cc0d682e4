"""Windows onto the merged list are those of the list that was merged by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow, Sort
from opdash.tui.merged_rows import PIECE, MergedRows
from tests.tui.form_doubles import NOW, payment


@dataclass
class Lists:
    """A reader of lists that a test makes; counts how many rows were read."""

    rows: dict[str, list[PaymentRow]]
    read: int = 0

    def count(self, wallet: str) -> int:
        return len(self.rows[wallet])

    def window(self, wallet: str, _: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        found = tuple(self.rows[wallet][offset : offset + limit])
        self.read += len(found)
        return found

    def position(self, wallet: str, _: Sort, payment_id: str) -> int | None:
        ids = [row.id for row in self.rows[wallet]]
        return ids.index(payment_id) if payment_id in ids else None

    @property
    def real(self) -> LedgerReader:
        return cast(LedgerReader, self)


def lists_of(ages: list[list[int]]) -> Lists:
    """Return a list for each wallet, of payments so many seconds old."""
    base = payment()
    return Lists(
        {
            f"w{number}": [
                replace(
                    base,
                    id=f"w{number}/{place}",
                    wallet=f"w{number}",
                    created_at=NOW - timedelta(seconds=age),
                )
                for place, age in enumerate(sorted(wallet))
            ]
            for number, wallet in enumerate(ages)
        }
    )


def merged_by_hand(lists: Lists) -> list[str]:
    every = [
        (row.created_at, -number, -place, row.id)
        for number, rows in enumerate(lists.rows.values())
        for place, row in enumerate(rows)
    ]
    return [one[-1] for one in sorted(every, reverse=True)]


AGES = st.lists(st.lists(st.integers(0, 60), max_size=150), max_size=5)


@given(AGES, st.integers(0, 400), st.integers(1, 90))
def test_any_window_is_that_of_the_whole_list(
    ages: list[list[int]], first: int, limit: int
) -> None:
    lists = lists_of(ages)
    rows = MergedRows(lists.real, tuple(lists.rows))
    rows.reload()
    expected = merged_by_hand(lists)
    assert rows.count == len(expected)
    assert [row.id for row in rows.rows(first, limit)] == expected[first : first + limit]
    assert [row.id for row in rows.rows(0, len(expected))] == expected


@given(AGES)
def test_every_payment_is_found_where_it_stands(ages: list[list[int]]) -> None:
    lists = lists_of(ages)
    rows = MergedRows(lists.real, tuple(lists.rows))
    rows.reload()
    for place, row in enumerate(rows.rows(0, rows.count)):
        assert rows.position(row) == place


def test_who_is_not_there_has_no_place() -> None:
    lists = lists_of([[1], [2]])
    rows = MergedRows(lists.real, ("w0",))
    rows.reload()
    assert rows.position(lists.rows["w1"][0]) is None
    assert rows.position(replace(lists.rows["w0"][0], id="other")) is None


def test_a_far_place_is_reached_without_reading_the_way() -> None:
    lists = lists_of([list(range(0, 100_000, step)) for step in (1, 3, 7, 50, 1)])
    rows = MergedRows(lists.real, tuple(lists.rows))
    rows.reload()
    lists.read = 0
    (row,) = rows.rows(150_000, 1)
    assert row.created_at < NOW
    assert lists.read < 1000 + 5 * PIECE
