"""The ledger against the sandbox's own truth, over HTTP, whatever is done in whatever order.

What a person, a payer, another till, another client, time, outages and restarts do is drawn by
chance; at any moment the ledger must agree with itself, and with the server's truth as soon as the
server has been heard again.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from opdash.clock import SystemClock
from opdash.errors import OpdashError
from opdash.ledger.records import PaymentRow, Scope, TimelineKind
from opdash.sandbox.process import SandboxClient, SandboxProcess
from opdash.service.completions import Seen
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.session import WalletSession
from opdash.settings import Profile, Settings, SettingsStore

_T = TypeVar("_T")

PARTS = ("authorization", "resource", "wallet-address")
HOURS = 3600


class Till:
    """One opdash with a data directory of its own."""

    def __init__(self, sandbox: SandboxProcess, home: Path, client: SandboxClient) -> None:
        profile = Profile(
            "till",
            sandbox.wallet_addresses[-1],
            client_wallet_address=client.wallet_address,
            key_id=client.key_id,
            key_file=client.private_key,
            page_size=20,
            poll_rate=1000.0,
        )
        self.home = home
        self._store = SettingsStore(home / "config.toml")
        self._store.load()
        self._store.save(Settings(profiles=(profile,)))
        self.dashboard = Dashboard(self._store, home, SystemClock())

    @property
    def session(self) -> WalletSession:
        return self.dashboard.session("till")

    async def restart(self) -> None:
        await self.dashboard.stop()
        self.dashboard = Dashboard(self._store, self.home, SystemClock())

    async def create(self, amount: int | None, lasts: float | None) -> str | None:
        """Create a payment; None where no answer came, or none could be sent."""
        expires_at = None if lasts is None else self.session.now() + timedelta(seconds=lasts)
        draft = PaymentDraft(amount=amount, expires_at=expires_at)
        with suppress(OpdashError):
            return (await self.session.create_payment(draft)).payment_id
        return None


class Shop(RuleBasedStateMachine):
    """A shop on a wallet address that others use, too."""

    sandbox: SandboxProcess

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.own = self.run(self.open("own", self.sandbox.client))
        self.elsewhere = self.run(self.open("elsewhere", self.sandbox.client))
        self.stranger = self.run(self.open("stranger", self.sandbox.other_client))
        self.made: list[str] = []
        self.strangers: list[str] = []
        self.paid: set[str] = set()
        self.is_up = True

    async def open(self, name: str, client: SandboxClient) -> Till:
        home = Path(self.directory.name) / name
        home.mkdir()
        till = Till(self.sandbox, home, client)
        await till.session.discover()
        return till

    def run(self, work: Awaitable[_T]) -> _T:
        async def whole() -> _T:
            return await asyncio.wait_for(work, 20)

        return self.runner.run(whole())

    def teardown(self) -> None:
        try:
            self.the_server_is_heard_again()
        finally:
            for till in (self.own, self.elsewhere, self.stranger):
                self.run(till.dashboard.stop())
            self.runner.close()
            self.directory.cleanup()

    # What happens

    @rule(
        amount=st.sampled_from([100, 100, 2500, 2**63 - 1, None]),
        lasts=st.sampled_from([None, 600.0, 4 * HOURS]),
        where=st.sampled_from(["own", "own", "elsewhere", "stranger"]),
    )
    def create(self, amount: int | None, lasts: float | None, where: str) -> None:
        till: Till = getattr(self, where)
        created = self.run(till.create(amount, lasts))
        if created is not None:
            (self.strangers if where == "stranger" else self.made).append(created)

    @precondition(lambda self: self.made or self.strangers)
    @rule(data=st.data(), share=st.sampled_from([1, 2, 3]), packets=st.integers(1, 3))
    def pay(self, data: st.DataObject, share: int, packets: int) -> None:
        url = data.draw(st.sampled_from(self.made + self.strangers))
        asked = self.sandbox.state(url)["payment"].get("incomingAmount", {"value": "999"})
        with suppress(OpdashError):  # it takes no money any more
            self.sandbox.pay(url, max(1, int(asked["value"]) // share), packets=packets)
            self.paid.add(url)

    @rule(seconds=st.sampled_from([1, 1, 40, 700, 5 * HOURS, 30 * HOURS]))
    def time_passes(self, seconds: int) -> None:
        self.sandbox.advance(seconds)

    @rule(down=st.sets(st.sampled_from(PARTS)))
    def outage(self, down: set[str]) -> None:
        self.sandbox.take_down(*down)
        self.is_up = not down

    @rule()
    def poll(self) -> None:
        self.asking(self.own.session.poll_once)

    @rule()
    def scan(self) -> None:
        self.asking(self.own.session.read_all)

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        url = data.draw(st.sampled_from(self.made))
        row = self.row(url)
        if row is not None:
            seen = Seen(row.received, row.completed)
            with suppress(OpdashError):  # it may be over, or changed meanwhile
                self.run(self.own.session.complete_payment(url, seen=seen))

    @rule()
    def restart(self) -> None:
        self.run(self.own.restart())

    @rule()
    def the_server_is_heard_again(self) -> None:
        """All is up, and the whole list has been read: the ledger holds the truth."""
        self.sandbox.take_down()
        self.is_up = True
        self.sandbox.advance(2)  # money that is on its way arrives
        self.run(self.own.session.poll_once())
        for _ in range(2):  # what is left of a scan, and a whole one
            self.run(self.own.session.read_all())
        self.run(self.own.session.poll_once())
        for url in self.made:
            self.holds_the_truth(url)
        for url in self.strangers:
            assert self.row(url) is None

    def asking(self, ask: Callable[[], Awaitable[Any]]) -> None:
        """Ask the server; only an outage is an excuse for no answer."""
        try:
            self.run(ask())
        except OpdashError:
            assert not self.is_up

    # What must hold

    def holds_the_truth(self, url: str) -> None:
        truth, row = self.sandbox.state(url), self.row(url)
        if truth["gone"]:
            assert row is None or (row.gone_at is not None and row.received == 0)
            return
        assert row is not None
        assert row.received == int(truth["payment"]["receivedAmount"]["value"])
        assert row.completed == truth["payment"]["completed"]
        assert row.gone_at is None
        assert not row.anomalies

    @invariant()
    def it_agrees_with_itself(self) -> None:
        reader, wallet = self.own.dashboard.reader, self.sandbox.wallet_addresses[-1]
        known = reader.wallet(wallet)
        assert known is not None
        rows = reader.window(wallet, limit=10_000)
        assert known.known == len(rows) == len({row.id for row in rows})
        assert known.received_total == sum(row.received for row in rows)
        for row in rows:
            entries = reader.timeline(wallet, row.id)
            assert sum(entry.delta or 0 for entry in entries) == row.received
            kinds = [entry.kind for entry in entries]
            assert TimelineKind.FELL not in kinds
            assert kinds.count(TimelineKind.CREATED) <= 1
            assert row.scope is Scope.OWN
            assert row.received == 0 or row.id not in self.made or row.id in self.paid

    def row(self, url: str) -> PaymentRow | None:
        return self.own.dashboard.reader.payment(self.sandbox.wallet_addresses[-1], url)


def test_the_ledger_holds_the_servers_truth(fresh_sandbox: SandboxProcess) -> None:
    class OnThis(Shop):
        sandbox = fresh_sandbox

    run_state_machine_as_test(
        OnThis,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
