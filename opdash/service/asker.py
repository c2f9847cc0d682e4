"""Asking one wallet address's server, and writing down what it says.

Every answer that polls get enters the ledger through `Asker.record`. What each request took and
whether the server wants fewer of them is noted for all who ask there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from opdash.clock import Clock
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, PagePlace, Scope, Source, WalkState
from opdash.ledger.states import grace
from opdash.openpayments.errors import AnswerTooLargeError, TooManyRequestsError
from opdash.openpayments.resources import IncomingPayment, IncomingPaymentPage, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.connection import Connection
from opdash.service.recorder import Recorder
from opdash.service.rights import Right
from opdash.service.servers import Server, Servers
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

_T = TypeVar("_T")


class Asker:
    """Makes the requests of one profile, and records their answers.

    Attributes:
        profile: Whose.
        reader: The ledger.
        clock: The one clock.
    """

    def __init__(
        self,
        profile: Profile,
        connection: Connection,
        recorder: Recorder,
        reader: LedgerReader,
        clock: Clock,
        servers: Servers,
        changed: Callable[[str, tuple[Change, ...]], None],
    ) -> None:
        self.profile = profile
        self.reader = reader
        self.clock = clock
        self._connection = connection
        self._recorder = recorder
        self._servers = servers
        self._changed = changed
        self._server: Server | None = None
        self._remembered: WalletAddress | None = None

    def now(self) -> datetime:
        """The server's present instant, UTC, as well as it is known."""
        return self.clock.now() + self._connection.server_offset

    @property
    def grace(self) -> timedelta:
        """How long after its expiry a payment is given to settle."""
        return grace(self.profile.poll_interval)

    @property
    def scope(self) -> Scope:
        """Under which scope the list is asked."""
        return self.profile.scope

    @property
    def server(self) -> Server:
        """The resource server, as all who ask there know it; from `wallet` on.

        Raises:
            LookupError: The wallet address was not asked for yet.
        """
        if self._server is None:
            raise LookupError("the resource server is not known yet")
        return self._server

    @property
    def server_if_known(self) -> Server | None:
        """The resource server, or None before the wallet address was asked for."""
        return self._server

    async def wallet(self) -> WalletAddress:
        """Return the wallet address, written down in the ledger when learnt in a run."""
        wallet = await self._connection.wallet()
        self._live_at(self._servers.of(wallet.resource_server))
        if self._remembered != wallet:  # what the ledger remembered may be confirmed later
            now, client = self.now(), self.profile.client_wallet_address
            await self._recorder.write(
                lambda ledger: ledger.remember_wallet(wallet, now, client=client)
            )
            self._remembered = wallet
        return wallet

    def leave(self) -> None:
        """Ask no more: others may have this profile's share of requests."""
        self._live_at(None)

    def _live_at(self, server: Server | None) -> None:
        if server is self._server:
            return
        if self._server is not None:
            self._server.leave(self.profile)
        if server is not None:
            server.join(self.profile)
        self._server = server

    # Asking

    async def page(
        self, rows: int, cursor: str | None, *, backwards: bool = False
    ) -> IncomingPaymentPage:
        """Fetch one page of the list and record nothing.

        Raises:
            AnswerTooLargeError: It is larger than opdash reads; ask for fewer.
            OpenPaymentsError: It could not be fetched.
        """

        async def ask(
            client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
        ) -> IncomingPaymentPage:
            began = self.clock.monotonic()
            size = {"last": rows} if backwards else {"first": rows}
            page = await client.list_incoming_payments(wallet, token, cursor=cursor, **size)
            self.server.costs.saw_page(len(page.result), self.clock.monotonic() - began)
            return page

        page = await self._ask(ask)
        there = page.pagination
        has_more = there.has_previous_page if backwards else there.has_next_page
        if has_more and 0 < len(page.result) < rows:
            self.server.longest_page = min(self.server.longest_page, len(page.result))
        return page

    async def ticketed_page(
        self, wallet: WalletAddress, rows: int, cursor: str | None, *, backwards: bool = False
    ) -> tuple[IncomingPaymentPage, int]:
        """Fetch a page, a shorter one where that is too large to read.

        Returns:
            The page, and the ticket that was taken before it was asked for.

        Raises:
            OpenPaymentsError: It could not be fetched.
        """
        ticket = await self.ticket(wallet)
        try:
            page = await self.page(rows, cursor, backwards=backwards)
        except AnswerTooLargeError:
            if rows == 1:
                raise
            return await self.ticketed_page(wallet, rows // 2, cursor, backwards=backwards)
        return page, ticket

    async def payment(self, payment_id: str, used: list[Secret]) -> IncomingPayment:
        """Fetch one payment and record nothing.

        Args:
            payment_id: Its URL.
            used: Holds the token that was used, however this ends.

        Raises:
            OpenPaymentsError: It could not be fetched.
        """

        async def ask(
            client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
        ) -> IncomingPayment:
            used[:] = [token]
            began = self.clock.monotonic()
            payment = await client.incoming_payment(wallet, payment_id, token)
            self.server.costs.saw_get(self.clock.monotonic() - began)
            return payment

        return await self._ask(ask)

    async def token(self) -> Secret | None:
        """Return the token that the list was asked with last."""
        return (await self._connection.tokens()).current(Right.INCOMING)

    async def _ask(
        self, request: Callable[[OpenPaymentsClient, WalletAddress, Secret], Awaitable[_T]]
    ) -> _T:
        try:
            answer = await self._connection.authorised(Right.INCOMING, request)
        except TooManyRequestsError as error:
            if self._server is not None:
                self._server.refused(error)
            raise
        if self._server is not None:
            self._server.answered()
        return answer

    # Recording

    async def ticket(self, wallet: WalletAddress) -> int:
        """Return what to take before a request is sent; see `Ledger.ticket`."""
        return await self._recorder.write(lambda ledger: ledger.ticket(wallet.id))

    async def record(
        self,
        wallet: WalletAddress,
        payments: Sequence[IncomingPayment],
        source: Source,
        *,
        page: PagePlace | None = None,
        ticket: int | None = None,
    ) -> None:
        """Write down what the server answered, and tell what has changed."""
        now, patience, scope = self.now(), self.grace, self.scope
        changes = await self._recorder.write(
            lambda ledger: ledger.record(
                wallet.id,
                payments,
                at=now,
                source=source,
                scope=scope,
                grace=patience,
                page=page,
                ticket=ticket,
            )
        )
        if changes:
            self._changed(wallet.id, changes)

    async def record_page(
        self,
        wallet: WalletAddress,
        page: IncomingPaymentPage,
        cursor: str | None,
        ticket: int,
        *,
        backwards: bool = False,
    ) -> None:
        """Write down a page of the list; an empty one says nothing."""
        if page.result:
            place = PagePlace(pagination=page.pagination, cursor=cursor, backwards=backwards)
            await self.record(wallet, page.result, Source.LIST, page=place, ticket=ticket)

    async def mark_gone(self, wallet: WalletAddress, payment_id: str, ticket: int) -> None:
        """Write down that the server no longer has a payment, and tell."""
        now, patience, scope = self.now(), self.grace, self.scope
        changes = await self._recorder.write(
            lambda ledger: ledger.mark_gone(
                wallet.id, payment_id, at=now, grace=patience, scope=scope, ticket=ticket
            )
        )
        if changes:
            self._changed(wallet.id, changes)

    async def advance(self, wallet_id: str) -> None:
        """Let payments change state by the passing of time alone, and tell."""
        now, patience = self.now(), self.grace
        if not self.reader.has_to_advance(wallet_id, now):
            return  # as nearly always: a look each second shall cost no transaction
        changes = await self._recorder.write(
            lambda ledger: ledger.advance(now, patience, wallet_id)
        )
        if changes:
            self._changed(wallet_id, changes)

    async def polled(self, wallet: WalletAddress) -> None:
        """Write down that the server has just answered a poll."""
        now = self.now()
        await self._recorder.write(lambda ledger: ledger.set_last_poll(wallet.id, now))

    def walk_state(self, wallet: WalletAddress) -> WalkState | None:
        """Return how far the list was read without a gap; None where it was not read."""
        return self.reader.walk_state(wallet.id, self.scope)

    async def change_walk(
        self, wallet: WalletAddress, change: Callable[[WalkState | None], WalkState | None]
    ) -> None:
        """Change how far the list was read, from what that is by now: others change it too."""
        scope = self.scope
        await self._recorder.write(
            lambda ledger: ledger.change_walk_state(wallet.id, scope, change)
        )

    async def scan_anew(self, wallet: WalletAddress) -> None:
        """Let the whole list be read again from its head."""
        now, scope = self.now(), self.scope
        await self._recorder.write(
            lambda ledger: ledger.begin_scan(wallet.id, scope, now, anew=True)
        )

    async def forget_cursor(self, wallet: WalletAddress, cursor: str) -> None:
        """Let a cursor that the server no longer knows begin no page again."""
        scope = self.scope
        await self._recorder.write(lambda ledger: ledger.forget_cursor(wallet.id, scope, cursor))
