"""One poll: the head of the list, then single payments that can still change.

Every answer enters the ledger through `Poller._record`; nothing else in the service does that for
what a server said by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Change,
    PagePlace,
    PaymentRow,
    Source,
    WalkState,
)
from opdash.ledger.states import grace
from opdash.openpayments.errors import (
    AnswerTooLargeError,
    GoneError,
    NotFoundError,
    ProtocolError,
)
from opdash.openpayments.resources import IncomingPayment, IncomingPaymentPage, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.connection import Connection
from opdash.service.consent import Right
from opdash.service.planner import MAX_PAGE, choose_gets, head_size, requests_per_poll
from opdash.service.recorder import Recorder
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

_SCAN_PAUSE = 0.1
"""Seconds between two pages of a longer walk: ten requests a second at the most."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A payment that a get did not find.

    Attributes:
        token: The token that was used; the list must succeed with the very same.
        ticket: What `Ledger.ticket` returned before it was asked for.
    """

    token: Secret
    ticket: int


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
    ) -> None:
        self._profile = profile
        self._connection = connection
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._announce = announce
        self._caught_up = caught_up
        self._away = True
        self._away_since: datetime | None = None
        self._suspects: dict[str, _Suspect] = {}
        self._remembered = False
        self.on_screen: frozenset[str] = frozenset()

    def now(self) -> datetime:
        """The server's present instant, UTC, as well as it is known."""
        return self._clock.now() + self._connection.server_offset

    @property
    def grace(self) -> timedelta:
        """How long after its expiry a payment is given to settle."""
        return grace(self._profile.poll_interval)

    async def wallet(self) -> WalletAddress:
        """Return the wallet address, written down in the ledger when first learnt in a run."""
        wallet = await self._connection.wallet()
        if not self._remembered:
            now = self.now()
            await self._recorder.write(lambda ledger: ledger.remember_wallet(wallet, now))
            self._remembered = True
        return wallet

    async def poll(self) -> None:
        """Ask once for all that the plan names.

        Raises:
            OpenPaymentsError: The server could not be asked; what it said before is recorded.
        """
        wallet = await self._present()
        started = self.now()
        await self._read_head(wallet)
        requests = 1 + await self._close_gaps(wallet)
        self._tell_caught_up(wallet)
        budget = requests_per_poll(self._profile.poll_interval) - requests
        left = [
            payment
            for payment in self._reader.changeable(wallet.id)
            if payment.last_seen_at < started
        ]
        chosen = choose_gets(
            left,
            now=self.now(),
            interval=self._profile.poll_interval,
            budget=max(budget, 1),
            on_screen=self.on_screen,
        )
        for payment_id in chosen:
            await self._look_for(wallet, payment_id)
        await self._settle_suspects(wallet)

    async def refresh(self, payment_id: str) -> IncomingPayment:
        """Fetch one payment anew, record it, and return it as the server sent it.

        Raises:
            GoneError: The server no longer has it; the ledger then says so too.
            OpenPaymentsError: It could not be fetched.
        """
        wallet = await self.wallet()
        try:
            return await self._get(wallet, payment_id)
        except (GoneError, NotFoundError) as error:
            if _names(error, payment_id):
                await self._settle_suspects(wallet)
            raise

    async def load_older(self) -> bool:
        """Fetch one page beyond the oldest known payment.

        Returns:
            Whether the server has more beyond that page.

        Raises:
            OpenPaymentsError: It could not be fetched.
        """
        wallet = await self.wallet()
        state = self._walk_state(wallet)
        if state is None or state.cursor is None:
            await self._read_head(wallet)
            state = self._walk_state(wallet)
            return state is not None and state.server_has_more
        if not state.server_has_more:
            return False
        page, ticket = await self._list(wallet, self._profile.page_size, state.cursor)
        if not page.result:
            return await self._find_the_end_again(wallet)
        await self._record_page(wallet, page, state.cursor, ticket)
        await self._set_walk(wallet, _frontier(page, self.now(), state))
        return page.pagination.has_next_page

    async def advance(self, wallet_id: str) -> None:
        """Let payments change state by the passing of time alone."""
        now, patience = self.now(), self.grace
        changes = await self._recorder.write(
            lambda ledger: ledger.advance(now, patience, wallet_id)
        )
        if changes:
            self._announce(wallet_id, changes)

    async def record_one(
        self, wallet: WalletAddress, payment: IncomingPayment, source: Source
    ) -> None:
        """Write down a payment that the server answered to a person's action."""
        await self._record(wallet, (payment,), source)

    async def fetch_page(self, first: int, cursor: str | None) -> IncomingPaymentPage:
        """Fetch one page of the list and record nothing.

        Raises:
            AnswerTooLargeError: It is larger than opdash reads; ask for fewer.
            OpenPaymentsError: It could not be fetched.
        """
        return await self._connection.authorised(
            Right.INCOMING,
            lambda client, wallet, token: client.list_incoming_payments(
                wallet, token, first=first, cursor=cursor
            ),
        )

    def missed(self) -> None:
        """Say that a poll failed: what happens from now on is caught up with by a later one."""
        self._away = True

    async def _present(self) -> WalletAddress:
        """Return the wallet address, and remember since when its server has told nothing."""
        wallet = await self.wallet()
        if self._away and self._away_since is None:
            known = self._reader.wallet(wallet.id)
            self._away_since = None if known is None else known.last_poll_at
        return wallet

    def _tell_caught_up(self, wallet: WalletAddress) -> None:
        since, self._away, self._away_since = self._away_since, False, None
        missed = 0 if since is None else self._reader.created_since(wallet.id, since)
        if since is not None and missed:
            self._caught_up(missed, since)

    # The head of the list, and what lies between it and what is known

    async def _read_head(self, wallet: WalletAddress) -> None:
        state = self._walk_state(wallet)
        ranks = self._ranks_that_can_change(wallet.id)
        size = self._profile.page_size if state is None else head_size(ranks)
        page, ticket = await self._list(wallet, size, None)
        meets = self._meets_known(wallet, page)
        await self._record_page(wallet, page, None, ticket)
        if state is None or state.cursor is None:
            await self._set_walk(wallet, _frontier(page, self.now()))
        elif not meets and page.pagination.end_cursor:
            gaps = (page.pagination.end_cursor, *state.gaps)
            await self._set_walk(wallet, replace(state, gaps=gaps, updated_at=self.now()))
        now = self.now()
        await self._recorder.write(lambda ledger: ledger.set_last_poll(wallet.id, now))

    async def _close_gaps(self, wallet: WalletAddress) -> int:
        """Walk on from where heads did not meet what was known; return the requests made."""
        requests = 0
        been_at: set[str] = set()
        while (state := self._walk_state(wallet)) is not None and state.gaps:
            if requests:
                await self._clock.sleep(_SCAN_PAUSE)
            cursor, rest = state.gaps[0], state.gaps[1:]
            page, ticket = await self._list(wallet, MAX_PAGE, cursor)
            requests += 1
            if not page.result or cursor in been_at:
                await self._give_up_gap(wallet, state)
                continue
            been_at.add(cursor)
            known = self._reader.payment(wallet.id, page.result[-1].id) is not None
            await self._record_page(wallet, page, cursor, ticket)
            closed = known or not page.pagination.has_next_page
            gaps = rest if closed else (str(page.pagination.end_cursor), *rest)
            await self._set_walk(wallet, replace(state, gaps=gaps, updated_at=self.now()))
        return requests

    async def _give_up_gap(self, wallet: WalletAddress, state: WalkState) -> None:
        """Leave a gap whose place the server has lost to a scan of the whole list."""
        now, scope = self.now(), self._profile.scope
        left = replace(state, gaps=state.gaps[1:], server_has_more=True, updated_at=now)
        await self._set_walk(wallet, left)
        await self._recorder.write(
            lambda ledger: ledger.begin_scan(wallet.id, scope, now, anew=True)
        )

    def _meets_known(self, wallet: WalletAddress, page: IncomingPaymentPage) -> bool:
        """Return whether a head, not yet recorded, reaches down to what earlier heads showed.

        A payment that opdash created since the last poll is known, but what others created before
        it may not be: so the last row must have been known by then.
        """
        if not page.result or not page.pagination.has_next_page:
            return True
        last = self._reader.payment(wallet.id, page.result[-1].id)
        known = self._reader.wallet(wallet.id)
        if last is None or known is None or known.last_poll_at is None:
            return False
        return last.first_seen_at <= known.last_poll_at

    async def _find_the_end_again(self, wallet: WalletAddress) -> bool:
        """Walk from the head past everything known: the cursor was lost."""
        cursor: str | None = None
        while True:
            page, ticket = await self._list(wallet, MAX_PAGE, cursor)
            news = any(
                self._reader.payment(wallet.id, payment.id) is None for payment in page.result
            )
            await self._record_page(wallet, page, cursor, ticket)
            await self._set_walk(wallet, _frontier(page, self.now(), self._walk_state(wallet)))
            if news or not page.pagination.has_next_page:
                return page.pagination.has_next_page
            if page.pagination.end_cursor == cursor:
                raise ProtocolError(
                    "The server's list leads back to itself.", field="pagination.endCursor"
                )
            cursor = page.pagination.end_cursor
            await self._clock.sleep(_SCAN_PAUSE)

    # Single payments

    async def _look_for(self, wallet: WalletAddress, payment_id: str) -> None:
        try:
            await self._get(wallet, payment_id)
        except (GoneError, NotFoundError) as error:
            if not _names(error, payment_id):
                raise

    async def _get(self, wallet: WalletAddress, payment_id: str) -> IncomingPayment:
        used: list[Secret] = []
        ticket = await self._ticket(wallet)

        async def ask(
            client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
        ) -> IncomingPayment:
            used[:] = [token]
            return await client.incoming_payment(wallet, payment_id, token)

        try:
            payment = await self._connection.authorised(Right.INCOMING, ask)
        except (GoneError, NotFoundError) as error:
            if used and _names(error, payment_id):
                self._suspects[payment_id] = _Suspect(used[0], ticket)
            raise
        self._suspects.pop(payment_id, None)
        await self._record(wallet, (payment,), Source.GET, ticket=ticket)
        return payment

    async def _settle_suspects(self, wallet: WalletAddress) -> None:
        """Declare gone what a get did not find, once a list with the same token succeeded."""
        if not self._suspects:
            return
        page, _ = await self._list(wallet, 1, None)
        token = (await self._connection.tokens()).current(Right.INCOMING)
        listed = {payment.id for payment in page.result}
        suspects, self._suspects = self._suspects, {}
        for payment_id, suspect in suspects.items():
            if suspect.token == token and payment_id not in listed:
                await self._mark_gone(wallet, payment_id, suspect.ticket)

    async def _mark_gone(self, wallet: WalletAddress, payment_id: str, ticket: int) -> None:
        now, patience, scope = self.now(), self.grace, self._profile.scope
        changes = await self._recorder.write(
            lambda ledger: ledger.mark_gone(
                wallet.id, payment_id, at=now, grace=patience, scope=scope, ticket=ticket
            )
        )
        self._announce(wallet.id, changes)

    # Asking and recording

    async def _list(
        self, wallet: WalletAddress, first: int, cursor: str | None
    ) -> tuple[IncomingPaymentPage, int]:
        """Fetch a page, a shorter one where that is too large to read.

        Returns:
            The page, and the ticket that was taken before it was asked for.
        """
        ticket = await self._ticket(wallet)
        try:
            page = await self.fetch_page(first, cursor)
        except AnswerTooLargeError:
            if first == 1:
                raise
            return await self._list(wallet, first // 2, cursor)
        return page, ticket

    async def _ticket(self, wallet: WalletAddress) -> int:
        return await self._recorder.write(lambda ledger: ledger.ticket(wallet.id))

    async def _record_page(
        self, wallet: WalletAddress, page: IncomingPaymentPage, cursor: str | None, ticket: int
    ) -> None:
        if page.result:
            place = PagePlace(pagination=page.pagination, cursor=cursor)
            await self._record(wallet, page.result, Source.LIST, page=place, ticket=ticket)

    async def _record(
        self,
        wallet: WalletAddress,
        payments: Sequence[IncomingPayment],
        source: Source,
        *,
        page: PagePlace | None = None,
        ticket: int | None = None,
    ) -> None:
        now, patience, scope = self.now(), self.grace, self._profile.scope
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
            self._announce(wallet.id, changes)

    def _ranks_that_can_change(self, wallet_id: str) -> list[int]:
        can_change = {payment.id for payment in self._reader.changeable(wallet_id)}
        newest: Sequence[PaymentRow] = self._reader.window(wallet_id, NEWEST_FIRST, 0, MAX_PAGE)
        return [rank for rank, row in enumerate(newest) if row.id in can_change]

    def _walk_state(self, wallet: WalletAddress) -> WalkState | None:
        return self._reader.walk_state(wallet.id, self._profile.scope)

    async def _set_walk(self, wallet: WalletAddress, state: WalkState) -> None:
        scope = self._profile.scope
        await self._recorder.write(lambda ledger: ledger.set_walk_state(wallet.id, scope, state))


def _frontier(
    page: IncomingPaymentPage, now: datetime, before: WalkState | None = None
) -> WalkState:
    """Return how far the list has been read once a page at its frontier is recorded."""
    end = page.pagination.end_cursor
    return WalkState(
        cursor=end or (before.cursor if before else None),
        server_has_more=page.pagination.has_next_page,
        updated_at=now,
        gaps=before.gaps if before else (),
    )


def _names(error: GoneError | NotFoundError, payment_id: str) -> bool:
    """Return whether an error is about this payment: a 404 is, a 401 must name it."""
    if isinstance(error, NotFoundError):
        return True
    named = str(error.details.get("id", ""))
    return named != "" and payment_id.rstrip("/").endswith(named.rstrip("/"))
