"""Files of all kinds, as rows."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.books.tabular import FileError, Table, read_table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "invoices"


def table(file: Path, content: str | bytes, **given: str) -> Table:
    """Return what a file of that content holds."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(file, **given)


def refused(file: Path, content: str | bytes, **given: str) -> str:
    """Return why a file of that content is refused."""
    with pytest.raises(FileError) as caught:
        table(file, content, **given)
    assert caught.value.exit_code == 2
    return str(caught.value)


def cells(found: Table) -> list[list[str]]:
    """Return the rows without their lines."""
    return [list(row) for _, row in found.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_endings(file: Path, delimiter: str, ending: str) -> None:
    lines = [["number", "amount"], ["INV-1", "12.50"], ["INV-2", "1"]]
    found = table(file, ending.join(delimiter.join(line) for line in lines))

    assert (found.header, found.delimiter) == (("number", "amount"), delimiter)
    assert cells(found) == lines[1:]
    assert [line for line, _ in found.rows] == [2, 3]


def test_a_decimal_comma_parts_no_columns(file: Path) -> None:
    assert cells(table(file, "INV-1;12,50\nINV-2;3,99\n")) == [
        ["INV-1", "12,50"],
        ["INV-2", "3,99"],
    ]


def test_a_delimiter_can_be_said(file: Path) -> None:
    assert table(file, "number:amount\nA:1\n", delimiter=":").header == ("number", "amount")
    for wrong in ("::", '"', "\n"):
        assert "cannot part columns" in refused(file, "a,b\n1,2\n", delimiter=wrong)


@pytest.mark.parametrize(
    ("encoding", "guessed"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "windows-1252"),
    ],
)
def test_encodings_are_guessed(file: Path, encoding: str, guessed: str) -> None:
    found = table(file, "Nummer;Betrag;Kunde\nA-1;1,00;Müller €\n".encode(encoding))

    assert found.encoding == guessed
    assert found.header[0] == "Nummer"
    assert found.rows[0][1][2] == "Müller €"


def test_an_encoding_can_be_said(file: Path) -> None:
    content = "number,amount\nŁ-1,5\n"
    assert cells(table(file, content.encode("cp1250"), encoding="cp1250"))[0][0] == "Ł-1"
    assert table(file, content.encode("utf-16-le"), encoding="utf-16-le").header[0] == "number"
    assert "“klingon” is no encoding" in refused(file, content, encoding="klingon")
    assert "line 2, is not ascii" in refused(file, content, encoding="ascii")
    assert "is no encoding" in refused(file, content, encoding="rot13")
    assert "is not idna" in refused(file, b"\xff" * 70, encoding="idna")


def test_what_is_neither_utf_8_nor_windows_1252_is_not_guessed(file: Path) -> None:
    said = refused(file, b"number,amount\nA,1\nB\xfc\x81,1\n")
    assert "line 3, is neither" in said
    assert "--encoding" in said


_BINARY = {
    "a workbook": b"PK\x03\x04 and nothing that is not text",
    "a PDF": b"%PDF-1.7\nnumber,amount\n",
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "an archive": b"\x1f\x8b\x08 text",
    "noise": random.Random(1).randbytes(300),
    "noise without zeros": bytes(b % 255 + 1 for b in random.Random(2).randbytes(300)),
    "a zero far behind": b"number,amount\n" + b"A,1\n" * 50_000 + b"\0",
    "controls only": b"\x01\x02\x03\x04",
}


@pytest.mark.parametrize("kind", _BINARY)
def test_a_binary_file(file: Path, kind: str) -> None:
    said = refused(file, _BINARY[kind])
    assert "is not a text file" in said
    assert "Export" in said


def test_a_binary_file_is_none_in_any_encoding(file: Path) -> None:
    assert "is not a text file" in refused(file, _BINARY["a picture"], encoding="latin-1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no rows"),
        ("\n \n;;\n", "has no rows"),
        ("number,amount\n", "has a header and no rows"),
        ('number,amount\nA,1\n"B,2\nC,3\n', "row 3, cannot be read"),
        ('number,amount\n"A"x,1\n', "row 2, cannot be read"),
        ("a," * 1001 + "\n1\n", "row 1, has more than 1000 columns"),
        ('[{"number": "A"}]', "is one JSON array"),
        ('{"number": "A"}\n\n["B"]\n', "row 3, is no JSON object"),
        ('{"number": "A"}\n{"number": \n', "row 2, is no JSON object"),
        ("{" + '"a":{' * 100_000, "row 1, is no JSON object"),
        ("".join(f'{{"k{i}":1}}\n' for i in range(1001)), "more than 1000 columns"),
        ('number,amount\n"' + "x" * 140_000 + '",1\n', "row 2, cannot be read"),
    ],
)
def test_what_is_broken_is_named_with_its_row(file: Path, content: str, said: str) -> None:
    assert said in refused(file, content)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, Path("a\0b")):
        with pytest.raises(FileError, match="cannot be read"):
            read_table(path)


def test_a_huge_file_is_refused_unread(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(513 * 1024 * 1024)
    with pytest.raises(FileError, match="larger than 512 MB"):
        read_table(file)


def test_cells_keep_what_is_in_them(file: Path) -> None:
    odd = ["=1+1", 'a "quote"', "two\nlines", "\x1b[31m", "\u202e", "-", "a,b;c", "\t"]
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["number", "amount", "customer"])
    writer.writerows([f"INV-{place}", "1.00", one] for place, one in enumerate(odd))

    found = table(file, written.getvalue())

    assert [row[2] for row in cells(found)] == odd
    assert [line for line, _ in found.rows] == [2, 3, 4, 6, 7, 8, 9, 10]


def test_without_a_header_columns_are_numbered(file: Path) -> None:
    found = table(file, "INV-1,12.50\n")
    assert (found.has_header, found.header) == (False, ("column 1", "column 2"))
    assert cells(found) == [["INV-1", "12.50"]]


def test_json_lines(file: Path) -> None:
    content = (
        '{"number": "A\u2028B", "amount": 12.500, "paid": null}\n\r\n'
        ' {"amount": "1", "number": 7, "more": {"x": [1, true]}}\n'
    )
    found = table(file, content)

    assert found.header == ("number", "amount", "paid", "more")
    assert found.delimiter == ""
    assert found.numbers == {1}
    assert found.rows == [
        (1, ("A\u2028B", "12.500", "", "")),
        (3, ("7", "1", "", '{"x": [1, true]}')),
    ]


_CELLS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc"]), max_size=9
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(_CELLS, _CELLS), min_size=1),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read(
    file: Path, rows: list[tuple[str, str]], delimiter: str, encoding: str
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(["number", "amount", "customer"])
    writer.writerows([f"N-{place}", *row] for place, row in enumerate(rows))

    found = table(file, written.getvalue().encode(encoding), delimiter=delimiter)

    assert cells(found) == [[f"N-{place}", *row] for place, row in enumerate(rows)]


@pytest.mark.parametrize("count", [100_000])
def test_many_rows(file: Path, count: int) -> None:
    found = table(file, "number,amount\n" + "".join(f"INV-{i},1.00\n" for i in range(count)))
    assert len(found.rows) == count
    assert found.rows[-1] == (count + 1, (f"INV-{count - 1}", "1.00"))
