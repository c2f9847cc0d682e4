"""Creating a payment so that a crash, a time-out or a lost answer never makes two.

Open Payments has no idempotency key. The intent is therefore in the ledger before anything is
sent, with a request id that travels in the payment's metadata; when no answer comes, the payment is
looked up by that id in what the list shows, and nothing is ever sent a second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.errors import LedgerError, OpdashError
from opdash.ledger.billings import Bill
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Creation,
    CreationStatus,
    PaymentRow,
    Source,
    TimelineKind,
)
from opdash.openpayments.errors import ProtocolError, ServerFaultError, UnansweredError
from opdash.openpayments.resources import IncomingPayment, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.connection import Connection
from opdash.service.consent import Right
from opdash.service.drafts import PaymentDraft, check_draft, draft_json, wire_draft
from opdash.service.poller import Poller
from opdash.service.recorder import Recorder

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.drafts import IncomingPaymentDraft

GIVE_UP_AFTER = timedelta(seconds=60)
"""How long after sending a payment may still turn up before opdash says that it was not created."""

_OTHER_AMOUNT = "The server created it with another amount than was asked for: look at it first."
_CLOCK_MARGIN = timedelta(minutes=10)
_PAUSE = 0.1
_WINDOW = 200


class Creator:
    """Creates payments on one wallet address and follows up those whose answer was lost."""

    def __init__(
        self,
        connection: Connection,
        poller: Poller,
        recorder: Recorder,
        reader: LedgerReader,
        clock: Clock,
        announce: Callable[[Creation], None],
    ) -> None:
        self._connection = connection
        self._poller = poller
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._announce = announce
        self._in_flight: set[str] = set()

    async def create(self, draft: PaymentDraft, bill: Bill | None = None) -> Creation:
        """Create a payment, once.

        Args:
            draft: What to create.
            bill: The invoice that it is for, which is then never billed twice.

        Returns:
            How it ended: CREATED with the payment's id, or UNKNOWN when no answer came.

        Raises:
            InputError: The draft cannot be sent; nothing was sent.
            AlreadyBilledError: The invoice has been billed before; nothing was sent.
            OpenPaymentsError: The server refused, or nothing was sent; no payment was created.
        """
        wallet = await self._poller.wallet()
        check_draft(draft, self._poller.now())
        request_id = str(uuid.uuid4())
        request = wire_draft(draft, wallet, request_id)
        request.body(wallet)  # refuses here what could not be sent
        await (await self._connection.tokens()).token(Right.INCOMING)
        now = self._poller.now()
        creation = Creation(
            request_id=request_id,
            wallet=wallet.id,
            draft_json=draft_json(draft, wallet, request_id),
            status=CreationStatus.INTENDED,
            created_at=now,
            updated_at=now,
        )
        if bill is None:
            await self._recorder.write(lambda ledger: ledger.begin_creation(creation))
        else:
            await self._recorder.write(lambda ledger: ledger.begin_billing(bill, creation))
        self._announce(creation)
        self._in_flight.add(request_id)
        try:
            return await self._send(wallet, request, creation)
        finally:
            self._in_flight.discard(request_id)

    async def follow_up(self, wallet_id: str) -> None:
        """Look in the ledger for payments whose creation got no answer.

        Called after a poll has read the list's head down to what was known, so that a payment
        created since lies in the ledger.
        """
        for creation in self._reader.unresolved_creations(wallet_id):
            if creation.request_id in self._in_flight:
                continue
            found = self._find(creation)
            if found is not None:
                await self._found(creation, found.id)
            elif creation.status is not CreationStatus.UNKNOWN:
                await self._step(creation, CreationStatus.UNKNOWN)
            elif self._poller.now() - creation.updated_at > GIVE_UP_AFTER:
                await self._conclude(creation)

    async def _send(
        self, wallet: WalletAddress, draft: IncomingPaymentDraft, creation: Creation
    ) -> Creation:
        async def post(
            client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
        ) -> IncomingPayment:
            return await client.create_incoming_payment(wallet, token, draft)

        try:
            payment = await self._connection.authorised(Right.INCOMING, post)
        except (UnansweredError, ServerFaultError, ProtocolError) as error:
            with _sent_all_the_same("It is unknown whether the payment was created"):
                return await self._step(creation, CreationStatus.UNKNOWN, error=str(error))
        except OpdashError as error:
            with suppress(LedgerError):  # that nothing was created matters more
                await self._step(creation, CreationStatus.FAILED, error=str(error))
            raise
        as_asked = payment.incoming_amount == draft.amount
        with _sent_all_the_same("The payment was created"):
            await self._poller.record_one(wallet, payment, Source.CREATE)
            return await self._step(
                creation,
                CreationStatus.CREATED,
                payment_id=payment.id,
                error="" if as_asked else _OTHER_AMOUNT,
            )

    async def _conclude(self, creation: Creation) -> None:
        """Ask the list itself once more: who hears that nothing was created will create again.

        The ledger may know less than the list does: it may have been begun after the creation, and
        the protocol lets a server list its payments in any order.
        """
        try:
            payment = await self._connection.authorised(
                Right.INCOMING,
                lambda client, wallet, token: self._listed(creation, client, wallet, token),
            )
        except ProtocolError:
            return  # a list that cannot be read to its end proves nothing
        if payment is not None:
            await self._poller.record_one(await self._poller.wallet(), payment, Source.GET)
            await self._found(creation, payment.id)
            return
        await self._step(
            creation,
            CreationStatus.NOT_FOUND,
            error="The server does not have this payment: it was not created.",
        )

    async def _listed(
        self, creation: Creation, client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
    ) -> IncomingPayment | None:
        """Look for a payment in the list, down to what is older where the newest come first."""
        oldest = creation.created_at - _CLOCK_MARGIN
        last, falls, rises = None, False, False
        async for page in client.walk_incoming_payments(wallet, token):
            for payment in page.result:
                if creation.request_id in payment.metadata_json:
                    return payment
                falls |= last is not None and payment.created_at < last
                rises |= last is not None and payment.created_at > last
                last = payment.created_at
            if falls and not rises and last is not None and last < oldest:
                return None
            await self._clock.sleep(_PAUSE)
        return None

    async def _found(self, creation: Creation, payment_id: str) -> None:
        now = self._poller.now()
        await self._recorder.write(
            lambda ledger: ledger.record_action(
                creation.wallet, payment_id, TimelineKind.CREATED, at=now
            )
        )
        await self._step(creation, CreationStatus.CREATED, payment_id=payment_id)

    async def _step(
        self,
        creation: Creation,
        status: CreationStatus,
        *,
        payment_id: str | None = None,
        error: str = "",
    ) -> Creation:
        now = self._poller.now()
        updated = await self._recorder.write(
            lambda ledger: ledger.update_creation(
                creation.request_id, status, at=now, payment_id=payment_id, error=error
            )
        )
        self._announce(updated)
        return updated

    def _find(self, creation: Creation) -> PaymentRow | None:
        oldest: datetime = creation.created_at - _CLOCK_MARGIN
        offset = 0
        while rows := self._reader.window(creation.wallet, NEWEST_FIRST, offset, _WINDOW):
            for row in rows:
                if creation.request_id in row.metadata_json:
                    return row
            if rows[-1].created_at < oldest:
                return None
            offset += len(rows)
        return None


@contextmanager
def _sent_all_the_same(what: str) -> Iterator[None]:
    """Say what has happened where the ledger can no longer take it over: the intent is in there."""
    try:
        yield
    except LedgerError as error:
        raise LedgerError(
            f"{what}, which cannot be written down: {error.sentence}",
            f"Do not create it again: opdash looks for it with every poll. {error.advice}",
        ) from error
