from __future__ import annotations

import pytest
from msgspec.structs import replace

from opdash.ledger.records import Scope, Summary
from opdash.openpayments.amounts import MAX_VALUE, Asset
from opdash.openpayments.resources import WalletAddress
from opdash.settings import Profile
from opdash.tui.widgets.header import OUTGOING_WORDS, header_spans
from opdash.tui.widgets.line import Span, width_of
from opdash.tui.widgets.summary import summary_spans

PROFILE = Profile("shop", "https://ilp.example/rosa", label="Rosa's Shop")
WALLET = WalletAddress(
    id="https://ilp.example/rosa",
    asset_code="USD",
    asset_scale=2,
    auth_server="https://auth.example",
    resource_server="https://rs.example",
)
LIVE = [Span("● live · updated 3 s ago · next in 2 s")]
SHORT = [Span("● live · 3 s ago · next in 2 s")]


def said(spans: list[Span]) -> str:
    return "".join(span.text for span in spans)


def test_a_wide_header_tells_everything() -> None:
    text = said(header_spans(PROFILE, WALLET, LIVE, 120))
    assert text.startswith(" opdash  Rosa's Shop  ilp.example/rosa  USD   ")
    assert text.endswith("   S created by opdash only   ● live · updated 3 s ago · next in 2 s ")


def test_at_eighty_columns_the_scope_goes_first() -> None:
    text = said(header_spans(PROFILE, WALLET, SHORT, 80))
    assert len(text) == 80
    assert "ilp.example/rosa  USD" in text
    assert "created by" not in text


def test_at_eighty_columns_a_screen_without_another_place_for_the_scope_tells_it_shortly() -> None:
    text = said(header_spans(PROFILE, WALLET, SHORT, 80, scope_key=False))
    assert len(text) == 80
    assert "USD" in text
    assert "   own only   ● live" in text


@pytest.mark.parametrize(
    ("width", "words"), [(120, "outgoing, as last seen"), (80, "as last seen")]
)
def test_what_is_shown_of_outgoing_payments_stands_where_the_scope_does(
    width: int, words: str
) -> None:
    view = OUTGOING_WORDS[False]
    text = said(header_spans(PROFILE, WALLET, SHORT, width, scope_key=False, view=view))
    assert f"   {words}   ● live" in text
    assert "own only" not in text


def test_a_long_address_is_cut_visibly() -> None:
    wallet = replace(PROFILE, wallet_address="https://wallet.example.org/a/very/long/path/rosa")
    text = said(header_spans(wallet, None, SHORT, 80))
    assert len(text) == 80
    assert "wallet.example.org/a/ver…" in text


def test_every_scope_has_words() -> None:
    everything = replace(PROFILE, scope=Scope.EVERYTHING)
    assert "everything" in said(header_spans(everything, WALLET, LIVE, 120))


def test_names_from_a_file_cannot_reach_the_terminal_raw() -> None:
    hostile = replace(PROFILE, label="\x1b[2Jshop")
    assert "␛[2Jshop" in said(header_spans(hostile, None, LIVE, 120))


def test_what_stands_before_the_freshness_does_not_move_with_the_seconds() -> None:
    texts = [
        said(header_spans(PROFILE, WALLET, [Span(f"● live · updated {age} · next in 2 s")], 120))
        for age in ("now", "3 s ago")
    ]
    assert len({text.index("● live") for text in texts}) == 1


SUMMARY = Summary(
    open_count=12,
    open_due=120450,
    today_count=31,
    today_received=89410,
    needs_action=2,
    known=5000,
    complete=False,
    days=(10, 220, 500, 330, 700, 600, 894),
)


@pytest.mark.parametrize(
    ("width", "ending"),
    [(120, "7 days ▂▃▅▄▇▆█ "), (80, "▂▃▅▄▇▆█ "), (70, "Needs action 2")],
)
def test_the_sparkline_goes_before_any_figure(width: int, ending: str) -> None:
    text = said(summary_spans(SUMMARY, Asset("USD", 2), width)).rstrip("\n")
    assert text.rstrip().endswith(ending.rstrip())
    assert "Open 12 · 1,204.50 due" in text
    assert "Today 31 · 894.10 received" in text
    assert width_of(summary_spans(SUMMARY, Asset("USD", 2), width)) == width


def test_zero_decimals_of_a_fine_scale_are_left_out_and_no_other() -> None:
    fine = replace(SUMMARY, open_due=12 * 10**17, today_received=10**18 + 1)
    text = said(summary_spans(fine, Asset("ETH", 18), 120))
    assert "1.20 due" in text
    assert "1.000000000000000001 received" in text


def test_what_has_no_room_is_shortened_visibly() -> None:
    fine = replace(SUMMARY, open_due=MAX_VALUE, today_received=152_000_000_001)
    text = said(summary_spans(fine, Asset("XRP", 9), 80))
    assert text.startswith(" Open 12 · 18,446,744,073.70… due  Today 31 · 152.00… received")
    assert text.rstrip().endswith("Needs action 2")
    huge = replace(SUMMARY, open_due=MAX_VALUE, today_received=MAX_VALUE)
    text = said(summary_spans(huge, Asset("USD", 2), 80))
    assert text.startswith(" Open 12 · 1.84…×10¹⁷ due   Today 31 · 1.84…×10¹⁷ received")


def test_totals_beyond_a_uint64_are_exact() -> None:
    huge = replace(SUMMARY, open_due=MAX_VALUE * 3)
    text = said(summary_spans(huge, Asset("USD", 2), 120))
    assert "553,402,322,211,286,548.45 due" in text
