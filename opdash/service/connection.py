"""What a session needs to talk to its server: client, wallet address, tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from opdash.clock import Clock
from opdash.errors import ConfigError
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.consent import ConsentDesk, Right
from opdash.service.late_imports import LateImports, NetworkModules
from opdash.service.tokens import TokenKeeper
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.transport import Observer

_T = TypeVar("_T")


class Connection:
    """One profile's way to its servers, built when first used."""

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        desk: ConsentDesk,
        imports: LateImports,
        observer: Observer | None = None,
    ) -> None:
        self._profile = profile
        self._clock = clock
        self._desk = desk
        self._imports = imports
        self._observer = observer
        self._lock = asyncio.Lock()
        self._client: OpenPaymentsClient | None = None
        self._wallet: WalletAddress | None = None
        self._tokens: TokenKeeper | None = None

    @property
    def server_offset(self) -> timedelta:
        """The server's clock less this machine's, as far as known."""
        return timedelta(0) if self._client is None else self._client.server_offset

    @property
    def known_wallet(self) -> WalletAddress | None:
        """The wallet address, once its server has described it in this run."""
        return self._wallet

    async def client(self) -> OpenPaymentsClient:
        """Return the client, reading the key and importing the network first.

        Raises:
            KeyFileError: The profile's key cannot be used.
        """
        async with self._lock:
            return await self._built()

    async def wallet(self) -> WalletAddress:
        """Return the wallet address as its server describes it, asked once in a run.

        Raises:
            OpenPaymentsError: It cannot be had.
        """
        async with self._lock:
            if self._wallet is None:
                client = await self._built()
                self._wallet = await client.wallet_address(self._profile.wallet_address)
            return self._wallet

    async def tokens(self) -> TokenKeeper:
        """Return the keeper of this wallet address's grants."""
        wallet = await self.wallet()
        client = await self.client()
        if self._tokens is None:
            self._tokens = TokenKeeper(client, wallet, self._profile.scope, self._clock, self._desk)
        return self._tokens

    async def authorised(
        self,
        right: Right,
        request: Callable[[OpenPaymentsClient, WalletAddress, Secret], Awaitable[_T]],
    ) -> _T:
        """Make a request that needs a right.

        Raises:
            OpenPaymentsError: The grant or the request failed.
        """
        client, wallet, tokens = await self.client(), await self.wallet(), await self.tokens()
        return await tokens.call(right, lambda token: request(client, wallet, token))

    def holds(self, right: Right) -> bool:
        """Return whether a grant of this kind is held already."""
        return self._tokens is not None and self._tokens.current(right) is not None

    def abandon_consent(self) -> None:
        """Stop waiting for the account holder's consent."""
        if self._tokens is not None:
            self._tokens.abandon_consent()

    async def close(self) -> None:
        """Close the connections to the server."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _built(self) -> OpenPaymentsClient:
        if self._client is None:
            modules = await self._imports.modules()
            self._client = await asyncio.to_thread(self._build, modules)
        return self._client

    def _build(self, modules: NetworkModules) -> OpenPaymentsClient:
        profile = self._profile
        if profile.key_file is None:
            raise ConfigError(
                f"The wallet “{profile.name}” has no key.",
                "Make one with `opdash key new`, register it, and add it to the wallet.",
            )
        key = modules.keyfiles.read_key(profile.key_file, profile.key_id)
        built: OpenPaymentsClient = modules.client.OpenPaymentsClient(
            key=key,
            client_wallet_address=profile.client_wallet_address or profile.wallet_address,
            clock=self._clock,
            ca_file=profile.ca_file,
            observer=self._observer,
        )
        return built
