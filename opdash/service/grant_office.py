"""What a person can see of grants and tokens, and do with them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.records import Scope
from opdash.paths import token_path
from opdash.service.giving_back import GivenBack, give_back
from opdash.service.rights import Right, in_words
from opdash.service.token_file import TokenFile
from opdash.service.token_shelf import TokenShelf
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.grants import Access
    from opdash.service.dashboard import Dashboard
    from opdash.service.held_grants import HeldGrant
    from opdash.service.session import WalletSession


class GrantView(msgspec.Struct, frozen=True):
    """One grant as it is shown; no secret is in it.

    Attributes:
        profile: The name of the profile.
        title: What a person calls it.
        right: What the grant is for.
        is_held: Whether there is one; what follows is empty otherwise.
        is_given_up: Whether a person gave it back in this run.
        given_up_elsewhere_at: When they did so in another opdash, if that is so.
        rights: Each right in words, as the end of “opdash may …”.
        actions: The actions as the server knows them.
        identifiers: The wallet addresses that the rights are about, as sent; empty for opdash's own
            payments.
        limits: What bounds the rights, as sent, in JSON; empty without limits.
        given_at: When the grant was given (this machine's clock, as all instants here).
        renewed_at: When the token that is held was given.
        expires_at: When it ends; None where the server does not say.
        last_used_at: When a request last succeeded with it.
        with_consent: Whether the account holder was asked.
        is_kept: Whether it is kept for the next start.
        can_cancel: Whether the server said how to end the grant.
    """

    profile: str
    title: str
    right: Right
    is_held: bool = False
    is_given_up: bool = False
    given_up_elsewhere_at: datetime | None = None
    rights: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    limits: str = ""
    given_at: datetime | None = None
    renewed_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    with_consent: bool = False
    is_kept: bool = False
    can_cancel: bool = False


class GrantOffice:
    """Shows the grants of all profiles, renews them, and gives them back.

    Args:
        dashboard: Whose.
    """

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard

    def views(self, profile: str = "") -> tuple[GrantView, ...]:
        """Return the grants of all profiles or of one, held or not, without asking a server.

        Raises:
            ConfigError: There is no such profile.
        """
        settings = self._dashboard.settings
        chosen = (settings.profile(profile),) if profile else settings.profiles
        return tuple(self._view(one, right) for one in chosen for right in Right)

    def problem(self, profile: str) -> str:
        """Say why a profile's kept tokens are not used or cannot be kept; empty if all is well."""
        found = self._shelf(self._dashboard.settings.profile(profile)).problem
        return "" if found is None else str(found)

    async def renew(self, profile: str, right: Right) -> None:
        """Exchange a token now, or ask for the grant where none is held.

        Raises:
            OpdashError: It could not be had.
        """
        session = self._dashboard.session(profile)
        await session.connection.renew(right)
        session.poll_soon()

    async def revoke(self, profile: str, right: Right) -> GivenBack:
        """Revoke a token at the server, and forget it whatever the server says.

        Raises:
            ConfigError: There is no such profile.
        """
        return await self._dashboard.session(profile).connection.give_back(right, cancel=False)

    async def cancel(self, profile: str, right: Right) -> GivenBack:
        """End a grant and its token at the server, and forget both whatever the server says.

        Raises:
            ConfigError: There is no such profile.
        """
        return await self._dashboard.session(profile).connection.give_back(right, cancel=True)

    async def sign_out(self, profile: str) -> tuple[GivenBack, ...]:
        """Give all of a profile's grants back; its file of tokens is empty then.

        Raises:
            ConfigError: There is no such profile.
        """
        return await self._dashboard.session(profile).connection.sign_out()

    async def set_keeping(self, profile: str, keeps: bool) -> None:
        """Keep a profile's tokens for the next start from now on, or no longer.

        Raises:
            ConfigError: There is no such profile, or the configuration cannot be written.
        """
        before = self._dashboard.settings.profile(profile)
        changed = replace(before, keep_tokens=keeps)
        shelf = self._shelf(before)
        await self._dashboard.save_profile(changed)
        await shelf.keep(_file(changed, self._dashboard.data_dir, self._dashboard.clock))

    async def change_scope(self, profile: str, scope: Scope) -> GivenBack | None:
        """See everything on a wallet address, or only what opdash created, from now on.

        For everything the account holder is asked first; until they consent, all stays as it is.
        The narrower right is a grant of its own: the wider one is given back.

        Returns:
            What became of the wider right, where it was given back.

        Raises:
            GrantDeniedError: The account holder refused, or nobody answered; all is as before.
            OpdashError: The grant or the configuration failed; all is as before.
        """
        before = self._dashboard.settings.profile(profile)
        if before.scope is scope:
            return None
        changed = replace(before, scope=scope)
        if scope.covers(before.scope):
            await self._widen(before, changed)
            return None
        return await self._narrow(changed)

    async def _widen(self, before: Profile, changed: Profile) -> None:
        connection = self._dashboard.session(before.name).connection
        shelf = self._shelf(before)
        wider = await connection.widen(changed.scope)

        async def take_over(_: WalletSession) -> None:
            async with shelf.locked():
                narrower = shelf.get(Right.INCOMING)
                shelf.forgive(Right.INCOMING)
                await shelf.put(Right.INCOMING, wider)
            if narrower is not None:
                with contextlib.suppress(OpdashError):  # it ends by itself
                    await give_back(await connection.client(), narrower, cancel=True)

        try:
            await self._dashboard.replace_profile(changed, take_over)
        except OpdashError:
            with contextlib.suppress(OpdashError):
                await give_back(await connection.client(), wider, cancel=True)
            raise

    async def _narrow(self, changed: Profile) -> GivenBack | None:
        told: list[GivenBack] = []

        async def give_wider_back(former: WalletSession) -> None:
            told.append(await former.connection.give_back(Right.INCOMING, cancel=True))
            self._shelf(changed).forgive(Right.INCOMING)
            if former.wallet_id is not None:
                # What the narrower right shows was last seen under the wider one.
                await self._dashboard.scan_anew(former.wallet_id, changed.scope)

        await self._dashboard.replace_profile(changed, give_wider_back)
        return told[0] if told and told[0].was_held else None

    def _shelf(self, profile: Profile) -> TokenShelf:
        shelf = self._dashboard.shelf(profile)
        shelf.load()
        shelf.look()
        return shelf

    def _view(self, profile: Profile, right: Right) -> GrantView:
        shelf = self._shelf(profile)
        held, elsewhere = shelf.get(right), shelf.given_up_elsewhere(right)
        view = GrantView(
            profile.name,
            profile.title,
            right,
            is_given_up=shelf.is_given_up(right) and (held is None or elsewhere is None),
            given_up_elsewhere_at=elsewhere,
        )
        return view if held is None else _filled(view, held, is_kept=shelf.is_kept(right))


def make_shelf(profile: Profile, data_dir: Path, clock: Clock, since: datetime) -> TokenShelf:
    """Return a place for a profile's grants; where they are not to be kept, none is on the disk.

    Args:
        profile: Whose.
        data_dir: Where opdash keeps its files.
        clock: The one clock.
        since: When this run began.
    """
    file = _file(profile, data_dir, clock)
    if file is None:
        token_path(data_dir, profile.name).unlink(missing_ok=True)
    return TokenShelf(file, since=since)


def _file(profile: Profile, data_dir: Path, clock: Clock) -> TokenFile | None:
    path = token_path(data_dir, profile.name)
    return TokenFile(path, clock) if profile.keep_tokens else None


def _filled(view: GrantView, held: HeldGrant, *, is_kept: bool) -> GrantView:
    access = held.token.access or held.asked
    return replace(
        view,
        is_held=True,
        rights=in_words(access),
        actions=tuple(dict.fromkeys(action for item in access for action in item.actions)),
        identifiers=tuple(item.identifier for item in access if item.identifier is not None),
        limits=_limits(access),
        given_at=held.given_at,
        renewed_at=held.renewed_at,
        expires_at=held.expires_at,
        last_used_at=held.last_used_at,
        with_consent=held.with_consent,
        is_kept=is_kept,
        can_cancel=held.continuation is not None,
    )


def _limits(access: tuple[Access, ...]) -> str:
    found: list[Mapping[str, Any]] = [item.limits for item in access if item.limits]
    return "; ".join(json.dumps(limits, ensure_ascii=False, sort_keys=True) for limits in found)
