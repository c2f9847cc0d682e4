"""Pages of a list, read in any order, against the server's own list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Source
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import ADDRESS, NOW, Book, names, page_place, payment


class Server:
    """A list whose true order is finer than the creations that it prints."""

    def __init__(self, printed: list[int]) -> None:
        """Make one whose rows print these ages, in seconds; their order in each is their own."""
        self.ages = {f"p{number}": age for number, age in enumerate(printed)}
        self.list = sorted(self.ages, key=lambda name: self.ages[name])

    def insert(self, rank: int, number: int) -> None:
        """Let a payment show up that prints the same creation as the one now at that rank."""
        name = f"n{number}"
        self.ages[name] = self.ages[self.list[rank]]
        self.list.insert(rank, name)

    def record(
        self, book: Book, start: int, size: int, *, cursor: str | None, backwards: bool = False
    ) -> None:
        page = self.list[start : start + size]
        place = page_place(
            cursor=cursor,
            start=page[0],
            end=page[-1],
            more=start + size < len(self.list),
            before=start > 0,
            backwards=backwards,
        )
        book.record(*map(self.payment, page), page=place)

    def payment(self, name: str) -> IncomingPayment:
        return payment(name, created=NOW - timedelta(seconds=self.ages[name]))


@contextmanager
def opened() -> Iterator[tuple[Book, LedgerReader]]:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            yield book, reader


def known(reader: LedgerReader) -> list[str]:
    rows: tuple[PaymentRow, ...] = reader.window(ADDRESS, NEWEST_FIRST, 0, 1000)
    return names(rows)


ages = st.lists(st.integers(0, 4), min_size=1, max_size=40)


@given(ages, st.data())
@settings(max_examples=60)
def test_pages_in_any_order_give_the_servers_list(printed: list[int], data: st.DataObject) -> None:
    server = Server(printed)
    with opened() as (book, reader):
        for _ in range(data.draw(st.integers(1, 12))):
            size = data.draw(st.integers(1, 7))
            anchors = [None, *known(reader)]
            cursor = data.draw(st.sampled_from(anchors))
            if cursor is None:
                server.record(book, 0, size, cursor=None)
            elif data.draw(st.booleans()):
                start = server.list.index(cursor) + 1
                if start < len(server.list):
                    server.record(book, start, size, cursor=cursor)
            else:
                end = server.list.index(cursor)
                start = max(0, end - size)
                if start < end:
                    server.record(book, start, end - start, cursor=cursor, backwards=True)
            if data.draw(st.integers(0, 3)) == 0:
                rank = data.draw(st.integers(0, len(server.list) - 1))
                server.insert(rank, len(server.ages))
            seen = known(reader)
            assert seen == [name for name in server.list if name in set(seen)]
        for start in range(0, len(server.list), 5):
            cursor = server.list[start - 1] if start else None
            server.record(book, start, 5, cursor=cursor)
        assert known(reader) == server.list


def test_payments_seen_outside_the_list_find_their_place_with_it() -> None:
    server = Server([0, 0, 0, 0, 1])
    with opened() as (book, reader):
        book.record(server.payment("p3"), server.payment("p0"), source=Source.GET)
        book.record(server.payment("p2"), source=Source.GET)
        assert known(reader) == ["p2", "p0", "p3"]
        server.record(book, 0, 5, cursor=None)
        assert known(reader) == server.list


def test_a_list_that_contradicts_itself_has_the_last_word() -> None:
    server = Server([0] * 6)
    with opened() as (book, reader):
        server.record(book, 0, 6, cursor=None)
        server.list.reverse()
        server.record(book, 0, 6, cursor=None)
        assert known(reader) == server.list


def test_there_is_always_room_between_two() -> None:
    """Payments that keep showing up in one place use up every gap, and are spaced out anew."""
    server = Server([0, 0])
    with opened() as (book, reader):
        server.record(book, 0, 2, cursor=None)
        for number in range(60):
            server.insert(1, number)
            server.record(book, 0, 2, cursor=None)
            assert known(reader) == server.list


def test_what_is_new_at_the_head_comes_before_what_is_known() -> None:
    server = Server([0, 0])
    with opened() as (book, reader):
        server.record(book, 0, 2, cursor=None)
        for number in range(3):
            server.insert(0, number)
            server.record(book, 0, 1, cursor=None)
        assert known(reader) == server.list


def test_a_page_that_is_lost_between_others_waits_at_the_side_it_was_read_towards() -> None:
    """Its cursor and its neighbours are unknown; a page that joins them puts it right."""
    server = Server([0] * 6)
    with opened() as (book, reader):
        server.record(book, 2, 1, cursor="unknown")
        server.record(book, 4, 1, cursor="unknown")
        assert known(reader) == ["p2", "p4"]
        server.record(book, 1, 1, cursor="unknown", backwards=True)
        assert known(reader) == ["p1", "p2", "p4"]
        server.record(book, 5, 1, cursor="unknown", backwards=True)
        assert known(reader) == ["p5", "p1", "p2", "p4"]
        server.record(book, 0, 6, cursor=None)
        assert known(reader) == server.list


def test_a_payment_beside_a_page_finds_its_place_with_it() -> None:
    server = Server([0, 0, 0])
    with opened() as (book, reader):
        server.list = ["p0", "p2"]
        server.record(book, 0, 2, cursor=None)
        server.list = ["p0", "p1", "p2"]
        book.record(server.payment("p1"), source=Source.GET)
        assert known(reader) == ["p1", "p0", "p2"]
        server.record(book, 2, 1, cursor="p1")
        assert known(reader) == server.list


def test_a_gone_payment_keeps_its_place() -> None:
    server = Server([0, 0, 0])
    with opened() as (book, reader):
        server.record(book, 0, 3, cursor=None)
        book.mark_gone("p1")
        server.list.remove("p1")
        server.insert(1, 7)
        server.record(book, 0, 3, cursor=None)
        seen = known(reader)
        assert [name for name in seen if name != "p1"] == ["p0", "n7", "p2"]
        assert seen.index("p0") < seen.index("p1") < seen.index("p2")


def test_a_server_that_lists_the_oldest_first_is_shown_newest_first() -> None:
    with opened() as (book, reader):
        oldest_first = [payment(f"p{n}", created=NOW + timedelta(seconds=n // 2)) for n in range(6)]
        book.record(*oldest_first, page=page_place(start="p0", end="p5"))
        assert known(reader) == ["p4", "p5", "p2", "p3", "p0", "p1"]
        book.record(*oldest_first, page=page_place(start="p0", end="p5"))
        assert known(reader) == ["p4", "p5", "p2", "p3", "p0", "p1"]


def test_a_page_that_jumps_in_time_is_taken_as_it_comes() -> None:
    with opened() as (book, reader):
        jumping = [
            payment(name, created=NOW + timedelta(seconds=age))
            for name, age in [("a", 1), ("b", 0), ("c", 1), ("d", 0)]
        ]
        for _ in range(2):
            book.record(*jumping, page=page_place(start="a", end="d", more=True))
            assert known(reader) == ["a", "c", "b", "d"]


def test_cursors_that_differ_in_every_answer_do_not_pile_up(book: Book) -> None:
    for number in range(30):
        place = page_place(start=f"s{number}", end=f"e{number}")
        book.record(payment("a"), payment("b"), page=place)
    (kept,) = book.ledger._connection.execute("SELECT COUNT(*) FROM cursor").fetchone()
    assert kept == 2
