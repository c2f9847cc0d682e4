"""Whether another opdash changed what a running one goes by: its wallets' scope, key, or being.

Nobody is switched over while they work: each process says what it goes by, and is told once that
the configuration says something else by now.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from opdash.errors import OpdashError
from opdash.ledger.records import Scope
from opdash.safetext import safe_text
from opdash.service.events import EventHub, SettingsNoted, StatusChanged
from opdash.settings import Profile, Settings, SettingsStore

_SHOWS = {
    Scope.OWN: "shows only what opdash created",
    Scope.EVERYTHING: "shows everything on the wallet",
}
_RESTART = "Start this opdash again to follow."


class SettingsWatch:
    """Looks at the configuration file while the wallets are polled; that costs a `stat`.

    Args:
        store: The configuration file.
        events: Tell of polls, and are told what changed.
        settings: What this process goes by.
    """

    def __init__(self, store: SettingsStore, events: EventHub, settings: Settings) -> None:
        self._store = store
        self._events = events
        self._known = settings
        self._stamp: object = None
        self._told: set[str] = set()
        events.subscribe(self._hear)

    @contextlib.contextmanager
    def saving(self, wanted: Settings) -> Iterator[None]:
        """Know of what this process saves within the block, that it is nobody else's change."""
        self.look()
        before, self._known = self._known, wanted
        try:
            yield
        except BaseException:
            self._known = before
            raise
        self.look()

    def look(self) -> None:
        """Tell what another process changed since the last look."""
        stamp = self._store.stamp
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            settings = self._store.peek()
        except OpdashError:
            return  # whoever saves next is told
        self._tell(settings)

    def _hear(self, event: object) -> None:
        if isinstance(event, StatusChanged):
            self.look()

    def _tell(self, settings: Settings) -> None:
        before, self._known = self._known, settings
        now = {profile.name: profile for profile in settings.profiles}
        for profile in before.profiles:
            for sentence in _changes(profile, now.get(profile.name)):
                if sentence not in self._told:
                    self._told.add(sentence)
                    self._events.publish(SettingsNoted(profile.name, f"{sentence} {_RESTART}"))


def _changes(before: Profile, now: Profile | None) -> Iterator[str]:
    shown = safe_text(before.title, limit=60)
    if now is None:
        yield f"Another opdash removed “{shown}”; this one still works for it."
        return
    if now.scope is not before.scope:
        yield (
            f"Another opdash changed the scope of “{shown}”: by now it {_SHOWS[now.scope]}, "
            f"while this one {_SHOWS[before.scope]}."
        )
    if (now.key_id, now.client_wallet_address) != (before.key_id, before.client_wallet_address):
        yield f"Another opdash changed the key of “{shown}”; this one still signs with the former."
