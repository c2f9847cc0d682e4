"""What the service announces, and the one door through which it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from opdash.ledger.records import Change, Creation
from opdash.service.status import Status
from opdash.settings import ConsentWay

if TYPE_CHECKING:
    from opdash.ledger.outgoing import SeenOutgoing


class PaymentsChanged(msgspec.Struct, frozen=True):
    """The ledger learnt something about payments of a wallet address.

    Attributes:
        wallet_id: Which.
        changes: The payments that are not as they were; none where another process wrote
            something, and it is not known what.
    """

    wallet_id: str
    changes: tuple[Change, ...]


class OutgoingChanged(msgspec.Struct, frozen=True):
    """The ledger learnt something about outgoing payments of a wallet address.

    Attributes:
        wallet_id: Which.
        payments: Those that are not as they were.
    """

    wallet_id: str
    payments: tuple[SeenOutgoing, ...]


class StatusChanged(msgspec.Struct, frozen=True):
    """A session's standing with its server changed."""

    profile: str
    status: Status


class CreationChanged(msgspec.Struct, frozen=True):
    """A payment that opdash set out to create took a step."""

    profile: str
    creation: Creation


class ConsentNeeded(msgspec.Struct, frozen=True):
    """The account holder must consent in a browser before opdash can go on.

    Attributes:
        profile: The profile that asks.
        purpose: What the right is for, for example "read outgoing payments".
        url: Where to consent, as the authorization server sent it.
        until: When the chance is over (UTC).
        number: Tells the waits of one profile apart; asked anew in another way it is the same.
        way: How opdash learns of the decision.
        rights: Each right in words, as the end of "opdash may …".
        remark: Why it is that way, where a person may wonder, or empty.
    """

    profile: str
    purpose: str
    url: str
    until: datetime
    number: int = 0
    way: ConsentWay = ConsentWay.POLLING
    rights: tuple[str, ...] = ()
    remark: str = ""

    def left(self, now: datetime) -> str:
        """Return how long the chance still lasts, as minutes and seconds."""
        seconds = max(int((self.until - now).total_seconds()), 0)
        return f"{seconds // 60}:{seconds % 60:02d}"


class ConsentNoted(msgspec.Struct, frozen=True):
    """Something about grants that ends no wait for consent; the sentence says what."""

    profile: str
    sentence: str
    number: int = 0


class ConsentEnded(msgspec.Struct, frozen=True):
    """A wait for consent is over; the sentence says how, and the advice what to do about it."""

    profile: str
    granted: bool
    sentence: str
    number: int = 0
    advice: str = ""


class CaughtUp(msgspec.Struct, frozen=True):
    """What a server had to tell of the time without answers is known now, without a gap.

    Attributes:
        profile: The profile.
        payments: How many payments were created meanwhile.
        since: When the server had last answered before (the server's time).
    """

    profile: str
    payments: int
    since: datetime


class ProfileChanged(msgspec.Struct, frozen=True):
    """A profile says something else now, and a new session works for it."""

    profile: str


class SettingsNoted(msgspec.Struct, frozen=True):
    """Another opdash changed what this one goes by for a profile; the sentence says what."""

    profile: str
    sentence: str


Event: TypeAlias = (
    PaymentsChanged
    | OutgoingChanged
    | StatusChanged
    | CreationChanged
    | ConsentNeeded
    | ConsentNoted
    | ConsentEnded
    | CaughtUp
    | ProfileChanged
    | SettingsNoted
)
Listener: TypeAlias = Callable[[Event], None]


class EventHub:
    """Hands every event to every listener, on the event loop, in the order of subscription."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with every event from now on; returns what ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Hand one event to all listeners."""
        for listener in tuple(self._listeners):
            listener(event)
