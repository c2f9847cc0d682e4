"""How the table of payments was left: put back at the start, kept in the configuration file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from opdash.errors import ConfigError
from opdash.ledger.ranking import INDEXED
from opdash.ledger.records import NEWEST_FIRST
from opdash.table_view import TableView

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard
    from opdash.tui.screens.payments_search import PaymentsSearch
    from opdash.tui.widgets.payment_table import PaymentTable

WAIT = 0.8
"""Seconds without a change after which it is written."""


class ViewKeeper:
    """Notices how a table is left, and has it written once nothing has changed for a moment."""

    def __init__(self, dashboard: Dashboard, profile: str, later: Callable[[], None]) -> None:
        """Begin with what the configuration file says.

        Args:
            dashboard: Keeps it.
            profile: The name of the profile whose payments the table shows.
            later: Arranges for `save` to be called after `WAIT`, instead of any earlier time.
        """
        self._dashboard = dashboard
        self._profile = profile
        self._later = later
        self._saved = dashboard.settings.profile(profile).view
        self._seen = self._saved
        self._is_restored = False
        self._has_failed = False

    @property
    def at_first(self) -> TableView:
        """How the table is built; an order without an index has to wait for `restore`."""
        view = self._saved
        return view if view.sort.column in INDEXED else replace(view, sort=NEWEST_FIRST)

    async def restore(self, table: PaymentTable, search: PaymentsSearch) -> None:
        """Put back what needs more than the first frame has: filters and unusual orders."""
        if self._is_restored:
            return
        self._is_restored = True
        view = self._saved
        if view.sort.column not in INDEXED:
            table.set_sort(view.sort)
        if view.filter:
            await search.line.open(view.filter, typing=False)
            search.type(view.filter, table)

    def note(self, table: PaymentTable | None, search: PaymentsSearch) -> None:
        """Take note of how the table is now."""
        if table is None or not self._is_restored:
            return
        view = TableView(table.columns, table.sort, table.page_size, search.text)
        if view != self._seen:
            self._seen = view
            self._later()

    async def save(self) -> None:
        """Write what has changed.

        Raises:
            ConfigError: It cannot be written; nothing more is tried then.
        """
        if self._seen != self._saved and not self._has_failed:
            self._saved = self._seen
            try:
                await self._dashboard.save_view(self._profile, self._seen)
            except ConfigError:
                self._has_failed = True
                raise
