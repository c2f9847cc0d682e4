"""Outgoing payments of a wallet address: fetched, listed, and kept in the ledger as they were seen.

Each needs the account holder's consent. Whether a server lists outgoing payments at all is its own
affair: the protocol has the right, and not every server has the list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from opdash.openpayments.errors import (
    InactiveTokenError,
    InvalidTokenError,
    NotPermittedError,
    ServerError,
    SignatureRefusedError,
)
from opdash.service.errors import NotListedError
from opdash.service.events import EventHub, OutgoingChanged
from opdash.service.rights import Right

if TYPE_CHECKING:
    from opdash.openpayments.resources import OutgoingPayment, OutgoingPaymentPage, WalletAddress
    from opdash.service.connection import Connection
    from opdash.service.recorder import Recorder

PAGE: Final = 50
"""Payments of one page of the list."""

_NO_LIST: Final = frozenset({404, 405, 501})
_OTHER_REASONS: Final = (InactiveTokenError, InvalidTokenError, SignatureRefusedError)


class OutgoingDesk:
    """Asks for the outgoing payments of one wallet address."""

    def __init__(
        self,
        connection: Connection,
        recorder: Recorder,
        events: EventHub,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare.

        Args:
            connection: The way to the wallet address's server.
            recorder: Writes what was seen.
            events: Are told what changed.
            now: Returns the server's present instant, UTC.
        """
        self._connection = connection
        self._recorder = recorder
        self._events = events
        self._now = now

    async def payment(self, wallet: WalletAddress, url: str) -> OutgoingPayment:
        """Fetch one outgoing payment; may wait for consent.

        Args:
            wallet: Whose it is; the ledger knows it.
            url: The payment's URL.

        Raises:
            AddressError: The URL is not at this wallet address's resource server.
            OpdashError: It could not be fetched.
        """
        from opdash.openpayments.addresses import AddressError, origin, parse_resource_url

        url = parse_resource_url(url)
        if origin(url) != origin(wallet.resource_server):
            raise AddressError(
                "This payment is at another server than the wallet's.",
                "opdash sends its token only to the server that the wallet address names.",
            )
        payment = await self._connection.authorised(
            Right.OUTGOING,
            lambda client, wallet, token: client.outgoing_payment(wallet, url, token),
        )
        await self._keep(wallet, (payment,))
        return payment

    async def page(self, wallet: WalletAddress, cursor: str | None = None) -> OutgoingPaymentPage:
        """Fetch a page of the list, the newest first on usual servers; may wait for consent.

        Args:
            wallet: Whose; the ledger knows it.
            cursor: Where the page before ended; None for the head of the list.

        Raises:
            NotListedError: The server or the grant does not permit it.
            OpdashError: It could not be fetched.
        """
        try:
            page = await self._connection.authorised(
                Right.OUTGOING,
                lambda client, wallet, token: client.list_outgoing_payments(
                    wallet, token, first=PAGE, cursor=cursor
                ),
                listing=True,
            )
        except ServerError as error:
            refusal = refused_list(error)
            if refusal is None:
                raise
            raise refusal from error
        await self._keep(wallet, page.result)
        return page

    async def _keep(self, wallet: WalletAddress, payments: Sequence[OutgoingPayment]) -> None:
        at = self._now()
        changed = await self._recorder.write(
            lambda ledger: ledger.record_outgoing(wallet.id, payments, at=at)
        )
        if changed:
            self._events.publish(OutgoingChanged(wallet.id, changed))


def refused_list(error: ServerError) -> NotListedError | None:
    """Return that there is no list to be had, if that is what a refusal means, or None."""
    if error.status in _NO_LIST:
        return NotListedError(
            f"This server does not list outgoing payments ({error.status}).",
            "Look one up by its URL; what was seen before stays here.",
        )
    if isinstance(error, NotPermittedError) and not isinstance(error, _OTHER_REASONS):
        return NotListedError(
            f"The grant does not permit to list outgoing payments ({error.status}).",
            "Look one up by its URL, or ask for the grant anew among the grants and tokens.",
        )
    return None
