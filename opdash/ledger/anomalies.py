"""What a server must not do, found by comparing two representations of one payment."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from opdash.ledger.records import Anomaly, PaymentRow
from opdash.openpayments.addresses import AddressError, origin
from opdash.openpayments.amounts import Asset
from opdash.openpayments.resources import IncomingPayment


class Expected(msgspec.Struct, frozen=True):
    """What was asked for when a payment was answered.

    Attributes:
        address: The wallet address whose payments were asked for.
        resource_origin: The origin of its resource server, the port written out.
        prefixes: How URLs of that origin usually begin.
    """

    address: str
    resource_origin: str
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, address: str, resource_server: str) -> Expected:
        """Return what to expect of a wallet address; an unusable server is never met."""
        try:
            resource_origin = origin(resource_server)
        except AddressError:
            return cls(address, "")
        default_port = ":443" if resource_origin.startswith("https:") else ":80"
        short = resource_origin.removesuffix(default_port)
        return cls(address, resource_origin, (f"{short}/", f"{resource_origin}/"))


def find_anomalies(
    previous: PaymentRow | None, payment: IncomingPayment, expected: Expected
) -> Iterator[Anomaly]:
    """Yield every anomaly that this representation shows, known ones too.

    Args:
        previous: What was known before; None when the payment is new.
        payment: What the server answered now.
        expected: What was asked for.
    """
    if payment.wallet_address.rstrip("/") != expected.address.rstrip("/"):
        yield Anomaly.OTHER_WALLET
    if not _is_expected(payment.id, expected):
        yield Anomaly.OTHER_ORIGIN
    asked = payment.incoming_amount
    if asked is not None:
        if asked.minor_units == 0:
            yield Anomaly.ASKED_ZERO
        if asked.asset != payment.received_amount.asset:
            yield Anomaly.ASSETS_DIFFER
    if previous is not None:
        yield from _changes(previous, payment)


def _changes(previous: PaymentRow, payment: IncomingPayment) -> Iterator[Anomaly]:
    asked = payment.incoming_amount
    asked_asset: Asset | None = None if asked is None else asked.asset
    if previous.completed and not payment.completed:
        yield Anomaly.REOPENED
    if previous.asked != (None if asked is None else asked.minor_units):
        yield Anomaly.ASKED_CHANGED
    if payment.received_amount.asset != previous.received_asset or (
        asked_asset is not None
        and previous.asked_asset is not None
        and asked_asset != previous.asked_asset
    ):
        yield Anomaly.ASSET_CHANGED
    elif payment.received_amount.minor_units < previous.received:
        yield Anomaly.RECEIVED_FELL


def _is_expected(url: str, expected: Expected) -> bool:
    if url.startswith(expected.prefixes):
        return True
    try:
        return origin(url) == expected.resource_origin
    except AddressError:
        return False
