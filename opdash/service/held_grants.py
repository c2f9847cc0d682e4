"""A grant that opdash holds: its token, how to go on with it, and for whom it was given.

A grant is good for exactly one wallet address at one pair of servers, one client and one key. That
is its binding, and wherever one of them has changed, the grant is not used.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from opdash.openpayments.grants import Access, AccessToken, Continuation
from opdash.openpayments.resources import WalletAddress
from opdash.service.rights import does_for

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware instant, UTC, by this machine's clock."""

_MARGIN = timedelta(seconds=30)
_SHARE_OF_LIFE = 5


class Binding(msgspec.Struct, frozen=True):
    """For whom, and at whose servers, a grant was given.

    Attributes:
        wallet: The id of the wallet address.
        auth_server: As the wallet address named it.
        resource_server: As the wallet address named it.
        client: The client's wallet address.
        key_id: The key that signed.
    """

    wallet: str
    auth_server: str
    resource_server: str
    client: str
    key_id: str


class HeldGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant with a token; a renewal replaces the whole record.

    Attributes:
        binding: For whom it was given.
        asked: The rights that opdash asked for.
        token: The token, and the URL at which it is rotated and revoked.
        continuation: How to go on with the grant, where the server said so.
        given_at: When the grant was given.
        renewed_at: When this very token was given.
        last_used_at: When a request last succeeded with it; None if none has.
        with_consent: Whether the account holder was asked.
    """

    binding: Binding
    asked: tuple[Access, ...]
    token: AccessToken
    continuation: Continuation | None
    given_at: Instant
    renewed_at: Instant
    last_used_at: Instant | None = None
    with_consent: bool = False

    @property
    def expires_at(self) -> datetime | None:
        """When the token ends, or None where the server does not say."""
        life = self.token.expires_in
        return None if life is None else _later(self.renewed_at, timedelta(seconds=life))

    @property
    def renew_at(self) -> datetime | None:
        """When the token is renewed: 30 seconds before its end, or a fifth of a short life."""
        life = self.token.expires_in
        if life is None:
            return None
        whole = timedelta(seconds=life)
        return _later(self.renewed_at, whole - min(_MARGIN, whole / _SHARE_OF_LIFE))

    def has_expired(self, now: datetime) -> bool:
        """Return whether the token's time is over."""
        end = self.expires_at
        return end is not None and now >= end

    def fits(self, binding: Binding, wanted: tuple[Access, ...]) -> bool:
        """Return whether it was given for this, or does for it; see `rights.does_for`."""
        return self.binding == binding and does_for(self.asked, wanted)


def bound_to(wallet: WalletAddress, client_address: str, key_id: str) -> Binding:
    """Return what a grant for a wallet address is bound to when this client asks for it."""
    return Binding(wallet.id, wallet.auth_server, wallet.resource_server, client_address, key_id)


def _later(instant: datetime, by: timedelta) -> datetime:
    try:
        return instant + by
    except OverflowError:
        return datetime.max.replace(tzinfo=instant.tzinfo)
