"""Replacing a wallet's key: make the next, register it, switch, retire the one before.

Each step is written down in the profile as soon as it is done, so that any opdash goes on where
another one stopped. The key that works is left alone until the next one has worked.
"""

from __future__ import annotations

import asyncio
import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from opdash.errors import ConfigError, ExitCode, InputError, KeyFileError, OpdashError
from opdash.keyfiles import PASSPHRASE_VARIABLE, delete_key, is_encrypted, move_aside
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text
from opdash.service.client_keys import KeyOnDisk, make_key, shown_key
from opdash.service.giving_back import GivenBack
from opdash.service.onboarding import Readiness
from opdash.service.rights import Right
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard
    from opdash.service.session import WalletSession


class KeyChangeError(InputError):
    """The step that was wanted does not come now; the sentence says which does."""


class NotReadyError(OpdashError):
    """The next key does not work yet; the one in use stays.

    Attributes:
        readiness: What was found.
    """

    def __init__(self, readiness: Readiness) -> None:
        line = readiness.first_to_do
        sentence, advice = ("", "") if line is None else (line.sentence, line.advice)
        super().__init__(f"The next key does not work yet. {sentence}".rstrip(), advice)
        self.readiness = readiness
        self.exit_code = readiness.code or ExitCode.FAILED


class Stage(Enum):
    """How far the replacing has come."""

    NOTHING = "nothing"
    """One key is in use, and no other is known."""
    NEXT = "next"
    """The next key has been made, and is to be registered."""
    FORMER = "former"
    """The next key is in use; the one before is still there."""


class Switched(msgspec.Struct, frozen=True):
    """A key in use.

    Attributes:
        profile: As it is now.
        given_back: What became of the grants that the former key got.
    """

    profile: Profile
    given_back: tuple[GivenBack, ...]


class Retired(msgspec.Struct, frozen=True):
    """What became of a key that is not used any more.

    Attributes:
        key_id: Its id.
        file: Where its file is now; None where it was deleted, or was gone already.
        used_by: Another profile that signs with it, because of which the file was left alone.
    """

    key_id: str
    file: Path | None
    used_by: str = ""


