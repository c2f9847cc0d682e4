"""The line below the table: where in the list one is, and how it is ordered."""

from __future__ import annotations

from itertools import product

import msgspec

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.table_view import Column
from opdash.tui.widgets.header import scope_spans
from opdash.tui.widgets.line import Line, Span, cut, join, spread, width_of
from opdash.tui.widgets.table_layout import heading

_ORDERS = {
    SortColumn.CREATED: ("oldest first", "newest first"),
    SortColumn.EXPIRES: ("soonest first", "latest first"),
    SortColumn.ASKED: ("smallest first", "largest first"),
    SortColumn.RECEIVED: ("smallest first", "largest first"),
    SortColumn.DIFFERENCE: ("most missing first", "most over first"),
    SortColumn.CHANGED: ("oldest first", "newest first"),
    SortColumn.FIRST_SEEN: ("oldest first", "newest first"),
    SortColumn.SCOPE: ("own first", "own last"),
}


class StatusLine(Line):
    """Where in the list one is."""


class Whereabouts(msgspec.Struct, frozen=True):
    """What the status line tells.

    Attributes:
        known: Rows in the ledger, or those that match the filter.
        complete: Whether the server has no others.
        page: The page with the cursor, from 0.
        page_size: Rows of a page.
        sort: The order.
        fetching: Whether older payments are being fetched.
        following: Whether the cursor stays on the newest row.
        new_above: Rows that arrived above the view, unseen.
        scope: The scope in words, where the header has no room for it.
        short_scope: The same in fewer words.
        reading: What is being read in the background, in words, or empty.
        brief_reading: The same in fewer words.
        of: Of how many rows in the ledger those are that match a filter; None without one.
        searching: Whether not all that match are known yet, or are not in their order yet.
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
    short_scope: str = ""
    reading: str = ""
    brief_reading: str = ""
    of: int | None = None
    searching: bool = False
    folded: int | None = None
    folding: str = ""

    @property
    def is_following(self) -> bool:
        """Whether the cursor stays on the newest of some rows."""
        return self.following and self.known > 0


def status_spans(where: Whereabouts, width: int) -> list[Span]:
    """Compose the status line; on a narrow screen it says the same in fewer words."""
    news, order, positions = _news(where), _order(where), _positions(where)
    scope = _scope(where.scope)
    short_scope = _scope(where.short_scope or where.scope) if where.scope else []
    reading, brief = _reading(where.reading), _reading(where.brief_reading or where.reading)
    following = [[Span("following the newest", "muted")]] if where.is_following else []
    everything = product(
        [[*news, *order, *reading, *scope, *following], [*news, *order, *reading, *scope]],
        positions[:2],
    )
    less = product(
        [
            [*news, *some, *done, *words]
            for done in ((reading, brief, []) if brief else ([],))
            for some in (order[:1], [])
            for words in (scope, short_scope)
        ],
        positions[:4] if brief else positions[:3],
    )
    for left, right in (*everything, *less):
        spans = [Span(" "), *join(left, "   ")]
        if width_of(spans) + width_of(right) + 4 <= width:
            return spread(spans, [*right, Span(" ")], width)
    shortest = [*positions[-1], Span(" ")]
    return cut(spread([Span(" "), *join([*short_scope, *news], "  ")], shortest, width), width)


def order_words(sort: Sort) -> str:
    """Say an order: ``Asked, largest first``."""
    ascending, descending = _ORDERS.get(sort.column, ("A to Z", "Z to A"))
    column = heading(Column(sort.column, sort.path))
    return f"{column}, {descending if sort.descending else ascending}"


def _news(where: Whereabouts) -> list[list[Span]]:
    groups: list[list[Span]] = []
    if where.fetching:
        groups.append([Span("fetching older payments…", "accent")])
    if where.searching:
        groups.append([Span("sorting…" if where.of is None else "searching…", "accent")])
    if where.new_above:
        groups.append([Span(f"↑ {where.new_above:,} new above", "accent", "screen.first")])
    return groups


def _order(where: Whereabouts) -> list[list[Span]]:
    groups: list[list[Span]] = []
    if where.sort != NEWEST_FIRST:
        groups.append([Span(f"by {order_words(where.sort)}", "muted", "screen.sort")])
    if where.folding:
        groups.append([Span(where.folding, "muted", "screen.fold_all")])
    return groups


def _reading(words: str) -> list[list[Span]]:
    return [[Span(words, "muted", "screen.pause_scan")]] if words else []


def _scope(words: str) -> list[list[Span]]:
    """Return what is seen at all; it never goes, whatever the width."""
    return [scope_spans(words)] if words else []


def _positions(where: Whereabouts) -> list[list[Span]]:
    """Return where in the list one is, in ever fewer words."""
    if where.of is not None:
        return _filtered(where, where.of)
    if not where.known:
        return [[] if where.complete else [Span("no payments known yet", "muted")]]
    first = where.page * where.page_size + 1
    last = min(first + where.page_size - 1, where.known)
    pages = -(-where.known // where.page_size)
    is_plain = where.complete and where.sort == NEWEST_FIRST
    known = "" if is_plain else " known"
    of = f"{where.known:,}{known}"
    if where.folded not in (None, where.known):
        of = f"{where.known:,} for {where.folded:,}{known}"
    rows = f"{first:,}–{last:,} of {of}"
    page = f"page {where.page + 1:,} of {pages:,}"
    texts = (
        f"rows {rows} · {page}{'' if where.complete else ' · the server has more'}",
        f"{rows} · {page}{'' if where.complete else ' · more at the server'}",
        f"{rows} · {page}{'' if where.complete else ' · more'}",
        f"{page}{'' if where.complete else ' · more'}",
    )
    return [[Span(text, "muted")] for text in texts]


def _filtered(where: Whereabouts, of: int) -> list[list[Span]]:
    """Return where among the rows that match one is, and what they were looked for in."""
    known = f"{of:,} known"
    found = f"{where.known:,}{'+' if where.searching else ''} of {known}"
    if not where.known:
        return [[Span(f"none of {known}", "muted")]]
    first = where.page * where.page_size + 1
    last = min(first + where.page_size - 1, where.known)
    page = f"page {where.page + 1:,} of {-(-where.known // where.page_size):,}"
    more = "" if where.complete else " · the server has more"
    texts = (
        f"rows {first:,}–{last:,} · {page} · {found} match{more}",
        f"{first:,}–{last:,} · {found} match{more}",
        f"{first:,}–{last:,} · {found}{'' if where.complete else ' · more'}",
        found,
    )
    return [[Span(text, "muted")] for text in texts]
