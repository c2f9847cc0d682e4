"""Reading the ledger on a thread of its own, so that typing and painting never wait for it.

A newer request interrupts the one that runs: what nobody waits for any more is not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader

_T = TypeVar("_T")


class OutdatedError(Exception):
    """A newer request has taken the place of this one."""


class ReadingThread:
    """A thread with a reader of its own, for what takes longer than a frame.

    Args:
        path: The ledger.
        name: What the thread is called.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._reader: LedgerReader | None = None
        self._request = 0

    def begin(self) -> int:
        """Return the number of a new request; what earlier ones still read is interrupted."""
        self._request += 1
        if self._reader is not None:
            self._reader.interrupt()
        return self._request

    @property
    def current(self) -> int:
        """The number of the newest request."""
        return self._request

    def is_current(self, request: int) -> bool:
        """Return whether no newer request has begun."""
        return request == self._request

    async def read(self, request: int, read: Callable[[LedgerReader], _T]) -> _T:
        """Return what a function reads. Raises `OutdatedError` and what it raises."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._thread, self._read, request, read)
        if not self.is_current(request):
            raise OutdatedError
        return found

    def close(self) -> None:
        """End the thread once it is done; nothing is waited for."""
        self.begin()
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _read(self, request: int, read: Callable[[LedgerReader], _T]) -> _T:
        if not self.is_current(request):
            raise OutdatedError
        if self._reader is None:
            self._reader = LedgerReader.open(self._path)
        try:
            return read(self._reader)
        except LedgerError:
            if not self.is_current(request):
                raise OutdatedError from None
            raise

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
