"""The resource server: incoming payments, and outgoing payments to read."""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from opdash.openpayments.canonical import reserialised
from opdash.sandbox.access import AccessControl, Right
from opdash.sandbox.bodies import Bodies, IncomingPaymentBody, PageBody, PaginationBody, pagination
from opdash.sandbox.checks import (
    check_create_body,
    check_signature_headers,
    read_instant,
    read_list_query,
)
from opdash.sandbox.errors import InvalidRequestError, Refusal, plain_error, resource_error
from opdash.sandbox.exchange import Exchange, Handler, endpoint, json_answer
from opdash.sandbox.payments import (
    MAX_LIFE,
    MAX_STORED,
    IncomingPayments,
    IncomingRow,
    PageRequest,
    is_uuid,
)
from opdash.sandbox.simulation import Simulation
from opdash.sandbox.transfers import OutgoingRow, Transfers
from opdash.sandbox.wallets import Wallet, WalletDirectory

_DEFAULT_SIZE = 20
_MAX_DIGITS = 400


class ResourceServer:
    """Answers requests below the resource server's URL."""

    def __init__(
        self,
        tenant: str,
        wallets: WalletDirectory,
        payments: IncomingPayments,
        transfers: Transfers,
        access: AccessControl,
        bodies: Bodies,
        simulation: Simulation,
    ) -> None:
        self._tenant = tenant
        self._wallets = wallets
        self._payments = payments
        self._transfers = transfers
        self._access = access
        self._bodies = bodies
        self._simulation = simulation

    def routes(self) -> list[Route]:
        """Return the routes; the first step of each path is the tenant."""

        def route(path: str, method: str, handler: Handler) -> Route:
            return Route("/{tenant}" + path, endpoint(_validated(handler)), methods=[method])

        one_incoming = "/incoming-payments/{id}"
        return [
            route("/incoming-payments", "GET", self.list_incoming),
            route("/incoming-payments", "POST", self.create_incoming),
            route(one_incoming, "GET", self.get_incoming),
            route(f"{one_incoming}/complete", "POST", self.complete_incoming),
            route("/outgoing-payments", "GET", self.list_outgoing),
            route("/outgoing-payments/{id}", "GET", self.get_outgoing),
        ]

    async def list_incoming(self, exchange: Exchange) -> Response:
        """List a wallet address's incoming payments."""
        query = self._read_list(exchange)
        address = query["wallet-address"]
        caller = await self._access.check(exchange, Right("incoming-payment", "list", address))
        wallet = self._known_wallet(address)
        place = _read_place(query)
        now = self._simulation.now()
        if not self._is_own_tenant(exchange):
            return json_answer(PageBody(pagination=PaginationBody(), result=[]))
        page = self._payments.page(wallet.path, caller.only, now, place)
        ids = [row.id for row in page.rows]
        where = pagination(ids, has_next=page.has_next, has_previous=page.has_previous)
        rows = [self._bodies.incoming(row, wallet.asset) for row in page.rows]
        return json_answer(PageBody(pagination=where, result=rows))

    async def create_incoming(self, exchange: Exchange) -> Response:
        """Create an incoming payment."""
        body = exchange.json_body()
        check_create_body(body)
        check_signature_headers(exchange.headers)
        address = body["walletAddress"]
        caller = await self._access.check(exchange, Right("incoming-payment", "create", address))
        wallet = self._known_wallet(address)
        now = self._simulation.now()
        asked = _read_amount(body.get("incomingAmount"))
        expires = _read_expiry(body.get("expiresAt"), now)
        if asked is not None and asked <= 0:
            raise resource_error(400, "invalid amount")
        if not self._is_own_tenant(exchange):
            raise resource_error(404, "unknown wallet address")
        if asked is not None and not _is_in_asset(body["incomingAmount"], wallet):
            raise resource_error(400, "invalid amount")
        if asked is not None and asked > MAX_STORED:
            raise plain_error(500)
        row = IncomingRow(
            id=str(uuid.uuid4()),
            wallet=wallet.path,
            client=caller.client,
            asked=asked,
            received=0,
            completed=False,
            metadata=_stored_metadata(body["metadata"]) if "metadata" in body else None,
            created=now,
            expires=expires,
        )
        self._payments.add(row)
        self._simulation.payment_created(row, wallet)
        return json_answer(self._shown(row, methods=True), 201)

    async def get_incoming(self, exchange: Exchange) -> Response:
        """Read an incoming payment; without a token only what is public."""
        row = self._named_payment(exchange)
        if "authorization" not in exchange.headers:
            return json_answer(self._bodies.public(row, self._wallet_of(row).asset))
        caller = await self._check(exchange, row, "read")
        if caller is not None and row.client != caller:
            raise resource_error(404, "Incoming payment does not exist", {"id": row.id})
        return json_answer(self._shown(row, methods=True))

    async def complete_incoming(self, exchange: Exchange) -> Response:
        """Close an incoming payment for good, whoever created it."""
        check_signature_headers(exchange.headers)
        row = self._named_payment(exchange)
        await self._check(exchange, row, "complete")
        completed = self._payments.complete(row.id, self._simulation.now())
        if completed is None:
            raise resource_error(409, "wrong state")
        return json_answer(self._shown(completed))

    async def list_outgoing(self, exchange: Exchange) -> Response:
        """List a wallet address's outgoing payments."""
        query = self._read_list(exchange)
        address = query["wallet-address"]
        caller = await self._access.check(exchange, Right("outgoing-payment", "list", address))
        wallet = self._known_wallet(address)
        place = _read_place(query)
        rows, has_next, has_previous = self._transfers.page(
            wallet.path, caller.only, place.size, place.cursor, place.backwards
        )
        ids = [row.id for row in rows]
        where = pagination(ids, has_next=has_next, has_previous=has_previous)
        shown = [self._bodies.outgoing(row, wallet.asset) for row in rows]
        return json_answer(PageBody(pagination=where, result=shown))

    async def get_outgoing(self, exchange: Exchange) -> Response:
        """Read an outgoing payment."""
        check_signature_headers(exchange.headers)
        identifier = _payment_id(exchange)
        row = self._transfers.get(identifier) if self._is_own_tenant(exchange) else None
        if row is None:
            raise _unknown("outgoing", identifier)
        caller = await self._access.check(
            exchange, Right("outgoing-payment", "read", self._wallets.url(row.wallet))
        )
        if caller.only is not None and caller.only != row.client:
            raise resource_error(404, "Outgoing payment does not exist", {"id": row.id})
        return json_answer(self._bodies.outgoing(row, self._wallet_of(row).asset))

    async def _check(self, exchange: Exchange, row: IncomingRow, action: str) -> str | None:
        right = Right("incoming-payment", action, self._wallets.url(row.wallet))
        return (await self._access.check(exchange, right)).only

    def _read_list(self, exchange: Exchange) -> dict[str, Any]:
        check_signature_headers(exchange.headers)
        return read_list_query(exchange.query)

    def _named_payment(self, exchange: Exchange) -> IncomingRow:
        identifier = _payment_id(exchange)
        known = self._is_own_tenant(exchange)
        row = self._payments.get(identifier, self._simulation.now()) if known else None
        if row is None:
            raise _unknown("incoming", identifier)
        return row

    def _is_own_tenant(self, exchange: Exchange) -> bool:
        return exchange.parameters["tenant"] == self._tenant

    def _known_wallet(self, address: str) -> Wallet:
        wallet = self._wallets.by_url(address)
        if wallet is None:
            raise resource_error(400, "Could not get wallet address")
        return wallet

    def _wallet_of(self, row: IncomingRow | OutgoingRow) -> Wallet:
        wallet = self._wallets.by_url(self._wallets.url(row.wallet))
        if wallet is None:
            raise resource_error(400, "Could not get wallet address")
        return wallet

    def _shown(self, row: IncomingRow, *, methods: bool = False) -> IncomingPaymentBody:
        asset = self._wallet_of(row).asset
        return self._bodies.incoming(row, asset, methods=methods, now=self._simulation.now())


