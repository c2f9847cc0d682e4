"""Completing a payment: fetched anew, compared with what the person saw, then asked for once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow, Source, TimelineKind
from opdash.openpayments.errors import (
    ConflictError,
    ProtocolError,
    ServerFaultError,
    UnansweredError,
)
from opdash.openpayments.resources import IncomingPayment, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.connection import Connection
from opdash.service.consent import Right
from opdash.service.poller import Poller
from opdash.service.recorder import Recorder

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person saw of a payment when deciding to complete it.

    Attributes:
        received: Minor units that had arrived.
        completed: Whether it was completed already.
    """

    received: int
    completed: bool


class ChangedMeanwhile(OpdashError):
    """A payment is no longer what the person saw; nothing was done.

    Attributes:
        payment: What it is now.
    """

    def __init__(self, sentence: str, advice: str, payment: PaymentRow) -> None:
        super().__init__(sentence, advice)
        self.payment = payment


class NotCompletable(OpdashError):
    """A payment is in a state in which it cannot be completed."""


class Completer:
    """Completes payments on one wallet address."""

    def __init__(
        self, connection: Connection, poller: Poller, recorder: Recorder, reader: LedgerReader
    ) -> None:
        self._connection = connection
        self._poller = poller
        self._recorder = recorder
        self._reader = reader

    async def complete(self, payment_id: str, seen: Seen) -> PaymentRow:
        """Complete a payment if it still is what a person saw.

        Returns:
            The completed payment.

        Raises:
            ChangedMeanwhile: It is not; nothing was done.
            NotCompletable: Its state does not allow it; nothing was done.
            UnansweredError: No answer came, and the payment could not be fetched to tell.
            OpenPaymentsError: The server refused or could not be reached.
        """
        wallet = await self._poller.wallet()
        row = await self._fetched(wallet, payment_id)
        if row.completed and not seen.completed:
            raise ChangedMeanwhile(
                "The payment has been completed meanwhile.", "There is nothing left to do.", row
            )
        if row.received != seen.received:
            raise ChangedMeanwhile(
                "Money has arrived meanwhile.", "Look at the new amounts and decide again.", row
            )
        check_completable(row, self._poller.now())
        await self._ask(wallet, payment_id)
        return self._row(wallet, payment_id)

    async def _ask(self, wallet: WalletAddress, payment_id: str) -> None:
        async def post(
            client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
        ) -> IncomingPayment:
            return await client.complete_incoming_payment(wallet, payment_id, token)

        await self._note(wallet, payment_id, TimelineKind.COMPLETING)
        try:
            payment = await self._connection.authorised(Right.INCOMING, post)
        except ConflictError as error:
            row = await self._fetched(wallet, payment_id)
            raise ChangedMeanwhile(
                "The server says that this payment can no longer be completed.",
                "It was completed or has expired meanwhile; what you see now is up to date.",
                row,
            ) from error
        except (UnansweredError, ServerFaultError, ProtocolError) as error:
            if not await self._was_completed(wallet, payment_id):
                raise UnansweredError(
                    "The server gave no answer to “complete”, and the payment is still open.",
                    "opdash keeps watching it; look again before you try once more.",
                ) from error
        else:
            await self._poller.record_one(wallet, payment, Source.COMPLETE)

    async def _was_completed(self, wallet: WalletAddress, payment_id: str) -> bool:
        try:
            row = await self._fetched(wallet, payment_id)
        except OpdashError as error:
            raise UnansweredError(
                "The server gave no answer to “complete”: unknown, checking.",
                "opdash looks again with every poll and shows what it finds.",
            ) from error
        return row.completed

    async def _fetched(self, wallet: WalletAddress, payment_id: str) -> PaymentRow:
        await self._poller.refresh(payment_id)
        return self._row(wallet, payment_id)

    def _row(self, wallet: WalletAddress, payment_id: str) -> PaymentRow:
        row = self._reader.payment(wallet.id, payment_id)
        if row is None:
            raise NotCompletable("opdash does not know this payment.", "Open its wallet first.")
        return row

    async def _note(self, wallet: WalletAddress, payment_id: str, kind: TimelineKind) -> None:
        now = self._poller.now()
        await self._recorder.write(
            lambda ledger: ledger.record_action(wallet.id, payment_id, kind, at=now)
        )


def check_completable(row: PaymentRow, now: datetime) -> None:
    """Raise `NotCompletable` unless the protocol lets this payment be completed now.

    Only an incoming payment that is neither completed, expired nor gone may be completed
    (Open Payments specification, ``POST /incoming-payments/{id}/complete``).
    """
    if row.completed:
        raise NotCompletable("This payment is completed already.")
    if row.gone_at is not None:
        raise NotCompletable("The server no longer has this payment.")
    if row.expires_at is not None and row.expires_at <= now:
        raise NotCompletable(
            "This payment has expired; servers complete only payments that have not.",
            "What has arrived stays with you.",
        )
