"""What a session needs to talk to its server: client, wallet address, tokens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from opdash.clock import Clock
from opdash.errors import ConfigError, OpdashError
from opdash.ledger.records import Scope
from opdash.openpayments.errors import OpenPaymentsError
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.consent import ConsentDesk
from opdash.service.keyring import Keyring
from opdash.service.late_imports import LateImports, NetworkModules
from opdash.service.rights import Right
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.keys import ClientKey
    from opdash.openpayments.traces import Tracer
    from opdash.openpayments.transport import Observer
    from opdash.service.giving_back import GivenBack
    from opdash.service.held_grants import HeldGrant
    from opdash.service.token_shelf import TokenShelf
    from opdash.service.tokens import TokenKeeper

_T = TypeVar("_T")

TRUST = timedelta(hours=1)
"""How old a token may be that vouches for what the ledger remembers of its wallet address."""

_CONFIRM_AFTER = 1.0
"""Seconds from the first answer until the wallet address is asked whether all is as remembered."""

_CONFIRM_AGAIN = 60.0


class Connection:
    """One profile's way to its servers, built when first used.

    Args:
        profile: Whose.
        clock: The one clock.
        desk: Where the account holder is asked.
        imports: The modules that are imported late.
        observer: Is told of every exchange.
        tracer: Is handed what went over the wire, without secrets.
        shelf: Returns where the profile's grants lie; memory only unless given.
        remembered: Returns the wallet address as the ledger remembers it, or None.
        keyring: Reads the key; one of its own, that can ask nobody, unless given.
    """

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        desk: ConsentDesk,
        imports: LateImports,
        observer: Observer | None = None,
        *,
        tracer: Tracer | None = None,
        shelf: Callable[[], TokenShelf] | None = None,
        remembered: Callable[[], WalletAddress | None] = lambda: None,
        keyring: Keyring | None = None,
    ) -> None:
        self._profile = profile
        self._clock = clock
        self._desk = desk
        self._imports = imports
        self._keyring = keyring or Keyring(imports)
        self._observer = observer
        self._tracer = tracer
        self._make_shelf = shelf
        self._remembered = remembered
        self._lock = asyncio.Lock()
        self._client: OpenPaymentsClient | None = None
        self._wallet: WalletAddress | None = None
        self._shelf: TokenShelf | None = None
        self._tokens: TokenKeeper | None = None
        self._former: list[TokenKeeper] = []
        self._may_remember = True
        self._is_confirmed = True
        self._confirming: asyncio.Task[None] | None = None
        self._confirm_not_before = 0.0

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

        A kept token that is still good was given for the servers that the address named minutes
        ago; then those are used at once, and the address is asked a moment later.

        Raises:
            OpenPaymentsError: It cannot be had.
        """
        async with self._lock:
            if self._wallet is None:
                client = await self._built()
                self._wallet = self._vouched_for()
                self._is_confirmed = self._wallet is None
                if self._wallet is None:
                    self._wallet = await client.wallet_address(self._profile.wallet_address)
            return self._wallet

    async def tokens(self) -> TokenKeeper:
        """Return the keeper of this wallet address's grants."""
        from opdash.service.tokens import TokenKeeper

        wallet = await self.wallet()
        client = await self.client()
        if self._tokens is None:
            self._tokens = TokenKeeper(
                client,
                wallet,
                self._profile.scope,
                self._clock,
                self._desk,
                self.shelf,
                client_address=self._client_address,
                key_id=self._profile.key_id,
                read_only=self._profile.is_read_only,
            )
        return self._tokens

    @property
    def shelf(self) -> TokenShelf:
        """Where the profile's grants lie, read from the file if they are kept."""
        if self._shelf is None:
            from opdash.service.token_shelf import TokenShelf

            self._shelf = TokenShelf() if self._make_shelf is None else self._make_shelf()
            self._shelf.load()
            if self._shelf.problem is not None:
                self._desk.note(str(self._shelf.problem))
        return self._shelf

    async def authorised(
        self,
        right: Right,
        request: Callable[[OpenPaymentsClient, WalletAddress, Secret], Awaitable[_T]],
        *,
        listing: bool = False,
    ) -> _T:
        """Make a request that needs a right.

        Args:
            right: Which one.
            request: Makes the request.
            listing: Whether it lists outgoing payments.

        Raises:
            OpenPaymentsError: The grant or the request failed.
        """
        client, wallet, tokens = await self.client(), await self.wallet(), await self.tokens()
        try:
            answer = await tokens.call(
                right, lambda token: request(client, wallet, token), listing=listing
            )
        except OpenPaymentsError:
            self._doubt()
            raise
        if not self._is_confirmed:
            self._confirm_soon()
        return answer

    def holds(self, right: Right, *, listing: bool = False) -> bool:
        """Return whether a grant of this kind is held already."""
        keeper = self._tokens
        return keeper is not None and keeper.current(right, listing=listing) is not None

    # What a person does with grants

    async def renew(self, right: Right) -> None:
        """Exchange a token now, or ask for the grant where there is none.

        Raises:
            OpdashError: It could not be had.
        """
        await (await self.tokens()).renew(right)

    async def widen(self, scope: Scope) -> HeldGrant:
        """Ask for the grant that another scope needs, beside the one that is held.

        Raises:
            OpdashError: It could not be had.
        """
        return await (await self.tokens()).widen(scope)

    async def give_back(self, right: Right, *, cancel: bool) -> GivenBack:
        """Revoke a grant at the server and forget it; it is forgotten whatever the server says.

        Args:
            right: Which one.
            cancel: Whether to end the grant too, not only its token.
        """
        from opdash.service.giving_back import GivenBack, give_back

        shelf = self.shelf
        shelf.give_up(right)
        if self._tokens is not None:
            self._tokens.abandon_consent()
            await self._tokens.idle(right)
        failure: OpdashError | None = None
        async with shelf.locked():
            held, anothers = shelf.get(right), shelf.anothers(right)
            if anothers is not None:
                with contextlib.suppress(OpdashError):
                    await give_back(await self.client(), anothers, cancel=cancel)
            if held is None:
                await shelf.drop(right, given_up_at=self._clock.now())
                return GivenBack(right, was_held=False)
            cancelled = False
            try:
                cancelled = await give_back(await self.client(), held, cancel=cancel)
            except OpdashError as error:
                failure = error
            finally:
                await shelf.drop(right, given_up_at=self._clock.now())
        is_over = held.has_expired(self._clock.now())
        return GivenBack(
            right,
            failure=failure,
            valid_until=held.expires_at,
            is_over=is_over,
            cancelled=cancelled,
        )

    async def sign_out(self) -> tuple[GivenBack, ...]:
        """Give all grants back; what was held is told, a record each.

        Another opdash that works for the same wallet finds that in the file of tokens, and asks
        for no grant by itself.
        """
        told = await asyncio.gather(*(self.give_back(right, cancel=True) for right in Right))
        await self.shelf.clear(self._clock.now())
        return tuple(one for one in told if one.was_held)

    def ask_again(self, right: Right) -> None:
        """Ask again for what was not given, as a person wants it: consent, and a passphrase."""
        self._desk.reopen(right)
        self.shelf.want(right)
        self._keyring.reopen(self._profile.key_file)

    def abandon_consent(self) -> None:
        """Stop waiting for the account holder's consent."""
        self._desk.give_up()

    async def close(self) -> None:
        """Close the connections to the server."""
        if self._confirming is not None:
            self._confirming.cancel()
        for tokens in (*self._former, *([self._tokens] if self._tokens else [])):
            await tokens.close()
        self._tokens, self._former = None, []
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # What is remembered of the wallet address

    @property
    def _client_address(self) -> str:
        return self._profile.client_wallet_address or self._profile.wallet_address

    def _vouched_for(self) -> WalletAddress | None:
        """Return what the ledger remembers, if a token that is still good was given for it."""
        from opdash.service.held_grants import bound_to

        remembered = self._remembered() if self._may_remember else None
        if remembered is None:
            return None
        binding = bound_to(remembered, self._client_address, self._profile.key_id)
        now = self._clock.now()
        for held in map(self.shelf.get, Right):
            if held is None or held.binding != binding or held.has_expired(now):
                continue
            if timedelta(0) <= now - held.renewed_at < TRUST:
                return remembered
        return None

    def _doubt(self) -> None:
        """After a failure, ask the wallet address instead of the ledger."""
        if not self._is_confirmed:
            self._may_remember = False
            self._forget_wallet()

    def _forget_wallet(self) -> None:
        self._wallet, self._is_confirmed = None, True
        if self._tokens is not None:
            self._former.append(self._tokens)
            self._tokens = None

    def _confirm_soon(self) -> None:
        is_idle = self._confirming is None or self._confirming.done()
        if is_idle and self._clock.monotonic() >= self._confirm_not_before:
            self._confirming = asyncio.create_task(self._confirm(), name="confirm wallet address")

    async def _confirm(self) -> None:
        """Ask the wallet address, and begin anew where it names other servers than before."""
        await self._clock.sleep(_CONFIRM_AFTER)
        try:
            client = await self.client()
            wallet = await client.wallet_address(self._profile.wallet_address)
        except OpdashError:
            self._confirm_not_before = self._clock.monotonic() + _CONFIRM_AGAIN
            return
        async with self._lock:
            before = self._wallet
            if before is not None and _servers(before) != _servers(wallet):
                self._forget_wallet()
            self._wallet, self._is_confirmed = wallet, True

    async def _built(self) -> OpenPaymentsClient:
        if self._client is None:
            modules = await self._imports.modules()
            key = await self._key()
            self._client = await asyncio.to_thread(self._build, modules, key)
        return self._client

    async def _key(self) -> ClientKey:
        profile = self._profile
        if profile.key_file is None:
            raise ConfigError(
                f"The wallet “{profile.name}” has no key.",
                "Make one with `opdash key new`, register it, and add it to the wallet.",
            )
        return await self._keyring.read(profile.key_file, profile.key_id)

    def _build(self, modules: NetworkModules, key: ClientKey) -> OpenPaymentsClient:
        built: OpenPaymentsClient = modules.client.OpenPaymentsClient(
            key=key,
            client_wallet_address=self._client_address,
            clock=self._clock,
            ca_file=self._profile.ca_file,
            observer=self._observer,
            tracer=self._tracer,
        )
        return built


def _servers(wallet: WalletAddress) -> tuple[str, str, str]:
    return wallet.id, wallet.auth_server, wallet.resource_server
