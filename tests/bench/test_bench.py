"""The bench itself: what it prints, when it fails, and that its baselines do the same work."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from opdash.ledger.reader import LedgerReader
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.openpayments.answers import decode_incoming_payment_page
from tests.bench.__main__ import FIGURES, main
from tests.bench.decoding import PAGE, decode_with_json
from tests.bench.figures import Bar, Figure, Result, best_seconds
from tests.bench.million import ADDRESS, NOW, million_ledger
from tests.bench.searching import LINES


def figure(name: str, value: float, side: Bar = Bar.AT_LEAST, bar: float = 5.0) -> Figure:
    measure: Callable[[], float] = lambda: value  # noqa: E731
    return Figure(name, "× nothing", side, bar, measure)


@pytest.mark.parametrize(
    ("value", "side", "ok"),
    [
        (5.0, Bar.AT_LEAST, True),
        (4.999, Bar.AT_LEAST, False),
        (5.0, Bar.AT_MOST, True),
        (5.001, Bar.AT_MOST, False),
    ],
)
def test_a_bar_is_kept_or_not(value: float, side: Bar, ok: bool) -> None:
    assert Result(figure("x", value, side), value).ok is ok


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [figure("fast", 7.891), figure("slow", 3.0)]
    assert main([], figures) == 1
    head, fast, slow = capsys.readouterr().out.splitlines()
    assert head.split() == ["figure", "value", "bar", "ok", "unit"]
    assert fast.split() == ["fast", "7.89", "≥", "5", "yes", "×", "nothing"]
    assert slow.split() == ["slow", "3.00", "≥", "5", "NO", "×", "nothing"]


def test_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [figure("low", 1.2345, Bar.AT_MOST, 1.3), figure("other", 1.0)]
    assert main(["low", "--json"], figures) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"name": "low", "value": 1.234, "unit": "× nothing", "bar": 1.3, "ok": True}
    ]


def test_an_unknown_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sing_get"], [figure("sign_get", 1.0)])
    assert caught.value.code == 2
    assert "there are sign_get" in capsys.readouterr().err


def test_the_promised_figures_are_there() -> None:
    bars = {figure.name: (figure.side.value, figure.bar) for figure in FIGURES}
    assert bars["sign_get"] == ("≥", 6.0)
    assert bars["sign_post"] == ("≥", 8.0)
    assert bars["sign_overhead"] == ("≤", 1.3)
    assert bars["decode_page"] == ("≥", 5.0)
    assert bars["walk_pages"] == ("≥", 0.9)
    assert bars["first_frame_wall"] == bars["first_frame_cpu"] == ("≤", 1.2)
    assert bars["help_time"] == ("≤", 3.0)
    assert bars["idle_cpu"] == ("≤", 1.0)
    assert bars["search_first_window"] == ("≤", 25.0)
    assert bars["frame_p50_scale"] == ("≤", 1.25)
    assert bars["frame_p99_vs_datatable"] == ("≤", 0.25)
    assert bars["page_down_vs_datatable"] == ("≤", 0.2)
    assert bars["memory_scale"] == ("≤", 1.2)
    assert len(bars) == len(FIGURES)


def test_ways_take_turns() -> None:
    calls: list[str] = []
    ways = (lambda: calls.append("a"), lambda: calls.append("b"))
    best = best_seconds(*ways, rounds=3, seconds=0.0)
    assert len(best) == 2
    assert calls[-6:] == ["a", "b"] * 3


def test_both_decoders_read_the_same() -> None:
    own, plain = decode_incoming_payment_page(PAGE), decode_with_json(PAGE)
    assert own.pagination.end_cursor == plain.end_cursor
    assert len(own.result) == len(plain.result) == 100
    for ours, theirs in zip(own.result, plain.result, strict=True):
        assert ours.created_at == theirs.created_at
        assert ours.received_amount.value == theirs.received_amount.value
        assert ours.metadata == theirs.metadata


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        (b'"value":"1250"', b'"value":"12.5"'),
        (b'"assetScale":2', b'"assetScale":300'),
        (b'"completed":true', b'"completed":"yes"'),
        (b".000Z", b".000"),
        (b'"endCursor"', b'"noCursor"'),
        (b'"metadata":{"description":"Order #1","externalRef":"INV-2026-0001"}', b'"metadata":5'),
    ],
)
def test_both_decoders_make_the_same_checks(sound: bytes, broken: bytes) -> None:
    body = PAGE.replace(sound, broken)
    assert body != PAGE
    for decode in (decode_incoming_payment_page, decode_with_json):
        with pytest.raises(Exception):  # noqa: B017 - each in its own words
            decode(body)


def test_the_lines_that_are_searched_find_many_few_and_none() -> None:
    path = million_ledger(3000)
    with LedgerReader.open(path) as reader:
        found = {line: reader.count(ADDRESS, read_query(line, Moment(NOW))) for line in LINES}
    assert found["inv"] == 3000
    assert 0 < found["lamp chair table"] < found["lamp"] < 1500
    assert found["ref=INV-2026-0000007"] == 1
    assert found["zzz"] == 0
