"""The one thread that writes to the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from opdash.ledger.store import Ledger

_T = TypeVar("_T")


class Recorder:
    """Runs every write to the ledger on one thread, one after the other.

    A write that has begun is finished whatever becomes of the task that asked for it: what a
    server said is recorded even when its screen has closed.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opdash-ledger")
        self._closed = False

    async def write(self, work: Callable[[Ledger], _T]) -> _T:
        """Run a write on the ledger's thread and return what it returns.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work, self._ledger))

    async def close(self) -> None:
        """Finish the writes that wait, and close the ledger; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._ledger.close)
        self._thread.shutdown(wait=False)
