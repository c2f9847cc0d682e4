"""Puts the sandbox together: database, clock, servers, and the door they stand behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from opdash.clock import Clock
from opdash.sandbox.access import AccessControl
from opdash.sandbox.auth_server import AuthServer
from opdash.sandbox.bodies import Bodies
from opdash.sandbox.clients import Clients
from opdash.sandbox.clock import SECOND, SandboxClock
from opdash.sandbox.control import Control
from opdash.sandbox.database import open_database, read_fact, write_fact
from opdash.sandbox.errors import Refusal, plain_error
from opdash.sandbox.exchange import Exchange, endpoint
from opdash.sandbox.fault_control import FaultControl
from opdash.sandbox.fiction import Fiction
from opdash.sandbox.front_door import FrontDoor
from opdash.sandbox.grants import Grants
from opdash.sandbox.holder import AccountHolder, Decision
from opdash.sandbox.interactions import Interactions
from opdash.sandbox.options import SandboxOptions
from opdash.sandbox.outages import Outages
from opdash.sandbox.payments import IncomingPayments
from opdash.sandbox.resource_server import ResourceServer
from opdash.sandbox.seed import seed_rows
from opdash.sandbox.simulation import Simulation
from opdash.sandbox.transfers import Transfers
from opdash.sandbox.wallet_server import WalletServer
from opdash.sandbox.wallets import WALLETS, WalletDirectory

_TENANT = "tenant"
_SKIPPED = "skipped microseconds"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox, ready to be served.

    Attributes:
        app: The ASGI application.
        wallets: Its wallet addresses.
        clients: The connections to other clients' wallet addresses.
        database: Its database.
    """

    app: ASGIApp
    wallets: WalletDirectory
    clients: Clients
    database: sqlite3.Connection

    async def close(self) -> None:
        """Close connections and database."""
        await self.clients.close()
        self.database.close()


def build_sandbox(
    options: SandboxOptions,
    base_url: str,
    keys: Mapping[str, tuple[Mapping[str, str], ...]],
    clock: Clock,
) -> Sandbox:
    """Open or make the data, and build the servers around it.

    Args:
        options: What was chosen at the start.
        base_url: The origin at which it is served.
        keys: The public keys (as JWKs) by wallet address path.
        clock: The machine's clock.
    """
    database = open_database(options.data)
    sandbox_clock = SandboxClock(clock, int(read_fact(database, _SKIPPED) or "0"))
    payments = IncomingPayments(database)
    tenant = _open_tenant(options, database, payments, sandbox_clock)
    wallets = WalletDirectory(base_url, WALLETS, keys)
    bodies = Bodies(wallets, tenant)
    transfers = Transfers(database, payments)
    simulation = Simulation(sandbox_clock, payments, transfers, options.seed, payer=options.payer)
    outages = Outages(tenant)
    clients = Clients(wallets, outages)
    grants = Grants(database, options.continue_wait)
    access = AccessControl(wallets, grants, clients, sandbox_clock, outages, bodies.auth_origin)

    def remember_clock() -> None:
        write_fact(database, _SKIPPED, str(sandbox_clock.skipped))

    holder = AccountHolder(
        Decision.ALLOW if options.auto_consent else Decision.ASK, free_lists=options.free_lists
    )
    sandbox_clock.date_offset = options.date_offset * SECOND
    control = Control(
        sandbox_clock, wallets, payments, transfers, simulation, bodies, remember_clock
    )
    faults = FaultControl(sandbox_clock, wallets, clients, outages, holder)
    auth = AuthServer(tenant, wallets, grants, clients, access, sandbox_clock, holder)
    interactions = Interactions(grants, clients, sandbox_clock, bodies.auth_origin, tenant, holder)
    resources = ResourceServer(tenant, wallets, payments, transfers, access, bodies, simulation)
    routes = [
        *control.routes(),
        *faults.routes(),
        *interactions.routes(),
        *auth.routes(),
        Route("/auth/{rest:path}", endpoint(_not_found), methods=["GET"]),
        *resources.routes(),
        *WalletServer(wallets, bodies).routes(),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={Refusal: _refuse, HTTPException: _refuse},
    )
    app.router.redirect_slashes = False
    door = FrontDoor(app, sandbox_clock, simulation, outages, options.latency)
    return Sandbox(door, wallets, clients, database)


def _open_tenant(
    options: SandboxOptions,
    database: sqlite3.Connection,
    payments: IncomingPayments,
    clock: SandboxClock,
) -> str:
    known = read_fact(database, _TENANT)
    if known is not None:
        return known
    tenant = Fiction(f"{options.seed}{_TENANT}").payment_id()
    for lot in seed_rows(options.seed, clock.now(), options.payments):
        payments.add_all(lot)
    write_fact(database, _TENANT, tenant)
    return tenant


async def _not_found(_: Exchange) -> Response:
    raise plain_error(404)


async def _refuse(_: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else plain_error(404)
    return Response(refusal.body, refusal.status, refusal.headers, media_type=refusal.content_type)
