"""What keeping the last requests costs: reading a whole list with and without the inspector."""

from __future__ import annotations

import asyncio

from opdash.sandbox.process import SandboxProcess
from tests.bench.figures import Bar, Figure
from tests.bench.syncing import sync_once

_PAYMENTS = 5000
_ROUNDS = 5


def _share_of_rate() -> float:
    with SandboxProcess.start(payments=_PAYMENTS) as sandbox:
        return asyncio.run(_compare(sandbox))


async def _compare(sandbox: SandboxProcess) -> float:
    """Return the rate with the inspector collecting, relative to the one without."""
    best: dict[bool, list[float]] = {}
    for _ in range(_ROUNDS):
        for inspected in (False, True):
            seconds = await sync_once(sandbox, inspected=inspected)
            former = best.get(inspected, seconds)
            best[inspected] = [min(pair) for pair in zip(former, seconds, strict=True)]
    return sum(best[False]) / sum(best[True])


FIGURES = (
    Figure(
        "inspector_rate",
        "× the rate of reading a list that nobody inspects",
        Bar.AT_LEAST,
        0.9,
        _share_of_rate,
    ),
)
