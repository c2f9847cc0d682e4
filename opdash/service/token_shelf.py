"""Where one profile's grants lie: in memory, and in its file where they are kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import msgspec

from opdash.openpayments.secrets import Secret
from opdash.service.held_grants import HeldGrant
from opdash.service.rights import Right
from opdash.service.token_file import Kept, TokenFile, TokenFileError


class TokenShelf:
    """One profile's grants; the file, where there is one, never holds less than was put here.

    Other processes share the file. What they rotate is taken over, and so is that a person gave a
    right back there: it is held here no longer, and not written back. Notes in the file from before
    this run mean nothing.

    Args:
        file: Where grants are kept for the next start, or None for memory only.
        since: When this run began; unless given, when the file was first read.

    Attributes:
        problem: Why kept grants are not used or cannot be kept, or None.
    """

    def __init__(self, file: TokenFile | None = None, *, since: datetime | None = None) -> None:
        self.problem: TokenFileError | None = None
        self._file = file
        self._since = since
        self._given_up: dict[Right, datetime | None] = {}
        self._noted: dict[Right, datetime] = {}
        self._refused: dict[Right, datetime] = {}
        self._refusals: dict[Right, datetime] = {}
        self._stamp: object = None
        self._inside = 0
        self._held: dict[Right, HeldGrant] = {}
        self._last: dict[Right, HeldGrant] = {}
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

    # Rights that a person gave back

    def give_up(self, right: Right) -> None:
        """Note that a person gives a right back here; `drop` tells the other processes."""
        self._given_up[right] = None

    def forgive(self, *rights: Right) -> None:
        """Note that a person wants rights again after all."""
        for right in rights:
            self._given_up.pop(right, None)
            self._refused.pop(right, None)

    def is_given_up(self, right: Right) -> bool:
        """Return whether a person gave a right back, here or elsewhere, in this run."""
        return right in self._given_up

    def given_up_elsewhere(self, right: Right) -> datetime | None:
        """Return when a person gave a right back in another process, if that is so in this run."""
        return self._given_up.get(right)

    # Rights that the account holder refused

    async def refuse(self, right: Right, at: datetime) -> None:
        """Tell the other processes that the account holder refused; only under the lock."""
        self._refusals[right] = at
        await self._write()

    def refused_elsewhere(self, right: Right) -> datetime | None:
        """Return when the account holder refused in another process, unless it is wanted since."""
        return self._refused.get(right)

    def want(self, right: Right) -> None:
        """Note that a person wants the account holder asked again, whatever they said till now."""
        self.load()
        self.look()
        self._refused.pop(right, None)

    # The file

    def is_kept(self, right: Right) -> bool:
        """Return whether the token in memory is in the file, too."""
        held, kept = self._held.get(right), self._kept.get(right)
        return held is not None and kept is not None and held.token == kept.token

    def load(self) -> None:
        """Read the file, once in a run; a file that cannot be used is a problem, not an error."""
        if not self._is_loaded:
            self._take_over()

    def look(self) -> None:
        """Take over what other processes wrote since; quick where they did not."""
        if self._file is None or not self._is_loaded or self._inside:
            return
        if self._file.stamp != self._stamp:
            self._take_over()

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold other processes off, and take over what they wrote meanwhile."""
        if self._file is None:
            yield
            return
        async with self._file.locked():
            self._inside += 1
            try:
                self._take_over(await asyncio.to_thread(self._read))
                yield
            finally:
                self._inside -= 1

    @contextlib.asynccontextmanager
    async def turn(self, right: Right, waits: Callable[[], None]) -> AsyncIterator[None]:
        """Be the only process that asks the account holder for a right; see `TokenFile.turn`."""
        if self._file is None:
            yield
            return
        async with self._file.turn(right, waits):
            yield

    def anothers(self, right: Right) -> HeldGrant | None:
        """Return the grant in the file that another process keeps there for other ends, or None.

        It may work for the same wallet with another scope or key. Whoever came first stays in the
        file; what the others hold is in their memory only.
        """
        held, kept = self._held.get(right), self._kept.get(right)
        if kept is None or kept.token.value in self._dropped:
            return None
        if held is None:
            return kept
        return None if kept.token == held.token or _is_alike(kept, held) else kept

    async def put(self, right: Right, grant: HeldGrant) -> None:
        """Hold a grant instead of an older one; only for who holds the lock."""
        replaced = self._held.get(right)
        if replaced is not None and replaced.token != grant.token:
            self._dropped.add(replaced.token.value)
        self._hold(right, grant)
        self._refusals.pop(right, None)
        await self._write()

    async def drop(self, right: Right, *, given_up_at: datetime | None = None) -> None:
        """Forget a grant; only for who holds the lock.

        Args:
            right: Which one.
            given_up_at: Now, where a person gave it back, so that other processes do the same.
        """
        dropped = self._held.pop(right, None)
        if dropped is not None:
            self._dropped.add(dropped.token.value)
        self._used.pop(right, None)
        if given_up_at is not None:
            self._noted[right] = given_up_at
            self._kept.pop(right, None)
        await self._write()

    async def clear(self, at: datetime) -> None:
        """Forget all grants, on the disk even where the file could not be used.

        An empty file stays, which tells the other processes that a person signed out now.
        """
        self._held, self._kept, self._used = {}, {}, {}
        if self._file is None:
            return
        self._noted, self._refusals = dict.fromkeys(Right, at), {}
        async with self._file.locked():
            if self.problem is not None:
                await asyncio.to_thread(_delete, self._file)
                self.problem = None
            await self._write()

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
            self._kept, self._noted, self._refusals, self.problem = {}, {}, {}, None
        self._is_loaded = False
        async with self.locked():
            await self._write()

    async def close(self) -> None:
        """Write down when the kept tokens were last used."""
        if self._file is None or not any(self.is_kept(right) for right in self._used):
            return
        async with self.locked():
            await self._write()

    def _read(self) -> Kept | None:
        if self._file is None:
            return None
        self._stamp = self._file.stamp
        try:
            kept = self._file.read()
        except TokenFileError as error:
            self.problem = error
            return None
        self.problem = None
        return kept

    def _take_over(self, kept: Kept | None = None) -> None:
        """Hold what the file holds, and no longer what a person gave back elsewhere."""
        if kept is None and not self._inside:
            kept = self._read()
        if kept is not None:
            self._forget_gone(kept)
            self._note(kept)
            self._note_refusals(kept)
        self._is_loaded = True
        self._kept = {} if kept is None else dict(kept.grants)
        for right, grant in self._kept.items():
            if grant.token.value not in self._dropped and self._is_news(right, grant):
                self._hold(right, grant)

    def _is_news(self, right: Right, grant: HeldGrant) -> bool:
        held, last = self._held.get(right), self._last.get(right)
        if held is None:
            return last is None or _is_alike(grant, last)
        does = grant.fits(held.binding, held.asked)
        return does and held.token != grant.token and held.renewed_at <= grant.renewed_at

    def _hold(self, right: Right, grant: HeldGrant) -> None:
        self._held[right] = self._last[right] = grant
        self._used.pop(right, None)
        self._refused.pop(right, None)

    def _forget_gone(self, kept: Kept) -> None:
        """Forget what another process has taken out of the file; it knows why."""
        for right in Right:
            if right not in kept.grants and self.is_kept(right):
                self._held.pop(right)
                self._used.pop(right, None)

    def _note(self, kept: Kept) -> None:
        for right, at in kept.given_up.items():
            if self._noted.get(right) == at or self._is_over(at):
                continue
            held = self._held.get(right)
            if held is None or held.given_at <= at:
                self._held.pop(right, None)
                self._used.pop(right, None)
                self._given_up[right] = at
        self._noted = dict(kept.given_up)

    def _note_refusals(self, kept: Kept) -> None:
        for right, at in kept.refused.items():
            if self._refusals.get(right) != at and not self._is_over(at):
                self._refused[right] = at
        self._refusals = dict(kept.refused)

    def _is_over(self, at: datetime) -> bool:
        """Return whether what the file notes was before this run."""
        return not self._is_loaded and (self._since is None or at < self._since)

    async def _write(self) -> None:
        """Put what is held into the file, unless what is there must not be touched."""
        if self._file is None or self.problem is not None:
            return
        content = self._content()
        writing = asyncio.ensure_future(asyncio.to_thread(self._put_down, self._file, content))
        try:
            await asyncio.shield(writing)
        except TokenFileError as error:
            self.problem = error
            return
        self._kept = content

    def _content(self) -> dict[Right, HeldGrant]:
        content: dict[Right, HeldGrant] = {}
        for right in Right:
            grant = self.anothers(right) or self.get(right)
            if grant is not None:
                content[right] = grant
        return content

    def _put_down(self, file: TokenFile, content: dict[Right, HeldGrant]) -> None:
        file.write(Kept(content, dict(self._noted), dict(self._refusals)))
        self._stamp = file.stamp


def _is_alike(one: HeldGrant, other: HeldGrant) -> bool:
    """Return whether two grants serve the same ends; another process may have another scope."""
    return one.fits(other.binding, other.asked) or other.fits(one.binding, one.asked)


def _used_at(grant: HeldGrant, at: datetime) -> HeldGrant:
    return msgspec.structs.replace(grant, last_used_at=at)


def _delete(file: TokenFile) -> None:
    with contextlib.suppress(TokenFileError):
        file.delete()
