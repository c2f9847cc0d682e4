"""What the resource server answers, as JSON objects with the fields that the real one sends."""

from __future__ import annotations

import secrets

import msgspec
from msgspec import UNSET, UnsetType

from opdash.openpayments.amounts import Amount, Asset
from opdash.sandbox.clock import iso_instant
from opdash.sandbox.payments import IncomingRow
from opdash.sandbox.transfers import OutgoingRow
from opdash.sandbox.wallets import Wallet, WalletDirectory

_ILP_PREFIX = "test.opdash-sandbox."


class MethodBody(msgspec.Struct, rename="camel", kw_only=True):
    """A way to pay an incoming payment."""

    type: str = "ilp"
    ilp_address: str
    shared_secret: str


class IncomingPaymentBody(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """An incoming payment."""

    id: str
    wallet_address: str
    incoming_amount: Amount | UnsetType = UNSET
    received_amount: Amount
    completed: bool
    metadata: msgspec.Raw | UnsetType = UNSET
    created_at: str
    expires_at: str
    methods: list[MethodBody] | UnsetType = UNSET


class PublicPaymentBody(msgspec.Struct, rename="camel", kw_only=True):
    """What anybody may read of an incoming payment."""

    received_amount: Amount
    auth_server: str


class OutgoingPaymentBody(msgspec.Struct, rename="camel", kw_only=True):
    """An outgoing payment."""

    id: str
    wallet_address: str
    quote_id: str
    receive_amount: Amount
    debit_amount: Amount
    sent_amount: Amount
    receiver: str
    failed: bool
    metadata: msgspec.Raw | UnsetType = UNSET
    created_at: str


class PaginationBody(msgspec.Struct, rename="camel", kw_only=True):
    """Where a page lies; an empty page has no cursors."""

    end_cursor: str | UnsetType = UNSET
    has_next_page: bool = False
    has_previous_page: bool = False
    start_cursor: str | UnsetType = UNSET


class PageBody(msgspec.Struct, kw_only=True):
    """A page of a list."""

    pagination: PaginationBody
    result: list[IncomingPaymentBody] | list[OutgoingPaymentBody]


class Bodies:
    """Makes bodies whose URLs lie on this server.

    Args:
        wallets: The wallet addresses.
        tenant: The tenant's id, the first step of the resource server's path.
    """

    def __init__(self, wallets: WalletDirectory, tenant: str) -> None:
        self._wallets = wallets
        self.resource_server = f"{wallets.base_url}/{tenant}"
        self.auth_origin = f"{wallets.base_url}/auth"
        self.auth_server = f"{self.auth_origin}/{tenant}"

    def wallet(self, wallet: Wallet) -> dict[str, object]:
        """Return a wallet address's description."""
        name = {} if wallet.public_name is None else {"publicName": wallet.public_name}
        return {
            "id": self._wallets.url(wallet.path),
            **name,
            "assetCode": wallet.asset.code,
            "assetScale": wallet.asset.scale,
            "authServer": self.auth_server,
            "resourceServer": self.resource_server,
        }

    def incoming_url(self, payment_id: str) -> str:
        """Return the URL of an incoming payment."""
        return f"{self.resource_server}/incoming-payments/{payment_id}"

    def outgoing_url(self, payment_id: str) -> str:
        """Return the URL of an outgoing payment."""
        return f"{self.resource_server}/outgoing-payments/{payment_id}"

    def incoming(
        self, row: IncomingRow, asset: Asset, *, methods: bool = False, now: int = 0
    ) -> IncomingPaymentBody:
        """Return an incoming payment.

        Args:
            row: The payment.
            asset: Its wallet address's asset.
            methods: Whether the ways to pay it are told; none are once it is closed or expired.
            now: The current instant in microseconds, where ``methods`` are told.
        """
        body = IncomingPaymentBody(
            id=self.incoming_url(row.id),
            wallet_address=self._wallets.url(row.wallet),
            received_amount=Amount(str(row.received), asset.code, asset.scale),
            completed=row.completed,
            created_at=iso_instant(row.created),
            expires_at=iso_instant(row.expires),
        )
        if row.asked is not None:
            body.incoming_amount = Amount(str(row.asked), asset.code, asset.scale)
        if row.metadata is not None:
            body.metadata = msgspec.Raw(row.metadata)
        if methods:
            body.methods = [_new_method()] if row.is_open(now) else []
        return body

    def public(self, row: IncomingRow, asset: Asset) -> PublicPaymentBody:
        """Return what anybody may read of an incoming payment."""
        received = Amount(str(row.received), asset.code, asset.scale)
        return PublicPaymentBody(received_amount=received, auth_server=self.auth_server)

    def outgoing(self, row: OutgoingRow, asset: Asset) -> OutgoingPaymentBody:
        """Return an outgoing payment; the asset is its sender's."""
        body = OutgoingPaymentBody(
            id=self.outgoing_url(row.id),
            wallet_address=self._wallets.url(row.wallet),
            quote_id=f"{self.resource_server}/quotes/{row.id}",
            receive_amount=Amount.of(row.receive, row.receive_asset),
            debit_amount=Amount.of(row.debit, asset),
            sent_amount=Amount.of(row.sent, asset),
            receiver=self.incoming_url(row.receiver),
            failed=row.failed,
            created_at=iso_instant(row.created),
        )
        if row.metadata is not None:
            body.metadata = msgspec.Raw(row.metadata)
        return body


def pagination(ids: list[str], *, has_next: bool, has_previous: bool) -> PaginationBody:
    """Return where a page of these ids lies; an empty one lies nowhere."""
    if not ids:
        return PaginationBody()
    return PaginationBody(
        start_cursor=ids[0],
        end_cursor=ids[-1],
        has_next_page=has_next,
        has_previous_page=has_previous,
    )


def _new_method() -> MethodBody:
    return MethodBody(
        ilp_address=_ILP_PREFIX + secrets.token_urlsafe(71), shared_secret=secrets.token_urlsafe(32)
    )
