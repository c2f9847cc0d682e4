from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.exports.texts import (
    cut,
    defused,
    fitting_id,
    one_line,
    short_id,
    undefused,
    without_controls,
    xml_text,
)
from tests.exports.builders import HOSTILE


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t1",
        "\r1",
        "  =1",
        "\n=1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        "＝1",
        "＋1",
        "－1",
        "＠SUM(A1)",
        "'=1",
    ],
)
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "INV-7", "a=1", "1-1", "'tis", " word", "#1", '"=1"'])
def test_other_texts_stay(text: str) -> None:
    assert defused(text) == text


@given(st.text())
def test_a_text_can_be_had_back(text: str) -> None:
    cell = defused(text)

    assert undefused(cell) == text
    assert cell.lstrip()[:1] not in tuple("=+-@＝＋－＠"), "nothing runs"


@given(st.text(st.characters()))
def test_no_control_character_is_left(text: str) -> None:
    clean = without_controls(text)

    assert len(clean) == len(text)
    assert not {*clean} & {chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127, 0x9B)}
    clean.encode()


def test_controls_become_pictures() -> None:
    assert without_controls("a\x00b\x1bc\x7fd\te\nf") == "a␀b␛c␡d\te\nf"


@given(st.text(st.characters()))
def test_xml_holds_any_text(text: str) -> None:
    from xml.etree import ElementTree as Xml

    assert (Xml.fromstring(f"<a>{xml_text(text)}</a>").text or "") == one_line(text)


def test_short_ids_are_always_the_same_and_differ() -> None:
    ids = {short_id(f"https://rs.example/incoming-payments/{n}#1") for n in range(1000)}

    assert len(ids) == 1000
    assert all(len(one) == 26 and one.isascii() and one.isalnum() for one in ids)
    assert short_id("https://rs.example/p#1") == "Z42AEUHCAB3KPGAXSMEGCIFAJP"


def test_an_id_that_fits_stays() -> None:
    assert fitting_id("https://rs.example/p#1", 255) == "https://rs.example/p#1"
    assert fitting_id("https://rs.example/p#1", 10) == short_id("https://rs.example/p#1", 10)
    for text in ("with blank", "with\ttab", "é", "", "x" * 256):
        assert fitting_id(text, 255) == short_id(text)


def test_a_long_text_is_cut() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abc defg", 5) == "abc…"
    assert all(len(cut(text, 32)) <= 32 for text in HOSTILE)
