"""How long the event loop stands still while a session takes over a long list without a budget.

The loop is the screen's: what keeps it busy keeps keys waiting. A task that asks to be woken every
millisecond notes how much later that was.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from time import perf_counter

from opdash.clock import SystemClock
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.settings import Settings, SettingsStore
from tests.bench.figures import Bar, Figure
from tests.bench.syncing import profile_of

_PAYMENTS = 6000
_ROUNDS = 6
_TICK = 0.001


def _high() -> float:
    delays = _delays()
    return delays[int(len(delays) * 0.999)] * 1000


def _highest() -> float:
    return _delays()[-1] * 1000


@cache
def _delays() -> tuple[float, ...]:
    """Return the seconds by which ticks were late, in order, over all rounds."""
    with SandboxProcess.start(payments=_PAYMENTS) as sandbox:
        delays = [delay for _ in range(_ROUNDS) for delay in asyncio.run(_round(sandbox))]
    return tuple(sorted(delays))


async def _round(sandbox: SandboxProcess) -> list[float]:
    delays: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        store = SettingsStore(Path(home) / "config.toml")
        store.load()
        store.save(Settings(profiles=(profile_of(sandbox),)))
        dashboard = Dashboard(store, Path(home), SystemClock())
        try:
            session = dashboard.session("bench")
            await session.poll_once()
            ticking = asyncio.create_task(_tick(delays))
            await session.read_all()
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            assert dashboard.reader.count(sandbox.main_wallet) == _PAYMENTS
        finally:
            await dashboard.stop()
    return delays


async def _tick(delays: list[float]) -> None:
    while True:
        asked = perf_counter()
        await asyncio.sleep(_TICK)
        delays.append(perf_counter() - asked - _TICK)


FIGURES = (
    Figure("sync_stall", "ms, 99.9th percentile of a scan's ticks", Bar.AT_MOST, 33.0, _high),
    Figure("sync_stall_max", "ms, the longest of them", Bar.AT_MOST, 100.0, _highest),
)
