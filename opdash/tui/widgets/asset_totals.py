"""What the payments of all wallets add up to, asset by asset, and how each wallet stands; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from opdash.ledger.records import AssetTotals, WalletRow
from opdash.openpayments.amounts import Asset
from opdash.tui import format as fmt
from opdash.tui.widgets.line import Span, spread, width_of

_HEADINGS = ("", "asked", "received", "difference", "payments", "open due")
_STARRED = tuple("difference*" if name == "difference" else name for name in _HEADINGS)
_APART = "  "
_BESIDE = 4


class AssetFigures(msgspec.Struct, frozen=True):
    """What payments in one asset add up to, in its minor units; never over several assets.

    Attributes:
        asset: The asset.
        count: How many payments receive it.
        asked: What they ask for.
        received: What they received.
        difference: received − asked, over those that ask for something in that asset.
        open_due: What is still missing of those that can be paid.
    """

    asset: Asset
    count: int = 0
    asked: int = 0
    received: int = 0
    difference: int = 0
    open_due: int = 0


def add_up(totals: Iterable[AssetTotals], wallets: Iterable[WalletRow]) -> tuple[AssetFigures, ...]:
    """Add the figures of several wallets up, each asset for itself, in the order of their codes.

    Args:
        totals: What the payments of each wallet add up to.
        wallets: The wallets, for what is open.
    """
    figures: dict[Asset, AssetFigures] = {}
    for one in totals:
        known = figures.get(one.asset, AssetFigures(one.asset))
        figures[one.asset] = AssetFigures(
            one.asset,
            known.count + one.count,
            known.asked + one.asked,
            known.received + one.received,
            known.difference + one.difference,
            known.open_due,
        )
    for wallet in wallets:
        known = figures.get(wallet.asset, AssetFigures(wallet.asset))
        due = known.open_due + wallet.open_due
        if due or wallet.asset in figures:
            figures[wallet.asset] = msgspec.structs.replace(known, open_due=due)
    return tuple(sorted(figures.values(), key=lambda one: (one.asset.code, one.asset.scale)))


def total_lines(figures: Sequence[AssetFigures], width: int) -> list[list[Span]]:
    """Return the figures as a small table; where it is too narrow, after each other.

    Nothing is ever cut: an amount that cannot be read whole would be worse than none.
    """
    cells = [_cells(one) for one in figures]
    if not cells:
        return []
    is_plain = all(one.difference == one.received - one.asked for one in figures)
    headings = _HEADINGS if is_plain else _STARRED
    remark = [] if is_plain else [[Span(" * of the payments that ask for an amount", "muted")]]
    columns = [max(len(name), *(len(line[n]) for line in cells)) for n, name in enumerate(headings)]
    if 1 + sum(columns) + len(_APART) * (len(columns) - 1) <= width:
        heading = [Span(" " + _joined(headings, columns), "muted")]
        return [heading, *(_line(line, columns) for line in cells), *remark]
    lines = [line for one in cells for line in _flowing(headings, one, columns[0], width)]
    return lines + remark


def beside(
    left: Sequence[Sequence[Span]], right: Sequence[Sequence[Span]], width: int
) -> list[list[Span]]:
    """Put two blocks of lines beside each other, or the right one below where they do not fit."""
    widest = max(map(width_of, left), default=0) + max(map(width_of, right), default=0)
    if widest + _BESIDE > width:
        return [*map(list, left), *map(list, right)]
    lines: list[list[Span]] = []
    room = max(map(width_of, right), default=0)
    for n in range(max(len(left), len(right))):
        end = list(right[n]) if n < len(right) else []
        padded = [*end, Span(" " * (room - width_of(end)))]
        lines.append(spread(left[n] if n < len(left) else [], padded, width))
    return lines


def _cells(one: AssetFigures) -> tuple[str, ...]:
    scale = one.asset.scale
    return (
        fmt.asset_code(one.asset),
        fmt.number(one.asked, scale),
        fmt.number(one.received, scale),
        fmt.number(one.difference, scale),
        f"{one.count:,}",
        fmt.number(one.open_due, scale),
    )


def _line(cells: Sequence[str], columns: Sequence[int]) -> list[Span]:
    joined = _joined(cells, columns)
    code = columns[0]
    return [Span(f" {joined[:code]}", "strong"), Span(joined[code:])]


def _flowing(
    headings: Sequence[str], cells: Sequence[str], code: int, width: int
) -> list[list[Span]]:
    """Put an asset's figures after each other, in as many lines as they need."""
    lines: list[list[Span]] = [[Span(f" {cells[0]:<{code}}", "strong")]]
    for name, cell in zip(headings[1:], cells[1:], strict=True):
        figure = [Span(f"  {name} ", "muted"), Span(cell)]
        if len(lines[-1]) > 1 and width_of(lines[-1]) + width_of(figure) > width:
            lines.append([Span(" " * (code + 1))])
        lines[-1] += figure
    return lines


def _joined(cells: Sequence[str], columns: Sequence[int]) -> str:
    first = f"{cells[0]:<{columns[0]}}"
    rest = (f"{cell:>{width}}" for cell, width in zip(cells[1:], columns[1:], strict=True))
    return _APART.join([first, *rest])