def _validated(handler: Handler) -> Handler:
    """Wrap a handler with what comes before it, and spell its schema faults."""

    async def call(exchange: Exchange) -> Response:
        if not is_uuid(exchange.parameters["tenant"]):
            raise plain_error(404)
        try:
            exchange.check_accepts_json()
            return await handler(exchange)
        except InvalidRequestError as error:
            raise resource_error(error.status, error.message) from None

    return call


def _read_place(query: dict[str, Any]) -> PageRequest:
    details = {"queryParams": query}
    if "last" in query and "first" in query:
        raise resource_error(400, "first and last are mutually exclusive", details)
    cursor = query.get("cursor")
    if "last" in query and cursor is None:
        raise resource_error(400, "last requires cursor", details)
    if cursor is not None and not is_uuid(cursor):
        raise plain_error(500)
    size = query.get("last") or query.get("first") or _DEFAULT_SIZE
    return PageRequest(size, cursor, backwards="last" in query)


def _payment_id(exchange: Exchange) -> str:
    identifier = exchange.parameters["id"]
    if not is_uuid(identifier):
        raise plain_error(500)
    return identifier


def _unknown(kind: str, identifier: str) -> Refusal:
    why = f"Failed to get wallet address from {kind} payment"
    return resource_error(401, "Unauthorized", {"description": why, "id": identifier})


def _read_amount(amount: dict[str, Any] | None) -> int | None:
    if amount is None:
        return None
    if len(amount["value"]) > _MAX_DIGITS:
        raise plain_error(500)
    return int(amount["value"])


def _is_in_asset(amount: dict[str, Any], wallet: Wallet) -> bool:
    given = (amount["assetCode"], amount["assetScale"])
    return given == (wallet.asset.code, wallet.asset.scale)


def _read_expiry(text: str | None, now: int) -> int:
    if text is None:
        return now + MAX_LIFE
    instant = read_instant(text)
    if instant is None or not now < instant <= now + MAX_LIFE:
        raise resource_error(400, "invalid expiresAt")
    return instant


def _stored_metadata(metadata: dict[str, Any]) -> str:
    """Return metadata as the server's database gives it back: keys by length, then by letters."""
    written = reserialised(json.dumps(_sorted(metadata), ensure_ascii=False).encode())
    if written is None:
        raise plain_error(500)
    return written.decode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {_storable(key): _sorted(value[key]) for key in keys}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> str:
    """Refuse what the server's database cannot hold."""
    if "\0" in text:
        raise plain_error(500)
    return text
