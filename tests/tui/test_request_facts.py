"""What the inspector says about a request: its line, its parts, and bodies of all kinds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from opdash.openpayments.traces import Trace
from opdash.service.inspection import Inspected
from opdash.tui.widgets.body_rows import MOST_LINES, body_rows
from opdash.tui.widgets.request_facts import Part, request_entries
from opdash.tui.widgets.request_lines import (
    duration,
    has_failed,
    heading_spans,
    request_line,
    short_path,
)
from opdash.tui.widgets.sheet import Sheet
from opdash.tui.widgets.signature_lesson import signature_entries
from tests.tui.request_doubles import PAGE, TOKEN, a_morning, traced

SERVER = "https://rs.example/ce74834f-d02e-49dc-b303-d35040b0e3a3"


def text_of(trace: Trace, part: Part) -> str:
    return Sheet(request_entries(Inspected(1, "shop", trace), part, "Rosa's Shop")).plain


def line_of(trace: Trace, width: int) -> str:
    spans = request_line(Inspected(1, "shop", trace), "Rosa's Shop", width).spans
    return "".join(span.text for span in spans)


# The line


def test_a_line_tells_when_what_and_how_it_ended() -> None:
    line = line_of(traced(), 80)
    assert line.startswith("14:06:59 ● ✓ 200    12 ms  GET    /incoming-payments?… ")
    assert line.rstrip().endswith("Rosa's Shop")


def test_a_failure_and_a_missing_signature_have_signs_of_their_own() -> None:
    unsigned, refused, _, unanswered, _ = (trace for _, trace in a_morning())
    assert "○ ✓ 200" in line_of(unsigned, 80)
    assert "● ✗ 401" in line_of(refused, 80)
    assert "● ✗ none  10.0 s" in line_of(unanswered, 80)


@pytest.mark.parametrize("width", [40, 58, 67, 78, 118, 200])
def test_lines_and_their_heading_are_as_wide_as_the_list(width: int) -> None:
    heading = "".join(span.text for span in heading_spans(width))
    lines = ["▌ " + line_of(trace, width) for _, trace in a_morning()]
    widths = {cell_len(line) for line in (heading, *lines)}
    assert len(widths) == 1
    if width >= 58:
        assert widths <= {width, width - 1}
        place = cell_len(heading[: heading.index("Path")])
        assert all(line[place] == "/" for line in lines)


@pytest.mark.parametrize(
    ("status", "problem", "failed"),
    [(200, "", False), (204, "", False), (302, "", True), (404, "", True), (200, "cut", True)],
)
def test_what_counts_as_failed(status: int, problem: str, failed: bool) -> None:
    assert has_failed(traced(status=status, problem=problem)) is failed
    assert has_failed(traced(status=None, problem="x"))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"{SERVER}/incoming-payments?first=20", "/incoming-payments?…"),
        (
            f"{SERVER}/incoming-payments/2f1b0c4e-8d4a-4a30-9a51-0001",
            "/incoming-payments/2f1b…0001",
        ),
        ("https://ilp.example/rosa", "/rosa"),
        ("https://ilp.example/rosa/jwks.json", "/rosa/jwks.json"),
        (f"{SERVER}/token/•••", "/token/•••"),
        ("https://ilp.example/", "/"),
        ("https://[broken/a/b", "/a/b"),
        ("https://ilp.example/\x1b[2Jx", "/␛[2Jx"),
    ],
)
def test_a_path_is_told_by_its_end(url: str, path: str) -> None:
    assert short_path(url) == path


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 ms"), (0.0123, "12 ms"), (9.999, "9999 ms"), (10, "10.0 s")]
)
def test_how_long_it_took(seconds: float, text: str) -> None:
    assert duration(traced(seconds=seconds)) == text


# The parts


def test_a_request_is_told_with_its_query_read() -> None:
    said = text_of(traced(), Part.REQUEST)
    assert "To list incoming payments" in said
    assert "outcome  ✓ 200 OK, 12 ms" in said
    assert "wallet-address = https://ilp.example/rosa" in said
    assert "Authorization: GNAP •••" in said
    assert "signed   ● yes" in said


def test_every_line_of_the_base_is_there_and_explained() -> None:
    refused = a_morning()[1][1]
    said = Sheet(signature_entries(refused)).plain
    assert refused.signature_base is not None
    for line in refused.signature_base.split("\n"):
        assert line in said
    assert "a hash of the body" in said
    assert "created  when: 20 Nov 2026 14:06:59" in said
    assert "keyid    which key: “till-1”" in said
    assert refused.sent_header("signature") in said
    assert "labelled sig1" in said


def test_the_token_is_said_to_be_masked() -> None:
    said = Sheet(signature_entries(traced())).plain
    assert '"authorization": GNAP •••' in said
    assert "masked here" in said


def test_what_is_not_signed_says_why() -> None:
    said = text_of(a_morning()[0][1], Part.SIGNATURE)
    assert "This request is not signed." in said


@pytest.mark.parametrize("created", ["99999999999999999999", "999999999999", "-1", "x"])
def test_an_odd_instant_of_signing_breaks_nothing(created: str) -> None:
    headers = (
        ("Signature-Input", f'sig1=("@method" "x-odd");created={created};keyid="k\\"1"'),
        ("Signature", "odd"),
        ("X-Odd", "\x1b[31m"),
    )
    said = Sheet(signature_entries(traced(headers=headers))).plain
    assert '"x-odd": ␛[31m' in said
    assert "this header, as it was sent" in said


def test_an_answer_that_never_came_says_so() -> None:
    said = text_of(a_morning()[3][1], Part.ANSWER)
    assert "✗ no answer (ilp.example did not answer within 10 seconds.), 10.0 s" in said
    assert "nothing to show" in said


def test_an_answer_without_a_body_and_a_request_without_one() -> None:
    assert "without a body" in text_of(traced(answer=b"", status=204), Part.ANSWER)
    assert text_of(traced(), Part.BODY) == "This request has no body."


@pytest.mark.parametrize("part", Part)
def test_no_part_tells_a_token(part: Part) -> None:
    for _, trace in a_morning():
        assert TOKEN not in text_of(trace, part)
        assert "m4n4ge" not in text_of(trace, part)


# Bodies


def plain(text: str, cut: int = 0) -> list[str]:
    return [one.plain for one in body_rows(text, cut)]


def test_json_is_indented_and_otherwise_as_it_was_sent() -> None:
    assert plain('{"a":1.50e3,"a":"\\u00e9","b":[],"c":{},"d":[{"e":null}]}') == [
        "{",
        '  "a": 1.50e3,',
        '  "a": "\\u00e9",',
        '  "b": [],',
        '  "c": {},',
        '  "d": [',
        "    {",
        '      "e": null',
        "    }",
        "  ]",
        "}",
    ]


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii"), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)


@given(json_values.filter(lambda value: isinstance(value, list | dict)))
def test_what_is_shown_of_json_is_that_json(value: Any) -> None:
    assert json.loads("\n".join(plain(json.dumps(value)))) == value


@given(st.text(alphabet='{}[],:"\\ ab1\n\x1b', max_size=80))
def test_anything_can_be_shown_and_nothing_is_lost(text: str) -> None:
    shown = "".join(plain(text))
    assert "\x1b" not in shown
    assert "\n" not in shown
    for letter in "ab1":
        assert shown.count(letter) == text.count(letter)


def test_a_page_of_html_keeps_its_lines() -> None:
    page = "<html>\r\n<body onload='x()'>[bold]no[/bold]\x1b]0;t\x07</body>"
    assert plain(page) == ["<html>", "<body onload='x()'>[bold]no[/bold]␛]0;t␇</body>"]


def test_a_long_body_ends_with_how_to_see_the_rest() -> None:
    lines = plain(json.dumps(list(range(5000))), cut=1234)
    assert len(lines) == MOST_LINES + 2
    assert lines[-2:] == [
        "… and more lines; s saves them all",
        "… and 1,234 characters more, which the inspector does not keep",
    ]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, "x" * 2_000_000, '{"a":"' + "y" * 2_000_000]
)
def test_a_body_made_to_hurt_is_shown_in_bounds(text: str) -> None:
    rows = body_rows(text)
    assert len(rows) <= MOST_LINES + 1
    assert all(len(one.plain) <= 2_100 for one in rows)


def test_an_answer_of_two_mebibytes_is_told_in_part() -> None:
    said = text_of(traced(answer=json.dumps([PAGE] * 2800).encode()), Part.ANSWER)
    assert len(said) < 60_000
    assert "characters more, which the inspector does not keep" in said


def test_instants_are_told_in_this_machines_time() -> None:
    said = text_of(traced(at=datetime(2026, 11, 20, 9, 5, 7, tzinfo=UTC)), Part.REQUEST)
    assert "sent     20 Nov 2026 09:05:07" in said
