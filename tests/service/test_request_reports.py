"""Reports of requests are whole where they fit, and cut from the least important on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opdash.openpayments.traces import Trace
from opdash.service.inspection import Inspected
from opdash.service.request_reports import FITS, brief_report, report, save_report
from tests.openpayments.test_traces import sight
from tests.tui.doubles import FrozenClock


def requests(*sizes: int) -> list[Inspected]:
    return [
        Inspected(number, "shop", Trace.of(sight(number=number, answer=b"x" * size)))
        for number, size in enumerate(sizes, 1)
    ]


def test_a_report_holds_every_request_and_says_what_it_is() -> None:
    text = report(requests(10, 20))
    assert text.startswith("opdash ")
    assert "secrets masked" in text.splitlines()[0]
    assert text.index("#1 GET") < text.index("#2 GET")
    assert text.count("wallet: shop\nnot signed\n") == 2
    assert text.endswith("\n")


def test_a_wallet_that_is_not_set_up_is_not_named() -> None:
    assert "wallet:" not in report([replace(requests(1)[0], profile="")])


def test_what_fits_is_copied_whole() -> None:
    kept = requests(100, 200)
    assert brief_report(kept) == (report(kept), True)


def test_long_bodies_are_cut_before_a_request_is_left_out() -> None:
    text, is_whole = brief_report(requests(*[20_000] * 10))
    assert not is_whole
    assert len(text) <= FITS
    assert "#10 GET" in text
    assert "… and 18000 characters more" in text


def test_the_last_are_left_out_where_even_that_is_too_much() -> None:
    text, is_whole = brief_report(requests(*[50] * 200), most=4000)
    assert not is_whole
    assert "#1 GET" in text
    assert "requests more" in text.splitlines()[-1]


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=8), st.integers(2_000, 60_000))
def test_the_first_is_always_told_and_the_rest_is_counted(sizes: list[int], most: int) -> None:
    text, is_whole = brief_report(requests(*sizes), most)
    assert "#1 GET" in text
    told = sum(f"#{number} GET" in text for number in range(1, len(sizes) + 1))
    left_out = int(text.splitlines()[-1].split()[2]) if "requests more" in text else 0
    assert told + left_out == len(sizes)
    assert len(text) <= most + 120
    assert is_whole == (text == report(requests(*sizes)))


def test_saved_reports_do_not_replace_each_other(tmp_path: Path) -> None:
    first = save_report(requests(5), tmp_path / "r", FrozenClock())
    second = save_report(requests(6), tmp_path / "r", FrozenClock())
    assert first.name == "requests-20261120T140700Z.txt"
    assert second.name == "requests-20261120T140700Z-2.txt"
    assert first.read_text(encoding="utf-8") == report(requests(5))
    assert stat.S_IMODE(second.stat().st_mode) == 0o600


def test_where_nothing_can_be_written_that_is_raised(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match=r"[Nn]ot a directory"):
        save_report(requests(5), tmp_path / "r", FrozenClock())
