"""Figures of several wallets: each asset for itself, exactly, and never cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.records import AssetTotals, WalletRow
from opdash.openpayments.amounts import Asset
from opdash.tui.widgets.asset_totals import add_up, beside, total_lines
from opdash.tui.widgets.line import Span, width_of

USD, EUR, JPY = Asset("USD", 2), Asset("EUR", 2), Asset("JPY", 0)


def wallet(asset: Asset, due: int) -> WalletRow:
    return WalletRow(
        address=f"https://w.example/{asset.code}/{due}",
        public_name="",
        asset=asset,
        auth_server="https://auth.example",
        resource_server="https://rs.example",
        last_poll_at=None,
        known=0,
        complete=True,
        open_count=0,
        open_due=due,
        received_total=0,
    )


ASSETS = st.sampled_from([USD, EUR, JPY, Asset("USD", 4)])
TOTALS = st.lists(
    st.builds(
        AssetTotals,
        asset=ASSETS,
        count=st.integers(0, 10**6),
        asked=st.integers(0, 2**70),
        received=st.integers(0, 2**70),
        difference=st.integers(-(2**70), 2**70),
    ),
    max_size=8,
)


@given(TOTALS, st.lists(st.builds(wallet, ASSETS, st.integers(0, 2**66)), max_size=5))
def test_no_asset_is_ever_added_to_another(
    totals: list[AssetTotals], wallets: list[WalletRow]
) -> None:
    figures = add_up(totals, wallets)
    assert len({one.asset for one in figures}) == len(figures)
    for one in figures:
        same = [each for each in totals if each.asset == one.asset]
        assert one.count == sum(each.count for each in same)
        assert one.asked == sum(each.asked for each in same)
        assert one.received == sum(each.received for each in same)
        assert one.difference == sum(each.difference for each in same)
        assert one.open_due == sum(row.open_due for row in wallets if row.asset == one.asset)
    assert {one.asset for one in figures} >= {each.asset for each in totals}


@given(TOTALS, st.integers(40, 200))
def test_no_figure_is_ever_cut(totals: list[AssetTotals], width: int) -> None:
    for one in add_up(totals, ()):
        lines = total_lines([one], width)
        shown = "\n".join("".join(span.text for span in line) for line in lines)
        for amount in (one.asked, one.received, abs(one.difference)):
            digits = str(amount).rjust(one.asset.scale + 1, "0")
            assert digits in "".join(c for c in shown if c.isdigit() or c in "\n ").replace(" ", "")
        assert all(width_of(line) <= max(width, 51) for line in lines)


def test_blocks_stand_beside_each_other_or_below() -> None:
    left, right = [[Span("ab")], [Span("c")]], [[Span("xyz")]]
    wide = ["".join(span.text for span in line) for line in beside(left, right, 20)]
    assert [line.split() for line in wide] == [["ab", "xyz"], ["c"]]
    narrow = ["".join(span.text for span in line) for line in beside(left, right, 6)]
    assert narrow == ["ab", "c", "xyz"]


def test_nothing_adds_up_to_nothing() -> None:
    assert total_lines(add_up((), ()), 80) == []
