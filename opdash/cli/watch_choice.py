"""Which events a watch tells of, and as what."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from opdash.cli import shapes
from opdash.ledger.event_log import LoggedEvent
from opdash.ledger.records import ChangeKind
from opdash.safetext import safe_text
from opdash.service.session import WalletSession

if TYPE_CHECKING:
    from opdash.ledger.search.terms import Query

KINDS: Final = ("paid", "received", *(kind.value for kind in ChangeKind))
"""What can be chosen: what is announced once per payment, and why a payment is not as it was."""


class Choice:
    """Which events of some wallets are told."""

    def __init__(self, kinds: Sequence[str], query: Query | None) -> None:
        self._kinds = frozenset(kinds)
        self._query = query
        self._sessions: tuple[WalletSession, ...] = ()

    @classmethod
    def read(cls, options: argparse.Namespace, now: datetime) -> Choice:
        """Return what the command line chooses.

        Raises:
            SearchError: The filter cannot be read.
        """
        if not options.filter.strip():
            return cls(options.only, None)
        from opdash.ledger.search.reading import read_query
        from opdash.ledger.search.values import Moment

        return cls(options.only, read_query(options.filter, Moment(now)))

    def of(self, sessions: tuple[WalletSession, ...]) -> None:
        """Choose among the events of these wallets."""
        self._sessions = sessions

    def record(self, event: LoggedEvent) -> shapes.Record | None:
        """Return the object that tells of an event, or None where it is not chosen."""
        name = self.wallet(event)
        return None if name is None else shapes.event(event, name)

    def wallet(self, event: LoggedEvent) -> str | None:
        """Return the name of the wallet that a chosen event is about; None for any other."""
        if self._kinds and not self._kinds & {event.kind.value, event.announce}:
            return None
        if self._query is not None:
            from opdash.ledger.search.evaluating import matches

            if not matches(self._query.tree, event.payment):
                return None
        wanted = event.payment.wallet
        return next((s.profile.name for s in self._sessions if s.wallet_id == wanted), None)


def read_kinds(text: str) -> tuple[str, ...]:
    """Read the kinds of events that are named in one text, for argparse."""
    kinds = tuple(part.strip() for part in text.split(",") if part.strip())
    wrong = next((kind for kind in kinds if kind not in KINDS), "" if kinds else text)
    if wrong or not kinds:
        shown = safe_text(wrong, limit=40)
        raise argparse.ArgumentTypeError(f"“{shown}” is none of {', '.join(KINDS)}")
    return kinds
