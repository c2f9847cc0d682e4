"""One poll: the head of the list, then the payments that can still change and are due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from opdash.clock import Clock
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, Change, ChangeKind, Source
from opdash.openpayments.errors import GoneError, NotFoundError
from opdash.openpayments.resources import IncomingPayment, IncomingPaymentPage, WalletAddress
from opdash.service.asker import Asker
from opdash.service.connection import Connection
from opdash.service.gaps import Gaps
from opdash.service.heads import ListHead
from opdash.service.planner import Plan
from opdash.service.recorder import Recorder
from opdash.service.refreshing import Refreshed, Refresher
from opdash.service.servers import Server, Servers
from opdash.service.singles import Singles, names
from opdash.service.study import Study
from opdash.settings import Profile

_ODD_ONES = 2
"""How many payments may fail to be read, and no other be asked for, without a fault of the server
being the likelier reason."""


class Poller:
    """Asks one wallet address's server what is new and what has changed."""

    def __init__(
        self,
        profile: Profile,
        connection: Connection,
        recorder: Recorder,
        reader: LedgerReader,
        clock: Clock,
        announce: Callable[[str, tuple[Change, ...]], None],
        caught_up: Callable[[int, datetime], None],
        *,
        servers: Servers,
        study: Study,
    ) -> None:
        self._asker = Asker(profile, connection, recorder, reader, clock, servers, self._take)
        self._head = ListHead(self._asker)
        self._gaps = Gaps(self._asker)
        self._singles = Singles(self._asker)
        self._refresher = Refresher(self._asker, self._singles, study)
        self._reader = reader
        self._announce = announce
        self._caught_up = caught_up
        self._away = True
        self._away_since: datetime | None = None
        self._newest_before: datetime | None = None
        self._arrived = 0

    def now(self) -> datetime:
        """The server's present instant, UTC, as well as it is known."""
        return self._asker.now()

    @property
    def grace(self) -> timedelta:
        """How long after its expiry a payment is given to settle."""
        return self._asker.grace

    @property
    def server(self) -> Server:
        """The resource server, as all who ask there know it; from `wallet` on."""
        return self._asker.server

    @property
    def server_if_known(self) -> Server | None:
        """The resource server, or None before the wallet address was asked for."""
        return self._asker.server_if_known

    @property
    def on_screen(self) -> frozenset[str]:
        """Ids of the payments that a person sees."""
        return self._refresher.on_screen

    @on_screen.setter
    def on_screen(self, payment_ids: frozenset[str]) -> None:
        self._refresher.on_screen = payment_ids

    async def wallet(self) -> WalletAddress:
        """Return the wallet address, written down in the ledger when first learnt in a run."""
        return await self._asker.wallet()

    def leave(self) -> None:
        """Say that nobody polls with this any more."""
        self._asker.leave()

    async def poll(self) -> bool:
        """Ask once for all that the plan names.

        Returns:
            Whether the list is known down from its head; otherwise `walk_gaps` reads what lies
            between.

        Raises:
            OpenPaymentsError: The server could not be asked; what it said before is recorded.
        """
        wallet = await self._present()
        budget = self.server.polling
        limit = budget.allowance(self.server.pollers)
        known = self._reader.wallet(wallet.id)
        since = None if known is None else known.last_poll_at
        rows = self._head.rows(wallet, since)
        plan: Plan | None = None
        if since is not None:
            plan = await self._refresher.plan(wallet, rows, limit)
            rows = plan.head_rows or rows
        budget.spend()
        head = await self._head.read(wallet, since, rows)
        if head.opened_gap:
            self._gaps.opened(since)
        spent = 1 + await self._head.follow_the_end(wallet)
        whole = not self._gaps.any(wallet)
        refreshed = Refreshed()
        if plan is None or not plan.is_done_by(head.shown):
            pages = whole and not self._head.oldest_first
            refreshed = await self._refresher.refresh(wallet, max(limit - spent, 1), pages=pages)
        spent += refreshed.requests + await self._singles.settle(wallet)
        budget.spend(spent - 1)
        if whole:
            self._tell_caught_up()
        failures = refreshed.failures
        if len(failures) == refreshed.gets > _ODD_ONES:
            raise failures[0]
        return whole

    async def walk_gaps(self, seconds: float) -> bool:
        """Read on for so long where heads did not meet what was known.

        Returns:
            Whether the list is now known without a gap.

        Raises:
            OpenPaymentsError: The server could not be asked.
        """
        wallet = await self._present()
        whole = await self._gaps.walk(wallet, seconds)
        if whole:
            self._tell_caught_up()
        return whole

    async def refresh(self, payment_id: str) -> IncomingPayment:
        """Fetch one payment anew, record it, and return it as the server sent it.

        Raises:
            GoneError: The server no longer has it; the ledger then says so too.
            OpenPaymentsError: It could not be fetched.
        """
        wallet = await self.wallet()
        try:
            return await self._singles.get(wallet, payment_id)
        except (GoneError, NotFoundError) as error:
            if names(error, payment_id):
                await self._singles.settle(wallet)
            raise

    async def load_older(self) -> bool:
        """Fetch one page beyond the oldest known payment.

        Returns:
            Whether the server has more beyond that page.

        Raises:
            OpenPaymentsError: It could not be fetched.
        """
        return await self._head.load_older(await self.wallet())

    async def advance(self, wallet_id: str) -> None:
        """Let payments change state by the passing of time alone."""
        await self._asker.advance(wallet_id)

    async def record_one(
        self, wallet: WalletAddress, payment: IncomingPayment, source: Source
    ) -> None:
        """Write down a payment that the server answered to a person's action."""
        await self._asker.record(wallet, (payment,), source)

    async def fetch_page(self, first: int, cursor: str | None) -> IncomingPaymentPage:
        """Fetch one page of the list and record nothing.

        Raises:
            AnswerTooLargeError: It is larger than opdash reads; ask for fewer.
            OpenPaymentsError: It could not be fetched.
        """
        return await self._asker.page(first, cursor)

    def missed(self) -> None:
        """Say that a poll failed: what happens from now on is caught up with by a later one."""
        self._away = True

    async def _present(self) -> WalletAddress:
        """Return the wallet address, and remember since when its server has told nothing."""
        wallet = await self.wallet()
        if self._away and self._away_since is None:
            known = self._reader.wallet(wallet.id)
            self._away_since = None if known is None else known.last_poll_at
            newest = self._reader.window(wallet.id, NEWEST_FIRST, 0, 1)
            self._newest_before = newest[0].created_at if newest else None
            self._arrived = 0
        return wallet

    def _tell_caught_up(self) -> None:
        since, self._away, self._away_since = self._away_since, False, None
        if since is not None and self._arrived:
            self._caught_up(self._arrived, since)

    def _take(self, wallet_id: str, changes: tuple[Change, ...]) -> None:
        self._arrived += sum(map(self._is_arrival, changes))
        self._announce(wallet_id, changes)

    def _is_arrival(self, change: Change) -> bool:
        """Return whether a payment was created while nobody answered, and is no old one."""
        before = self._newest_before
        is_new = change.kind is ChangeKind.NEW
        return is_new and (before is None or change.payment.created_at >= before)
