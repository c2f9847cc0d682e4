"""A merchant's file with payments beside its invoices."""

from __future__ import annotations

import codecs
import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.books.billed_file import (
    Beside,
    free_name,
    is_of_earlier_run,
    usual_name,
    with_payments,
)
from opdash.books.tabular import FileError, Table, read_table

URL = "https://wallet.example/incoming-payments/2f1b"
PAID = Beside(URL, "UNPAID", "")
FAILED = Beside(error="the server said no")


def read(tmp_path: Path, data: bytes, name: str = "file.csv", encoding: str = "") -> Table:
    path = tmp_path / name
    path.write_bytes(data)
    return read_table(path, encoding=encoding)


def test_what_the_merchant_wrote_stays_byte_for_byte(tmp_path: Path) -> None:
    data = (
        b"\xef\xbb\xbf\"Number\"; 'Amount';Text\r\n"
        b'INV-1;"1.234,56"; "=1+1" \r\n'
        b"\r\n"
        b'INV-2;5,00;"two\r\nlines; and ""more"""\r\n'
        b"INV-3;7,00"
    )
    table = read(tmp_path, data)

    done = with_payments(data, table, {2: PAID, 4: FAILED})

    assert done == (
        b"\xef\xbb\xbf\"Number\"; 'Amount';Text;payment_url;payment_state;payment_error\r\n"
        b'INV-1;"1.234,56"; "=1+1" ;' + URL.encode() + b";UNPAID;\r\n"
        b"\r\n"
        b'INV-2;5,00;"two\r\nlines; and ""more""";;;the server said no\r\n'
        b"INV-3;7,00;;;;"
    )


def test_rows_of_different_lengths_get_their_cells_in_the_same_columns(tmp_path: Path) -> None:
    data = b"number,amount,text\nA-1,5\nB-1,6,x,,\nC-1,7,y\n"
    table = read(tmp_path, data)

    done = with_payments(data, table, {2: PAID, 3: PAID, 4: FAILED}).decode()

    rows = list(csv.reader(io.StringIO(done)))
    assert {len(row) for row in rows} == {8}
    assert rows[0] == [
        "number",
        "amount",
        "text",
        "",
        "",
        "payment_url",
        "payment_state",
        "payment_error",
    ]
    assert [row[5] for row in rows[1:]] == [URL, URL, ""]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("windows-1252", b""),
    ],
)
@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_delimiter_and_encoding_stay(
    tmp_path: Path, encoding: str, mark: bytes, delimiter: str
) -> None:
    text = f"Nummer{delimiter}Betrag{delimiter}Kunde\nINV-1{delimiter}5.00{delimiter}Müller\n"
    data = mark + text.encode(encoding)
    table = read(tmp_path, data)
    beside = {2: Beside(URL, "UNPAID", "“no” — ★")}

    done = with_payments(data, table, beside)

    assert done.startswith(mark)
    again = read(tmp_path, done)
    assert (again.encoding, again.delimiter) == (table.encoding, delimiter)
    ((_, cells),) = again.rows
    assert cells[:5] == ("INV-1", "5.00", "Müller", URL, "UNPAID")
    assert cells[5] == ("“no” — ?" if encoding == "windows-1252" else "“no” — ★")


def test_a_said_encoding_with_a_mark_stays(tmp_path: Path) -> None:
    data = codecs.BOM_UTF16_LE + "number,amount\nINV-1,5\n".encode("utf-16-le")
    table = read(tmp_path, data, encoding="utf-16-le")
    assert with_payments(data, table, {}).startswith(data[:20])


def test_its_own_columns_are_written_anew(tmp_path: Path) -> None:
    data = b"number,amount\nA-1,5\nB-1,6\n"
    once = with_payments(data, read(tmp_path, data), {2: PAID, 3: FAILED})

    twice = with_payments(once, read(tmp_path, once), {2: PAID, 3: PAID})

    assert twice == with_payments(data, read(tmp_path, data), {2: PAID, 3: PAID})


def test_a_file_without_a_header_gets_no_header(tmp_path: Path) -> None:
    data = b"INV-1,5.00\nINV-2,6.00\n"
    done = with_payments(data, read(tmp_path, data), {1: PAID})
    assert done.decode().splitlines() == [f"INV-1,5.00,{URL},UNPAID,", "INV-2,6.00,,,"]


def test_json_lines_keep_what_they_say(tmp_path: Path) -> None:
    data = (
        b'{"number": "INV-1", "amount": 1.10, "more": {"a": [1e400]}}\n\n{"number":7,"amount":"5"}'
    )
    table = read(tmp_path, data, "file.jsonl")

    done = with_payments(data, table, {1: PAID, 3: FAILED})

    first, blank, second = done.decode().split("\n")
    assert first == (
        '{"number":"INV-1","amount":1.10,"more":{"a": [1e400]},'
        f'"payment_url":"{URL}","payment_state":"UNPAID","payment_error":""}}'
    )
    assert blank == ""
    assert json.loads(second)["payment_error"] == "the server said no"
    again = with_payments(done, read(tmp_path, done, "file.jsonl"), {1: FAILED})
    assert json.loads(again.split(b"\n")[0])["payment_url"] == ""


