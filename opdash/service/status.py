"""How a wallet session stands with its server, as the freshness bar tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

import msgspec


class Phase(Enum):
    """What a session is doing; none of these ends it."""

    IDLE = "idle"
    """Not started."""
    CONNECTING = "connecting"
    """Started, and no answer yet."""
    LIVE = "live"
    """The last poll succeeded."""
    OFFLINE = "offline"
    """The last poll got no answer; the next try is armed."""
    REFUSED = "refused"
    """The server answered and said no, or said something unreadable; the next try is armed."""
    FAILED = "failed"
    """Something on this machine stands in the way, such as a key file; the next try is armed."""


class Activity(Enum):
    """What is being read in the background."""

    NONE = "none"
    """Nothing."""
    READING = "reading"
    """The list, to its end, for the first time."""
    CHECKING = "checking"
    """The whole list once more, to find what has gone."""


class ScanProgress(msgspec.Struct, frozen=True):
    """How far a reading of the whole list has come.

    Attributes:
        activity: What is being read now.
        paused: Whether a person has paused it.
        pages: Pages read, those before a restart included.
        payments: Payments on them.
        rate: Payments a second of late; 0 while that is not known.
        total: How many payments the list had last time; 0 if that is not known.
        left: How long it may still take; None where nobody can know.
        gone: How many payments the last reading has found gone.
        ended_at: When the list was last read to its end (UTC, the server's time).
        problem: Why it could not be read, one sentence, or empty.
    """

    activity: Activity = Activity.NONE
    paused: bool = False
    pages: int = 0
    payments: int = 0
    rate: int = 0
    total: int = 0
    left: timedelta | None = None
    gone: int = 0
    ended_at: datetime | None = None
    problem: str = ""


class Status(msgspec.Struct, frozen=True):
    """One session's standing; a new record replaces the old at every change.

    Attributes:
        phase: What the session is doing.
        polling: Whether a request is in flight at this moment.
        last_ok_at: When the last complete poll succeeded (UTC, the server's time).
        next_poll_at: When the next poll begins (UTC, the server's time).
        problem: What is wrong, one sentence, or empty.
        advice: What to do about it, one sentence, or empty.
        oldest_unrefreshed_at: When the least recently asked payment that can still change was
            last seen; None when nothing can change.
        server_offset: The server's clock less this machine's.
        scan: The reading of the whole list.
        polled_elsewhere: Whether another opdash on the same ledger polls, and this one shows what
            that one finds.
    """

    phase: Phase = Phase.IDLE
    polling: bool = False
    last_ok_at: datetime | None = None
    next_poll_at: datetime | None = None
    problem: str = ""
    advice: str = ""
    oldest_unrefreshed_at: datetime | None = None
    server_offset: timedelta = timedelta(0)
    scan: ScanProgress = ScanProgress()
    polled_elsewhere: bool = False
