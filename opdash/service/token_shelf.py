"""Where one profile's grants lie: in memory, and in its file where they are kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import msgspec

from opdash.openpayments.secrets import Secret
from opdash.service.held_grants import HeldGrant
from opdash.service.rights import Right
from opdash.service.token_file import TokenFile, TokenFileError


class TokenShelf:
    """One profile's grants; the file, where there is one, never holds less than was put here.

    Args:
        file: Where grants are kept for the next start, or None for memory only.

    Attributes:
        problem: Why kept grants are not used or cannot be kept, or None.
        given_up: The rights that a person gave back; no grant is asked for until they want it.
    """

    def __init__(self, file: TokenFile | None = None) -> None:
        self.problem: TokenFileError | None = None
        self.given_up: set[Right] = set()
        self._file = file
        self._held: dict[Right, HeldGrant] = {}
        self._kept: dict[Right, HeldGrant] = {}
        self._used: dict[Right, datetime] = {}
        self._dropped: set[Secret] = set()
        self._is_loaded = False

    @property
    def keeps(self) -> bool:
        """Whether grants are kept for the next start."""
        return self._file is not None

    def get(self, right: Right) -> HeldGrant | None:
        """Return the grant of a right, as it is in memory."""
        held = self._held.get(right)
        used = self._used.get(right)
        return held if held is None or used is None else _used_at(held, used)

    def is_kept(self, right: Right) -> bool:
        """Return whether the token in memory is in the file, too."""
        held, kept = self._held.get(right), self._kept.get(right)
        return held is not None and kept is not None and held.token == kept.token

    def load(self) -> None:
        """Read the file, once in a run; a file that cannot be used is a problem, not an error."""
        if not self._is_loaded:
            self._is_loaded = True
            self._adopt(self._read())

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold other processes off, and take over what they wrote meanwhile."""
        if self._file is None:
            yield
            return
        async with self._file.locked():
            self._is_loaded = True
            self._adopt(await asyncio.to_thread(self._read))
            yield

    async def put(self, right: Right, grant: HeldGrant) -> None:
        """Hold a grant instead of an older one; only for who holds the lock."""
        self._held[right] = grant
        self._used.pop(right, None)
        await self._write()

    async def drop(self, right: Right) -> None:
        """Forget a grant; only for who holds the lock."""
        dropped = self._held.pop(right, None)
        if dropped is not None:
            self._dropped.add(dropped.token.value)
        self._used.pop(right, None)
        await self._write()

    async def clear(self) -> None:
        """Forget all grants, and delete the file even where it could not be used."""
        self._held, self._kept, self._used = {}, {}, {}
        if self._file is not None:
            async with self._file.locked():
                await asyncio.to_thread(_delete, self._file)

    def note_use(self, right: Right, at: datetime) -> None:
        """Remember that a request has just succeeded with a right's token."""
        if right in self._held:
            self._used[right] = at

    async def keep(self, file: TokenFile | None) -> None:
        """Keep grants in a file from now on, or in memory only."""
        if (self._file is None) == (file is None):
            return
        old, self._file = self._file, file
        if old is not None:
            async with old.locked():
                await asyncio.to_thread(_delete, old)
            self._kept, self.problem = {}, None
        async with self.locked():
            await self._write()

    async def close(self) -> None:
        """Write down when the kept tokens were last used."""
        if self._file is None or not any(self.is_kept(right) for right in self._used):
            return
        async with self.locked():
            await self._write()

    def _read(self) -> Mapping[Right, HeldGrant]:
        if self._file is None:
            return {}
        try:
            kept = self._file.read()
        except TokenFileError as error:
            self.problem = error
            return {}
        self.problem = None
        return kept

    def _adopt(self, kept: Mapping[Right, HeldGrant]) -> None:
        self._kept = dict(kept)
        for right, grant in kept.items():
            if grant.token.value in self._dropped:
                continue  # it could not be taken out of the file
            held = self._held.get(right)
            if held is None or (held.token != grant.token and held.renewed_at <= grant.renewed_at):
                self._held[right] = grant
                self._used.pop(right, None)

    async def _write(self) -> None:
        """Put what is held into the file, unless what is there must not be touched."""
        if self._file is None or self.problem is not None:
            return
        held = {right: grant for right in Right if (grant := self.get(right)) is not None}
        writing = asyncio.ensure_future(asyncio.to_thread(self._file.write, held))
        try:
            await asyncio.shield(writing)
        except TokenFileError as error:
            self.problem = error
            return
        self._kept = held


def _used_at(grant: HeldGrant, at: datetime) -> HeldGrant:
    return msgspec.structs.replace(grant, last_used_at=at)


def _delete(file: TokenFile) -> None:
    with contextlib.suppress(TokenFileError):
        file.write({})
