"""Who signs a request: the keys that a client's wallet address serves.

A client wallet address on the sandbox itself is looked up at once. One elsewhere on this machine is
asked over HTTP, each time, as the real servers do. Addresses beyond this machine are never asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.keys import public_key_from_jwk
from opdash.openpayments.resources import Jwk
from opdash.sandbox.outages import Outages, Part
from opdash.sandbox.wallets import WalletDirectory

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 3.0
_MAX_ANSWER = 64 * 1024


class ClientUnreachableError(Exception):
    """A client wallet address does not answer as one."""


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The keys that a client wallet address serves.

    Attributes:
        as_sent: The JWKs as served, to be quoted in errors.
        find: Finds one as a public key by its id.
    """

    as_sent: list[Any]
    find: Callable[[str], Ed25519PublicKey | None]

    def has(self, key_id: str) -> bool:
        """Return whether a key of that id is served."""
        return any(isinstance(key, dict) and key.get("kid") == key_id for key in self.as_sent)


class Clients:
    """Finds clients' keys and names."""

    def __init__(self, wallets: WalletDirectory, outages: Outages) -> None:
        self._wallets = wallets
        self._outages = outages
        self._local: dict[str, ClientKeys] = {}
        self._http: httpx.AsyncClient | None = None

    async def keys(self, client: str) -> ClientKeys:
        """Return the keys of a client.

        Args:
            client: Its wallet address, or the path of one of the sandbox's own.

        Raises:
            ClientUnreachableError: The wallet address does not answer, or not with keys.
        """
        url = self._wallets.url(client)
        if self._wallets.is_local(url) and self._outages.is_down(Part.WALLET_ADDRESS):
            raise ClientUnreachableError(url)
        known = self._local.get(client)
        if known is not None:
            return known
        if self._wallets.is_local(url):
            wallet = self._wallets.by_url(url)
            if wallet is None:
                raise ClientUnreachableError(url)
            keys = _read_keys(dict(self._wallets.jwks(wallet)))
            self._local[client] = keys
            return keys
        return _read_keys(await self._fetch(f"{url}/jwks.json"))

    def url(self, client: str) -> str:
        """Return a client's wallet address."""
        return self._wallets.url(client)

    def forget(self, client: str) -> None:
        """Look a client of the sandbox's own up anew when it is met again."""
        self._local.pop(client, None)

    async def public_name(self, client: str) -> str | None:
        """Return the name that a client's wallet address shows, or None."""
        url = self._wallets.url(client)
        if self._wallets.is_local(url):
            wallet = self._wallets.by_url(url)
            return wallet.public_name if wallet is not None else None
        try:
            name = (await self._fetch(url)).get("publicName")
        except ClientUnreachableError:
            return None
        return name if isinstance(name, str) and name else None

    async def close(self) -> None:
        """Close the connections to other servers."""
        if self._http is not None:
            await self._http.aclose()

    async def _fetch(self, url: str) -> dict[str, Any]:
        if not _is_on_this_machine(url):
            raise ClientUnreachableError(url)
        import httpx

        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=_TIMEOUT, trust_env=False, headers={"Accept": "application/json"}
            )
        body = bytearray()
        try:
            async with self._http.stream("GET", url) as answer:
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MAX_ANSWER:
                        raise ClientUnreachableError(url)
        except httpx.HTTPError as error:
            raise ClientUnreachableError(url) from error
        if answer.status_code != 200:
            raise ClientUnreachableError(url)
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ClientUnreachableError(url) from error


def _read_keys(jwks: dict[str, Any]) -> ClientKeys:
    served = jwks.get("keys")
    if not isinstance(served, list):
        raise ClientUnreachableError("keys")
    usable: dict[str, Ed25519PublicKey] = {}
    for given in served:
        try:
            key = msgspec.convert(given, Jwk)
            usable.setdefault(key.kid, public_key_from_jwk(key))
        except (msgspec.ValidationError, ProtocolError):
            continue
    return ClientKeys(served, usable.get)


def _is_on_this_machine(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or parts.username is not None:
            return False
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
