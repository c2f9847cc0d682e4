"""What Open Payments servers answer, as immutable typed records.

Unknown fields are ignored and optional fields are optional (specification 1.1.0 and 1.3.0); both
the older documents' fields and today's are known. `opdash.openpayments.answers` decodes them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.secrets import Secret

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware instant; servers write UTC, other offsets are accepted."""

_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


class WalletAddress(msgspec.Struct, frozen=True, rename="camel"):
    """A wallet address's public description (schema ``wallet-address``).

    Attributes:
        id: The address to use from here on.
        asset_code: The code of the asset it holds, as sent.
        asset_scale: Decimal places of that asset.
        auth_server: Where grants are asked for, exactly as given.
        resource_server: Where payments live, exactly as given.
        public_name: The name the holder shows, as sent.
    """

    id: str
    asset_code: str
    asset_scale: Annotated[int, msgspec.Meta(ge=0, le=255)]
    auth_server: str
    resource_server: str
    public_name: str | None = None

    @property
    def asset(self) -> Asset:
        """The asset that the wallet address holds."""
        return Asset(self.asset_code, self.asset_scale)


class Jwk(msgspec.Struct, frozen=True):
    """A public key as a wallet address serves it (RFC 7517, RFC 8037)."""

    kid: str
    x: str = ""
    alg: str = ""
    kty: str = ""
    crv: str = ""
    use: str | None = None


class Jwks(msgspec.Struct, frozen=True):
    """The keys of a wallet address; kinds other than Ed25519 are left in place."""

    keys: tuple[Jwk, ...]


class PaymentMethod(msgspec.Struct, frozen=True, rename="camel"):
    """A way to pay an incoming payment; of kinds other than ``ilp`` only the name is kept."""

    type: str
    ilp_address: str | None = None
    shared_secret: Secret | None = None


class IncomingPayment(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An incoming payment as its account holder sees it (schema ``incoming-payment``).

    Attributes:
        id: Its URL, the only key there is.
        wallet_address: The wallet address that receives.
        completed: Whether it is closed for good.
        received_amount: What has arrived so far.
        created_at: When the server created it.
        incoming_amount: What was asked for, or None.
        expires_at: When it stops taking money, or None.
        updated_at: Sent by older servers only.
        raw_metadata: The ``metadata`` object as the JSON text that was sent; empty when absent.
        methods: How to pay it; only on create and on a get by its client.
    """

    id: str
    wallet_address: str
    completed: bool
    received_amount: Amount
    created_at: Instant
    incoming_amount: Amount | None = None
    expires_at: Instant | None = None
    updated_at: Instant | None = None
    raw_metadata: msgspec.Raw = msgspec.field(name="metadata", default=msgspec.Raw())
    methods: tuple[PaymentMethod, ...] | None = None

    @property
    def metadata_json(self) -> str:
        """The metadata object's JSON as sent, or an empty string."""
        return _raw_object(self.raw_metadata)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata object, empty when absent; its texts are remote."""
        return decode_metadata(self.metadata_json)


class PublicIncomingPayment(msgspec.Struct, frozen=True, rename="camel"):
    """What anyone may read of an incoming payment (schema ``public-incoming-payment``)."""

    auth_server: str
    received_amount: Amount | None = None


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    """Where a page lies in its list; cursors are opaque."""

    start_cursor: str | None = None
    end_cursor: str | None = None
    has_next_page: bool = False
    has_previous_page: bool = False


class IncomingPaymentPage(msgspec.Struct, frozen=True):
    """One page of a wallet address's incoming payments, in the server's order."""

    pagination: Pagination = Pagination()
    result: tuple[IncomingPayment, ...] = ()


class OutgoingPayment(msgspec.Struct, frozen=True, rename="camel"):
    """An outgoing payment (schema ``outgoing-payment``).

    Attributes:
        receiver: The URL of the incoming payment that it pays.
        debit_amount: What leaves the sender's account, fees included.
        receive_amount: What the receiver is to get.
        sent_amount: What has been sent so far.
        failed: Whether the server gave up; there is no "done" field.
        raw_metadata: The ``metadata`` object as the JSON text that was sent.
    """

    id: str
    wallet_address: str
    receiver: str
    receive_amount: Amount
    debit_amount: Amount
    sent_amount: Amount
    created_at: Instant
    quote_id: str | None = None
    failed: bool = False
    updated_at: Instant | None = None
    grant_spent_debit_amount: Amount | None = None
    grant_spent_receive_amount: Amount | None = None
    raw_metadata: msgspec.Raw = msgspec.field(name="metadata", default=msgspec.Raw())

    @property
    def metadata_json(self) -> str:
        """The metadata object's JSON as sent, or an empty string."""
        return _raw_object(self.raw_metadata)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata object, empty when absent; its texts are remote."""
        return decode_metadata(self.metadata_json)


class OutgoingPaymentPage(msgspec.Struct, frozen=True):
    """One page of a wallet address's outgoing payments, in the server's order."""

    pagination: Pagination = Pagination()
    result: tuple[OutgoingPayment, ...] = ()


def decode_metadata(text: str) -> dict[str, Any]:
    """Decode a metadata object's JSON text; an empty text is an empty object.

    A number with a fraction or an exponent comes back as an exact `Decimal`; numbers beyond all
    measure as their text.

    Raises:
        ProtocolError: The text is no JSON object, or nested too deeply.
    """
    if not text:
        return {}
    try:
        return _METADATA.decode(text)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        pass
    import json

    from opdash.openpayments.decoding import broken

    try:
        metadata = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise broken("metadata", "It is no JSON that can be read.") from error
    if not isinstance(metadata, dict):
        raise broken("metadata", "It is not an object.")
    return metadata


def utc(instant: datetime) -> datetime:
    """Return an aware instant in UTC; the calendar's first or last one where it ends."""
    if instant.tzinfo is UTC:
        return instant
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _FIRST_INSTANT if instant.year == 1 else _LAST_INSTANT


def _raw_object(raw: msgspec.Raw) -> str:
    text = bytes(raw)
    return "" if text == b"null" else text.decode()


_METADATA = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
