"""What is known of each resource server, shared by all wallets that live there."""

from __future__ import annotations

from dataclasses import dataclass, field

from opdash.clock import Clock
from opdash.openpayments.addresses import origin
from opdash.openpayments.errors import TooManyRequestsError
from opdash.service.budget import Budget
from opdash.service.costs import LearntCosts
from opdash.service.covering import MAX_PAGE
from opdash.service.pace import Pace
from opdash.settings import Profile

POLL_RATE = 2.0
"""Requests a second that polling asks of one server, where no profile says otherwise."""

SCAN_RATE = 10.0
"""Requests a second that reading whole lists in the background asks of one server, likewise."""

_REFUSALS = 3
"""After so many refusals in a row, no payment's last segment is tried as a cursor again."""


@dataclass(slots=True)
class Server:
    """One resource server, by its origin.

    Attributes:
        polling: What polls may ask.
        scanning: How fast lists are read in the background.
        costs: What requests there cost.
        longest_page: The most rows that it hands out in one page.
    """

    polling: Budget
    scanning: Pace
    costs: LearntCosts = field(default_factory=LearntCosts)
    longest_page: int = MAX_PAGE
    _profiles: dict[str, Profile] = field(default_factory=dict)

    _ids_taken: bool = False
    _ids_refused: int = 0

    @property
    def takes_ids(self) -> bool:
        """Whether it was seen to take the last segment of a payment's URL as a cursor.

        One that it refused may have been of a payment that has vanished; several were not.
        """
        return self._ids_taken and self._ids_refused < _REFUSALS

    def took_id(self, *, handed_out: bool) -> None:
        """Say that the last segment of a payment's URL was taken as a cursor.

        Args:
            handed_out: Whether the server itself had named it as one before.
        """
        self._ids_taken = True
        if not handed_out and self._ids_refused < _REFUSALS:
            self._ids_refused = 0

    def refused_id(self) -> None:
        """Say that the last segment of a payment's URL was not taken as a cursor."""
        self._ids_refused += 1

    @property
    def pollers(self) -> int:
        """How many wallets are polled there."""
        return max(len(self._profiles), 1)

    def join(self, profile: Profile) -> None:
        """Take up a wallet's settings: of several rates, the lowest that is named counts."""
        self._profiles[profile.name] = profile
        self._settle()

    def leave(self, profile: Profile) -> None:
        """Forget a wallet's settings."""
        if self._profiles.pop(profile.name, None) is not None and self._profiles:
            self._settle()

    def answered(self) -> None:
        """Say that a request was answered well."""
        self.polling.answered()
        self.scanning.answered()

    def refused(self, error: TooManyRequestsError) -> None:
        """Say that the server asked for fewer requests, whatever they were for."""
        self.polling.slow_down(error.retry_after)
        self.scanning.slow_down(error.retry_after)

    def _settle(self) -> None:
        profiles = self._profiles.values()
        polls = [one.poll_rate for one in profiles if one.poll_rate is not None]
        scans = [one.scan_rate for one in profiles if one.scan_rate is not None]
        interval = max(one.poll_interval for one in profiles)
        self.polling.limit(min(polls, default=POLL_RATE), interval)
        self.scanning.limit(min(scans, default=SCAN_RATE))


class Servers:
    """The resource servers of all wallets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._servers: dict[str, Server] = {}

    def of(self, resource_server: str) -> Server:
        """Return the server that a resource server's URL is at."""
        where = origin(resource_server)
        if where not in self._servers:
            self._servers[where] = Server(
                Budget(self._clock, POLL_RATE), Pace(self._clock, SCAN_RATE)
            )
        return self._servers[where]
