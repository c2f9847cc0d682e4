"""One poll: the head of the list, then single payments that can still change.

Every answer enters the ledger through `Poller._record`; nothing else in the service does that for
what a server said by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Change,
    Changeable,
    ChangeKind,
    PagePlace,
    PaymentRow,
    Source,
    WalkState,
)
from opdash.ledger.states import grace
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.errors import (
    AnswerTooLargeError,
    GoneError,
    GrantError,
    NotFoundError,
    ProtocolError,
    ServerError,
    TooManyRequestsError,
)
from opdash.openpayments.resources import IncomingPayment, IncomingPaymentPage, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.connection import Connection
from opdash.service.consent import Right
from opdash.service.errors import NotOurPaymentError
from opdash.service.planner import MAX_PAGE, choose_gets, head_size, requests_per_poll
from opdash.service.recorder import Recorder
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

_SCAN_PAUSE = 0.1
"""Seconds between two pages of a longer walk: ten requests a second at the most."""

_ODD_ONES = 2
"""How many payments may fail to be read, and no other be asked for, without a fault of the server
being the likelier reason."""


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
        self._newest_before: datetime | None = None
        self._arrived = 0
        self._suspects: dict[str, _Suspect] = {}
        self._tried: dict[str, datetime] = {}
        self._oldest_first = False
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
            now, client = self.now(), self._profile.client_wallet_address
            await self._recorder.write(
                lambda ledger: ledger.remember_wallet(wallet, now, client=client)
            )
            self._remembered = True
        return wallet

    async def poll(self) -> None:
        """Ask once for all that the plan names.

        Raises:
            OpenPaymentsError: The server could not be asked; what it said before is recorded.
        """
        wallet = await self._present()
        started = self.now()
        known = self._reader.wallet(wallet.id)
        since = None if known is None else known.last_poll_at
        await self._read_head(wallet, since)
        requests = 1 + await self._close_gaps(wallet, since)
        requests += await self._follow_the_end(wallet)
        self._tell_caught_up()
        budget = requests_per_poll(self._profile.poll_interval) - requests
        chosen = choose_gets(
            self._not_refreshed_since(wallet, started),
            now=self.now(),
            interval=self._profile.poll_interval,
            budget=max(budget, 1),
            on_screen=self.on_screen,
        )
        failures = [error for one in chosen if (error := await self._look_for(wallet, one))]
        await self._settle_suspects(wallet)
        if len(failures) == len(chosen) > _ODD_ONES:
            raise failures[0]

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
            await self._read_head(wallet, None)
            state = self._walk_state(wallet)
            return state is not None and state.server_has_more
        if not state.server_has_more:
            return False
        page, ticket = await self._list(wallet, self._profile.page_size, state.cursor)
        if not page.result:
            return await self._find_the_end_again(wallet)
        await self._record_page(wallet, page, state.cursor, ticket)
        asked, now = state.cursor, self.now()
        await self._change_walk(
            wallet,
            lambda known: _frontier(page, now, known) if known and known.cursor == asked else known,
        )
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
            newest = self._reader.window(wallet.id, NEWEST_FIRST, 0, 1)
            self._newest_before = newest[0].created_at if newest else None
            self._arrived = 0
        return wallet

    def _tell_caught_up(self) -> None:
        since, self._away, self._away_since = self._away_since, False, None
        if since is not None and self._arrived:
            self._caught_up(self._arrived, since)

    # The head of the list, and what lies between it and what is known

    async def _read_head(self, wallet: WalletAddress, since: datetime | None) -> None:
        state = self._walk_state(wallet)
        ranks = self._ranks_that_can_change(wallet.id)
        size = self._profile.page_size if state is None else head_size(ranks)
        page, ticket = await self._list(wallet, size, None)
        meets = self._meets_known(wallet, page, since)
        self._oldest_first = _rises(page)
        await self._record_page(wallet, page, None, ticket)
        end, at = page.pagination.end_cursor, self.now()

        def read(known: WalkState | None) -> WalkState:
            if known is None or known.cursor is None:
                return _frontier(page, at, known)
            if meets or not end:
                return known
            return replace(known, gaps=(end, *known.gaps), updated_at=at)

        await self._change_walk(wallet, read)
        now = self.now()
        await self._recorder.write(lambda ledger: ledger.set_last_poll(wallet.id, now))

    async def _close_gaps(self, wallet: WalletAddress, since: datetime | None) -> int:
        """Walk on from where heads did not meet what was known; return the requests made.

        In a long gap the head is read again once in a poll interval, so that new payments are seen.
        """
        requests = 0
        pages_between_heads = max(1, int(self._profile.poll_interval / _SCAN_PAUSE))
        been_at: set[str] = set()
        while (state := self._walk_state(wallet)) is not None and state.gaps:
            if requests and requests % pages_between_heads == 0:
                known = self._reader.wallet(wallet.id)
                await self._read_head(wallet, None if known is None else known.last_poll_at)
            if requests:
                await self._clock.sleep(_SCAN_PAUSE)
            cursor = state.gaps[0]
            page, ticket = await self._list(wallet, MAX_PAGE, cursor)
            requests += 1
            if not page.result or cursor in been_at:
                await self._give_up_gap(wallet, cursor)
                continue
            been_at.add(cursor)
            closed = self._closes_gap(wallet, page, since)
            await self._record_page(wallet, page, cursor, ticket)
            onward = None if closed else page.pagination.end_cursor
            await self._change_walk(wallet, partial(_past_gap, cursor, onward, self.now()))
        return requests

    async def _follow_the_end(self, wallet: WalletAddress) -> int:
        """Read on where the list ended, if new payments come last; return the requests made.

        The protocol sets no order of the list. Real servers show the newest first.
        """
        requests = 0
        state = self._walk_state(wallet) if self._oldest_first else None
        while state is not None and state.cursor is not None and not state.server_has_more:
            cursor, known = state.cursor, self._reader.count(wallet.id)
            page, ticket = await self._list(wallet, MAX_PAGE, cursor)
            requests += 1
            if not page.result:
                break
            await self._record_page(wallet, page, cursor, ticket)
            await self._change_walk(wallet, partial(_frontier, page, self.now()))
            if self._reader.count(wallet.id) == known or not page.pagination.has_next_page:
                break
            await self._clock.sleep(_SCAN_PAUSE)
            after = self._walk_state(wallet)
            state = None if after is None else replace(after, server_has_more=False)
        return requests

    async def _give_up_gap(self, wallet: WalletAddress, cursor: str) -> None:
        """Leave a gap whose place the server has lost to a scan of the whole list."""
        now, scope = self.now(), self._profile.scope

        def leave(known: WalkState | None) -> WalkState | None:
            left = _past_gap(cursor, None, now, known)
            return None if left is None else replace(left, server_has_more=True)

        await self._change_walk(wallet, leave)
        await self._recorder.write(
            lambda ledger: ledger.begin_scan(wallet.id, scope, now, anew=True)
        )

    def _meets_known(
        self, wallet: WalletAddress, page: IncomingPaymentPage, since: datetime | None
    ) -> bool:
        """Return whether a page, not yet recorded, reaches down to what was known at a poll.

        A payment that opdash created since then is known, but what others created before it may
        not be: so the last row must have been known by then.
        """
        if not page.result or not page.pagination.has_next_page:
            return True
        last = self._reader.payment(wallet.id, page.result[-1].id)
        return last is not None and since is not None and last.first_seen_at <= since

    def _closes_gap(
        self, wallet: WalletAddress, page: IncomingPaymentPage, since: datetime | None
    ) -> bool:
        """Return whether a page of a gap, not yet recorded, reaches down to what the list showed.

        What was walked to or scanned since the last poll is known from the list, too.
        """
        if self._meets_known(wallet, page, since):
            return True
        entries = self._reader.timeline(wallet.id, page.result[-1].id)
        return bool(entries) and entries[0].source is Source.LIST

    async def _find_the_end_again(self, wallet: WalletAddress) -> bool:
        """Walk from the head past everything known: the cursor was lost."""
        cursor: str | None = None
        been_at: set[str | None] = set()
        while True:
            page, ticket = await self._list(wallet, MAX_PAGE, cursor)
            news = any(
                self._reader.payment(wallet.id, payment.id) is None for payment in page.result
            )
            await self._record_page(wallet, page, cursor, ticket)
            await self._change_walk(wallet, partial(_frontier, page, self.now()))
            if news or not page.pagination.has_next_page:
                return page.pagination.has_next_page
            been_at.add(cursor)
            if page.pagination.end_cursor in been_at:
                raise ProtocolError(
                    "The server's list leads back to itself.", field="pagination.endCursor"
                )
            cursor = page.pagination.end_cursor
            await self._clock.sleep(_SCAN_PAUSE)

    # Single payments

    def _not_refreshed_since(
        self, wallet: WalletAddress, started: datetime
    ) -> tuple[Changeable, ...]:
        """Return what can change and the list did not show; in vain counts as asked for."""
        changeable = self._reader.changeable(wallet.id)
        left = [payment for payment in changeable if payment.last_seen_at < started]
        tried = {payment.id: self._tried.get(payment.id) for payment in left}
        self._tried = {payment_id: at for payment_id, at in tried.items() if at is not None}
        return tuple(
            msgspec.structs.replace(
                payment,
                last_seen_at=max(payment.last_seen_at, tried[payment.id] or payment.last_seen_at),
            )
            for payment in left
        )

    async def _look_for(self, wallet: WalletAddress, payment_id: str) -> OpdashError | None:
        """Ask for one payment; return why it could not be read where that may be its own fault.

        The list was just answered: one payment that is refused, broken or at another server must
        keep neither the others nor the news from being read.
        """
        self._tried[payment_id] = self.now()
        try:
            await self._get(wallet, payment_id)
        except (GoneError, NotFoundError) as error:
            return None if _names(error, payment_id) else error
        except (TooManyRequestsError, GrantError):
            raise
        except (AddressError, ProtocolError, ServerError) as error:
            if isinstance(error, ServerError) and error.retry_after is not None:
                raise
            return error
        self._tried.pop(payment_id, None)
        return None

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
        self._refuse_stranger(wallet, payment)
        await self._record(wallet, (payment,), Source.GET, ticket=ticket)
        return payment

    def _refuse_stranger(self, wallet: WalletAddress, payment: IncomingPayment) -> None:
        """Raise for a payment of another wallet address, unless it was this one's before.

        A client may read all that it created, so a person's question may meet such a payment; what
        was this wallet address's and no longer is, is an anomaly of its own.
        """
        if payment.wallet_address.rstrip("/") == wallet.id.rstrip("/"):
            return
        if self._reader.payment(wallet.id, payment.id) is None:
            raise NotOurPaymentError(
                f"This payment belongs to another wallet address, {payment.wallet_address}.",
                "Add that one, or name it with --wallet where it is set up.",
            )

    async def _settle_suspects(self, wallet: WalletAddress) -> None:
        """Declare gone what a get did not find, once a list with the same token succeeded."""
        if not self._suspects:
            return
        suspects = dict(self._suspects)
        page, _ = await self._list(wallet, 1, None)
        token = (await self._connection.tokens()).current(Right.INCOMING)
        listed = {payment.id for payment in page.result}
        for payment_id, suspect in suspects.items():
            if self._suspects.get(payment_id) is suspect:
                del self._suspects[payment_id]
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
            self._arrived += sum(map(self._is_arrival, changes))
            self._announce(wallet.id, changes)

    def _is_arrival(self, change: Change) -> bool:
        """Return whether a payment was created while nobody answered, and is no old one."""
        before = self._newest_before
        is_new = change.kind is ChangeKind.NEW
        return is_new and (before is None or change.payment.created_at >= before)

    def _ranks_that_can_change(self, wallet_id: str) -> list[int]:
        can_change = {payment.id for payment in self._reader.changeable(wallet_id)}
        newest: Sequence[PaymentRow] = self._reader.window(wallet_id, NEWEST_FIRST, 0, MAX_PAGE)
        return [rank for rank, row in enumerate(newest) if row.id in can_change]

    def _walk_state(self, wallet: WalletAddress) -> WalkState | None:
        return self._reader.walk_state(wallet.id, self._profile.scope)

    async def _change_walk(
        self, wallet: WalletAddress, change: Callable[[WalkState | None], WalkState | None]
    ) -> None:
        """Change how far the list was read, from what that is by now: others change it too."""
        scope = self._profile.scope

        await self._recorder.write(
            lambda ledger: ledger.change_walk_state(wallet.id, scope, change)
        )


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


def _rises(page: IncomingPaymentPage) -> bool:
    """Return whether a page begins with the oldest payment."""
    steps = [after.created_at - one.created_at for one, after in pairwise(page.result)]
    return any(step > timedelta(0) for step in steps) and min(steps) >= timedelta(0)


def _past_gap(
    cursor: str, onward: str | None, now: datetime, known: WalkState | None
) -> WalkState | None:
    """Return how far the list has been read once a page of a gap is recorded."""
    if known is None:
        return None
    moved = () if onward is None else (onward,)
    gaps = tuple(at for gap in known.gaps for at in (moved if gap == cursor else (gap,)))
    return replace(known, gaps=gaps, updated_at=now)


def _names(error: GoneError | NotFoundError, payment_id: str) -> bool:
    """Return whether an error is about this payment: a 404 is, a 401 must name it."""
    if isinstance(error, NotFoundError):
        return True
    named = str(error.details.get("id", ""))
    return named != "" and payment_id.rstrip("/").endswith(named.rstrip("/"))
