"""Who may do what: tokens, the rights they carry, and the signatures that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opdash.openpayments.signatures import SignatureError, SignatureFault, verify_request
from opdash.sandbox.checks import is_uri
from opdash.sandbox.clients import ClientKeys, Clients, ClientUnreachableError
from opdash.sandbox.clock import SandboxClock
from opdash.sandbox.errors import Refusal, grant_error, resource_error
from opdash.sandbox.exchange import Exchange
from opdash.sandbox.grants import GrantRow, Grants, GrantState
from opdash.sandbox.outages import Outages, Part
from opdash.sandbox.wallets import WalletDirectory

_UNSOUND = frozenset(
    {
        SignatureFault.NO_INPUT,
        SignatureFault.NO_SIGNATURE,
        SignatureFault.HEADERS,
        SignatureFault.DIGEST,
    }
)


@dataclass(frozen=True, slots=True)
class Right:
    """What a request at the resource server needs.

    Attributes:
        type: The kind of resource, such as ``incoming-payment``.
        action: What is done with it, such as ``list``.
        wallet: The URL of the wallet address, as the request names it.
    """

    type: str
    action: str
    wallet: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, after token and signature were checked.

    Attributes:
        client: The client, as `WalletDirectory.key_of` writes it.
        sees_all: Whether it may see what other clients created.
    """

    client: str
    sees_all: bool

    @property
    def only(self) -> str | None:
        """The client whose payments are seen; None when everybody's are."""
        return None if self.sees_all else self.client


class AccessControl:
    """Checks tokens and signatures for both servers.

    Args:
        wallets: The wallet addresses, to spell clients' URLs.
        grants: The grants and tokens.
        clients: Where clients' keys are found.
        clock: Tells when a token has expired.
        outages: While the authorization server is down, no token can be looked up.
        as_uri: What ``WWW-Authenticate`` names: the authorization server without its tenant.
    """

    def __init__(
        self,
        wallets: WalletDirectory,
        grants: Grants,
        clients: Clients,
        clock: SandboxClock,
        outages: Outages,
        as_uri: str,
    ) -> None:
        self._wallets = wallets
        self._grants = grants
        self._clients = clients
        self._clock = clock
        self._outages = outages
        self._challenge = f"GNAP as_uri={as_uri}"

    async def check(self, exchange: Exchange, right: Right) -> Caller:
        """Check a resource request's token, its rights and its signature, in this order.

        Raises:
            Refusal: One of them does not do.
        """
        grant, actions = self._introspect(exchange, right)
        await self._check_resource_signature(exchange, grant.client)
        return Caller(grant.client, f"{right.action}-all" in actions)

    async def check_grant_signature(
        self, exchange: Exchange, client: str | None, unknown: Refusal
    ) -> None:
        """Check the signature of a request to the authorization server.

        Args:
            exchange: The request.
            client: Who must have signed, or None when what the request names does not exist.
            unknown: What is answered in that case, once the headers were found sound.

        Raises:
            Refusal: The headers are unsound, the client or its key is not found, or the signature
                does not fit.
        """
        keys = None if client is None else await self._keys(client)
        fault = _find_fault(exchange, keys)
        if fault is None:
            return
        if fault.fault in _UNSOUND:
            raise grant_error(401, "invalid_client", "invalid signature headers")
        if fault.fault is SignatureFault.NO_KEY_ID:
            raise grant_error(401, "invalid_client", "invalid signature input")
        if client is None:
            raise unknown
        if keys is None or not keys.has(fault.key_id):
            raise grant_error(400, "invalid_client", "could not determine client")
        raise grant_error(401, "invalid_client", "invalid signature")

    def _introspect(self, exchange: Exchange, right: Right) -> tuple[GrantRow, list[str]]:
        scheme, _, value = exchange.headers.get("authorization", "").partition(" ")
        if scheme != "GNAP" or not value or " " in value:
            raise self._unauthorised(401, "Missing or invalid authorization header value")
        if not is_uri(right.wallet) or self._outages.is_down(Part.AUTHORIZATION):
            raise self._unauthorised(401, "Invalid Token")
        token = self._grants.token(value)
        grant = None if token is None else self._grants.get(token.grant_id)
        if (
            token is None
            or grant is None
            or token.is_expired(self._clock.now())
            or grant.state is GrantState.REVOKED
        ):
            raise self._unauthorised(403, "Inactive Token")
        actions = _granted(grant.access, right)
        if actions is None:
            raise self._unauthorised(403, "Insufficient Grant")
        return grant, actions

    async def _check_resource_signature(self, exchange: Exchange, client: str) -> None:
        keys = await self._keys(client)
        fault = _find_fault(exchange, keys)
        if fault is None:
            return
        shown = {"walletAddress": self._wallets.url(client)}
        if not fault.key_id:
            raise _signature_error("missing keyId in signature input", {"client": shown})
        details: dict[str, Any] = {"client": shown, "keyIdInSignature": fault.key_id}
        if keys is None:
            details["requestedRoute"] = f"{shown['walletAddress']}/jwks.json"
            raise _signature_error("could not retrieve client keys", details)
        if not keys.has(fault.key_id):
            details["clientKeys"] = keys.as_sent
            raise _signature_error("could not find key in list of client keys", details)
        raise _signature_error("provided signature is invalid", details)

    async def _keys(self, client: str) -> ClientKeys | None:
        try:
            return await self._clients.keys(client)
        except ClientUnreachableError:
            return None

    def _unauthorised(self, status: int, description: str) -> Refusal:
        return resource_error(status, description, authenticate=self._challenge)


def _find_fault(exchange: Exchange, keys: ClientKeys | None) -> SignatureError | None:
    """Return what is wrong with a signature; without keys, something always is."""
    find = keys.find if keys is not None else _find_none
    try:
        verify_request(find, exchange.method, exchange.url, exchange.headers, exchange.body or None)
    except SignatureError as error:
        return error
    return None


def _find_none(_: str) -> None:
    return None


def _granted(access: tuple[dict[str, Any], ...], right: Right) -> list[str] | None:
    for item in access:
        actions: list[str] = item["actions"]
        if (
            item["type"] == right.type
            and (right.action in actions or f"{right.action}-all" in actions)
            and item.get("identifier", right.wallet) == right.wallet
        ):
            return actions
    return None


def _signature_error(reason: str, details: Mapping[str, Any]) -> Refusal:
    return resource_error(401, f"Signature validation error: {reason}", details)
