"""A process that has imported everything and forks, for every order, one that is to be killed.

``python -m tests.bench.victim CONFIG DATA_DIR`` reads an order a line from its input: ``scan`` or
``poll``. What the fork does it says itself, a line each: ``pid N``, ``intent ID``, ``created ID
URL``; when it has ended, this says ``ended CODE``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import traceback
from pathlib import Path

from opdash.clock import SystemClock
from opdash.ledger.records import CreationStatus
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.events import CreationChanged, Event
from opdash.service.session import WalletSession
from opdash.settings import SettingsStore

WALLET = "shop"


def main() -> None:
    """Obey orders until the input ends."""
    config, data_dir = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as elsewhere:
        asyncio.run(_import_everything(config, Path(elsewhere)))
    _say("ready")
    for order in sys.stdin:
        child = os.fork()
        if not child:
            _live(order.strip(), config, data_dir)
        _, status = os.waitpid(child, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


def _live(order: str, config: Path, data_dir: Path) -> None:
    try:
        _say(f"pid {os.getpid()}")
        asyncio.run(_work(order, config, data_dir))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


async def _import_everything(config: Path, data_dir: Path) -> None:
    dashboard = Dashboard(SettingsStore(config), data_dir, SystemClock())
    await dashboard.session(WALLET).poll_once()
    await dashboard.stop()


async def _work(order: str, config: Path, data_dir: Path) -> None:
    dashboard = Dashboard(SettingsStore(config), data_dir, SystemClock())
    dashboard.events.subscribe(_tell)
    session = dashboard.session(WALLET)
    if order == "scan":
        await session.poll_once()
        while True:
            await session.read_all()
    await asyncio.gather(_poll(session), _create(session))


async def _poll(session: WalletSession) -> None:
    while True:
        await session.poll_once()


async def _create(session: WalletSession) -> None:
    amount = 0
    while True:
        amount += 100
        await session.create_payment(PaymentDraft(amount=amount))


def _tell(event: Event) -> None:
    if not isinstance(event, CreationChanged):
        return
    creation = event.creation
    if creation.status is CreationStatus.INTENDED:
        _say(f"intent {creation.request_id}")
    elif creation.status is CreationStatus.CREATED:
        _say(f"created {creation.request_id} {creation.payment_id}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
