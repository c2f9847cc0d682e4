"""What holds for every kind of file."""

from __future__ import annotations

import csv
import io
import json
import stat
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.errors import InputError
from opdash.exports.choosing import without_doubles
from opdash.exports.destinations import FileDestination, StreamDestination
from opdash.exports.exporting import Write, export
from opdash.exports.records import Exported, ExportError, ExportWallet, FormatName
from opdash.exports.telling import told as lines_of
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope, Source
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.periods import read_period
from tests.disks import filled_up, small_disk
from tests.exports.builders import (
    BERLIN,
    MINUTE,
    RECEIPT_FORMATS,
    SHOP,
    Memory,
    at,
    exported,
    text_of,
    told,
    wanted,
)
from tests.exports.test_camt053 import found, statements
from tests.exports.tools import IS_MISSING, read_beancount, read_hledger, read_ofx
from tests.ledger.builders import ADDRESS, NOW, OTHER, Book, page_place, payment, payment_id

ALL = tuple(FormatName)
Receipts = dict[str, tuple[str, Fraction]]
"""For the id of each receipt its asset and amount."""


def receipts(kind: FormatName, text: str, directory: Path) -> Receipts:
    """Return what a program reads out of a file of receipts."""
    if kind is FormatName.CAMT053:
        return _camt_receipts(text)
    if kind is FormatName.OFX:
        lines = [one for statement in read_ofx(text) for one in statement.receipts]
    elif kind is FormatName.BEANCOUNT:
        lines = read_beancount(text, directory).receipts
    else:
        if IS_MISSING:
            pytest.skip("hledger is not installed")
        lines = read_hledger(text, directory).receipts
    read = {one.id: (one.commodity, one.amount) for one in lines}
    assert len(read) == len(lines), "an id is there twice"
    return read


def _camt_receipts(text: str) -> Receipts:
    read: Receipts = {}
    for statement in statements(text):
        (currency,) = found(statement, "Acct/Ccy")
        for one, amount, side in zip(
            found(statement, "Ntry/AddtlNtryInf"),
            found(statement, "Ntry/Amt"),
            found(statement, "Ntry/CdtDbtInd"),
            strict=True,
        ):
            name = one.rpartition(" ")[2]
            assert name not in read
            read[name] = currency, Fraction(amount) * (1 if side == "CRDT" else -1)
    return read


def payments(kind: FormatName, text: str) -> dict[str, str]:
    """Return for each payment of a table what it received."""
    if kind is FormatName.CSV:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        return {row["payment_id"]: f"{row['received']} {row['received_asset']}" for row in rows}
    objects = [json.loads(line) for line in text.splitlines()]
    return {
        one["id"]: f"{one['received']['decimal']} {one['received']['assetCode']}" for one in objects
    }


def sums_of(read: Receipts) -> dict[str, Fraction]:
    sums: dict[str, Fraction] = {}
    for code, amount in read.values():
        sums[code] = sums.get(code, Fraction(0)) + amount
    return {code: amount for code, amount in sums.items() if amount}


def ledger_sums(reader: LedgerReader) -> dict[str, Fraction]:
    totals = reader.totals(ADDRESS)
    return {
        one.asset.code: Fraction(one.received, 10**one.asset.scale)
        for one in totals
        if one.received
    }


class Look(NamedTuple):
    """One look at the server: what some payments have received by then."""

    payments: list[tuple[str, int]]


looks = st.lists(
    st.builds(Look, st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 400)), max_size=3)),
    max_size=8,
)


def watch(book: Book, seen: list[Look], first: int) -> None:
    for minute, look in enumerate(seen, start=first):
        page = [
            told(name, received, f"INV-{name}", created=NOW, code="EUR" if name == "d" else "USD")
            for name, received in dict(look.payments).items()
        ]
        book.record(*page, at=at(minute))


@contextmanager
def new_book() -> Iterator[tuple[Book, LedgerReader, Path]]:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            yield book, reader, Path(directory)


