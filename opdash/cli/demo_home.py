"""A throw-away home for the demo: settings, key and ledger that vanish with it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE
from opdash.settings import Profile, Settings, SettingsStore
from opdash.tui.app import Example

POLL_INTERVAL = 1.0
"""Seconds between two polls in the demo: money is seen to arrive."""

_POLL_RATE = 20.0
"""Requests a second that polls may ask of the demo's own server."""


@dataclass(frozen=True, slots=True)
class DemoHome:
    """Where a demo lives.

    Attributes:
        store: Its configuration file.
        data_dir: Its ledger and keys.
        sandbox: The server it talks to.
    """

    store: SettingsStore
    data_dir: Path
    sandbox: SandboxProcess

    def newest_outgoing(self) -> Example | None:
        """Return the last payment that the payer made, or None while there is none."""
        newest = self.sandbox.state()["newestOutgoingPayments"]
        return Example(_name(self.sandbox.sender), newest[0]) if newest else None

    def invoices(self) -> Path | None:
        """Write invoices that fit the main wallet's payments, or return None while it has none."""
        from opdash.cli.demo_books import write_invoices

        ledger = self.data_dir / LEDGER_FILE
        return write_invoices(self.data_dir.parent, ledger, self.sandbox.main_wallet)


@contextlib.contextmanager
def demo_home(*, payer: bool, payments: int | None = None, seed: int = 1) -> Iterator[DemoHome]:
    """Start a sandbox and set up a wallet for each of its addresses; remove it all afterwards.

    Args:
        payer: Whether the sandbox pays open payments by itself.
        payments: How many payments the first wallet starts with; None for a small realistic set.
        seed: Everything made up follows from it.

    Raises:
        SandboxError: The sandbox did not start.
    """
    place = Path(tempfile.mkdtemp(prefix="opdash-demo-"))
    try:
        with SandboxProcess.start(
            payer=payer,
            auto_consent=True,
            payments=payments,
            seed=seed,
            key_file=place / "client.pem",
        ) as sandbox:
            store = SettingsStore(place / "config.toml")
            store.load()
            store.save(_settings(sandbox))
            yield DemoHome(store, place / "data", sandbox)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _settings(sandbox: SandboxProcess) -> Settings:
    addresses = (*sandbox.wallet_addresses, sandbox.sender)
    profiles = tuple(_profile(sandbox, address) for address in addresses)
    return Settings(profiles=profiles, default_profile=profiles[0].name)


def _profile(sandbox: SandboxProcess, address: str) -> Profile:
    return Profile(
        name=_name(address),
        wallet_address=address,
        client_wallet_address=sandbox.client.wallet_address,
        key_id=sandbox.client.key_id,
        key_file=sandbox.client.private_key,
        poll_interval=POLL_INTERVAL,
        poll_rate=_POLL_RATE,
    )


def _name(address: str) -> str:
    return address.rpartition("/")[2]
