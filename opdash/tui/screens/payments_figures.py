"""What the ledger says about a wallet address as a whole, as the payments screen needs it.

What a frame cannot do without is read at once. The figures above the table are added up from all
open payments, so they follow: at once where there are few payments, otherwise on a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Creation, CreationStatus, Summary
from opdash.service.session import WalletSession
from opdash.tui.failures import told

if TYPE_CHECKING:
    from opdash.tui.reading_thread import ReadingThread

_T = TypeVar("_T")

FEW = 2_000
"""Up to so many payments are added up in less time than a frame may take."""


class Figures:
    """The figures around the table; what cannot be read leaves a sentence behind.

    Attributes:
        summary: The figures above the table, or None before they were added up.
        known: How many payments are known.
        complete: Whether the server has no payments that are not known.
        last_poll_at: When the server last answered, in this run or an earlier one.
        problem: Why the ledger cannot be read; empty while it can.
        unanswered: The creations that nobody knows the end of, by their request ids.
        ended: Those of them whose end the ledger was found to know, until somebody is told.
    """

    def __init__(self, reader: LedgerReader, session: WalletSession) -> None:
        self.summary: Summary | None = None
        self.known = 0
        self.complete = False
        self.last_poll_at: datetime | None = None
        self.problem = ""
        self.unanswered: dict[str, Creation] = {}
        self.ended: list[Creation] = []
        self._reader = reader
        self._session = session
        self._day = self.today()
        self._revision = 0
        self._thread: ReadingThread | None = None

    def today(self) -> datetime:
        """Return when the day began where the person is."""
        local = self._session.now().astimezone()
        return local.replace(hour=0, minute=0, second=0, microsecond=0)

    def are_of_yesterday(self) -> bool:
        """Return whether another day has begun since they were read."""
        return self._day != self.today()

    def are_behind(self) -> bool:
        """Return whether the ledger holds news, such as another opdash process wrote."""
        wallet_id = self._session.wallet_id
        if wallet_id is None:
            return False
        return self._try(lambda: self._reader.revision(wallet_id)) != self._revision

    def read(self) -> None:
        """Read everything anew but the summary."""
        wallet_id = self._session.wallet_id
        self.problem = ""
        self._day = self.today()
        if wallet_id is None:
            return
        reader = self._reader
        self._revision = self._try(lambda: reader.revision(wallet_id)) or 0
        self.known = self._try(lambda: reader.count(wallet_id)) or 0
        self.complete = self._try(lambda: reader.is_complete(wallet_id)) or False
        self.last_poll_at = self._try(lambda: reader.last_poll_at(wallet_id))
        self._read_creations(wallet_id)

    @property
    def are_few(self) -> bool:
        """Whether there are so few payments that adding them up holds nothing up."""
        return self.known <= FEW

    def sum_up(self) -> None:
        """Read the summary, at once."""
        self.summary = self._try(lambda: self._read_summary(self._reader))

    async def sum_up_elsewhere(self) -> None:
        """Read the summary on a thread."""
        if self._thread is None:
            from opdash.tui.reading_thread import ReadingThread

            self._thread = ReadingThread(self._reader.path, "opdash-summary")
        try:
            self.summary = await self._thread.read(self._thread.current, self._read_summary)
        except Exception as error:
            self.problem = " ".join(told(error)).strip()

    def _read_summary(self, reader: LedgerReader) -> Summary | None:
        wallet_id = self._session.wallet_id
        if wallet_id is None:
            return None
        return reader.summary(wallet_id, day_start=self._day, now=self._session.now())

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def _read_creations(self, wallet_id: str) -> None:
        unresolved = self._try(lambda: self._reader.unresolved_creations(wallet_id))
        if unresolved is None:
            return
        open_now = {creation.request_id: creation for creation in unresolved}
        for request_id in self.unanswered.keys() - open_now.keys():
            del self.unanswered[request_id]
            ended = self._try(partial(self._reader.creation, request_id))
            if ended is not None:
                self.ended.append(ended)
        for creation in unresolved:
            if creation.status is CreationStatus.UNKNOWN:
                self.unanswered[creation.request_id] = creation

    def _try(self, what: Callable[[], _T]) -> _T | None:
        try:
            return what()
        except Exception as error:
            self.problem = " ".join(told(error)).strip()
        return None
