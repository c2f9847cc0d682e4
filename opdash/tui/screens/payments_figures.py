"""What the ledger says about a wallet address as a whole, as the payments screen needs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Creation, CreationStatus, Summary, WalletRow
from opdash.service.session import WalletSession
from opdash.tui.failures import told

_T = TypeVar("_T")


class Figures:
    """The figures around the table; what cannot be read leaves a sentence behind.

    Attributes:
        summary: The figures above the table, or None.
        wallet: What is known of the wallet address, or None.
        problem: Why the ledger cannot be read; empty while it can.
        unanswered: The creations that nobody knows the end of, by their request ids.
        ended: Those of them whose end the ledger was found to know, until somebody is told.
    """

    def __init__(self, reader: LedgerReader, session: WalletSession) -> None:
        self.summary: Summary | None = None
        self.wallet: WalletRow | None = None
        self.problem = ""
        self.unanswered: dict[str, Creation] = {}
        self.ended: list[Creation] = []
        self._reader = reader
        self._session = session
        self._day = self.today()
        self._revision = 0

    @property
    def complete(self) -> bool:
        """Whether the server has no payments that are not known."""
        return self.summary is not None and self.summary.complete

    @property
    def known(self) -> int:
        """How many payments are known."""
        return 0 if self.summary is None else self.summary.known

    @property
    def last_poll_at(self) -> datetime | None:
        """When the server last answered, in this run or an earlier one."""
        return None if self.wallet is None else self.wallet.last_poll_at

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
        """Read everything anew."""
        wallet_id = self._session.wallet_id
        self.problem = ""
        self._day = self.today()
        if wallet_id is None:
            return
        now, reader = self._session.now(), self._reader
        self._revision = self._try(lambda: reader.revision(wallet_id)) or 0
        self.summary = self._try(lambda: reader.summary(wallet_id, day_start=self._day, now=now))
        self.wallet = self._try(lambda: reader.wallet(wallet_id))
        self._read_creations(wallet_id)

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
