"""Access tokens: got when first needed, renewed before they end, one at a time for each grant.

RFC 9635 (GNAP) as Open Payments uses it. A rotation hands out a new value and a new manage URL at
once, and two rotations of one token lose a grant. So for each right at most one piece of work is
under way in this process, which everybody who needs the token waits for, and which is finished even
when all of them have gone; other processes are held off by the lock of the kept file. A token is
given up only when the server itself calls it inactive.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.records import Scope
from opdash.openpayments.errors import (
    GrantError,
    InactiveTokenError,
    InteractionNeededError,
    InvalidClientError,
    NotFoundError,
    NotPermittedError,
    OpenPaymentsError,
    ProtocolError,
    SignatureRefusedError,
    TooFastError,
)
from opdash.openpayments.grants import Access, AccessToken, Continuation, Grant
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.consent import ConsentDesk
from opdash.service.consent_wait import is_outage, wait_of
from opdash.service.errors import SignedOutError
from opdash.service.giving_back import give_back
from opdash.service.held_grants import HeldGrant, bound_to
from opdash.service.no_consent import AGAIN, NoConsent, NoConsentError, refused_elsewhere
from opdash.service.rights import Right, access_of, needs_consent
from opdash.service.token_shelf import TokenShelf

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

_T = TypeVar("_T")

FINISHING = 5.0
"""Seconds that closing waits for a rotation under way, whose answer would be lost."""

WIDENED = (
    "opdash may read outgoing payments already. To list them is a right of its own; this asks for "
    "both."
)

WIDEN_AGAIN = "The scope is as before; choose the other one again to ask again."

_RENEW_AGAIN = timedelta(seconds=5)
"""How long until a renewal is tried again while the token is still good."""


class TokenKeeper:
    """Holds one wallet address's grants and lends their tokens.

    Args:
        client: Asks the authorization server.
        wallet: Whose grants they are.
        scope: Whether payments of others than opdash are to be seen.
        clock: The one clock.
        desk: Where the account holder is asked.
        shelf: Where grants lie; memory only unless given.
        client_address: The client's wallet address, a part of what a kept grant is bound to.
        key_id: The key that signs, likewise.
        read_only: Whether only rights to read and list are asked for.
    """

    def __init__(
        self,
        client: OpenPaymentsClient,
        wallet: WalletAddress,
        scope: Scope,
        clock: Clock,
        desk: ConsentDesk,
        shelf: TokenShelf | None = None,
        *,
        client_address: str = "",
        key_id: str = "",
        read_only: bool = False,
    ) -> None:
        self._client = client
        self._wallet = wallet
        self._scope = scope
        self._clock = clock
        self._desk = desk
        self._shelf = shelf or TokenShelf()
        self._binding = bound_to(wallet, client_address, key_id)
        self._read_only = read_only
        self._under_way: dict[Right, asyncio.Task[Secret | None]] = {}
        self._not_before: dict[Right, datetime] = {}

    async def call(
        self,
        right: Right,
        request: Callable[[Secret], Awaitable[_T]],
        *,
        listing: bool = False,
    ) -> _T:
        """Make a request with a token, with a fresh one if the server calls it inactive.

        The repetition is safe for a POST too: a server that refuses the token did nothing.

        Args:
            right: What the token must be for.
            request: Makes the request.
            listing: Whether it lists outgoing payments.

        Raises:
            SignedOutError: A person gave this right back.
            OpenPaymentsError: The grant or the request failed.
        """
        token = await self.token(right, listing=listing)
        try:
            answer = await request(token)
        except InactiveTokenError:
            answer = await request(await self._lent(right, listing=listing, stale=token))
        self._shelf.note_use(right, self._clock.now())
        return answer

    async def token(self, right: Right, *, listing: bool = False) -> Secret:
        """Return a token that is good for some time yet, asking for a grant where needed.

        Raises:
            SignedOutError: A person gave this right back.
            OpenPaymentsError: No grant could be had.
        """
        return await self._lent(right, listing=listing)

    def current(self, right: Right, *, listing: bool = False) -> Secret | None:
        """Return the token held now, whatever its age, without asking for one."""
        held = self._fitting(right, self._wanted(right, listing=listing))
        return None if held is None else held.token.value

    # What a person does with a grant

    async def renew(self, right: Right) -> None:
        """Exchange a token now, or ask for the grant where none is held or it was given back.

        Raises:
            OpenPaymentsError: The grant could not be had.
        """
        async with self._shelf.locked():
            pass  # what a person gave back elsewhere until now is wanted again, too
        self._shelf.forgive(right)
        self._desk.reopen(right)
        await self.idle(right)
        wanted = self._wanted(right)
        held = self._fitting(right, wanted)
        work = self._obtain(right, wanted) if held is None else self._renew(right, held, wanted)
        await asyncio.shield(self._begin(right, work))

    async def widen(self, scope: Scope) -> HeldGrant:
        """Ask for the grant that another scope needs, beside the one that is held.

        Raises:
            GrantDeniedError: The account holder refused, or nobody answered.
            OpenPaymentsError: There is no grant.
        """
        self._desk.reopen(Right.INCOMING)
        self._shelf.want(Right.INCOMING)
        wanted = access_of(Right.INCOMING, scope, self._wallet.id, read_only=self._read_only)
        ask = needs_consent(Right.INCOMING, scope)
        return await self._granted(Right.INCOMING, wanted, ask=ask, again=WIDEN_AGAIN)

    async def idle(self, right: Right) -> None:
        """Wait until nothing is under way for a right."""
        while (work := self._under_way.get(right)) is not None:
            await asyncio.wait({work})

    def abandon_consent(self) -> None:
        """Stop waiting for consent; the requests that wait for it fail."""
        self._desk.give_up()

    async def close(self) -> None:
        """Let a rotation under way end, as its answer would be lost, and write the file."""
        self.abandon_consent()
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=FINISHING)
        for work in tuple(self._under_way.values()):
            work.cancel()
        await self._shelf.close()

    # One piece of work for each right

    def _begin(
        self, right: Right, work: Coroutine[object, object, Secret | None]
    ) -> asyncio.Task[Secret | None]:
        task = asyncio.create_task(work, name=f"grant {right.name.lower()}")
        self._under_way[right] = task

        def ended(done: asyncio.Task[Secret | None]) -> None:
            if self._under_way.get(right) is done:
                del self._under_way[right]
            if not done.cancelled():
                done.exception()  # all who waited may have gone; a failure is then nobody's

        task.add_done_callback(ended)
        return task

    async def _lent(
        self, right: Right, *, listing: bool = False, stale: Secret | None = None
    ) -> Secret:
        """Return a token that can be used now.

        Args:
            right: What it must be for.
            listing: Whether it must permit to list outgoing payments.
            stale: One that the server calls inactive.
        """
        wanted = self._wanted(right, listing=listing)
        while True:
            work = self._under_way.get(right)
            is_own = work is None
            if work is None:
                self._shelf.look()
                self._check_not_given_up(right)
                held = self._fitting(right, wanted)
                if held is None:
                    work = self._begin(right, self._obtain(right, wanted))
                elif held.token.value == stale:
                    work = self._begin(right, self._renew(right, held, wanted))
                elif stale is None and self._is_due(right, held):
                    work = self._begin(right, self._renew_early(right, held, wanted))
                else:
                    self._desk.reopen(right)  # a refusal is over once somebody consented
                    return held.token.value
            token = await asyncio.shield(work)
            if token is not None and (is_own or self._can_use(token, right, wanted, stale)):
                return token

    def _can_use(
        self, token: Secret, right: Right, wanted: tuple[Access, ...], stale: Secret | None
    ) -> bool:
        """Return whether a token that somebody else asked for does for this, too."""
        held = self._fitting(right, wanted)
        return token != stale and held is not None and held.token.value == token

    def _check_not_given_up(self, right: Right) -> None:
        """Raise `SignedOutError` if a person gave a right back, and nobody has got it since."""
        at = self._shelf.given_up_elsewhere(right)
        if at is not None and self._fitting(right, self._wanted(right)) is not None:
            self._shelf.forgive(right)
        if not self._shelf.is_given_up(right):
            return
        if at is None:
            raise SignedOutError(
                f"opdash gave back the right to {right.value}, and holds no token for it.",
                "Ask for it anew with r on the screen of grants (T), or start opdash again.",
            )
        name = "" if right is Right.INCOMING else " outgoing"
        raise SignedOutError(
            f"Another opdash gave back the right to {right.value} at "
            f"{at.astimezone():%H:%M:%S}; this one asks for no other by itself.",
            f"To have it again: opdash grants renew{name}, or r on the screen of grants (T).",
        )

    def _wanted(self, right: Right, *, listing: bool = False) -> tuple[Access, ...]:
        return access_of(
            right, self._scope, self._wallet.id, read_only=self._read_only, listing=listing
        )

    def _fitting(self, right: Right, wanted: tuple[Access, ...]) -> HeldGrant | None:
        held = self._shelf.get(right)
        return held if held is not None and held.fits(self._binding, wanted) else None

    def _is_due(self, right: Right, held: HeldGrant) -> bool:
        now = self._clock.now()
        due = held.renew_at
        not_before = self._not_before.get(right)
        return due is not None and now >= due and (not_before is None or now >= not_before)

    # Renewing

    async def _renew_early(
        self, right: Right, held: HeldGrant, wanted: tuple[Access, ...]
    ) -> Secret:
        """Renew a token before it ends; an authorization server's outage can wait till then."""
        try:
            return await self._renew(right, held, wanted)
        except OpenPaymentsError as error:
            now = self._clock.now()
            if not is_outage(error) or held.has_expired(now):
                raise
            self._not_before[right] = now + _RENEW_AGAIN
            return held.token.value

    async def _renew(self, right: Right, held: HeldGrant, wanted: tuple[Access, ...]) -> Secret:
        exchange = self._exchanged
        while True:
            async with self._shelf.locked():
                self._check_not_given_up(right)
                newer = self._fitting(right, wanted)
                if newer is None:
                    break
                if newer.token.value != held.token.value:
                    return newer.token.value  # another process was quicker
                try:
                    renewed = await exchange(right, held)
                except _TooSoonError as early:
                    pause = early.seconds
                else:
                    if renewed is not None:
                        return await self._hold(right, renewed)
                    await self._shelf.drop(right)
                    break
            await self._clock.sleep(pause)  # longer than other processes wait for the lock
            exchange = self._continued
        return await self._obtain(right, held.asked)

    async def _exchanged(self, right: Right, held: HeldGrant) -> HeldGrant | None:
        """Return the grant with another token; None where only a new grant helps.

        Raises:
            _TooSoonError: It is to be continued later.
        """
        try:
            token = await self._client.rotate_token(self._wallet.auth_server, held.token)
        except OpenPaymentsError as error:
            if not self._is_lost(right, error):
                raise
        else:
            return self._with_token(held, token, held.continuation)
        try:
            return await self._continued(right, held)
        except TooFastError as error:
            # A new grant that needs no consent is as good as waiting.
            if held.continuation is None or not needs_consent(right, self._scope):
                return None
            raise _TooSoonError(wait_of(held.continuation)) from error

    async def _continued(self, right: Right, held: HeldGrant) -> HeldGrant | None:
        """Ask for a token where rotation lost it; None where only a new grant helps."""
        if held.continuation is None:
            return None
        try:
            grant = await self._client.continue_grant(self._wallet.auth_server, held.continuation)
        except OpenPaymentsError as error:
            if not self._is_lost(right, error):
                raise
            return None
        if grant.token is None:
            return None
        return self._with_token(held, grant.token, grant.continuation)

    def _is_lost(self, right: Right, error: OpenPaymentsError) -> bool:
        """Return whether the server itself said that a token or continuation is of no more use.

        A proxy's page says the same by its status; it must not cost anybody's consent.
        """
        if isinstance(error, (InvalidClientError, SignatureRefusedError, TooFastError)):
            return False
        if not isinstance(error, (GrantError, NotFoundError, NotPermittedError)):
            return False
        return bool(error.code) or not needs_consent(right, self._scope)

    def _with_token(
        self, held: HeldGrant, token: AccessToken, continuation: Continuation | None
    ) -> HeldGrant:
        return msgspec.structs.replace(
            held, token=token, continuation=continuation, renewed_at=self._clock.now()
        )

    async def _hold(self, right: Right, grant: HeldGrant) -> Secret:
        self._not_before.pop(right, None)
        await self._shelf.put(right, grant)
        return grant.token.value

    # A new grant

    async def _obtain(self, right: Right, wanted: tuple[Access, ...]) -> Secret:
        """Ask for a grant, unless another process has got one, or gets one meanwhile."""
        held = await self._synced(right, wanted)
        if held is None:
            async with self._turn(right):
                held = await self._synced(right, wanted)
                if held is None:
                    return await self._obtained(right, wanted)
        if held.has_expired(self._clock.now()):
            return await self._renew(right, held, wanted)
        return held.token.value

    async def _synced(self, right: Right, wanted: tuple[Access, ...]) -> HeldGrant | None:
        async with self._shelf.locked():
            self._check_not_given_up(right)
            return self._fitting(right, wanted)

    @contextlib.asynccontextmanager
    async def _turn(self, right: Right) -> AsyncIterator[None]:
        """Let only one process ask the account holder; the others use what comes of it."""
        if not needs_consent(right, self._scope):
            yield
            return
        async with self._shelf.turn(right, self._desk.waiting_for_another(right)):
            yield

    async def _obtained(self, right: Right, wanted: tuple[Access, ...]) -> Secret:
        narrower = self._fitting(right, self._wanted(right))
        remark = "" if narrower is None else WIDENED
        ask = needs_consent(right, self._scope)
        try:
            grant = await self._granted(right, wanted, ask=ask, remark=remark)
        except NoConsentError as error:
            if error.why is NoConsent.REFUSED and narrower is None:
                async with self._shelf.locked():
                    await self._shelf.refuse(right, self._clock.now())
            raise
        try:
            async with self._shelf.locked():
                if self._shelf.given_up_elsewhere(right) is not None:
                    self._check_not_given_up(right)  # while the account holder was asked
                token = await self._hold(right, grant)
        except SignedOutError:
            await self._give_back(grant)
            raise
        if narrower is not None:
            await self._give_back(narrower)
        return token

    async def _give_back(self, grant: HeldGrant) -> None:
        with contextlib.suppress(OpdashError):  # it ends by itself
            await give_back(self._client, grant, cancel=True)

    async def _granted(
        self,
        right: Right,
        wanted: tuple[Access, ...],
        *,
        ask: bool,
        remark: str = "",
        again: str = AGAIN,
    ) -> HeldGrant:
        """Ask for a grant, with the account holder's consent where the server wants it."""
        grant, with_consent = await self._request(
            right, wanted, ask=ask, remark=remark, again=again
        )
        if grant.token is None:
            raise ProtocolError("The authorization server gave neither a token nor a question.")
        now = self._clock.now()
        return HeldGrant(
            binding=self._binding,
            asked=wanted,
            token=grant.token,
            continuation=grant.continuation,
            given_at=now,
            renewed_at=now,
            with_consent=with_consent,
        )

    async def _request(
        self, right: Right, wanted: tuple[Access, ...], *, ask: bool, remark: str, again: str
    ) -> tuple[Grant, bool]:
        """Return a grant with its token, and whether the account holder was asked for it."""
        auth_server = self._wallet.auth_server
        if not ask:
            with contextlib.suppress(InteractionNeededError):
                return await self._client.request_grant(auth_server, wanted), False
        at = self._shelf.refused_elsewhere(right)
        if at is not None:
            raise refused_elsewhere(at)
        grant = await self._desk.obtain(
            self._client, auth_server, wanted, right, remark=remark, again=again
        )
        return grant, self._desk.was_asked(right)


class _TooSoonError(Exception):
    """The server wants to be asked for the token later, in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds
