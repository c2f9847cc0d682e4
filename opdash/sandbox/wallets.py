"""The wallet addresses that the sandbox serves, and the keys of the clients among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from opdash.openpayments.amounts import Asset

USD = Asset("USD", 2)
EUR = Asset("EUR", 2)
JPY = Asset("JPY", 0)
XRP = Asset("XRP", 9)

MAIN = "/rosa"
"""Where most of the seed lies, and all of the bulk data."""
CLIENT = "/opdash"
"""The client wallet address of the key that the sandbox hands out."""
OTHER_CLIENT = "/till"
"""A second client, whose payments the first one sees only with ``list-all``."""
SENDER = "/mateo"
"""Who pays."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet address.

    Attributes:
        path: Its path, such as ``/rosa``; the origin changes with the port.
        public_name: The name it shows; None shows none.
        asset: What it holds.
        active: Whether it is in use; a deactivated one answers as if it were unknown.
    """

    path: str
    public_name: str | None
    asset: Asset
    active: bool = True


RECEIVERS = (
    Wallet(MAIN, "Rosa's Shop", USD),
    Wallet("/atelier", "Atelier Lune", EUR),
    Wallet("/kissa", "喫茶ほし", JPY),
    Wallet("/nadia", "Nadia", XRP),
    Wallet("/new", "New Shop", USD),
)
"""Those that get paid; the last one has no payments."""

WALLETS = (
    *RECEIVERS,
    Wallet(SENDER, "Mateo", USD),
    Wallet(CLIENT, "opdash", USD),
    Wallet(OTHER_CLIENT, "Till", USD),
    Wallet("/nameless", None, USD),
    Wallet("/closed", "Closed Shop", USD, active=False),
)
"""All of them."""


class WalletDirectory:
    """Finds wallet addresses by URL or path, and the keys they serve.

    Args:
        base_url: The sandbox's origin, ``http://127.0.0.1:PORT``.
        wallets: The wallet addresses.
        keys: The public keys (as JWKs) by wallet address path.
    """

    def __init__(
        self,
        base_url: str,
        wallets: Iterable[Wallet],
        keys: Mapping[str, tuple[Mapping[str, str], ...]],
    ) -> None:
        self.base_url = base_url
        self._by_path = {wallet.path: wallet for wallet in wallets}
        self._keys = dict(keys)
        self._hidden_keys: dict[str, frozenset[str]] = {}

    def __iter__(self) -> Iterable[Wallet]:
        return iter(self._by_path.values())

    def url(self, path: str) -> str:
        """Return the URL of a wallet address or of a client that was stored by `key_of`."""
        return self.base_url + path if path.startswith("/") else path

    def key_of(self, url: str) -> str:
        """Return what a wallet address is stored under: its path if it is one of this server."""
        return url.removeprefix(self.base_url) if self.is_local(url) else url

    def is_local(self, url: str) -> bool:
        """Return whether a URL lies on this server."""
        return url.startswith(self.base_url + "/")

    def by_url(self, url: str) -> Wallet | None:
        """Return the active wallet address of exactly that URL."""
        wallet = self._by_path.get(url.removeprefix(self.base_url)) if self.is_local(url) else None
        return wallet if wallet is not None and wallet.active else None

    def by_typed_path(self, path: str) -> Wallet | None:
        """Return the active wallet address of a path, whatever its case."""
        wallet = self._by_path.get(path.lower())
        return wallet if wallet is not None and wallet.active else None

    def jwks(self, wallet: Wallet) -> dict[str, list[Mapping[str, str]]]:
        """Return the keys that a wallet address serves."""
        hidden = self._hidden_keys.get(wallet.path, frozenset())
        keys = self._keys.get(wallet.path, ())
        return {"keys": [key for key in keys if key["kid"] not in hidden]}

    def hide_keys(self, path: str, key_ids: Iterable[str]) -> None:
        """Let exactly these keys be missing from a wallet address's jwks."""
        self._hidden_keys[path] = frozenset(key_ids)

    def rename(self, path: str, public_name: str | None) -> None:
        """Give a wallet address another public name, or none."""
        self._by_path[path] = replace(self._by_path[path], public_name=public_name)