@pytest.mark.parametrize("kind", RECEIPT_FORMATS)
@settings(max_examples=12)
@given(before=looks, after=looks)
def test_exports_around_any_steps_are_one_export_of_all(
    kind: FormatName, before: list[Look], after: list[Look]
) -> None:
    with new_book() as (book, reader, directory):
        parts: list[Receipts] = []
        first = 0
        for part in (before, after):
            watch(book, part, first)
            first += len(part)
            text, _, marks = exported(reader, kind, since_last=True, now=at(first))
            assert marks.keep(book.ledger)
            parts.append(receipts(kind, text, directory))
        nothing, result, marks = exported(reader, kind, since_last=True, now=at(first + 1))
        assert marks.keep(book.ledger)
        assert (receipts(kind, nothing, directory), result.rows) == ({}, 0)
        whole, result, _ = exported(reader, kind)
        all_of_them = receipts(kind, whole, directory)

        assert not set(parts[0]) & set(parts[1])
        assert parts[0] | parts[1] == all_of_them
        assert sums_of(all_of_them) == ledger_sums(reader)
        assert result.rows == len(all_of_them)
        assert {
            one.asset.code: Fraction(one.amount, 100) for one in result.sums if one.amount
        } == ledger_sums(reader)


@pytest.mark.parametrize("kind", [FormatName.CSV, FormatName.JSONL])
@settings(max_examples=30)
@given(before=looks, after=looks)
def test_tables_tell_what_has_changed_since_the_last_one(
    kind: FormatName, before: list[Look], after: list[Look]
) -> None:
    with new_book() as (book, reader, _):
        parts = []
        first = 0
        for part in (before, after):
            watch(book, part, first)
            first += len(part)
            text, _, marks = exported(reader, kind, since_last=True, now=at(first))
            assert marks.keep(book.ledger)
            parts.append(payments(kind, text))
        whole, result, _ = exported(reader, kind)

        assert parts[0] | parts[1] == payments(kind, whole)
        assert result.rows == len(payments(kind, whole)) == reader.count(ADDRESS)
        assert {
            one.asset.code: Fraction(one.amount, 100) for one in result.sums if one.amount
        } == ledger_sums(reader)
        changed = {name for look in after for name, _ in look.payments}
        assert {name.rpartition("/")[2] for name in parts[1]} <= changed


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 31 * 24), st.integers(1, 500)), max_size=10))
def test_the_days_of_a_month_are_the_month(found_at: list[tuple[int, int]]) -> None:
    october = read_period("2026-10", NOW, BERLIN)
    with new_book() as (book, reader, directory):
        for number, (hours, received) in enumerate(found_at):
            moment = october.start - timedelta(hours=3) + timedelta(hours=hours)
            book.record(told(f"p{number}", 0, created=moment), at=moment)
            book.record(told(f"p{number}", received, created=moment), at=moment)
        days: Receipts = {}
        for day in range(1, 32):
            period = read_period(f"2026-10-{day:02}", NOW, BERLIN)
            text, result, _ = exported(reader, FormatName.OFX, period=period)
            of_day = receipts(FormatName.OFX, text, directory)
            assert not set(days) & set(of_day)
            assert result.rows == len(of_day)
            days |= of_day
        whole = text_of(reader, FormatName.OFX, period=october)
        assert receipts(FormatName.OFX, whole, directory) == days


def test_balances_of_statements_follow_on(book: Book, reader: LedgerReader) -> None:
    closing = ["0.00"]
    for minute in range(3):
        book.record(told("a", 100 * (minute + 1), created=NOW), at=at(minute))
        text, _, marks = exported(reader, FormatName.CAMT053, since_last=True, now=at(minute))
        marks.keep(book.ledger)
        (statement,) = statements(text)
        opening, new_closing = found(statement, "Bal/Amt")
        assert opening == closing[-1]
        closing.append(new_closing)

    assert closing == ["0.00", "1.00", "2.00", "3.00"]


