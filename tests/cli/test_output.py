"""Data on standard output, talk on standard error, both harmless."""

from __future__ import annotations

import contextlib
import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.cellwidth import width_of
from opdash.cli.output import (
    Cell,
    Column,
    Style,
    print_fields,
    print_json,
    print_lines,
    print_table,
    talk,
)

COLUMNS = (Column("Name"), Column("Amount", right=True), Column("Words", shrinks=True))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(os, "environ", {"COLUMNS": "40", "TERM": "xterm"})
    return Terminal()


def rows(*rows: tuple[str, ...]) -> list[list[Cell]]:
    return [[Cell(text) for text in row] for row in rows]


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, rows(("a", "1.00", "x"), ("bbbbbb", "1,000.00", "")))

    assert capsys.readouterr().out.splitlines() == [
        "Name      Amount  Words",
        "a           1.00  x",
        "bbbbbb  1,000.00",
    ]


def test_wide_and_combining_characters_are_counted_in_cells(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(COLUMNS, rows(("日本", "1", "x"), ("e\u0301", "2", "y")))

    assert capsys.readouterr().out.splitlines() == [
        "Name  Amount  Words",
        "日本       1  x",
        "e\u0301          2  y",
    ]
    assert (width_of("日本"), width_of("e\u0301"), width_of("abc")) == (4, 1, 3)


def test_remote_text_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\u202eabc\n[/nope]\x9b31m\x7f"

    print_table(COLUMNS, rows((evil, "1", evil)))
    print_fields([("name", evil)])
    print_lines(evil)
    talk(evil)

    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    for text in (out, err):
        assert not set(text) & {"\x1b", "\u202e", "\x9b", "\x7f", "\r"}
    assert "[/nope]" in out


@given(st.dictionaries(st.text(), st.text()))
def test_json_lines_are_ascii_and_exact(record: dict[str, str]) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_json(record)

    line = out.getvalue()
    assert line.endswith("\n")
    assert line[:-1].isascii()
    assert line[:-1].isprintable()
    assert json.loads(line) == record


def test_fields_without_a_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields([("state", "PAID"), ("reference", ""), ("x", "1")])

    assert capsys.readouterr().out == "state  PAID\nx      1\n"


def test_a_terminal_gets_colours_and_a_fitting_width(terminal: Terminal) -> None:
    cells = [[Cell("a"), Cell("1", Style.GOOD), Cell("word " * 20)]]

    with contextlib.redirect_stdout(terminal):
        print_table(COLUMNS, cells)

    assert "\x1b[32m1\x1b[0m" in terminal.getvalue()
    plain = terminal.getvalue().replace("\x1b[32m", "").replace("\x1b[2m", "")
    lines = plain.replace("\x1b[0m", "").splitlines()
    assert max(width_of(line) for line in lines) == 40
    assert lines[1].endswith("…")


def test_columns_that_can_be_spared_go_in_their_order(terminal: Terminal) -> None:
    columns = (
        Column("Id"),
        Column("Reference", shrinks=True, spare=3),
        Column("Description", shrinks=True, spare=1),
        Column("Expires", spare=2),
    )
    narrow = {}
    for width in (80, 40, 30, 15):
        os.environ["COLUMNS"] = str(width)
        terminal.seek(0)
        terminal.truncate()
        with contextlib.redirect_stdout(terminal):
            print_table(columns, rows(("12345678", "INV-2026-0001", "x" * 5000, "2026-11-20")))
        lines = terminal.getvalue().replace("\x1b[2m", "").replace("\x1b[0m", "").splitlines()
        assert max(map(width_of, lines)) <= width
        narrow[width] = lines[0].split()

    assert narrow == {
        80: ["Id", "Reference", "Description", "Expires"],
        40: ["Id", "Reference", "Expires"],
        30: ["Id", "Reference"],
        15: ["Id"],
    }


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(terminal: Terminal, variable: dict[str, str]) -> None:
    os.environ.update(variable)

    with contextlib.redirect_stdout(terminal):
        print_table(COLUMNS, [[Cell("a"), Cell("1", Style.GOOD), Cell("w")]])

    assert terminal.getvalue().splitlines()[1] == "a          1  w"
    assert "\x1b" not in terminal.getvalue()


def test_no_colours_and_nothing_cut_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    print_table(COLUMNS, [[Cell("a"), Cell("1", Style.GOOD), Cell("word " * 20 + "end")]])

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.endswith("end\n")


def test_one_long_text_does_not_push_the_other_rows_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = (Column("Words", shrinks=True), Column("Created"))

    print_table(columns, rows(("x" * 5000, "today"), ("short", "today")))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "x" * 5000 + "  today"
    assert len(lines[2]) < 100
