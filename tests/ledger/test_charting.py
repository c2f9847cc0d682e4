"""Where payments stand in a list: distances, cursors, and what breaks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.charting import FAR, Chart, Place
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope, Source, WalkState
from tests.ledger.builders import ADDRESS, NOW, Book, page_place, payment, payment_id

OTHER_WALLET = "https://wallet.example/nobody"


def fill(book: Book, count: int, *, open_ones: Iterable[int], scope: Scope = Scope.OWN) -> None:
    """Record a list of payments ``p0`` (the newest) and on; some can still change."""
    still_open = set(open_ones)
    for first in range(0, count, 100):
        rows = range(first, min(first + 100, count))
        book.record(
            *(
                payment(
                    f"p{number}",
                    created=NOW - timedelta(minutes=number),
                    completed=number not in still_open,
                )
                for number in rows
            ),
            scope=scope,
            page=page_place(
                cursor=f"p{first - 1}" if first else None,
                start=f"p{rows[0]}",
                end=f"p{rows[-1]}",
                more=rows[-1] + 1 < count,
            ),
        )


def chart(reader: LedgerReader, *, scope: Scope = Scope.OWN) -> Chart:
    """The chart of all payments that can still change."""
    numbers = [one.number for one in reader.changeable(ADDRESS)]
    return reader.chart(ADDRESS, scope, numbers)


def positions(places: Iterable[Place]) -> dict[str, int]:
    return {place.name.rpartition("/")[2]: place.position for place in places}


def test_nothing_is_charted_of_nothing(book: Book, reader: LedgerReader) -> None:
    fill(book, 30, open_ones=())
    assert chart(reader) == Chart()
    assert reader.chart(OTHER_WALLET, Scope.OWN, [1, 2]) == Chart()


def test_near_the_head_positions_are_those_of_the_list(book: Book, reader: LedgerReader) -> None:
    fill(book, 250, open_ones=(0, 7, 130, 240))
    found = chart(reader)
    assert positions(found.payments) == {"p0": 0, "p7": 7, "p130": 130, "p240": 240}
    assert found.payments[1].name == payment_id("p7")
    assert positions(found.cursors) == {
        name: int(name[1:]) for name in ("p0", "p99", "p100", "p199", "p200", "p249")
    }
    assert positions(found.neighbours) == {"p6": 6, "p129": 129, "p239": 239}
    assert found.cursors_are_ids


def test_only_distances_within_a_page_are_kept(book: Book, reader: LedgerReader) -> None:
    fill(book, 3000, open_ones=(900, 950, 2500))
    at = positions(chart(reader).payments)
    assert at["p950"] - at["p900"] == 50
    assert at["p2500"] - at["p950"] >= FAR


def test_what_is_read_does_not_grow_with_the_list(book: Book, reader: LedgerReader) -> None:
    fill(book, 3000, open_ones=(1500,))
    found = chart(reader)
    assert {place.name for place in found.cursors} <= {f"p{at}" for at in range(1299, 1702)}


def test_payments_that_are_gone_take_no_place(book: Book, reader: LedgerReader) -> None:
    fill(book, 120, open_ones=(20, 21, 22, 50))
    book.mark_gone("p21")
    at = positions(chart(reader).payments)
    assert at == {"p20": 20, "p22": 21, "p50": 49}


def test_payments_of_a_wider_scope_take_no_place_in_the_own_list(
    book: Book, reader: LedgerReader
) -> None:
    fill(book, 60, open_ones=(50,))
    book.record(
        *(payment(f"q{number}", created=NOW - timedelta(minutes=30, seconds=1 + number),
                  completed=True) for number in range(5)),
        scope=Scope.EVERYTHING,
    )  # fmt: skip
    assert positions(chart(reader).payments) == {"p50": 50}
    assert positions(chart(reader, scope=Scope.EVERYTHING).payments) == {"p50": 55}


def test_cursors_of_another_scope_are_not_used(book: Book, reader: LedgerReader) -> None:
    fill(book, 60, open_ones=(50,), scope=Scope.OWN)
    assert chart(reader, scope=Scope.EVERYTHING).cursors == ()


def test_nothing_is_near_across_a_gap(book: Book, reader: LedgerReader) -> None:
    fill(book, 150, open_ones=(90, 99, 110))
    walk = WalkState(cursor="p149", server_has_more=True, updated_at=NOW, gaps=("p99",))
    book.ledger.set_walk_state(ADDRESS, Scope.OWN, walk)
    found = chart(reader)
    at = positions(found.payments)
    assert at["p99"] - at["p90"] == 9
    assert at["p110"] - at["p99"] >= FAR
    assert positions(found.cursors)["p99"] == 99


def test_opaque_cursors_are_told_from_ids(book: Book, reader: LedgerReader) -> None:
    book.record(
        payment("a", created=NOW),
        payment("b", created=NOW - timedelta(seconds=1)),
        page=page_place(start="opaque-1", end="opaque-2"),
    )
    found = chart(reader)
    assert [place.name for place in found.cursors] == ["opaque-1", "opaque-2"]
    assert not found.cursors_are_ids


def test_a_cursor_that_was_lost_is_forgotten(book: Book, reader: LedgerReader) -> None:
    fill(book, 120, open_ones=(50,))
    book.ledger.forget_cursor(ADDRESS, Scope.OWN, "p99")
    assert "p99" not in positions(chart(reader).cursors)
    book.ledger.forget_cursor(ADDRESS, Scope.OWN, "never seen")


def test_what_was_created_here_is_listed_once_a_page_showed_it(
    book: Book, reader: LedgerReader
) -> None:
    fill(book, 3, open_ones=())
    book.record(payment("own", created=NOW + timedelta(minutes=1)), source=Source.CREATE)
    assert reader.was_listed(ADDRESS, payment_id("p1"))
    assert not reader.was_listed(ADDRESS, payment_id("own"))
    assert not reader.was_listed(ADDRESS, payment_id("unknown"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerReader]:
    """A ledger of 700 payments that can all change still."""
    book = Book(tmp_path_factory.mktemp("chart") / "ledger.sqlite3")
    with book.ledger, LedgerReader.open(book.path) as reader:
        fill(book, 700, open_ones=range(700))
        yield reader


@given(wanted=st.sets(st.integers(0, 699), min_size=1, max_size=20))
def test_what_a_page_connects_has_its_true_distance(known: LedgerReader, wanted: set[int]) -> None:
    numbers = [one.number for one in known.changeable(ADDRESS)]
    found = known.chart(ADDRESS, Scope.OWN, [numbers[at] for at in wanted])
    payments = {place.position: int(place.name.rpartition("/p")[2]) for place in found.payments}
    assert set(payments.values()) == wanted
    for position, at in payments.items():
        near = {other: true for other, true in payments.items() if abs(true - at) <= 100}
        assert all(other - position == true - at for other, true in near.items())
        cursors = {place.name: place.position - position for place in found.cursors
                   if abs(place.position - position) <= 100}  # fmt: skip
        ends = {number for number in range(700) if number % 100 in (0, 99)}
        assert cursors == {f"p{end}": end - at for end in ends if abs(end - at) <= 100}
        if at and at - 1 not in wanted:
            assert Place(position - 1, f"p{at - 1}") in found.neighbours
