"""The second line: what is due, what came today, what needs a person, and the last seven days."""

from __future__ import annotations

from collections.abc import Callable

from opdash.ledger.records import Summary
from opdash.openpayments.amounts import Asset
from opdash.safetext import ELLIPSIS
from opdash.tui import format as fmt
from opdash.tui.widgets.amount_column import power_of_ten
from opdash.tui.widgets.line import Line, Span, join, spread, width_of


class SummaryLine(Line):
    """The figures over all known payments of a wallet address."""


def summary_spans(summary: Summary, asset: Asset, width: int) -> list[Span]:
    """Compose the summary; on a narrow screen the sparkline goes before any figure is cut.

    Args:
        summary: The figures, in minor units of the asset.
        asset: What they count.
        width: Cells of the line.
    """
    bars = Span(fmt.sparkline(summary.days), "accent")
    full, short, none = [Span("7 days ", "muted"), bars, Span(" ")], [bars, Span(" ")], list[Span]()
    for write in (fmt.brief_number, _two_decimals, _size_only):
        groups = _figures(summary, asset, write)
        for gap, right in ((5, full), (3, full), (3, short), (2, short), (3, none), (2, none)):
            left = [Span(" "), *join(groups, " " * gap)]
            if width_of(left) + width_of(right) + gap <= width:
                return spread(left, right, width)
    return spread([Span(" "), *join(groups, "  ")], [], width)


def _figures(
    summary: Summary, asset: Asset, write: Callable[[int, Asset], str]
) -> list[list[Span]]:
    return [
        _figure("Open", summary.open_count, f"{write(summary.open_due, asset)} due"),
        _figure("Today", summary.today_count, f"{write(summary.today_received, asset)} received"),
        [
            Span("Needs action ", "muted"),
            Span(f"{summary.needs_action:,}", "attention" if summary.needs_action else "plain"),
        ],
    ]


def _figure(word: str, count: int, amount: str) -> list[Span]:
    return [
        Span(f"{word} ", "muted"),
        Span(f"{count:,}", "strong"),
        Span(" · ", "muted"),
        Span(amount),
    ]


def _two_decimals(minor_units: int, asset: Asset) -> str:
    text = fmt.number(minor_units, asset.scale)
    end = len(text) - max(asset.scale - 2, 0)
    return text[:end] + (ELLIPSIS if text[end:].strip("0") else "")


def _size_only(minor_units: int, asset: Asset) -> str:
    short = _two_decimals(minor_units, asset)
    return short if len(short) <= 12 else power_of_ten(minor_units, asset.scale, 10)
