"""What keeping the last requests costs: reading a whole list with and without the inspector."""

from __future__ import annotations

import asyncio
import gc
from math import inf
from time import process_time

from opdash.sandbox.process import SandboxProcess
from tests.bench.figures import Bar, Figure
from tests.bench.syncing import sync_once

_PAYMENTS = 5000
_ROUNDS = 14


def _relative_cost() -> float:
    with SandboxProcess.start(payments=_PAYMENTS) as sandbox:
        return asyncio.run(_compare(sandbox))


async def _compare(sandbox: SandboxProcess) -> float:
    """Return this process's time for reading the list, relative to reading it uninspected."""
    best = {False: inf, True: inf}
    for _ in range(_ROUNDS):
        for inspected in best:
            gc.collect()
            started = process_time()
            await sync_once(sandbox, inspected=inspected)
            best[inspected] = min(best[inspected], process_time() - started)
    return best[True] / best[False]


FIGURES = (
    Figure(
        "inspector_cost",
        "× the time of reading a list that nobody inspects",
        Bar.AT_MOST,
        1.1,
        _relative_cost,
    ),
)
