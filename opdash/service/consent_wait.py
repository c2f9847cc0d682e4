"""Asking one account holder for consent, from the request for a grant to its end.

There are two ways, and a person can change between them while the question is open. By redirect
the browser comes back to a listener on this machine with a hash that proves the server. By polling
the server is asked again and again. A grant asked for in one way cannot be continued in the other
on real servers: a new one is asked for, and the old one given back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from opdash.clock import Clock
from opdash.openpayments.errors import (
    ContinuationError,
    GrantDeniedError,
    GrantError,
    InvalidClientError,
    OpenPaymentsError,
    ProtocolError,
    ServerFaultError,
    TooFastError,
    TooManyRequestsError,
    UnreachableError,
)
from opdash.openpayments.grants import (
    Access,
    Continuation,
    Grant,
    InteractFinish,
    Interaction,
    InteractRequest,
    interaction_hash_fits,
)
from opdash.service.callback import CallbackListener, Return, Returned
from opdash.service.no_consent import NoConsent, NoConsentError, no_consent
from opdash.settings import ConsentWay

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

INTERACTION_LIFE = timedelta(minutes=10)
"""How long real servers wait for consent."""

DEFAULT_WAIT = 5.0
"""Seconds between two polls of ``continue`` where the server names none."""

_LEAST_WAIT = 1.0
_MOST_WAIT = 60.0
_AFTER_RETURN = timedelta(minutes=2)
"""How long the token is asked for after the browser has come back."""

GIVING_BACK = 3.0
"""Seconds that the end of a wait may be held up by giving its grant back."""

_SETTLED = frozenset({NoConsent.REFUSED, NoConsent.EXPIRED})
"""Ends that the server itself told: there is nothing to give back."""

NO_PORT = "opdash cannot listen on this machine, so it asks the server again and again."
NO_REDIRECT = "The server sends no browser back, so opdash asks it again and again."


@dataclass(frozen=True, slots=True)
class Question:
    """Where to consent, until when (UTC), how opdash learns of it, and why so."""

    url: str
    until: datetime
    way: ConsentWay
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Teller:
    """What is told while consent is waited for.

    Attributes:
        asked: The question stands; called again when it is asked anew.
        stray: A browser came back for another request.
    """

    asked: Callable[[Question], None]
    stray: Callable[[], None]


class Asking:
    """One wait for consent."""

    def __init__(
        self,
        client: OpenPaymentsClient,
        auth_server: str,
        access: Sequence[Access],
        purpose: str,
        *,
        clock: Clock,
        way: ConsentWay,
        teller: Teller,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            client: Asks the server.
            auth_server: As the wallet address names it.
            access: What is asked for.
            purpose: The same in words, as the end of "opdash may …".
            clock: The one clock.
            way: How to learn of the decision, not `ConsentWay.AUTO`.
            teller: Whom to tell.
        """
        self._client = client
        self._auth_server = auth_server
        self._access = access
        self._purpose = purpose
        self._clock = clock
        self._way = way
        self._remark = ""
        self._teller = teller
        self._given_up = False
        self._disturbed = asyncio.Event()
        self._pending: Continuation

    def give_up(self) -> None:
        """Stop waiting; the grant is given back."""
        self._given_up = True
        self._disturbed.set()

    def change_way(self, way: ConsentWay) -> None:
        """Ask anew in another way, unless it is that one already."""
        if way is not self._way:
            self._way, self._remark = way, ""
            self._disturbed.set()

    async def run(self) -> Grant:
        """Ask, wait until the account holder has decided, and return the grant with its token.

        Raises:
            NoConsentError: They did not consent; the sentence says how it ended.
            OpenPaymentsError: The server could not be asked, or erred.
        """
        while True:
            grant = await self._ask()
            if grant is not None:
                return grant

    async def _ask(self) -> Grant | None:
        """Ask once; None where the way was changed meanwhile."""
        self._disturbed.clear()
        async with contextlib.AsyncExitStack() as stack:
            listener = await self._listener(stack)
            until = self._clock.now() + INTERACTION_LIFE
            grant, listener = await self._request(listener)
            if grant.token is not None:
                return grant
            if grant.interaction is None or grant.continuation is None:
                raise ProtocolError("The authorization server gave neither a token nor a question.")
            question = Question(grant.interaction.redirect, until, self._way, self._remark)
            self._teller.asked(question)
            self._pending = grant.continuation
            try:
                if listener is None:
                    return await self._polled(until)
                return await self._returned(listener, grant.interaction, until)
            except _Disturbed:
                await self._give_back()
                if self._given_up:
                    raise self._no_consent(NoConsent.GIVEN_UP) from None
                return None
            except NoConsentError as error:
                if error.why not in _SETTLED:
                    await self._give_back()
                raise
            except BaseException:  # whatever ends the wait, nobody is to consent to it any more
                await self._give_back()
                raise

    async def _listener(self, stack: contextlib.AsyncExitStack) -> CallbackListener | None:
        if self._way is not ConsentWay.REDIRECT:
            return None
        try:
            return await stack.enter_async_context(CallbackListener(self._teller.stray))
        except OSError:
            self._poll_because(NO_PORT)
            return None

    async def _request(
        self, listener: CallbackListener | None
    ) -> tuple[Grant, CallbackListener | None]:
        """Ask for the grant; without a listener where the server takes no redirect."""
        if listener is not None:
            finish = InteractRequest(InteractFinish(listener.uri, listener.nonce))
            try:
                grant = await self._granted(finish)
            except GrantError as error:
                if error.status != 400 or isinstance(error, InvalidClientError):
                    raise
            else:
                if grant.interaction is None or grant.interaction.finish:
                    return grant, listener
                self._poll_because(NO_REDIRECT)
                return grant, None
            self._poll_because(NO_REDIRECT)
        return await self._granted(InteractRequest()), None

    async def _granted(self, interact: InteractRequest) -> Grant:
        return await self._client.request_grant(self._auth_server, self._access, interact=interact)

    def _poll_because(self, remark: str) -> None:
        self._way, self._remark = ConsentWay.POLLING, remark

    async def _polled(self, until: datetime) -> Grant:
        wait = wait_of(self._pending)
        while True:
            await self._pause(min(wait, self._seconds_to(until)))
            if self._clock.now() >= until:
                raise self._no_consent(NoConsent.UNANSWERED)
            try:
                grant = await self._continued()
            except TooFastError:
                wait = min(wait + 1.0, _MOST_WAIT)
                continue
            except OpenPaymentsError as error:
                if not is_outage(error):
                    raise
                wait = min(wait * 2.0, _MOST_WAIT)
                continue
            if grant.token is not None:
                return grant
            self._pending = grant.continuation or self._pending
            wait = max(wait, wait_of(self._pending))

    async def _returned(
        self,
        listener: CallbackListener,
        interaction: Interaction,
        until: datetime,
    ) -> Grant:
        earliest = self._clock.monotonic() + wait_of(self._pending)
        while True:
            self._expect(listener, interaction)
            returned = await self._await_browser(listener, until)
            if returned is None:
                raise self._no_consent(NoConsent.UNANSWERED)
            if returned.how is Return.FORGED:
                raise self._no_consent(NoConsent.FORGED)
            await self._pause(max(earliest - self._clock.monotonic(), 0.0))
            grant = await self._fetched(returned)
            if grant.token is not None:
                return grant
            self._pending = grant.continuation or self._pending
            listener.forget()  # a hint that the server does not confirm

    def _expect(self, listener: CallbackListener, interaction: Interaction) -> None:
        def fits(given: str, interact_ref: str) -> bool:
            return interaction_hash_fits(
                given,
                nonce=listener.nonce,
                finish=interaction.finish or "",
                interact_ref=interact_ref,
                auth_server=self._auth_server,
            )

        listener.expect(fits)

    async def _await_browser(self, listener: CallbackListener, until: datetime) -> Returned | None:
        """Return what the browser brought; None where none came in time."""
        returning = asyncio.ensure_future(listener.returned())
        lapsing = asyncio.ensure_future(self._clock.sleep(self._seconds_to(until)))
        disturbing = asyncio.ensure_future(self._disturbed.wait())
        waits: tuple[asyncio.Future[Any], ...] = (returning, lapsing, disturbing)
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if returning.done():
                return returning.result()
            if self._disturbed.is_set():
                raise _Disturbed
            return None
        finally:
            for wait in waits:
                wait.cancel()

    async def _fetched(self, returned: Returned) -> Grant:
        """Ask for the token with what the browser brought, until the server decides."""
        wait = wait_of(self._pending)
        until = self._clock.now() + _AFTER_RETURN
        while True:
            try:
                return await self._continued(returned)
            except (TooFastError, UnreachableError, ServerFaultError, TooManyRequestsError):
                if self._clock.now() >= until:
                    raise
            await self._pause(wait)

    async def _continued(self, returned: Returned | None = None) -> Grant:
        reference = returned.interact_ref if returned is not None else ""
        try:
            return await self._client.continue_grant(
                self._auth_server, self._pending, reference or None
            )
        except GrantDeniedError as error:
            is_late = returned is not None and returned.how is Return.INVALID
            why = NoConsent.EXPIRED if is_late else NoConsent.REFUSED
            raise self._no_consent(why) from error
        except ContinuationError as error:
            why = NoConsent.UNKNOWN_REFERENCE if reference else NoConsent.EXPIRED
            raise self._no_consent(why) from error

    async def _pause(self, seconds: float) -> None:
        """Wait; raises `_Disturbed` when a person wants something else meanwhile."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        disturbing = asyncio.ensure_future(self._disturbed.wait())
        try:
            await asyncio.wait({sleeping, disturbing}, return_when=asyncio.FIRST_COMPLETED)
            if self._disturbed.is_set():
                raise _Disturbed
        finally:
            sleeping.cancel()
            disturbing.cancel()

    async def _give_back(self) -> None:
        """End the grant that is waited for, so that its page no longer works."""
        with contextlib.suppress(OpenPaymentsError, TimeoutError):  # then it ends by itself
            async with asyncio.timeout(GIVING_BACK):
                await self._client.cancel_grant(self._auth_server, self._pending)

    def _seconds_to(self, until: datetime) -> float:
        return max((until - self._clock.now()).total_seconds(), 0.0)

    def _no_consent(self, why: NoConsent) -> NoConsentError:
        return no_consent(why, self._purpose, by_redirect=self._way is ConsentWay.REDIRECT)


class _Disturbed(Exception):
    """A person gave up, or wants it another way."""


def wait_of(continuation: Continuation) -> float:
    """Return the seconds to wait before a grant is continued."""
    wait = DEFAULT_WAIT if continuation.wait is None else float(continuation.wait)
    return min(max(wait, _LEAST_WAIT), _MOST_WAIT)


def is_outage(error: OpenPaymentsError) -> bool:
    """Return whether the server gave no answer to what it was asked, and may give one later."""
    return isinstance(error, (UnreachableError, ServerFaultError, TooManyRequestsError))