@pytest.mark.parametrize(
    "changed",
    [
        b"number,amount\nA-1,6\nB-1,6\n",
        b"number,amount\nA-1,5\n",
        b"number,amount\nA-1,5\nB-1,6\nC-1,6\n",
        b'number,amount\nA-1,5\nB-1,"6\n',
        b"number,amount\nA-1,5\nB-1,\xff\n",
    ],
)
def test_a_file_that_has_changed_is_not_mixed_with_what_was_read(
    tmp_path: Path, changed: bytes
) -> None:
    table = read(tmp_path, b"number,amount\nA-1,5\nB-1,6\n")
    with pytest.raises(FileError, match="has changed"):
        with_payments(changed, table, {})


@pytest.mark.parametrize(
    "changed", [b'{"number":"A-1","amount":5}\n{"number":"B-1","amount":5}\n', b"[]\n", b""]
)
def test_changed_json_lines_likewise(tmp_path: Path, changed: bytes) -> None:
    table = read(tmp_path, b'{"number":"A-1","amount":5}\n', "file.jsonl")
    with pytest.raises(FileError, match="has changed"):
        with_payments(changed, table, {})


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@a", "\tx", "\rx", " =1", "\u00a0=1", "＝1+1", "＋1", "－1", "＠a"],
)
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert Beside(error=text).cells == ("", "", f"'{text}")


@pytest.mark.parametrize("text", ["", URL, "UNPAID", "a=1", "no", "   "])
def test_what_none_would_run_stays(text: str) -> None:
    assert Beside(text, text, text).cells == (text, text, text)


def test_a_name_that_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a.billed.csv"
    assert free_name(path) == path
    path.touch()
    assert free_name(path) == tmp_path / "a.billed-2.csv"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"number,amount\nA,5\nB,6\n", "a.csv"),
        ("Nummer;Betrag;für\nA;5,00;Tee\n".encode("cp1252"), "a.csv"),
        (b"number,amount\nA,5,more\nB,6\n", "a.csv"),
        (b"INV-1,5.00\nINV-2,6.00\n", "a.csv"),
        (b'{"number":"A","amount":5}\n{"number":"B","due":"2026-11-01"}\n', "a.jsonl"),
    ],
)
def test_what_was_written_before_is_known_again(tmp_path: Path, data: bytes, name: str) -> None:
    table = read(tmp_path, data, name)
    line = table.rows[0][0]
    written = with_payments(data, table, {line: PAID})
    there = tmp_path / f"there-{name}"
    there.write_bytes(written)
    assert is_of_earlier_run(there, table)
    assert is_of_earlier_run(there, read(tmp_path, written, name)), "it was itself billed"
    for other in (
        data,
        written.replace(b"payment_", b"my_"),
        written.replace(URL.encode(), b"=1+1").replace(b"payment_error", b"remark"),
        b"",
        b"\0\xff",
    ):
        there.write_bytes(other)
        if other != written:
            assert not is_of_earlier_run(there, table)


def test_another_files_output_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    data = b"number,amount,who\nA,5,Ada\n"
    there = tmp_path / "there.csv"
    there.write_bytes(with_payments(data, read(tmp_path, data), {2: PAID}))
    assert not is_of_earlier_run(there, read(tmp_path, b"number,amount\nA,5\n"))
    assert not is_of_earlier_run(tmp_path, read(tmp_path, data)), "no file"


def test_where_it_goes_is_told_by_its_name(tmp_path: Path) -> None:
    table = read(tmp_path, b"number,amount\nA,5\n")
    assert usual_name(Path("/x/in.voices.csv"), table) == Path("/x/in.voices.billed.csv")
    assert usual_name(Path("/x/invoices.txt"), table) == Path("/x/invoices.billed.csv")
    lines = read(tmp_path, b'{"number":"A","amount":5}\n', "file.jsonl")
    assert usual_name(Path("/x/invoices.json"), lines) == Path("/x/invoices.billed.jsonl")


_CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(';,"\n\t'),
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(_CELL, min_size=1, max_size=4), min_size=1, max_size=5),
    st.sampled_from(";,\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_the_merchants_cells_are_all_there_whatever_they_hold(
    tmp_path: Path, rows: list[list[str]], delimiter: str, ending: str, quoting: int
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["number", "amount", "text"])
    writer.writerows([["INV-1", "5", *row] for row in rows])
    data = out.getvalue().encode()
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    table = read_table(path, delimiter=delimiter)

    done = with_payments(data, table, {line: PAID for line, _ in table.rows})

    path.write_bytes(done)
    again = read_table(path, delimiter=delimiter)
    assert len(again.rows) == len(table.rows)
    width = len(again.header) - 3
    for (_, before), (_, after) in zip(table.rows, again.rows, strict=True):
        assert tuple(after[: len(before)]) == tuple(before)
        assert tuple(after[width:]) == PAID.cells
