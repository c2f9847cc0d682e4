"""Private keys as sessions read them: a passphrase is asked for once in a run, and kept nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from opdash.errors import LockedKeyError
from opdash.openpayments.secrets import Secret
from opdash.service.late_imports import LateImports

if TYPE_CHECKING:
    from opdash.openpayments.keys import ClientKey

PassphraseAsker: TypeAlias = Callable[[Path, str], Awaitable[Secret | None]]
"""Asks a person for a key file's passphrase, saying what was wrong with the last one, if anything;
returns None where they give none."""


class Keyring:
    """Reads key files, and remembers passphrases while opdash runs.

    Attributes:
        asker: Asks a person; None where nobody can be asked.
    """

    def __init__(self, imports: LateImports) -> None:
        self.asker: PassphraseAsker | None = None
        self._imports = imports
        self._known: dict[Path, Secret] = {}
        self._declined: set[Path] = set()
        self._reading: dict[Path, asyncio.Lock] = {}

    async def read(self, path: Path, key_id: str) -> ClientKey:
        """Read a private key; of several readers of a file only one asks for its passphrase.

        Args:
            path: The file.
            key_id: The name under which the provider knows the key.

        Raises:
            LockedKeyError: It is encrypted, and nobody gave the passphrase.
            KeyFileError: It cannot be used.
        """
        path = _absolute(path)
        read_key = (await self._imports.modules()).keyfiles.read_key
        async with self._reading.setdefault(path, asyncio.Lock()):
            opener, remark = self._known.get(path), ""
            while True:
                try:
                    key: ClientKey = await asyncio.to_thread(read_key, path, key_id, opener)
                except LockedKeyError as error:
                    if opener is not None:
                        remark = "That passphrase does not open it."
                    self._known.pop(path, None)
                    opener = await self._asked(path, remark, error)
                    continue
                if opener is not None:
                    self._known[path] = opener
                return key

    def remember(self, path: Path, passphrase: Secret) -> None:
        """Take note of a passphrase that a person gave elsewhere, for this run."""
        self._known[_absolute(path)] = passphrase

    def passphrase(self, path: Path | None) -> Secret | None:
        """Return the passphrase that opened a file in this run, or None."""
        return None if path is None else self._known.get(_absolute(path))

    def reopen(self, path: Path | None) -> None:
        """Ask again for a passphrase that was not given, because a person wants to go on."""
        if path is not None:
            self._declined.discard(_absolute(path))

    async def _asked(self, path: Path, remark: str, error: LockedKeyError) -> Secret:
        if self.asker is None:
            raise error
        if path in self._declined:
            raise _declined(error)
        given = await self.asker(path, remark)
        if given is None:
            self._declined.add(path)
            raise _declined(error)
        return given


def _declined(error: LockedKeyError) -> LockedKeyError:
    return LockedKeyError(error.sentence, "Press r to be asked for the passphrase again.")


def _absolute(path: Path) -> Path:
    return path.absolute()
