"""The line below the table: where in the list one is, and how it is ordered."""

from __future__ import annotations

from dataclasses import dataclass

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.tui.widgets.line import Line, Span, join, spread, width_of
from opdash.tui.widgets.table_layout import HEADINGS

_ORDERS = {
    SortColumn.CREATED: ("oldest first", "newest first"),
    SortColumn.EXPIRES: ("soonest first", "latest first"),
    SortColumn.ASKED: ("smallest first", "largest first"),
    SortColumn.RECEIVED: ("smallest first", "largest first"),
}


class StatusLine(Line):
    """Where in the list one is."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the status line tells.

    Attributes:
        known: Rows in the ledger.
        complete: Whether the server has no others.
        page: The page with the cursor, from 0.
        page_size: Rows of a page.
        sort: The order.
        fetching: Whether older payments are being fetched.
        following: Whether the cursor stays on the newest row.
        new_above: Rows that arrived above the view, unseen.
        scope: The scope in words, where the header has no room for it.
    """

    known: int
    complete: bool
    page: int
    page_size: int
    sort: Sort
    fetching: bool = False
    following: bool = False
    new_above: int = 0
    scope: str = ""


def status_spans(where: Whereabouts, width: int) -> list[Span]:
    """Compose the status line; on a narrow screen it says the same in fewer words."""
    news, rest = _news(where), _rest(where)
    for left in ([*news, *rest], [*news, *rest[:1]], news):
        for short in (False, True):
            right = _position(where, short=short)
            spans = [Span(" "), *join(left, "   ")]
            if width_of(spans) + width_of(right) + 4 <= width:
                return spread(spans, [*right, Span(" ")], width)
    right = _position(where, short=True)
    return spread([Span(" "), *join(news, "  ")], [*right, Span(" ")], width)


def order_words(sort: Sort) -> str:
    """Say an order: ``Asked, largest first``."""
    ascending, descending = _ORDERS.get(sort.column, ("A to Z", "Z to A"))
    return f"{HEADINGS[sort.column]}, {descending if sort.descending else ascending}"


def _news(where: Whereabouts) -> list[list[Span]]:
    groups: list[list[Span]] = []
    if where.fetching:
        groups.append([Span("fetching older payments…", "accent")])
    if where.new_above:
        groups.append([Span(f"↑ {where.new_above:,} new above", "accent", "screen.first")])
    return groups


def _rest(where: Whereabouts) -> list[list[Span]]:
    groups: list[list[Span]] = []
    if where.sort != NEWEST_FIRST:
        groups.append([Span(f"by {order_words(where.sort)}", "muted", "screen.sort")])
    if where.scope:
        groups.append([Span(where.scope, "muted")])
    if where.following and where.known:
        groups.append([Span("following the newest", "muted")])
    return groups


def _position(where: Whereabouts, *, short: bool) -> list[Span]:
    if not where.known:
        return [] if where.complete else [Span("no payments known yet", "muted")]
    first = where.page * where.page_size + 1
    last = min(first + where.page_size - 1, where.known)
    pages = -(-where.known // where.page_size)
    rows = "" if short else "rows "
    known = "" if where.complete else " known"
    text = (
        f"{rows}{first:,}–{last:,} of {where.known:,}{known} · page {where.page + 1:,} of {pages:,}"
    )
    if not where.complete:
        text += " · more at the server" if short else " · the server has more"
    return [Span(text, "muted")]
