"""The lines above and below the table of payments, and what they say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Static

from opdash.ledger.records import PaymentRow, SortColumn
from opdash.service.session import WalletSession
from opdash.tui.actions import Place
from opdash.tui.screens.payments_figures import Figures
from opdash.tui.screens.payments_folds import PaymentsFolds
from opdash.tui.screens.payments_search import PaymentsSearch
from opdash.tui.screens.payments_totals import PaymentsTotals
from opdash.tui.widgets.empty_state import DOCTOR, UNWELL, empty_text, nothing_found
from opdash.tui.widgets.freshness import freshness
from opdash.tui.widgets.header import (
    SCOPE_WORDS,
    SHORT_SCOPE_WORDS,
    HeaderLine,
    header_spans,
    scope_spans,
)
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Span
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.reading import brief_reading_words, reading_words
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.status_line import StatusLine, Whereabouts, status_spans
from opdash.tui.widgets.summary import SummaryLine, summary_spans

if TYPE_CHECKING:
    from opdash.tui.widgets.notices import Notices

WIDE = 110
"""Columns from which there is room for the details and for whole words."""

_NEED_A_ROW = ("complete", "open", "copy_url", "methods", "sort", "next_page")


class PaymentsFrame:
    """All of the payments screen but the table and the details.

    Attributes:
        above: The widgets above the body, from top to bottom, without those that say nothing yet.
        below: Those below it.
        empty: What stands in the table's place when there are no rows.
    """

    def __init__(
        self,
        session: WalletSession,
        figures: Figures,
        search: PaymentsSearch,
        folds: PaymentsFolds,
        totals: PaymentsTotals,
    ) -> None:
        self.empty = Static(id="empty", markup=False)
        self._session = session
        self._figures = figures
        self._search = search
        self._folds = folds
        self._totals = totals
        self._header = HeaderLine()
        self._summary = SummaryLine()
        self._notices: Notices | None = None
        self._rules = (Rule(id="upper-rule"), Rule(id="lower-rule"))
        self._status = StatusLine()
        self._keys = KeyLine(Place.PAYMENTS)
        self.above = (self._header, self._summary, self._rules[0])
        self.below = (self._rules[1], self._status, self._keys)

    def complete(self, screen: Widget) -> None:
        """Mount what the first frame did without; doing so again does nothing."""
        if self._notices is not None:
            return
        from opdash.tui.widgets.notices import Notices

        self._notices = Notices()
        screen.mount(self._notices, after=self._summary)
        screen.mount(self._totals.lines, self._search.line, after=self._rules[1])
        if not self.empty.is_attached:
            screen.query_one("#body").mount(self.empty, before=0)

    def join_rules_at(self, cell: int | None) -> None:
        """Let both rules meet the vertical line at a cell, or none."""
        for rule in self._rules:
            rule.joint = cell

    def fill(self, table: PaymentTable | None, width: int, *, fetching: bool) -> None:
        """Write every line anew; what says the same is not painted again."""
        self.fill_moments(table, width)
        self._fill_notices(table)
        wallet, summary = self._session.wallet, self._figures.summary
        if wallet is not None and summary is not None:
            self._summary.show(summary_spans(summary, wallet.asset, width))
        self.fill_place(table, width, fetching=fetching)

    @property
    def header_says_scope(self) -> bool:
        """Whether the header has room for the scope; else the status line says it."""
        return SCOPE_WORDS[self._session.profile.scope] in self._header.text

    def fill_moments(self, table: PaymentTable | None, width: int) -> None:
        """Write anew what changes as time passes."""
        session = self._session
        right = freshness(
            session.status,
            session.now(),
            timedelta(seconds=session.profile.poll_interval),
            last_known_at=self._figures.last_poll_at,
            short=width < WIDE,
        )
        self._header.show(header_spans(session.profile, session.wallet, right, width))
        self.empty.display = not has_rows(table)
        if self.empty.display:
            nothing = empty_text(session.profile, session.status, session.now())
            self.empty.update(nothing_found(self._search.text) if self._search.is_on else nothing)
        if table is not None:
            table.display = has_rows(table)

    def fill_place(self, table: PaymentTable | None, width: int, *, fetching: bool) -> None:
        """Write anew where in the list one is, and which keys do something there."""
        self._totals.show(filtered=self._search.is_on)
        if table is None:
            words = SCOPE_WORDS[self._session.profile.scope]
            unsaid = [] if self.header_says_scope else [Span(" "), *scope_spans(words)]
            self._status.show(unsaid)
            self._keys.set_off(*_NEED_A_ROW, "new_payment", "filter", "searches")
            return
        scope = SCOPE_WORDS[self._session.profile.scope]
        where = Whereabouts(
            known=table.row_count,
            complete=self._figures.complete,
            page=table.page,
            page_size=table.page_size,
            sort=table.sort,
            fetching=fetching,
            following=table.following,
            new_above=table.new_above,
            scope="" if self.header_says_scope else scope,
            short_scope=SHORT_SCOPE_WORDS[self._session.profile.scope],
            reading=reading_words(self._session.status.scan),
            brief_reading=brief_reading_words(self._session.status.scan),
            of=self._figures.known if self._search.is_on else None,
            searching=self._search.coming,
            folding=self._folding(table),
            folded=self._figures.known if self._folds.shown_in(table) else None,
        )
        self._status.show(status_spans(where, width))
        self._keys.set_place(Place.FILTER if self._search.is_typed_into else Place.PAYMENTS)
        unsaved = [] if self._search.is_on else ["save_search"]
        self._keys.set_off(*self._impossible(table, where), *unsaved)

    def _folding(self, table: PaymentTable) -> str:
        """Say how folding stands where that is not plain to see."""
        if not self._folds.are_there:
            return ""
        if self._folds.coming:
            return "folding…"
        if not self._folds.is_on:
            return "not folded"
        rests = self._search.is_on or table.sort.column is not SortColumn.CREATED
        return "folding rests" if rests else ""

    def _impossible(self, table: PaymentTable, where: Whereabouts) -> list[str]:
        row = table.selected
        if table.fold is not None:
            return ["complete", "copy_url", "methods"]
        if row is None:
            return [*_NEED_A_ROW, *([] if self._figures.known else ["filter", "searches"])]
        off = ["complete"] if why_not_completable(row, self._session.now()) else []
        on_last_page = table.page + 1 >= table.pages
        no_more = where.complete or where.of is not None
        return [*off, "next_page"] if on_last_page and no_more else off

    def _fill_notices(self, table: PaymentTable | None) -> None:
        if self._notices is None:
            return
        from opdash.tui.widgets.notices import creation_sentence

        status, wallet = self._session.status, self._session.wallet
        problem = self._figures.problem or self._folds.problem
        if has_rows(table) and not problem:
            problem = f"{status.problem} {status.advice}".strip()
            if problem and status.phase in UNWELL:
                problem = f"{problem} {DOCTOR}"
        asset = None if wallet is None else wallet.asset
        unanswered = self._figures.unanswered.values()
        self._notices.tell(problem, [creation_sentence(one, asset) for one in unanswered])


def has_rows(table: PaymentTable | None) -> bool:
    """Return whether there is a row to show."""
    return table is not None and table.row_count > 0


def why_not_completable(row: PaymentRow, now: datetime) -> str:
    """Say why a payment cannot be completed, or return an empty string if it can."""
    if row.no_longer_at_server:
        return "This payment is no longer at the server, so it cannot be completed."
    if row.completed:
        return "This payment is completed already."
    if row.expires_at is not None and row.expires_at <= now:
        return "This payment has expired; only an open payment can be completed."
    return ""
