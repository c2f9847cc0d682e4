"""The inputs of the till, in which a barcode scanner may type without a pause."""

from __future__ import annotations

from textual.widgets import Input

from opdash.openpayments.amounts import Asset, format_minor
from opdash.tui.widgets.amount_input import AmountInput


class TillInput(Input):
    """An input whose Enter has done its work before the next key arrives.

    Textual's own tells of it by a message; a scanner's next letters would overtake that.
    """

    async def action_submit(self) -> None:
        """Go on."""
        await self.run_action("screen.go_on")


class TillAmount(AmountInput, TillInput):
    """The amount of a sale, which is never open."""

    def __init__(self, asset: Asset) -> None:
        super().__init__(asset)
        example = format_minor(1250 * 10 ** max(asset.scale - 2, 0), asset.scale)
        self.placeholder = f"e.g. {example[:24]}"