class KeyChange:
    """Replaces the key of one profile.

    Args:
        dashboard: Whose.
        profile: The profile's name.
    """

    def __init__(self, dashboard: Dashboard, profile: str) -> None:
        self._dashboard = dashboard
        self._name = profile

    @property
    def profile(self) -> Profile:
        """The profile as it is set up now. Raises `ConfigError`."""
        return self._dashboard.settings.profile(self._name)

    @property
    def stage(self) -> Stage:
        """How far it has come."""
        profile = self.profile
        if profile.next_key_id:
            return Stage.NEXT
        return Stage.FORMER if profile.former_key_id else Stage.NOTHING

    @property
    def candidate(self) -> Profile:
        """The profile as it will be with the next key.

        Raises:
            KeyChangeError: None has been made.
        """
        profile = self.profile
        if not profile.next_key_id:
            raise KeyChangeError(
                f"“{profile.name}” has no next key.", "Make one first: opdash key replace."
            )
        return replace(
            profile,
            key_id=profile.next_key_id,
            key_file=profile.next_key_file,
            next_key_id="",
            next_key_file=None,
            former_key_id=profile.key_id,
            former_key_file=profile.key_file,
        )

    async def begin(self) -> KeyOnDisk:
        """Make the next key beside the one in use, or return the one that has been made.

        Where the key in use is encrypted, the next one is, with the same passphrase.

        Raises:
            KeyChangeError: The key before has not been retired yet.
            KeyFileError: The next key cannot be read or written.
            ConfigError: It could not be written down.
        """
        profile = self.profile
        if profile.next_key_id and profile.next_key_file is not None:
            key = await self._dashboard.keyring.read(profile.next_key_file, profile.next_key_id)
            return shown_key(profile.next_key_file, key)
        if profile.former_key_id:
            raise KeyChangeError(
                f"The key before, “{profile.former_key_id}”, has not been retired yet.",
                "Retire it first: opdash key retire.",
            )
        passphrase = await self._passphrase(profile)
        made = await make_key(self._dashboard.data_dir, passphrase)
        if passphrase is not None:
            self._dashboard.keyring.remember(made.file, passphrase)
        await self._dashboard.save_profile(
            replace(profile, next_key_id=made.key_id, next_key_file=made.file)
        )
        return made

    async def switch(self, seen: Readiness) -> Switched:
        """Sign with the next key from now on.

        Grants that the former key got are given back, signed with it; consent that they took has
        to be given anew.

        Args:
            seen: What the checks of the next key found.

        Raises:
            NotReadyError: It has not been seen to work.
            ConfigError: It could not be written down; all is as before.
        """
        changed = self.candidate
        if seen.key_id != changed.key_id or not seen.key_works:
            raise NotReadyError(seen)
        told: list[GivenBack] = []

        async def give_back(former: WalletSession) -> None:
            told.extend(await former.connection.sign_out())
            self._dashboard.shelf(changed).forgive(*Right)

        await self._dashboard.replace_profile(changed, give_back)
        return Switched(changed, tuple(told))

    async def cancel(self) -> Retired:
        """Give up the next key, and move its file aside; the key in use stays.

        Raises:
            KeyChangeError: There is no next key.
            KeyFileError: Its file cannot be moved.
        """
        profile = self.profile
        if not profile.next_key_id:
            raise KeyChangeError(f"“{profile.name}” has no next key.", "Nothing was changed.")
        without = replace(profile, next_key_id="", next_key_file=None)
        return await self._put_away(profile.next_key_id, profile.next_key_file, without)

    async def retire(self, *, delete: bool = False) -> Retired:
        """Put the former key away: where opdash looks for none, or delete it for good.

        Raises:
            KeyChangeError: There is no former key.
            KeyFileError: Its file cannot be moved or deleted.
        """
        profile = self.profile
        if not profile.former_key_id:
            raise KeyChangeError(
                f"“{profile.name}” has no former key to retire.",
                "Finish replacing its key first: opdash key replace."
                if profile.next_key_id
                else "Its key is replaced with: opdash key replace.",
            )
        without = replace(profile, former_key_id="", former_key_file=None)
        return await self._put_away(
            profile.former_key_id, profile.former_key_file, without, delete=delete
        )

    async def former_is_served(self) -> bool | None:
        """Return whether the provider still serves the former key; None where it does not say."""
        profile = self.profile
        try:
            served = await self._dashboard.served_keys(profile)
        except OpdashError:
            return None
        return profile.former_key_id in served

    async def _put_away(
        self, key_id: str, file: Path | None, without: Profile, *, delete: bool = False
    ) -> Retired:
        """Put a key file away, then forget it: in this order nothing is lost if one fails."""
        used_by = "" if file is None else self._user_of(file, without)
        moved: Path | None = file if used_by else None
        if file is not None and not used_by and await asyncio.to_thread(file.exists):
            if delete:
                await asyncio.to_thread(delete_key, file)
            else:
                moved = await asyncio.to_thread(move_aside, file, self._dashboard.data_dir)
        await self._dashboard.save_profile(without)
        return Retired(key_id, moved, used_by)

    def _user_of(self, file: Path, without: Profile) -> str:
        """Return the name of a profile that still needs a key file, or an empty string."""
        for known in self._dashboard.profiles:
            profile = without if known.name == without.name else known
            if file in (profile.key_file, profile.next_key_file):
                return safe_text(profile.name, limit=40)
        return ""

    async def _passphrase(self, profile: Profile) -> Secret | None:
        """Return what the key in use is encrypted with; asks for it where nobody has."""
        file, keyring = profile.key_file, self._dashboard.keyring
        if file is None:
            raise ConfigError(
                f"The wallet “{profile.name}” has no key to replace.",
                "Make one with “opdash key new”, and name it in the configuration file.",
            )
        try:
            if not await asyncio.to_thread(is_encrypted, file):
                return None
            await keyring.read(file, profile.key_id)
        except KeyFileError:
            if await asyncio.to_thread(file.exists):
                raise
            return None  # a key that is lost is replaced, too
        given = os.environ.get(PASSPHRASE_VARIABLE)
        return keyring.passphrase(file) or (Secret(given) if given else None)
