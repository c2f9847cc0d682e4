"""Access tokens: got when first needed, renewed before they end, one lock for each grant.

RFC 9635 (GNAP) as Open Payments uses it. A rotation hands out a new value and a new manage URL at
once, and two rotations of one token lose a grant; so everything that touches a grant happens under
its lock. A token is given up only when the server itself calls it inactive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from opdash.clock import Clock
from opdash.ledger.records import Scope
from opdash.openpayments.errors import (
    GrantDeniedError,
    GrantError,
    InactiveTokenError,
    InteractionNeededError,
    InvalidClientError,
    NotFoundError,
    NotPermittedError,
    OpenPaymentsError,
    ProtocolError,
    ServerFaultError,
    SignatureRefusedError,
    TooFastError,
    TooManyRequestsError,
    UnreachableError,
)
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.consent import ConsentDesk, Right

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.grants import Access, AccessToken, Continuation, Grant

_T = TypeVar("_T")

INTERACTION_LIFE = timedelta(minutes=10)
"""How long real servers wait for consent."""

DEFAULT_WAIT = 5.0
"""Seconds between two polls of ``continue`` where the server names none."""

_LEAST_WAIT = 1.0
_MOST_WAIT = 60.0
_RENEW_AGAIN = 5.0
"""Seconds until a renewal is tried again while the token is still good."""


@dataclass(slots=True)
class _Held:
    token: AccessToken
    continuation: Continuation | None
    renew_at: float
    ends_at: float


class TokenKeeper:
    """Holds one wallet address's grants in memory and lends their tokens."""

    def __init__(
        self,
        client: OpenPaymentsClient,
        wallet: WalletAddress,
        scope: Scope,
        clock: Clock,
        desk: ConsentDesk,
    ) -> None:
        self._client = client
        self._wallet = wallet
        self._scope = scope
        self._clock = clock
        self._desk = desk
        self._held: dict[Right, _Held] = {}
        self._locks = {right: asyncio.Lock() for right in Right}
        self._abandoned: dict[Right, asyncio.Event] = {}

    async def call(self, right: Right, request: Callable[[Secret], Awaitable[_T]]) -> _T:
        """Make a request with a token, with a fresh one if the server calls it inactive.

        The repetition is safe for a POST too: a server that refuses the token did nothing.

        Raises:
            OpenPaymentsError: The grant or the request failed.
        """
        token = await self.token(right)
        try:
            return await request(token)
        except InactiveTokenError:
            return await request(await self._renewed(right, token))

    async def token(self, right: Right) -> Secret:
        """Return a token that is good for some time yet, asking for a grant where needed.

        Raises:
            OpenPaymentsError: No grant could be had.
        """
        async with self._locks[right]:
            held = self._held.get(right)
            if held is None:
                return await self._obtain(right)
            if self._clock.monotonic() >= held.renew_at:
                return await self._renewed_early(right, held)
            return held.token.value

    def current(self, right: Right) -> Secret | None:
        """Return the token held now, whatever its age, without asking for one."""
        held = self._held.get(right)
        return None if held is None else held.token.value

    def abandon_consent(self) -> None:
        """Stop waiting for consent; the requests that wait for it fail."""
        for event in self._abandoned.values():
            event.set()

    async def _renewed_early(self, right: Right, held: _Held) -> Secret:
        """Renew a token before it ends; an authorization server's outage can wait till then."""
        try:
            return await self._renew(right, held)
        except OpenPaymentsError as error:
            now = self._clock.monotonic()
            if not _is_outage(error) or now >= held.ends_at:
                raise
            held.renew_at = now + _RENEW_AGAIN
            return held.token.value

    async def _renewed(self, right: Right, stale: Secret) -> Secret:
        async with self._locks[right]:
            held = self._held.get(right)
            if held is None:
                return await self._obtain(right)
            if held.token.value != stale:
                return held.token.value
            return await self._renew(right, held)

    async def _renew(self, right: Right, held: _Held) -> Secret:
        auth_server = self._wallet.auth_server
        try:
            token = await self._client.rotate_token(auth_server, held.token)
        except OpenPaymentsError as error:
            if not self._is_lost(right, error):
                raise
        else:
            return self._hold(right, token, held.continuation)
        grant = await self._continued(right, held.continuation)
        if grant is not None and grant.token is not None:
            return self._hold(right, grant.token, grant.continuation)
        del self._held[right]
        return await self._obtain(right)

    async def _continued(self, right: Right, continuation: Continuation | None) -> Grant | None:
        """Ask for a token where rotation lost it; None where only a new grant helps.

        A new grant that needs no consent is as good, so only for the other kind is a server that
        wants to be asked later waited for.
        """
        if continuation is None:
            return None
        try:
            return await self._client.continue_grant(self._wallet.auth_server, continuation)
        except TooFastError:
            if not self._needs_consent(right):
                return None
        except OpenPaymentsError as error:
            if not self._is_lost(right, error):
                raise
            return None
        await self._clock.sleep(_wait_of(continuation))
        return await self._client.continue_grant(self._wallet.auth_server, continuation)

    def _is_lost(self, right: Right, error: OpenPaymentsError) -> bool:
        """Return whether the server itself said that a token or continuation is of no more use.

        A proxy's page says the same by its status; it must not cost anybody's consent.
        """
        if isinstance(error, (InvalidClientError, SignatureRefusedError, TooFastError)):
            return False
        if not isinstance(error, (GrantError, NotFoundError, NotPermittedError)):
            return False
        return bool(error.code) or not self._needs_consent(right)

    def _needs_consent(self, right: Right) -> bool:
        return right is Right.OUTGOING or self._scope is Scope.EVERYTHING

    async def _obtain(self, right: Right) -> Secret:
        from opdash.openpayments.grants import InteractRequest

        access = self._access(right)
        auth_server = self._wallet.auth_server
        interact = InteractRequest() if self._needs_consent(right) else None
        try:
            grant = await self._client.request_grant(auth_server, access, interact=interact)
        except InteractionNeededError:
            grant = await self._client.request_grant(
                auth_server, access, interact=InteractRequest()
            )
        if grant.token is None:
            grant = await self._await_consent(right, grant)
        if grant.token is None:
            raise ProtocolError("The authorization server gave neither a token nor a question.")
        return self._hold(right, grant.token, grant.continuation)

    def _hold(self, right: Right, token: AccessToken, continuation: Continuation | None) -> Secret:
        lifetime = float("inf") if token.expires_in is None else float(token.expires_in)
        margin = min(30.0, lifetime * 0.2)
        ends_at = self._clock.monotonic() + lifetime
        self._held[right] = _Held(token, continuation, ends_at - margin, ends_at)
        return token.value

    def _access(self, right: Right) -> tuple[Access, ...]:
        from opdash.openpayments.grants import Access

        if right is Right.OUTGOING:
            return (Access("outgoing-payment", ("read", "read-all"), identifier=self._wallet.id),)
        own = ("create", "complete", "read", "list")
        if self._scope is Scope.EVERYTHING:
            everything = (*own, "read-all", "list-all")
            return (Access("incoming-payment", everything, identifier=self._wallet.id),)
        return (Access("incoming-payment", own),)

    async def _await_consent(self, right: Right, grant: Grant) -> Grant:
        if grant.interaction is None or grant.continuation is None:
            raise ProtocolError("The authorization server gave neither a token nor a question.")
        until = self._clock.now() + INTERACTION_LIFE
        abandoned = self._abandoned[right] = asyncio.Event()
        self._desk.ask(right, grant.interaction.redirect, until)
        granted, sentence = False, "The wait for consent ended."
        try:
            answer = await self._poll_continue(grant.continuation, until, abandoned)
            granted, sentence = True, f"Consent was given: opdash may {right.value}."
            return answer
        except OpenPaymentsError as error:
            sentence = str(error)
            raise
        finally:
            self._abandoned.pop(right, None)
            self._desk.end(granted, sentence)

    async def _poll_continue(
        self, continuation: Continuation, until: datetime, abandoned: asyncio.Event
    ) -> Grant:
        auth_server = self._wallet.auth_server
        wait = _wait_of(continuation)
        while self._clock.now() < until:
            if await self._waited(wait, abandoned):
                await self._client.cancel_grant(auth_server, continuation)
                raise _consent_error("Nobody waits for consent any more.")
            try:
                grant = await self._client.continue_grant(auth_server, continuation)
            except TooFastError:
                wait = min(wait + 1.0, _MOST_WAIT)
                continue
            except OpenPaymentsError as error:
                if not _is_outage(error):
                    raise
                wait = min(wait * 2.0, _MOST_WAIT)
                continue
            if grant.token is not None:
                return grant
            continuation = grant.continuation or continuation
            wait = max(wait, _wait_of(continuation))
        raise _consent_error("Nobody consented within ten minutes.")

    async def _waited(self, seconds: float, abandoned: asyncio.Event) -> bool:
        """Sleep, and return whether the wait was given up meanwhile."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        giving_up = asyncio.ensure_future(abandoned.wait())
        try:
            await asyncio.wait({sleeping, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            return abandoned.is_set()
        finally:
            sleeping.cancel()
            giving_up.cancel()


def _wait_of(continuation: Continuation) -> float:
    wait = DEFAULT_WAIT if continuation.wait is None else float(continuation.wait)
    return min(max(wait, _LEAST_WAIT), _MOST_WAIT)


def _is_outage(error: OpenPaymentsError) -> bool:
    """Return whether the server gave no answer to what it was asked, and may give one later."""
    return isinstance(error, (UnreachableError, ServerFaultError, TooManyRequestsError))


def _consent_error(sentence: str) -> GrantDeniedError:
    return GrantDeniedError(sentence, "Ask again when the account holder is ready.", status=0)
