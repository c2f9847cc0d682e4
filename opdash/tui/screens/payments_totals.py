"""What all payments of a wallet address add up to, below the table, where a person wants it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

from opdash.ledger.records import AssetTotals
from opdash.tui.screens.payments_figures import Figures
from opdash.tui.screens.payments_search import Run

if TYPE_CHECKING:
    from opdash.tui.widgets.filter_line import TotalsLines


class PaymentsTotals:
    """Totals without a filter; those of a filter stand with it.

    Attributes:
        is_on: Whether a person wants them.
    """

    def __init__(
        self,
        figures: Figures,
        run: Run,
        add_up: Callable[[], Awaitable[tuple[AssetTotals, ...] | None]],
    ) -> None:
        """Prepare; nothing is added up.

        Args:
            figures: Tell how many payments are known.
            run: Runs work in the background.
            add_up: Adds up all payments; None where that cannot be done.
        """
        self.is_on = False
        self._figures = figures
        self._run = run
        self._add_up = add_up
        self._is_adding = False
        self._again = False

    @cached_property
    def lines(self) -> TotalsLines:
        """Where they are shown, made when there is something to show."""
        from opdash.tui.widgets.filter_line import TotalsLines

        return TotalsLines()

    def turn(self) -> None:
        """Show them, or show them no more."""
        self.is_on = not self.is_on
        self.lines.show(None, "")
        self.update()

    def show(self, *, filtered: bool) -> None:
        """Make room for them, unless a filter has totals of its own."""
        if self.is_on or "lines" in vars(self):
            self.lines.display = self.is_on and not filtered

    def update(self) -> None:
        """Add up anew, because the ledger has changed."""
        if self.is_on and self._is_adding:
            self._again = True
        elif self.is_on:
            self._is_adding = True
            self._run(self._add, "totals")

    async def _add(self) -> None:
        try:
            totals = await self._add_up()
        finally:
            self._is_adding = False
        if totals is not None:
            known = self._figures.known
            of = f"all {known:,}" if self._figures.complete else f"of the {known:,} known"
            self.lines.show(totals, of)
        if self._again:
            self._again = False
            self.update()
