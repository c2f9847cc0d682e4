"""Creating payments for invoices: one after the other, at a pace, and none twice.

Each payment's intent is in the ledger before it is sent, together with the invoice's number. What
got no answer is looked for before that invoice is touched again; a server that cannot be reached is
waited for; a person can stop between any two. Whatever ends a run, another one goes on with the
rest, because the ledger and the server's list say what is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final

from opdash.clock import Clock
from opdash.errors import LedgerError, OpdashError
from opdash.ledger.billings import AlreadyBilledError, Bill
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import UNRESOLVED, Creation, CreationStatus
from opdash.openpayments.amounts import AmountError
from opdash.openpayments.canonical import MetadataError
from opdash.openpayments.errors import (
    ConflictError,
    InvalidTokenError,
    ProtocolError,
    ServerError,
    ServerFaultError,
    TooManyRequestsError,
    UnreachableError,
)
from opdash.service.bill_drafts import draft_of
from opdash.service.bill_reports import UNFINISHED, Billed, BillingProgress, Ended, Outcome
from opdash.service.billing_lock import billing_alone
from opdash.service.drafts import DraftMetadataError, ExpiryError
from opdash.service.pace import Pace
from opdash.service.rights import check_may_write
from opdash.service.schedule import next_delay
from opdash.service.session import WalletSession

A_SECOND: Final = 10.0
"""Payments created a second, at the most."""

PATIENCE: Final = 600.0
"""Seconds without a server after which a run ends."""

MOST_UNKNOWN: Final = 3
"""So many payments without an answer are looked for before any other is created."""

_ATTEMPTS: Final = 3
_OUTAGES: Final = (
    UnreachableError,
    ServerFaultError,
    TooManyRequestsError,
    InvalidTokenError,
    ProtocolError,
)
"""What passes by itself; where a payment was to be created, none was."""

_OF_ONE: Final = (AmountError, ExpiryError, DraftMetadataError, MetadataError)
_REFUSED: Final = frozenset({400, 409, 413, 422})
"""What a server says of one request, and need not say of the next."""

_LOOKING: Final = "An answer was lost; looking whether the payment was created."


class Biller:
    """Creates payments for invoices on one wallet address; made for one run.

    Args:
        session: The wallet's session.
        reader: The ledger.
        clock: The one clock.
        tell: Is told of progress.
        told: Is told what became of each invoice, as soon as that is known.
        a_second: Payments created a second, at the most.
        patience: Seconds without a server after which the run ends.
        jitter: Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        session: WalletSession,
        reader: LedgerReader,
        clock: Clock,
        *,
        tell: Callable[[BillingProgress], None] = lambda _: None,
        told: Callable[[Billed], None] = lambda _: None,
        a_second: float = A_SECOND,
        patience: float = PATIENCE,
        jitter: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._session = session
        self._reader = reader
        self._clock = clock
        self._tell = tell
        self._told = told
        self._patience = patience
        self._jitter = jitter
        self._pace = Pace(clock, a_second)
        self._stopping = asyncio.Event()
        self._waiting: deque[Bill] = deque()
        self._unknown: dict[str, tuple[Bill, str]] = {}
        self._attempts: dict[str, int] = {}
        self._billed: list[Billed] = []
        self._total = 0
        self._began = clock.monotonic()
        self._paused = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End the run after the payment that is under way."""
        self._stopping.set()

    async def run(self, bills: Iterable[Bill], checking: Mapping[str, Bill]) -> Ended:
        """Create the payments.

        Args:
            bills: What to create, in this order.
            checking: Bills by the request id of an earlier attempt without an answer; they are
                sent only if that turns out to have made no payment.

        Returns:
            What became of each; also where the run could not come to its end.

        Raises:
            ReadOnlyError: The wallet is set up to read only.
            BusyError: Another opdash does the same for this wallet address.
        """
        check_may_write(self._session.profile, "create")
        self._waiting.extend(bills)
        self._unknown = {bill.invoice: (bill, asked) for asked, bill in checking.items()}
        self._total = len(self._waiting) + len(self._unknown)
        self._began = self._clock.monotonic()
        failure: OpdashError | None = None
        with billing_alone(self._reader.path, self._session.profile.wallet_address):
            try:
                await self._work()
            except OpdashError as error:
                failure = error
        self._give_up_rest(failure)
        unfinished = any(one.outcome in UNFINISHED for one in self._billed)
        return Ended(
            billed=tuple(self._billed),
            was_stopped=self.is_stopping and unfinished and failure is None,
            failure=failure,
        )

    # The run

    async def _work(self) -> None:
        while (self._waiting or self._unknown) and not self._stopping.is_set():
            if not self._waiting or len(self._unknown) >= MOST_UNKNOWN:
                await self._pause(self._session.profile.poll_interval, _LOOKING)
                await self._look()
                continue
            await self._until(self._pace.wait())
            if not self._stopping.is_set():
                await self._create(self._waiting.popleft())
                self._show()

    async def _create(self, bill: Bill) -> None:
        """Create one payment, or put the invoice where it belongs.

        Raises:
            OpdashError: The run cannot go on.
        """
        try:
            creation = await self._session.create_payment(draft_of(bill, self._session), bill)
        except AlreadyBilledError as error:
            self._take_other(bill, error.billing.creation)
        except _OUTAGES as error:
            self._waiting.appendleft(bill)
            await self._ride_out(error)
        except LedgerError:
            if self._may_be_sent(bill):
                self._unknown[bill.invoice] = bill, ""
            else:
                self._waiting.appendleft(bill)
            raise
        except OpdashError as error:
            if not _is_of_one(error):
                self._waiting.appendleft(bill)
                raise
            self._done(bill, Outcome.FAILED, reason=str(error))
        else:
            self._pace.answered()
            if creation.status in UNRESOLVED:
                self._unknown[bill.invoice] = bill, creation.request_id
                await self._look()
            else:
                self._take(bill, creation)

    async def _look(self) -> None:
        """Poll, which looks for what got no answer, and take over what is known by then."""
        try:
            await self._session.poll_once()
        except _OUTAGES as error:
            await self._ride_out(error)
        self._sort_out()

    def _sort_out(self) -> None:
        for bill, request_id in tuple(self._unknown.values()):
            creation = self._reader.creation(request_id)
            if creation is not None and creation.status not in UNRESOLVED:
                del self._unknown[bill.invoice]
                self._take(bill, creation)

    def _take(self, bill: Bill, creation: Creation) -> None:
        """Take over a creation whose end is known."""
        if creation.status is CreationStatus.CREATED:
            self._done(bill, Outcome.CREATED, creation.payment_id or "", creation.error)
            return
        tried = self._attempts[bill.invoice] = self._attempts.get(bill.invoice, 0) + 1
        if tried < _ATTEMPTS:
            self._waiting.append(bill)
        else:
            self._done(bill, Outcome.FAILED, reason=creation.error)

    def _take_other(self, bill: Bill, creation: Creation) -> None:
        """Take over what an earlier run or another process did."""
        if creation.status in UNRESOLVED:
            self._unknown[bill.invoice] = bill, creation.request_id
        else:
            self._done(bill, Outcome.BILLED_BEFORE, creation.payment_id or "")

    def _done(self, bill: Bill, outcome: Outcome, payment_id: str = "", reason: str = "") -> None:
        billed = Billed(bill=bill, outcome=outcome, payment_id=payment_id, reason=reason)
        self._billed.append(billed)
        self._told(billed)

    def _may_be_sent(self, bill: Bill) -> bool:
        """Return whether a payment was sent whose end the ledger could not take over."""
        try:
            billing = self._reader.billings(self._session.wallet_id or "").get(bill.invoice)
        except LedgerError:
            return True
        return billing is not None and billing.is_unresolved

    def _give_up_rest(self, failure: OpdashError | None) -> None:
        reason = "" if failure is None else failure.sentence
        for bill, _ in self._unknown.values():
            self._done(bill, Outcome.UNKNOWN, reason="It is not known yet whether it was created.")
        for bill in self._waiting:
            self._done(bill, Outcome.NOT_TRIED, reason=reason)
        self._unknown, self._waiting = {}, deque()

    # Waiting

    async def _ride_out(self, error: OpdashError) -> None:
        """Wait until the server answers a poll.

        Raises:
            OpdashError: It did not for too long, or it refuses for a reason that does not pass.
        """
        began = self._clock.monotonic()
        failures = 0
        while not self._stopping.is_set():
            failures += 1
            retry_after = error.retry_after if isinstance(error, ServerError) else None
            if isinstance(error, TooManyRequestsError):
                self._pace.slow_down(retry_after)
            if self._clock.monotonic() - began > self._patience:
                raise error
            delay = next_delay(
                1.0, failures=failures, retry_after=retry_after, jitter=self._jitter()
            )
            await self._pause(delay, error.sentence)
            if self._stopping.is_set():
                return
            try:
                await self._session.poll_once()
            except _OUTAGES as again:
                error = again
            else:
                self._sort_out()
                return

    async def _pause(self, seconds: float, why: str) -> None:
        """Wait, and say why; ends at once when the run is to stop."""
        began = self._clock.monotonic()
        self._show(waiting=why, pause=seconds)
        await self._until(self._clock.sleep(seconds))
        self._paused += self._clock.monotonic() - began

    async def _until(self, waiting: Awaitable[None]) -> None:
        """Wait for something, or until the run is to stop."""
        for_it = asyncio.ensure_future(waiting)
        for_stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({for_it, for_stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for_it.cancel()
            for_stop.cancel()

    def _show(self, *, waiting: str = "", pause: float = 0.0) -> None:
        done = len(self._billed)
        worked = self._clock.monotonic() - self._began - self._paused
        rate = done / worked if done and worked > 0 else None
        to_do = len(self._waiting)
        left = timedelta(seconds=to_do / rate) if rate and to_do else None
        self._tell(
            BillingProgress(
                done=done,
                total=self._total,
                checking=tuple(self._unknown),
                per_second=rate,
                left=left,
                waiting=waiting,
                pause=pause,
            )
        )


def _is_of_one(error: OpdashError) -> bool:
    """Return whether an error is about one payment, and says nothing of the next."""
    if isinstance(error, ServerError):
        return type(error) in (ServerError, ConflictError) and error.status in _REFUSED
    return isinstance(error, _OF_ONE)
