"""Reading the ledger for plans, beside the thread of the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from opdash.ledger.reader import LedgerReader

_T = TypeVar("_T")


class Study:
    """Reads the ledger on one thread of its own, with a connection that is opened when needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._reader: LedgerReader | None = None

    async def read(self, work: Callable[[LedgerReader], _T]) -> _T:
        """Run a reading on that thread and return what it returns.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opdash-plan")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._read, work)

    async def close(self) -> None:
        """Finish the readings that wait, and close the connection; closing twice does nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown(wait=False)

    def _read(self, work: Callable[[LedgerReader], _T]) -> _T:
        if self._reader is None:
            self._reader = LedgerReader.open(self._path)
        return work(self._reader)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
