"""Payments that are asked for one by one, and those that the server no longer finds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from opdash.errors import OpdashError
from opdash.ledger.records import Source
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.errors import (
    GoneError,
    GrantError,
    NotFoundError,
    ProtocolError,
    ServerError,
    TooManyRequestsError,
)
from opdash.openpayments.resources import IncomingPayment, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.service.asker import Asker
from opdash.service.errors import NotOurPaymentError


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A payment that a get did not find.

    Attributes:
        token: The token that was used; the list must succeed with the very same.
        ticket: What `Ledger.ticket` returned before it was asked for.
    """

    token: Secret
    ticket: int


class Singles:
    """Asks for single payments of one wallet address."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._suspects: dict[str, _Suspect] = {}
        self._tried: dict[str, datetime] = {}

    @property
    def tried(self) -> Mapping[str, datetime]:
        """When payments were last asked for in vain."""
        return self._tried

    def keep(self, payment_ids: Iterable[str]) -> None:
        """Remember attempts in vain for these payments only."""
        self._tried = {one: self._tried[one] for one in payment_ids if one in self._tried}

    async def look_for(self, wallet: WalletAddress, payment_id: str) -> OpdashError | None:
        """Ask for one payment; return why it could not be read where that may be its own fault.

        The list was just answered: one payment that is refused, broken or at another server must
        keep neither the others nor the news from being read.
        """
        self._tried[payment_id] = self._asker.now()
        try:
            await self.get(wallet, payment_id)
        except (GoneError, NotFoundError) as error:
            return None if names(error, payment_id) else error
        except (TooManyRequestsError, GrantError):
            raise
        except (AddressError, ProtocolError, ServerError) as error:
            if isinstance(error, ServerError) and error.retry_after is not None:
                raise
            return error
        self._tried.pop(payment_id, None)
        return None

    async def get(self, wallet: WalletAddress, payment_id: str) -> IncomingPayment:
        """Fetch one payment and record it.

        Raises:
            GoneError, NotFoundError: The server does not have it; `settle` finds out for how long.
            OpenPaymentsError: It could not be fetched.
        """
        used: list[Secret] = []
        ticket = await self._asker.ticket(wallet)
        try:
            payment = await self._asker.payment(payment_id, used)
        except (GoneError, NotFoundError) as error:
            if used and names(error, payment_id):
                self._suspects[payment_id] = _Suspect(used[0], ticket)
            raise
        self._suspects.pop(payment_id, None)
        self._refuse_stranger(wallet, payment)
        await self._asker.record(wallet, (payment,), Source.GET, ticket=ticket)
        return payment

    def _refuse_stranger(self, wallet: WalletAddress, payment: IncomingPayment) -> None:
        """Raise for a payment of another wallet address, unless it was this one's before.

        A client may read all that it created, so a person's question may meet such a payment; what
        was this wallet address's and no longer is, is an anomaly of its own.
        """
        if payment.wallet_address.rstrip("/") == wallet.id.rstrip("/"):
            return
        if self._asker.reader.payment(wallet.id, payment.id) is None:
            raise NotOurPaymentError(
                f"This payment belongs to another wallet address, {payment.wallet_address}.",
                "Add that one, or name it with --wallet where it is set up.",
            )

    async def settle(self, wallet: WalletAddress) -> int:
        """Declare gone what a get did not find, once a list with the same token succeeded.

        A token that was renewed in between tells nothing of the other, so those are asked for
        once more.

        Returns:
            The requests made.
        """
        if not self._suspects:
            return 0
        renewed = await self._settle(wallet)
        for payment_id in renewed:
            with contextlib.suppress(GoneError, NotFoundError):
                await self.get(wallet, payment_id)
        if not self._suspects:
            return 1 + len(renewed)
        await self._settle(wallet)
        return 2 + len(renewed)

    async def _settle(self, wallet: WalletAddress) -> list[str]:
        """Settle what can be; return the payments that another token was used for."""
        suspects, renewed = dict(self._suspects), []
        page, _ = await self._asker.ticketed_page(wallet, 1, None)
        token = await self._asker.token()
        listed = {payment.id for payment in page.result}
        for payment_id, suspect in suspects.items():
            if self._suspects.get(payment_id) is suspect:
                del self._suspects[payment_id]
            if suspect.token != token:
                renewed.append(payment_id)
            elif payment_id not in listed:
                await self._asker.mark_gone(wallet, payment_id, suspect.ticket)
        return renewed


def names(error: GoneError | NotFoundError, payment_id: str) -> bool:
    """Return whether an error is about this payment: a 404 is, a 401 must name it."""
    if isinstance(error, NotFoundError):
        return True
    named = str(error.details.get("id", ""))
    return named != "" and payment_id.rstrip("/").endswith(named.rstrip("/"))
