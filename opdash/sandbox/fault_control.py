"""The sandbox's own requests that make it go wrong, or decide for the account holder.

As all of them they are unsigned, in JSON, and no part of the protocol.
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from opdash.sandbox.clients import Clients
from opdash.sandbox.clock import SECOND, SandboxClock
from opdash.sandbox.control import read_order
from opdash.sandbox.errors import control_error
from opdash.sandbox.exchange import Exchange, Handler, endpoint, json_answer
from opdash.sandbox.holder import AccountHolder, Decision
from opdash.sandbox.outages import Outages
from opdash.sandbox.wallets import WalletDirectory

_YEAR = 366 * 86_400


class OutageOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/outage`` takes.

    Attributes:
        down: The servers that are down from now on, or none.
        portal: Whether a captive portal answers for them with a page and status 200.
    """

    down: list[str]
    portal: bool = False


class ConsentOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/consent`` takes; what is left out stays.

    Attributes:
        decide: What becomes of requests for consent from now on.
        free_lists: Whether ``list-all`` needs none.
    """

    decide: Decision | None = None
    free_lists: bool | None = None


class DateOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/date`` takes: seconds by which the ``Date`` header is wrong."""

    offset: int


class ClientOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/client`` takes; what is left out stays.

    Attributes:
        client: The wallet address of a client of the sandbox.
        hidden_keys: The ids of the keys that its jwks does not serve from now on, or none.
        public_name: Its name from now on; null takes it away.
    """

    client: str
    hidden_keys: list[str] | msgspec.UnsetType = msgspec.UNSET
    public_name: str | msgspec.UnsetType | None = msgspec.UNSET


class FaultControl:
    """Answers these requests."""

    def __init__(
        self,
        clock: SandboxClock,
        wallets: WalletDirectory,
        clients: Clients,
        outages: Outages,
        holder: AccountHolder,
    ) -> None:
        self._clock = clock
        self._wallets = wallets
        self._clients = clients
        self._outages = outages
        self._holder = holder

    def routes(self) -> list[Route]:
        """Return the routes, all below ``/sandbox``."""

        def route(path: str, handler: Handler) -> Route:
            return Route("/sandbox" + path, endpoint(handler), methods=["POST"])

        return [
            route("/outage", self.outage),
            route("/consent", self.consent),
            route("/date", self.date),
            route("/client", self.client),
        ]

    async def outage(self, exchange: Exchange) -> Response:
        """Take servers down, or let all be up again."""
        order = read_order(exchange, OutageOrder)
        self._outages.take_down(order.down, portal=order.portal)
        return json_answer({"down": sorted(set(order.down))})

    async def consent(self, exchange: Exchange) -> Response:
        """Decide for the account holder from now on, or let them be asked."""
        order = read_order(exchange, ConsentOrder)
        holder = self._holder
        holder.decides = order.decide or holder.decides
        if order.free_lists is not None:
            holder.free_lists = order.free_lists
        return json_answer({"decide": holder.decides.value, "free_lists": holder.free_lists})

    async def date(self, exchange: Exchange) -> Response:
        """Let the ``Date`` header be wrong, while everything else goes by the right time."""
        order = read_order(exchange, DateOrder)
        if abs(order.offset) > _YEAR:
            raise control_error(400, "The Date header is wrong by a year at the most.")
        self._clock.date_offset = order.offset * SECOND
        return json_answer({"offset": order.offset})

    async def client(self, exchange: Exchange) -> Response:
        """Let a client's keys vanish from its jwks, or change its name."""
        order = read_order(exchange, ClientOrder)
        wallet = self._wallets.by_url(order.client)
        if wallet is None:
            raise control_error(404, "There is no such wallet address here.")
        if order.hidden_keys is not msgspec.UNSET:
            self._wallets.hide_keys(wallet.path, order.hidden_keys)
            self._clients.forget(wallet.path)
        if order.public_name is not msgspec.UNSET:
            self._wallets.rename(wallet.path, order.public_name)
        served = [key["kid"] for key in self._wallets.jwks(wallet)["keys"]]
        return json_answer({"client": order.client, "keys": served})