def test_a_failed_export_moves_nothing_and_is_made_again(book: Book, reader: LedgerReader) -> None:
    class Full:
        path: Path | None = None

        @contextmanager
        def opened(self) -> Iterator[Write]:
            def write(_: str) -> object:
                raise OSError(28, "No space left on device")

            yield write

    book.record(told("a", 100), at=NOW)
    with pytest.raises(OSError, match="No space"):
        export(reader, wanted(FormatName.OFX, since_last=True), Full())

    _, result, marks = exported(reader, FormatName.OFX, since_last=True)
    assert result.rows == 1
    assert marks.keep(book.ledger)
    assert exported(reader, FormatName.OFX, since_last=True)[1].rows == 0


def test_only_exports_that_ask_for_what_is_new_move_the_mark(
    book: Book, reader: LedgerReader
) -> None:
    book.record(told("a", 100), at=NOW)

    _, _, marks = exported(reader, FormatName.CSV)

    assert marks.moves == {}


def test_other_choices_have_marks_of_their_own(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 100, "INV-1"), told("b", 100, "INV-2"), at=NOW)
    moment = Moment(NOW, BERLIN)
    choices: list[dict[str, object]] = [
        {"query": read_query("ref:INV-1", moment)},
        {"query": read_query("ref:INV-2", moment)},
        {"period": read_period("2026-11", NOW, BERLIN)},
        {},
    ]

    for choice, count in zip(choices, (1, 1, 2, 2), strict=True):
        _, result, marks = exported(reader, FormatName.HLEDGER, since_last=True, **choice)
        marks.keep(book.ledger)
        assert result.rows == count
        assert exported(reader, FormatName.HLEDGER, since_last=True, **choice)[1].rows == 0


@pytest.mark.parametrize("kind", ALL)
def test_a_filter_and_a_period_choose(kind: FormatName, book: Book, reader: LedgerReader) -> None:
    for day in range(3):
        book.record(
            told("a", 100 * (day + 1), "INV-1", created=NOW),
            told("b", 10 * (day + 1), "INV-2", created=NOW - timedelta(days=9)),
            at=at(day * 1440),
        )
    query = read_query("ref:INV-1", Moment(NOW, BERLIN))
    has_receipts = kind in RECEIPT_FORMATS

    of_one = exported(reader, kind, query=query)[1]
    assert [one.amount for one in of_one.sums] == [300]
    assert of_one.rows == (3 if has_receipts else 1)

    period = read_period("2026-11-21", NOW, BERLIN)
    of_day = exported(reader, kind, period=period)[1]
    assert [one.amount for one in of_day.sums] == ([110] if has_receipts else [])

    both = exported(reader, kind, query=query, period=read_period("2026-11-20", NOW, BERLIN))[1]
    assert [one.amount for one in both.sums] == [100 if has_receipts else 300]


@pytest.mark.parametrize("kind", ALL)
def test_days_are_those_of_the_zone(kind: FormatName, book: Book, reader: LedgerReader) -> None:
    evening = NOW + timedelta(hours=11, minutes=30)  # 00:30 on the 21st in Berlin
    book.record(told("a", 0, created=evening), at=evening)
    book.record(told("a", 100, created=evening), at=evening + MINUTE)

    assert exported(reader, kind, period=read_period("2026-11-20", NOW, BERLIN))[1].rows == 0
    text, result, _ = exported(reader, kind, period=read_period("2026-11-21", NOW, BERLIN))
    assert result.rows == 1
    assert "2026-11-21" in text or "20261121" in text


@pytest.mark.parametrize("kind", RECEIPT_FORMATS)
def test_a_payment_whose_asset_changed_is_named_and_left_out(
    kind: FormatName, book: Book, reader: LedgerReader
) -> None:
    book.record(told("a", 5), told("b", 7), told("c", 0), at=NOW)
    book.record(told("a", 6, code="EUR"), told("c", 9, code="EUR"), at=at(1))

    _, result, _ = exported(reader, kind)

    assert [(one.asset.code, one.amount) for one in result.sums] == [("USD", 7)]
    (left,) = result.left_out
    assert [(one.asset.code, one.count, one.amount) for one in left.sums] == [("EUR", 2, 15)]
    assert set(left.examples) == {payment_id("a"), payment_id("c")}
    assert any("asset changed" in line for line in lines_of(result))


