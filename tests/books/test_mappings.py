"""What a person said about files of one kind, remembered."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from opdash.books.columns import Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.mappings import FILE_NAME, Reading, recall, remember
from opdash.errors import InputError

HEADER = ("a", "b")


def test_what_was_said_is_remembered(tmp_path: Path) -> None:
    said = Reading(HEADER, {Field.NUMBER: "b"}, DecimalMark.COMMA, DateOrder.MONTH_FIRST)
    assert not recall(tmp_path, HEADER).says_anything
    remember(tmp_path / "new", said)
    assert recall(tmp_path / "new", list(HEADER)) == said
    assert recall(tmp_path / "new", HEADER[::-1]) == Reading(HEADER[::-1])
    mode = (tmp_path / "new" / FILE_NAME).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_what_is_said_now_wins_over_what_was_said_then() -> None:
    then = Reading(HEADER, {Field.NUMBER: "a", Field.AMOUNT: "b"}, DecimalMark.COMMA)
    now = then.changed_by(Reading(HEADER, {Field.CUSTOMER: "a"}, None, DateOrder.DAY_FIRST))
    assert now == Reading(
        HEADER,
        {Field.AMOUNT: "b", Field.CUSTOMER: "a"},
        DecimalMark.COMMA,
        DateOrder.DAY_FIRST,
    )


def test_the_oldest_kinds_are_forgotten(tmp_path: Path) -> None:
    for number in range(102):
        remember(tmp_path, Reading((str(number),), {Field.NUMBER: "1"}))
    kept = [recall(tmp_path, [str(number)]).says_anything for number in range(102)]
    assert kept == [False, False, *[True] * 100]


def test_a_spoilt_file_is_no_obstacle(tmp_path: Path) -> None:
    for content in (b"", b"\xff", b"[1]", b'[{"header": 5}]'):
        (tmp_path / FILE_NAME).write_bytes(content)
        assert not recall(tmp_path, HEADER).says_anything
    remember(tmp_path, Reading(HEADER, {Field.NUMBER: "b"}))
    assert recall(tmp_path, HEADER).columns == {Field.NUMBER: "b"}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be remembered"):
        remember(tmp_path / "file", Reading(HEADER))
