"""An incoming payment as it is asked for: the body of the request that creates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opdash.openpayments.amounts import MAX_CREATE_VALUE, Amount, AmountError
from opdash.openpayments.canonical import canonical_json
from opdash.openpayments.resources import WalletAddress, utc


@dataclass(frozen=True, slots=True)
class IncomingPaymentDraft:
    """What is sent to create an incoming payment.

    Attributes:
        amount: What is asked for, in the wallet address's asset; None to leave it open.
        expires_at: An aware instant; None for the server's own limit.
        metadata: A JSON object; empty to send none.
    """

    amount: Amount | None = None
    expires_at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)

    def as_object(self, wallet: WalletAddress) -> dict[str, object]:
        """Return the request's JSON object, its members in the order in which they are sent."""
        body: dict[str, object] = {"walletAddress": wallet.id}
        if self.amount is not None:
            body["incomingAmount"] = {
                "value": self.amount.value,
                "assetCode": self.amount.asset_code,
                "assetScale": self.amount.asset_scale,
            }
        if self.expires_at is not None:
            body["expiresAt"] = wire_instant(self.expires_at)
        if self.metadata:
            body["metadata"] = self.metadata
        return body

    def body(self, wallet: WalletAddress) -> bytes:
        """Return the request's body, byte for byte as it is sent.

        Raises:
            AmountError: The amount is not in the wallet address's asset, zero or too large.
            MetadataError: The metadata has no spelling that a server can verify.
        """
        if self.amount is not None:
            _check_amount(self.amount, wallet)
        return canonical_json(self.as_object(wallet))


def wire_instant(instant: datetime) -> str:
    """Write an aware instant as servers do: UTC, milliseconds, ``Z``."""
    return utc(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _check_amount(amount: Amount, wallet: WalletAddress) -> None:
    if amount.asset != wallet.asset:
        raise AmountError("The amount is in another asset than the wallet address.")
    if not 1 <= amount.minor_units <= MAX_CREATE_VALUE:
        raise AmountError(
            "The amount must be greater than zero and at most 2^63−1 minor units.",
            "Leave it empty to let the payer choose.",
        )
