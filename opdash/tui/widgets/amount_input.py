"""An input for an amount in one asset, read exactly."""

from __future__ import annotations

from textual.widgets import Input

from opdash.openpayments.amounts import (
    MAX_CREATE_VALUE,
    AmountError,
    Asset,
    format_minor,
    parse_minor,
)


def read_amount(text: str, scale: int) -> int | None:
    """Read the amount to ask for; an empty text leaves it open.

    Raises:
        AmountError: It is no amount in that scale, zero, negative or more than servers store.
    """
    if not text.strip():
        return None
    minor_units = parse_minor(text, scale, maximum=MAX_CREATE_VALUE)
    if minor_units == 0:
        raise AmountError(
            "The amount must be greater than zero.", "Leave it empty to let the payer choose."
        )
    return minor_units


class AmountInput(Input):
    """A one-line input for an amount.

    Attributes:
        asset: What the amount counts.
    """

    def __init__(self, asset: Asset, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        example = format_minor(1250 * 10 ** max(asset.scale - 2, 0), asset.scale)
        super().__init__(placeholder=f"open, or e.g. {example[:24]}", compact=True, id=id)
        self.asset = asset

    def read(self) -> int | None:
        """Return the minor units typed, or None for an open amount. Raises `AmountError`."""
        return read_amount(self.value, self.asset.scale)
