"""A file as it was read, and what a person says of its columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from opdash.books.columns import ColumnError, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.last_files import FILE_NAME, LastFile, keep_last_file, last_file
from opdash.books.sources import keep_reading, open_source, read_again, read_source, stamp_of
from opdash.errors import InputError
from opdash.openpayments.amounts import Asset

USD = Asset("USD", 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "invoices.csv"
    path.write_text("Invoice;Total;Net;Date\nA-1;12,50;10,00;03/04/2026\n")
    return path


def test_a_column_is_given_to_one_field_and_taken_from_the_other(file: Path) -> None:
    source = open_source(file, file.parent)
    assert source.places[Field.AMOUNT] == 1
    changed = source.with_column(Field.AMOUNT, 2)
    assert changed.places[Field.AMOUNT] == 2
    taken = changed.with_column(Field.CUSTOMER, 2)
    assert Field.AMOUNT not in taken.places
    assert taken.with_column(Field.CUSTOMER, None).places == {Field.NUMBER: 0, Field.ISSUED: 3}


def test_what_was_confirmed_is_read_the_same_way_the_next_time(file: Path) -> None:
    source = open_source(file, file.parent).with_column(Field.AMOUNT, 2)
    source = source.with_marks(DecimalMark.COMMA, DateOrder.MONTH_FIRST)
    keep_reading(source, file.parent)
    again = open_source(file, file.parent)
    assert again.is_remembered
    assert again.places == source.places
    columns, found = read_source(again, [USD])
    assert found.invoices[0].amount == 1000
    assert columns.dates is DateOrder.MONTH_FIRST


def test_a_field_that_was_to_have_no_column_stays_without_one(file: Path) -> None:
    keep_reading(open_source(file, file.parent).with_column(Field.ISSUED, None), file.parent)
    again = open_source(file, file.parent, columns={Field.CUSTOMER: ""})
    assert Field.ISSUED not in again.places


def test_columns_with_one_name_are_told_apart_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("Invoice,Sum,Sum\nA-1,1.00,2.00\n")
    source = open_source(path, tmp_path).with_column(Field.AMOUNT, 2)
    keep_reading(source, tmp_path)
    assert open_source(path, tmp_path).places[Field.AMOUNT] == 2


def test_a_file_without_a_header_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("A-1,1.00\nA-2,2.00\n")
    keep_reading(open_source(path, tmp_path).with_column(Field.NUMBER, 0), tmp_path)
    assert not open_source(path, tmp_path).is_remembered


def test_a_changed_file_is_read_as_the_one_before(file: Path) -> None:
    source = open_source(file, file.parent).with_column(Field.AMOUNT, 2)
    file.write_text("Date;Invoice;Net\n;A-1;9,00\n")
    again = read_again(source, file.parent)
    assert again.places[Field.AMOUNT] == 2
    assert again.stamp == stamp_of(file) != source.stamp
    file.write_text("Invoice;Total\nA-1;12,50\n")
    with pytest.raises(ColumnError, match="Net"):
        read_again(source, file.parent)


def test_a_file_that_is_not_there_has_no_stamp(tmp_path: Path) -> None:
    assert stamp_of(tmp_path / "nothing") is None
    assert stamp_of(Path("\0")) is None


def test_the_last_file_is_kept_for_each_wallet(tmp_path: Path) -> None:
    assert last_file(tmp_path, "shop") is None
    keep_last_file(tmp_path, "Shop", LastFile("/a.csv", "cp850", ";"))
    keep_last_file(tmp_path, "other", LastFile("/b.csv"))
    assert last_file(tmp_path, "shop") == LastFile("/a.csv", "cp850", ";")
    assert last_file(tmp_path, "other") == LastFile("/b.csv")
    before = (tmp_path / FILE_NAME).stat().st_mtime_ns
    keep_last_file(tmp_path, "other", LastFile("/b.csv"))
    assert (tmp_path / FILE_NAME).stat().st_mtime_ns == before


def test_a_spoilt_list_of_files_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff{")
    assert last_file(tmp_path, "shop") is None
    with pytest.raises(InputError, match="cannot be remembered"):
        keep_last_file(tmp_path / FILE_NAME / "deep", "shop", LastFile("/a.csv"))
