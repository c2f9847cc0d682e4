"""Dashboards on a sandbox, with everything that a real one has: key file, ledger, HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opdash.clock import SystemClock
from opdash.ledger.records import PaymentRow
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.events import Event
from opdash.service.session import WalletSession
from opdash.settings import Profile, Settings, SettingsStore

if TYPE_CHECKING:
    from opdash.openpayments.transport import Exchange

OpenDashboard = Callable[..., "Watched"]


class Watched:
    """A dashboard over one or more wallets of a sandbox, and what it said and asked.

    Attributes:
        dashboard: The real one.
        events: All that it announced.
        exchanges: All requests that it made.
    """

    def __init__(
        self, dashboard: Dashboard, events: list[Event], exchanges: list[Exchange]
    ) -> None:
        self.dashboard = dashboard
        self.events = events
        self.exchanges = exchanges
        dashboard.events.subscribe(events.append)

    @property
    def session(self) -> WalletSession:
        """The session of the first profile."""
        return self.dashboard.session(self.dashboard.profiles[0].name)

    @property
    def wallet(self) -> str:
        """The wallet address of the first profile, once it is known."""
        wallet_id = self.session.wallet_id
        assert wallet_id is not None
        return wallet_id

    def payment(self, payment_id: str | None) -> PaymentRow:
        """What the ledger knows of a payment of that wallet address."""
        row = self.dashboard.reader.payment(self.wallet, str(payment_id))
        assert row is not None
        return row

    async def create(self, amount: int, expires_in: timedelta | None = None) -> str:
        """Create a payment there and return its URL."""
        expires_at = None if expires_in is None else self.session.now() + expires_in
        draft = PaymentDraft(amount=amount, expires_at=expires_at)
        creation = await self.session.create_payment(draft)
        assert creation.payment_id is not None
        return creation.payment_id

    def asked(self, method: str, part: str) -> int:
        """How many requests of a method went to URLs that hold a part."""
        return sum(1 for made in self.exchanges if made.method == method and part in str(made.url))


def profile_of(sandbox: SandboxProcess, address: str, **changes: Any) -> Profile:
    settings: dict[str, Any] = {
        "name": address.rpartition("/")[2],
        "wallet_address": address,
        "client_wallet_address": sandbox.client.wallet_address,
        "key_id": sandbox.client.key_id,
        "key_file": sandbox.client.private_key,
    }
    return Profile(**(settings | changes))


@pytest.fixture
async def open_dashboard(tmp_path: Path) -> AsyncIterator[OpenDashboard]:
    """Open dashboards; ``data`` names a data directory, so that one can be opened again."""
    async with AsyncExitStack() as stack:

        def start(
            sandbox: SandboxProcess, *addresses: str, data: str = "data", **changes: Any
        ) -> Watched:
            store = SettingsStore(tmp_path / f"{data}.toml")
            store.load()
            chosen = addresses or (sandbox.main_wallet,)
            profiles = tuple(profile_of(sandbox, address, **changes) for address in chosen)
            store.save(Settings(profiles=profiles))
            exchanges: list[Exchange] = []
            dashboard = Dashboard(
                store,
                tmp_path / data,
                SystemClock(),
                jitter=lambda: 0.5,
                observer=exchanges.append,
            )
            stack.push_async_callback(dashboard.stop)
            return Watched(dashboard, [], exchanges)

        yield start
