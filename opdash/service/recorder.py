"""The one thread that writes to the ledger."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from opdash.clock import Clock
from opdash.errors import LedgerError
from opdash.ledger.store import Ledger
from opdash.ledger.transactions import NotTogetherError, UndoneError

_T = TypeVar("_T")

GROUP_SECONDS: Final = 0.1
"""How long writes that wait already are gathered before they are committed together."""


class Recorder:
    """Runs every write to the ledger on one thread, one after the other.

    Writes that have queued up meanwhile share a commit; each is whole or not at all, and none is
    answered before it is committed. A write that finds the thread idle is not held back for others.
    One that has begun is finished whatever becomes of the task that asked for it: what a server
    said is recorded even when its screen has closed.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opdash-ledger")
        self._waiting: deque[_Write] = deque()
        self._closed = False

    async def write(self, work: Callable[[Ledger], _T]) -> _T:
        """Run a write on the ledger's thread and return what it returns, once it is committed.

        It may be run again if it could not be committed together with others, so it must do
        nothing but write to the ledger.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        write = _Write(work)
        self._waiting.append(write)
        self._thread.submit(self._write_what_waits)
        result: _T = await asyncio.shield(asyncio.wrap_future(write.future))
        return result

    async def close(self) -> None:
        """Finish the writes that wait, and close the ledger; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._ledger.close)
        self._thread.shutdown(wait=False)

    # On the ledger's thread

    def _write_what_waits(self) -> None:
        while self._waiting:
            if len(self._waiting) == 1:
                self._waiting.popleft().run_alone(self._ledger)
            else:
                self._write_group()

    def _write_group(self) -> None:
        written: list[_Write] = []
        rest: list[_Write] = []
        try:
            with self._ledger.transactions.group():
                for write in self._gathered():
                    try:
                        write.run_as_part(self._ledger)
                    except NotTogetherError:
                        rest.append(write)
                        break
                    except UndoneError:
                        written.append(write)
                        raise
                    written.append(write)
        except (LedgerError, UndoneError) as error:
            if not written and not rest:
                self._refuse_all(error)  # it could not even begin
            rest = written + rest
        else:
            for write in written:
                write.answer()
        for write in rest:
            write.run_alone(self._ledger)

    def _gathered(self) -> Iterator[_Write]:
        until = self._clock.monotonic() + GROUP_SECONDS
        while self._waiting and self._clock.monotonic() < until:
            yield self._waiting.popleft()

    def _refuse_all(self, error: Exception) -> None:
        while self._waiting:
            self._waiting.popleft().future.set_exception(error)


class _Write:
    """A piece of work and what became of it.

    Attributes:
        future: Is answered from the ledger's thread.
    """

    def __init__(self, work: Callable[[Ledger], Any]) -> None:
        self.future: Future[Any] = Future()
        self._work = work
        self._result: Any = None
        self._error: Exception | None = None

    def run_alone(self, ledger: Ledger) -> None:
        """Run it in transactions of its own, and answer."""
        try:
            self._result, self._error = self._work(ledger), None
        except Exception as error:  # whatever it is, it is the caller's
            self._error = error
        self.answer()

    def run_as_part(self, ledger: Ledger) -> None:
        """Run it as a part of the group under way; its answer waits for the commit.

        Raises:
            NotTogetherError: It must be run alone; nothing of it was done.
            UndoneError: The whole group was undone.
        """
        try:
            with ledger.transactions.part():
                self._result = self._work(ledger)
        except (NotTogetherError, UndoneError):
            raise
        except Exception as error:  # whatever it is, it is the caller's
            self._error = error

    def answer(self) -> None:
        """Tell the caller what became of it."""
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)
