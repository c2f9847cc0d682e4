from __future__ import annotations

from datetime import timedelta

from opdash.ledger.export_marks import NO_MARK, ExportMark, clamp_marks
from opdash.ledger.reader import LedgerReader
from tests.ledger.builders import ADDRESS, NOW, OTHER, Book, payment

LATER = NOW + timedelta(hours=1)


def test_a_mark_is_kept_for_each_kind_and_wallet(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    assert reader.export_mark(ADDRESS, "csv") == NO_MARK

    assert book.ledger.mark_export(ADDRESS, "csv", ExportMark(7, NOW), NO_MARK)
    assert book.ledger.mark_export(ADDRESS, "csv", ExportMark(9, LATER), ExportMark(7, NOW))

    assert reader.export_mark(ADDRESS, "csv") == ExportMark(9, LATER)
    assert reader.export_mark(ADDRESS, "ofx") == NO_MARK
    assert reader.export_mark(OTHER.id, "csv") == NO_MARK


def test_the_second_of_two_exports_at_once_does_not_move_the_mark(
    book: Book, reader: LedgerReader
) -> None:
    assert book.ledger.mark_export(ADDRESS, "csv", ExportMark(9, NOW), NO_MARK)

    assert not book.ledger.mark_export(ADDRESS, "csv", ExportMark(8, LATER), NO_MARK)

    assert reader.export_mark(ADDRESS, "csv") == ExportMark(9, NOW)


def test_marks_are_forgotten_with_their_wallet(book: Book, reader: LedgerReader) -> None:
    book.ledger.mark_export(ADDRESS, "csv", ExportMark(7, NOW), NO_MARK)

    book.ledger.forget_wallet(ADDRESS)

    assert reader.export_mark(ADDRESS, "csv") == NO_MARK


def test_marks_go_back_to_the_last_step_there_is(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=1), at=NOW)
    last = reader.last_entry()
    book.ledger.mark_export(ADDRESS, "csv", ExportMark(last + 5, NOW), NO_MARK)
    book.ledger.mark_export(ADDRESS, "ofx", ExportMark(last - 1, NOW), NO_MARK)

    clamp_marks(book.ledger._connection)

    assert reader.export_mark(ADDRESS, "csv") == ExportMark(last, NOW)
    assert reader.export_mark(ADDRESS, "ofx") == ExportMark(last - 1, NOW)
