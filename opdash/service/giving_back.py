"""Giving a grant back: its token is revoked, and the grant itself ended where the server can."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from opdash.errors import OpdashError
from opdash.openpayments.errors import ContinuationError, ServerError
from opdash.service.rights import Right

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.service.held_grants import HeldGrant


class GrantRemainsError(OpdashError):
    """The token is revoked, and the grant that it belonged to is not ended."""

    def __init__(self, cause: OpdashError) -> None:
        super().__init__(cause.sentence, cause.advice)
        self.exit_code = cause.exit_code


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What became of a grant that opdash gave back; it holds it no more in any case.

    Attributes:
        right: What it was for.
        was_held: Whether there was one.
        failure: Why the server does not know of it, or None.
        valid_until: Until when the token is still good there; None where nobody knows.
        is_over: Whether the token had ended by itself.
        cancelled: Whether the grant was ended too, not only its token.
    """

    right: Right
    was_held: bool = True
    failure: OpdashError | None = None
    valid_until: datetime | None = None
    is_over: bool = False
    cancelled: bool = False

    @property
    def is_revoked(self) -> bool:
        """Whether the token is good no longer, even where the grant could not be ended."""
        done = self.failure is None or isinstance(self.failure, GrantRemainsError)
        return self.was_held and done

    @property
    def sentence(self) -> str:
        """What became of it, for a person."""
        what = f"to {self.right.value}"
        if not self.was_held:
            return f"opdash holds no grant {what}."
        if self.failure is None:
            ended = "The grant" if self.cancelled else "The token"
            return f"{ended} {what} is revoked, at the server and here."
        why = self.failure.sentence.rstrip(".")
        if self.is_revoked:
            return f"The token {what} is revoked; its grant could not be ended ({why})."
        remains = "it had expired already"
        if not self.is_over:
            until = "until the server ends it"
            if self.valid_until is not None:
                until = f"until {self.valid_until.astimezone():%H:%M:%S}"
            remains = f"at the server it stays valid {until}"
        return f"opdash has forgotten the token {what}, but could not revoke it ({why}): {remains}."


async def give_back(client: OpenPaymentsClient, held: HeldGrant, *, cancel: bool) -> bool:
    """Revoke a grant's token, and end the grant where that is wanted and possible.

    What the server no longer knows is as good as revoked.

    Returns:
        Whether the grant itself was ended.

    Raises:
        GrantRemainsError: The token is revoked, but the grant could not be ended.
        OpdashError: The token is not revoked, as far as can be known.
    """
    auth_server = held.binding.auth_server
    try:
        await client.revoke_token(auth_server, held.token)
    except ServerError as error:
        if not _is_unknown(error):
            raise
    if not cancel or held.continuation is None:
        return False
    try:
        await client.cancel_grant(auth_server, held.continuation)
    except OpdashError as error:
        if not (isinstance(error, ServerError) and _is_unknown(error)):
            raise GrantRemainsError(error) from error
    return True


def _is_unknown(error: ServerError) -> bool:
    """Return whether the server itself said that it knows no such token or grant."""
    return isinstance(error, ContinuationError) or (error.status == 404 and bool(error.code))