def test_after_a_rebuild_the_steps_are_one_and_the_export_says_so(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    for minute, received in enumerate((0, 300, 1000)):
        book.record(told("a", received, created=NOW), at=at(minute))
    before = receipts(FormatName.OFX, text_of(reader, FormatName.OFX), tmp_path)
    rebuilt = Book(tmp_path / "rebuilt.sqlite3")
    with rebuilt.ledger, LedgerReader.open(rebuilt.path) as anew:
        rebuilt.record(told("a", 1000, created=NOW), at=at(60))
        text, result, _ = exported(anew, FormatName.OFX)

    after = receipts(FormatName.OFX, text, tmp_path)
    assert set(after) < set(before), "the id of the last step is the same"
    assert sums_of(after) == sums_of(before)
    assert result.may_be_several == 1
    assert "may be several" in "\n".join(lines_of(result))
    assert "may be several" in text


def test_what_is_said_at_the_end(book: Book, reader: LedgerReader) -> None:
    book.record(
        told("a", 0, "INV-1"), told("b", 500, "INV-1", code="EUR"), at=NOW, page=page_place()
    )
    book.record(told("a", 123456, "INV-1"), at=at(1))
    period = read_period("2026-11", NOW, BERLIN)
    query = read_query("ref:INV-1", Moment(NOW, BERLIN))

    _, result, marks = exported(
        reader, FormatName.HLEDGER, period=period, query=query, since_last=True
    )

    assert list(lines_of(result)) == [
        "2 receipts",
        "  5.00 EUR received in 1 of them",
        "  1,234.56 USD received in 1 of them",
        (
            "  Rosa's shop; the payments that this client created; arrived in 2026-11 "
            "(Europe/Berlin); that match “ref:INV-1”"
        ),
        (
            "1 receipt may be several: what a payment had received when opdash first saw it is one "
            "receipt."
        ),
        (
            "Rosa's shop: the ledger is incomplete, with 2 payments known; “opdash sync” reads the "
            "rest."
        ),
    ]
    marks.keep(book.ledger)
    _, again, _ = exported(reader, FormatName.HLEDGER, period=period, query=query, since_last=True)
    assert "  Rosa's shop: new since the export of 2026-11-20 13:00" in list(lines_of(again))


def test_a_ledger_is_complete_when_its_list_was_read_without_a_gap(
    book: Book, reader: LedgerReader
) -> None:
    from opdash.ledger.records import WalkState

    def is_complete(more: bool, gaps: tuple[str, ...]) -> bool:
        state = WalkState(cursor="c", server_has_more=more, updated_at=NOW, gaps=gaps)
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, state)
        result: Exported = exported(reader, FormatName.CSV)[1]
        return result.is_complete

    assert not exported(reader, FormatName.CSV)[1].is_complete
    assert is_complete(False, ())
    assert not is_complete(True, ())
    assert not is_complete(False, ("gap",))


@pytest.mark.parametrize("kind", ALL)
def test_several_wallets_are_in_one_file(
    kind: FormatName, book: Book, reader: LedgerReader
) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    book.record(told("a", 5), at=NOW)
    book.record(told("y", 7, code="JPY", scale=0, wallet=OTHER.id), wallet_id=OTHER.id, at=NOW)
    wallets = (SHOP, ExportWallet("yen", OTHER.id, Scope.EVERYTHING))

    _, result, marks = exported(reader, kind, wallets=wallets, since_last=True)

    assert {(one.asset.code, one.amount) for one in result.sums} == {("USD", 5), ("JPY", 7)}
    assert set(marks.moves) == {ADDRESS, OTHER.id}


def test_a_wallet_that_two_profiles_share_is_exported_once() -> None:
    twice = [SHOP, ExportWallet("other", ADDRESS, Scope.EVERYTHING)]

    assert without_doubles(twice) == (ExportWallet(SHOP.name, ADDRESS, Scope.EVERYTHING),)


