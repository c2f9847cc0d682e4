"""Where a session asks for the account holder's consent."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from opdash.service.events import ConsentEnded, ConsentNeeded, EventHub


class Right(Enum):
    """What a grant is for."""

    INCOMING = "read and create incoming payments"
    OUTGOING = "read outgoing payments"


class ConsentDesk:
    """Tells whoever listens that one profile needs consent, and how the wait ended."""

    def __init__(self, profile: str, events: EventHub) -> None:
        self._profile = profile
        self._events = events

    def ask(self, right: Right, url: str, until: datetime) -> None:
        """Say where to consent, and until when (UTC)."""
        self._events.publish(ConsentNeeded(self._profile, right.value, url, until))

    def end(self, granted: bool, sentence: str) -> None:
        """Say that the wait is over, and how it ended."""
        self._events.publish(ConsentEnded(self._profile, granted, sentence))
