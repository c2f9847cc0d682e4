"""Folding, held to doing it by hand: sources, lines, what they add up to, and where they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.encoding import encode_instant
from opdash.ledger.fold_index import FoldIndex
from opdash.ledger.fold_maker import day_of
from opdash.ledger.folds import Fold, FoldRule, source_of
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow, Source
from opdash.ledger.search.evaluating import matches
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from tests.ledger.builders import ADDRESS, NOW, Book, payment

BERLIN = timezone(timedelta(hours=1))
HOUR = timedelta(hours=1)
MOST = 2**64 - 1


def rule(name: str, text: str) -> FoldRule:
    return FoldRule(name, read_query(text, Moment(NOW, UTC)).tree)


TIPS = rule("Tips", "metadata.type=tip")
WEB = rule("Web", "metadata.source:web")
RULES = (TIPS, WEB)


def indexed(
    reader: LedgerReader,
    rules: tuple[FoldRule, ...] = RULES,
    before: FoldIndex | None = None,
    held: Mapping[str, int] | None = None,
) -> FoldIndex:
    index = reader.fold(ADDRESS, rules, UTC, before=before, held=held or {})
    assert index is not None
    return index


def told(index: FoldIndex, reader: LedgerReader) -> list[Any]:
    """Return the lines, payments by the ends of their URLs."""
    return [
        (line.search, line.source, line.day.isoformat(), line.received, _names(reader, line.keys))
        if isinstance(line, Fold)
        else _names(reader, [line])
        for line in index.lines(0, index.count)
    ]


def _names(reader: LedgerReader, keys: Sequence[int]) -> str:
    return " ".join(row.id.rpartition("/")[2] for row in reader.rows(keys))


class TestSources:
    """What a payment tells of where it comes from."""

    @pytest.mark.parametrize(
        ("reference", "metadata", "source"),
        [
            ("", "", ""),
            ("", {"source": "Web Monetization"}, "Web Monetization"),
            ("", {"source": " web ", "type": "tip"}, "web"),
            ("", {"type": "tip", "description": "Thank you!"}, "tip"),
            ("", {"source": 5, "type": ""}, ""),
            ("", {"source": {"type": "x"}}, ""),
            ("INV-2026-0412", {"description": "x"}, "INV"),
            ("TIP 17", "", "TIP"),
            ("tip", "", "tip"),
            ("web-monetization", "", "web-monetization"),
            ("wm-a8f3", "", "wm"),
            (" tip for Rosa, 17", "", "tip for Rosa"),
            ("INV7", "", ""),
            ("Müsli_1", "", "Müsli"),
            ("2f1b0c4e-8d4a", "", ""),
            ("a3f1-2", "", ""),
            ("17", {"source": "x"}, "x"),
            ("x", '{"source": "\\ud800"}', "x"),
            ("x" * 500, "", "x" * 80),
            ("", {"source": "y" * 500}, "y" * 80),
        ],
    )
    def test_it_is_what_they_agree_on(self, reference: str, metadata: Any, source: str) -> None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        assert source_of(reference, text) == source

    @given(st.text(), st.text())
    def test_any_text_is_read(self, reference: str, metadata: str) -> None:
        assert len(source_of(reference, metadata)) <= 80


def tip(name: str, ago: timedelta, received: int = 100, **more: Any) -> Any:
    metadata = {"type": "tip", "description": name}
    return payment(
        name, asked=None, received=received, created=NOW - ago, metadata=metadata, **more
    )


class TestLines:
    """Which lines there are."""

    def test_a_fold_stands_where_its_newest_payment_does(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(
            payment("a", created=NOW),
            tip("t1", HOUR),
            payment("b", created=NOW - 2 * HOUR),
            tip("t2", 3 * HOUR, 50),
            payment("c", created=NOW - 4 * HOUR),
            tip("t3", 13 * HOUR),
            tip("t4", 14 * HOUR, MOST),
            tip("t5", 15 * HOUR, MOST),
            tip("alone", 40 * HOUR),
        )
        index = indexed(reader)
        assert told(index, reader) == [
            "a",
            ("Tips", "tip", "2026-11-20", 150, "t1 t2"),
            "b",
            "c",
            ("Tips", "tip", "2026-11-19", 100 + 2 * MOST, "t3 t4 t5"),
            "alone",
        ]
        assert (index.count, index.payments) == (6, 9)

    def test_sources_rules_and_assets_stand_apart(self, book: Book, reader: LedgerReader) -> None:
        def web(name: str, source: str, **more: Any) -> Any:
            return payment(name, received=1, metadata={"source": source}, **more)

        both = {"source": "web", "type": "tip"}
        book.record(
            web("w1", "web-a"),
            web("w2", "WEB-A"),
            web("w3", "web-b"),
            web("w4", "web-b", code="EUR"),
            web("w5", "web-b", code="EUR"),
            payment("x1", received=3, metadata=both),
            payment("x2", received=3, metadata=both),
            web("w6", "web-b"),
        )
        assert told(indexed(reader), reader) == [
            ("Web", "web-a", "2026-11-20", 2, "w1 w2"),
            ("Web", "web-b", "2026-11-20", 2, "w3 w6"),
            ("Web", "web-b", "2026-11-20", 2, "w4 w5"),
            ("Tips", "web", "2026-11-20", 6, "x1 x2"),
        ]
        assert told(indexed(reader, (WEB, TIPS)), reader)[3][0] == "Web"

    def test_days_begin_where_the_person_is(self, book: Book, reader: LedgerReader) -> None:
        book.record(tip("t1", 12.5 * HOUR), tip("t2", 13.5 * HOUR))
        assert told(indexed(reader), reader) == [("Tips", "tip", "2026-11-19", 200, "t1 t2")]
        index = reader.fold(ADDRESS, RULES, BERLIN)
        assert index is not None
        assert told(index, reader) == ["t1", "t2"]

    def test_nothing_folds_without_rules_and_without_payments(
        self, book: Book, reader: LedgerReader
    ) -> None:
        assert indexed(reader).count == 0
        assert reader.fold("https://elsewhere.example", RULES, UTC) is None
        book.record(tip("t1", HOUR), tip("t2", HOUR))
        assert told(indexed(reader, ()), reader) == ["t1", "t2"]

    def test_any_stretch_of_lines_is_had(self, book: Book, reader: LedgerReader) -> None:
        book.record(*(payment(f"p{n}", created=NOW - n * 7 * HOUR) for n in range(20)))
        index = indexed(reader)
        everything = list(index.lines(0, index.count))
        for first in range(20):
            for last in range(first, 23):
                assert list(index.lines(first, last)) == everything[first:last]
        assert list(index.lines(30, 40)) == []


class TestUpdates:
    """What has happened since."""

    def test_news_change_count_and_sum_only(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment("a", created=NOW), tip("t1", HOUR), tip("t2", 2 * HOUR))
        before = indexed(reader)
        fold = next(line for line in before.lines(0, 3) if isinstance(line, Fold))
        book.record(tip("t3", -HOUR, 7), at=NOW + HOUR)
        after = indexed(reader, before=before, held={fold.id: fold.place})
        assert told(after, reader) == ["a", ("Tips", "tip", "2026-11-20", 207, "t3 t1 t2")]
        moved = indexed(reader, before=after)
        assert told(moved, reader) == [("Tips", "tip", "2026-11-20", 207, "t3 t1 t2"), "a"]
        assert told(before, reader)[1][3] == 200

    def test_other_days_are_not_made_anew(self, book: Book, reader: LedgerReader) -> None:
        book.record(*(tip(f"t{n}", n * 10 * HOUR) for n in range(20)))
        before = indexed(reader)
        book.record(tip("t0", timedelta(0), 900), at=NOW + HOUR, source=Source.GET)
        after = indexed(reader, before=before)
        assert after.days[0] is not before.days[0]
        assert all(now is then for now, then in zip(after.days[1:], before.days[1:], strict=True))
        assert told(after, reader) == told(indexed(reader), reader)

    def test_a_place_whose_payment_folds_no_more_is_given_up(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(tip("t1", HOUR), payment("a", created=NOW - 2 * HOUR), tip("t2", 3 * HOUR))
        book.record(tip("t3", 4 * HOUR))
        before = indexed(reader)
        fold = before.days[0].folds[0]
        other = payment("t1", asked=None, received=100, created=NOW - HOUR, metadata={"x": "y"})
        book.record(other, at=NOW + HOUR, source=Source.GET)
        after = indexed(reader, before=before, held={fold.id: fold.keys[0]})
        assert told(after, reader) == ["t1", "a", ("Tips", "tip", "2026-11-20", 200, "t2 t3")]

    def test_other_rules_or_zones_are_read_from_the_start(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(tip("t1", HOUR), tip("t2", HOUR))
        before = indexed(reader, (WEB,))
        assert told(before, reader) == ["t1", "t2"]
        assert told(indexed(reader, before=before), reader)[0][0] == "Tips"
        index = reader.fold(ADDRESS, RULES, BERLIN, before=before)
        assert index is not None
        assert index.zone is BERLIN


def test_a_payment_is_found_where_it_stands(book: Book, reader: LedgerReader) -> None:
    book.record(*(tip(f"t{n}", n * 5 * HOUR) for n in range(12)))
    book.record(*(payment(f"p{n}", created=NOW - n * 7 * HOUR) for n in range(12)))
    index = indexed(reader)
    for number, line in enumerate(index.lines(0, index.count)):
        keys = line.keys if isinstance(line, Fold) else [line]
        for member, (key, row) in enumerate(zip(keys, reader.rows(keys), strict=True)):
            spot = index.find(key, encode_instant(row.created_at))
            assert spot is not None
            assert (spot.line, spot.member) == (number, member)
            assert spot.fold is (line if isinstance(line, Fold) else None)
        if isinstance(line, Fold):
            assert index.fold(line.id) is line
            assert index.line_of(line.id) == number
    assert index.find(10**6, encode_instant(NOW)) is None
    assert index.find(1, encode_instant(NOW - timedelta(days=900))) is None
    assert index.fold("no such") is None


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("tip -metadata.type=x amount>5 since:7d has:ref expires<2d", False),
        ("state:paid", True),
        ("-is:action", True),
        ("changed<1h", True),
        ("is:gone", False),
    ],
)
def test_whether_time_alone_changes_what_matches(text: str, follows: bool) -> None:
    assert rule("x", text).follows_the_clock is follows


@pytest.mark.parametrize(
    "instant", [-(2**62), 2**62, 0, encode_instant(datetime.min.replace(tzinfo=UTC))]
)
def test_days_at_the_ends_of_the_calendar(instant: int) -> None:
    for zone in (UTC, BERLIN, timezone(timedelta(hours=-5))):
        start, end, _ = day_of(instant, zone)
        assert start <= instant < end


# Held to doing it by hand

KINDS: tuple[Any, ...] = (
    None,
    {"type": "tip"},
    {"source": "web"},
    {"source": "Web"},
    {"source": "web", "type": "tip"},
    {"externalRef": "web 1"},
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(0, 60),
        st.sampled_from(KINDS),
        st.sampled_from(["USD", "USD", "EUR"]),
        st.integers(0, 3),
    ),
    max_size=8,
)


def by_hand(rows: Sequence[PaymentRow]) -> list[Any]:
    kinds: dict[str, Any] = {}
    for row in rows:
        number = next((n for n, one in enumerate(RULES) if matches(one.tree, row)), None)
        if number is not None:
            source = source_of(row.reference, row.metadata_json).casefold()
            day = row.created_at.date()
            kinds[row.id] = (number, source, day, row.received_asset)
    lines: list[Any] = []
    seen = set[Any]()
    for row in rows:
        kind: Any = kinds.get(row.id)
        members = [one for one in rows if kind is not None and kinds.get(one.id) == kind]
        if len(members) < 2:
            lines.append(row.id.rpartition("/")[2])
        elif kind not in seen:
            seen.add(kind)
            names = " ".join(one.id.rpartition("/")[2] for one in members)
            source = source_of(members[0].reference, members[0].metadata_json)
            total = sum(one.received for one in members)
            lines.append((RULES[kind[0]].name, source, kind[2].isoformat(), total, names))
    return lines


@given(st.lists(STEPS, min_size=1, max_size=6))
def test_lines_are_those_one_makes_by_hand(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[Any]]
) -> None:
    book = Book(tmp_path_factory.mktemp("folds") / "ledger.sqlite3")
    known: dict[str, tuple[datetime, int]] = {}
    index: FoldIndex | None = None
    at = NOW
    with book.ledger, LedgerReader.open(book.path) as reader:
        for steps in rounds:
            at += HOUR
            for number, hours, metadata, code, more in steps:
                name = f"p{number}"
                created, received = known.get(name, (NOW - hours * HOUR, 0))
                known[name] = created, received + more
                book.record(
                    payment(
                        name,
                        received=received + more,
                        created=created,
                        metadata=metadata,
                        code=code,
                    ),
                    at=at,
                    source=Source.GET,
                )
            index = indexed(reader, before=index)
            rows = reader.window(ADDRESS, limit=100)
            assert told(index, reader) == by_hand(rows)
            assert index.payments == len(rows)