@pytest.mark.parametrize("kind", [FormatName.CSV, FormatName.HLEDGER])
def test_a_ledger_that_does_not_add_up_is_not_exported(
    kind: FormatName, book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(payment("a", received=5), payment("b", received=7), at=NOW)
    connection = book.ledger._connection
    connection.execute("DELETE FROM entry WHERE payment_key = 1")
    connection.execute("UPDATE payment SET received = '016' WHERE payment_key = 2")
    path = tmp_path / "file"

    with pytest.raises(ExportError, match="do not add up to the ledger's totals"):
        export(reader, wanted(kind), FileDestination(path, overwrite=False))

    assert not path.exists()


def test_a_file_is_whole_private_and_replaced_only_when_asked_for(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(told("a", 5), at=NOW)
    path = tmp_path / "out.csv"

    result, _ = export(reader, wanted(FormatName.CSV), FileDestination(path, overwrite=False))

    assert result.path == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert before.decode() == text_of(reader, FormatName.CSV)
    with pytest.raises(InputError, match="is there already"):
        FileDestination(path, overwrite=False)
    book.record(told("b", 5), at=NOW)
    export(reader, wanted(FormatName.CSV), FileDestination(path, overwrite=True))
    assert len(path.read_bytes()) > len(before)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["out.csv"]


def test_a_file_that_appears_meanwhile_is_not_replaced(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(told("a", 5), at=NOW)
    path = tmp_path / "out.csv"
    destination = FileDestination(path, overwrite=False)
    path.write_text("other")

    with pytest.raises(InputError, match="is there already"):
        export(reader, wanted(FormatName.CSV), destination)

    assert path.read_text() == "other"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no file"):
        FileDestination(tmp_path, overwrite=True)
    with pytest.raises(InputError, match="is no file"):
        FileDestination(Path("/dev/null"), overwrite=True)
    with pytest.raises(InputError, match="There is no directory"):
        FileDestination(tmp_path / "missing" / "out.csv", overwrite=False)
    assert not (tmp_path / "missing").exists()


def test_a_full_disk_leaves_nothing_and_moves_nothing(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(*(payment(f"p{n}", received=1) for n in range(500)), at=NOW)
    with small_disk(tmp_path / "disk", 1) as disk:
        path = disk / "out.xml"
        path.write_text("before")
        destination = FileDestination(path, overwrite=True)
        with filled_up(disk), pytest.raises(ExportError, match="the disk is full"):
            export(reader, wanted(FormatName.CAMT053, since_last=True), destination)

        assert path.read_text() == "before"
        assert [one.name for one in disk.iterdir()] == ["out.xml"]


def test_a_terminal_is_shown_nothing_harmful() -> None:
    stream = io.BytesIO()
    with StreamDestination(stream, is_terminal=True).opened() as write:
        write("a\u202eb\r\nc\x9bd\n")

    assert stream.getvalue().decode() == "a�b\nc�d\n"


def test_memory_does_not_grow_with_the_number_of_rows(book: Book, reader: LedgerReader) -> None:
    class Nowhere:
        path: Path | None = None

        @contextmanager
        def opened(self) -> Iterator[Write]:
            yield len

    def peaks(count: int) -> dict[FormatName, int]:
        while (known := reader.count(ADDRESS)) < count:
            page = [told(f"p{known + n}", 1, f"INV-{n}", "Lamp") for n in range(1000)]
            book.record(*page, at=NOW, source=Source.GET)
        return {kind: peak(kind, count) for kind in ALL}

    def peak(kind: FormatName, count: int) -> int:
        tracemalloc.start()
        try:
            result, _ = export(reader, wanted(kind), Nowhere())
            assert result.rows == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peaks(1_000)  # modules are imported and statements prepared once
    few, many = peaks(2_000), peaks(6_000)

    assert all(many[kind] < few[kind] + 600_000 for kind in ALL), (few, many)


def test_an_export_into_memory_is_there_at_once(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5), at=NOW)
    memory = Memory()

    export(reader, wanted(FormatName.CSV), memory)

    assert memory.text.count("\r\n") == 2
