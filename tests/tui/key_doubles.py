"""Checks and changes of keys that end as a test wants them to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from msgspec.structs import replace

from opdash.errors import OpdashError
from opdash.service.client_keys import KeyOnDisk
from opdash.service.key_change import Retired, Stage, Switched
from opdash.service.onboarding import Check, CheckLine, Mark, Readiness, unchecked
from opdash.settings import Profile, Settings

JWK = {
    "kid": "next-key",
    "alg": "EdDSA",
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "fHvA0qW4Q0mQj8vY1pQwX2nq2t7o1b1S3yLw5c8m0dE",
    "use": "sig",
}
NEXT_KEY = KeyOnDisk(Path("/home/rosa/keys/next-key.pem"), "next-key", json.dumps(JWK, indent=2))

NOT_SERVED = CheckLine(
    Check.KEY,
    Mark.TO_DO,
    "The client serves no key “next-key”, but “k1”.",
    "Register the key with the provider of the client's wallet address (“opdash key show”).",
)
FOUND = {
    Check.ADDRESS: "“Ben's Books”, in USD, scale 2.",
    Check.KEY: "The key “next-key” is served, and is the one in the key file.",
    Check.NAME: "The wallet address itself asks for grants, as “Ben's Books”.",
    Check.GRANT: "The server gave a grant without asking anybody.",
    Check.LIST: "The server answers with an empty list: there is no payment yet.",
}


def standing(*changes: CheckLine, pause: float | None = None) -> Readiness:
    """Return how things stand when all is well but for some lines."""
    changed = {line.check: line for line in changes}
    lines = tuple(
        changed.get(check) or CheckLine(check, Mark.DONE, found) for check, found in FOUND.items()
    )
    return Readiness("", lines, pause=pause)


def waiting_for_the_key() -> Readiness:
    """Return how things stand while the key is not registered."""
    rest = unchecked("").lines[3:]
    return standing(NOT_SERVED, *rest, pause=5.0)


class FakeWatch:
    """Finds what it is told to find, once, and once more when asked again."""

    def __init__(self, profile: Profile, tell: Callable[[Readiness], None], keys: FakeKeys) -> None:
        self.profile = profile
        self.now = unchecked(profile.key_id)
        self.asked_again = 0
        self._tell = tell
        self._keys = keys
        keys.watches.append(self)

    async def run(self) -> Readiness:
        self.find(self._keys.found)
        return self.now

    def find(self, found: Readiness) -> None:
        self.now = replace(found, key_id=self.profile.key_id)
        self._tell(self.now)

    def again(self) -> None:
        self.asked_again += 1
        self.find(self._keys.found)


class Holder(Protocol):
    """What holds the settings."""

    settings: Settings


class FakeKeys:
    """What checks find, and what became of keys.

    Attributes:
        found: What the next look finds.
        watches: The checks that were begun.
        failure: Is raised by the next change, if any.
        did: What was done.
        is_served: Whether the former key is served still.
        remembered: The passphrases that were typed.
    """

    def __init__(self) -> None:
        self.found = waiting_for_the_key()
        self.watches: list[FakeWatch] = []
        self.failure: OpdashError | None = None
        self.did: list[str] = []
        self.is_served: bool | None = True
        self.remembered: list[tuple[Path, str]] = []

    def remember(self, path: Path, passphrase: Any) -> None:
        self.remembered.append((path, passphrase.reveal()))


class FakeKeyChange:
    """Goes from stage to stage without a key."""

    def __init__(self, holder: Holder, keys: FakeKeys, name: str) -> None:
        self._holder = holder
        self._keys = keys
        self._profile_name = name

    @property
    def profile(self) -> Profile:
        return self._holder.settings.profile(self._profile_name)

    @property
    def stage(self) -> Stage:
        if self.profile.next_key_id:
            return Stage.NEXT
        return Stage.FORMER if self.profile.former_key_id else Stage.NOTHING

    @property
    def candidate(self) -> Profile:
        return replace(self.profile, key_id=NEXT_KEY.key_id, key_file=NEXT_KEY.file)

    async def begin(self) -> KeyOnDisk:
        self._do("begin")
        self._save(next_key_id=NEXT_KEY.key_id, next_key_file=NEXT_KEY.file)
        return NEXT_KEY

    async def switch(self, seen: Readiness) -> Switched:
        self._do("switch")
        old = self.profile
        self._save(
            key_id=NEXT_KEY.key_id,
            key_file=NEXT_KEY.file,
            next_key_id="",
            next_key_file=None,
            former_key_id=old.key_id,
            former_key_file=old.key_file,
        )
        return Switched(self.profile, ())

    async def cancel(self) -> Retired:
        self._do("cancel")
        self._save(next_key_id="", next_key_file=None)
        return Retired(NEXT_KEY.key_id, NEXT_KEY.file)

    async def retire(self, *, delete: bool = False) -> Retired:
        self._do("delete" if delete else "retire")
        old = self.profile
        self._save(former_key_id="", former_key_file=None)
        file = None if delete else Path("/home/rosa/keys/retired/k1.pem")
        return Retired(old.former_key_id, file)

    async def former_is_served(self) -> bool | None:
        return self._keys.is_served

    def _do(self, what: str) -> None:
        if self._keys.failure is not None:
            failure, self._keys.failure = self._keys.failure, None
            raise failure
        self._keys.did.append(what)

    def _save(self, **changes: Any) -> None:
        self._holder.settings = self._holder.settings.replacing(replace(self.profile, **changes))
