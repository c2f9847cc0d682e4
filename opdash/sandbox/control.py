"""The sandbox's own requests: pay, skip time, look at the truth. Unsigned, in JSON.

They take no part in the protocol, and only a JSON content type is accepted, so that a web page in
some browser cannot send them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from opdash.sandbox.bodies import Bodies
from opdash.sandbox.clock import SECOND, SandboxClock, iso_instant
from opdash.sandbox.errors import InvalidRequestError, control_error
from opdash.sandbox.exchange import Exchange, Handler, endpoint, json_answer
from opdash.sandbox.payments import MAX_STORED, IncomingPayments, IncomingRow, is_uuid
from opdash.sandbox.simulation import Simulation
from opdash.sandbox.transfers import MAX_PACKETS, Transfer, Transfers, usual_packets
from opdash.sandbox.wallets import RECEIVERS, SENDER, Wallet, WalletDirectory

_NEWEST = 20
_TEN_YEARS = 10 * 366 * 86_400
_T = TypeVar("_T")


class PayOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/pay`` takes.

    Attributes:
        payment: The URL of the incoming payment.
        amount: Minor units as text; None pays what is still missing.
        packets: In how many parts it travels; None cuts only large amounts.
        fails: Whether the sender runs out of money before the last part.
    """

    payment: str
    amount: str | None = None
    packets: Annotated[int, msgspec.Meta(ge=1, le=MAX_PACKETS)] | None = None
    fails: bool = False


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/clock`` takes: how many seconds to skip."""

    advance: Decimal


class Control:
    """Answers the sandbox's own requests."""

    def __init__(
        self,
        clock: SandboxClock,
        wallets: WalletDirectory,
        payments: IncomingPayments,
        transfers: Transfers,
        simulation: Simulation,
        bodies: Bodies,
        clock_changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._wallets = wallets
        self._payments = payments
        self._transfers = transfers
        self._simulation = simulation
        self._bodies = bodies
        self._clock_changed = clock_changed

    def routes(self) -> list[Route]:
        """Return the routes, all below ``/sandbox``."""

        def route(path: str, method: str, handler: Handler) -> Route:
            return Route("/sandbox" + path, endpoint(handler), methods=[method])

        return [
            route("/pay", "POST", self.pay),
            route("/clock", "POST", self.advance),
            route("/state", "GET", self.state),
        ]

    async def pay(self, exchange: Exchange) -> Response:
        """Pay an open incoming payment; the answer names the outgoing payment."""
        order = read_order(exchange, PayOrder)
        row, wallet = self._find(order.payment)
        if not row.is_open(self._clock.now()):
            raise control_error(409, "The payment is completed or expired; it takes no money.")
        amount = _amount(order, row)
        transfer = Transfer(
            amount,
            min(amount, order.packets or usual_packets(amount, wallet.asset)),
            fails=order.fails,
        )
        sent = self._simulation.send(row, wallet.asset, transfer, self._clock.now())
        body = {"outgoingPayment": self._bodies.outgoing_url(sent.id), "amount": str(amount)}
        return json_answer(body, 201)

    async def advance(self, exchange: Exchange) -> Response:
        """Skip time, and let happen what is due by then."""
        order = read_order(exchange, ClockOrder)
        if not (order.advance.is_finite() and 0 <= order.advance <= _TEN_YEARS):
            raise control_error(400, "The clock skips from 0 seconds to ten years, never back.")
        self._clock.advance(int(order.advance * SECOND))
        self._clock_changed()
        self._simulation.catch_up()
        return json_answer({"now": iso_instant(self._clock.now())})

    async def state(self, exchange: Exchange) -> Response:
        """Tell the truth about the server, or with ``?payment=URL`` about one payment."""
        now = self._clock.now()
        if "payment" in exchange.query:
            row, wallet = self._find(exchange.query["payment"])
            return json_answer(
                {
                    "payment": self._bodies.incoming(row, wallet.asset),
                    "client": self._wallets.url(row.client),
                    "open": row.is_open(now),
                    "gone": row.is_gone(now),
                }
            )
        return json_answer(
            {
                "now": iso_instant(now),
                "walletAddresses": [
                    {"id": self._wallets.url(wallet.path)}
                    | self._payments.summary(wallet.path, now)
                    for wallet in RECEIVERS
                ],
                "newestOutgoingPayments": [
                    self._bodies.outgoing_url(row.id)
                    for row in self._transfers.newest(SENDER, _NEWEST)
                ],
            }
        )

    def _find(self, url: str) -> tuple[IncomingRow, Wallet]:
        base, _, identifier = url.rpartition("/incoming-payments/")
        row = None
        if base == self._bodies.resource_server and is_uuid(identifier):
            row = self._payments.find(identifier)
        wallet = None if row is None else self._wallets.by_url(self._wallets.url(row.wallet))
        if row is None or wallet is None:
            raise control_error(404, "There is no such incoming payment here.")
        return row, wallet


def _amount(order: PayOrder, row: IncomingRow) -> int:
    if order.amount is None:
        if row.asked is None:
            raise control_error(400, "The payment asks for no amount: say how much to pay.")
        return row.asked - row.received
    digits = order.amount
    amount = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0
    if not 0 < amount <= MAX_STORED:
        raise control_error(400, "The amount must be minor units as text, from 1 to 2^63-1.")
    return amount


def read_order(exchange: Exchange, kind: type[_T]) -> _T:
    """Return what a control request orders. Raises `Refusal`."""
    if not exchange.headers.get("content-type", "").startswith("application/json"):
        raise control_error(415, "Send JSON, and say so in Content-Type.")
    try:
        order: Any = msgspec.json.decode(exchange.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidRequestError) as error:
        raise control_error(400, str(error)) from None
    return order  # type: ignore[no-any-return]
