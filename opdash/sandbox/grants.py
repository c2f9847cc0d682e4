"""Grants, their interactions and their access tokens, as the authorization server keeps them."""

# ruff: noqa: S608 - statements are put together from this module's own constants only

from __future__ import annotations

import secrets
import sqlite3
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from opdash.sandbox.clock import MINUTE, SECOND

TOKEN_LIFE = 600
"""Seconds that an access token lives."""
INTERACTION_LIFE = 10 * MINUTE
"""Microseconds in which an account holder can consent."""


class GrantState(StrEnum):
    """Where a grant stands."""

    PENDING = "pending"
    """The account holder has not decided."""
    APPROVED = "approved"
    """A token may be fetched; also a grant that was given at once."""
    ISSUED = "issued"
    """A continuation has fetched the token."""
    REJECTED = "rejected"
    """The account holder refused."""
    REVOKED = "revoked"
    """The client cancelled it."""


class InteractionState(StrEnum):
    """What the account holder chose."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as it is kept.

    Attributes:
        id: Its id.
        continue_id: The last segment of its continuation URL.
        continue_token: The token to continue it with.
        client: Who asked, as `WalletDirectory.key_of` writes it.
        access: The rights, as asked for.
        state: Where it stands.
        finish_uri: Where the account holder is sent back to, or None.
        finish_nonce: The client's nonce for the hash, or None.
        last_continued: When it was created or last polled, in microseconds.
    """

    id: str
    continue_id: str
    continue_token: str
    client: str
    access: tuple[dict[str, Any], ...]
    state: GrantState
    finish_uri: str | None
    finish_nonce: str | None
    last_continued: int


@dataclass(frozen=True, slots=True)
class InteractionRow:
    """An interaction as it is kept.

    Attributes:
        id: Its id.
        nonce: The server's nonce, part of its URL.
        reference: What proves to the client that the account holder has been there.
        session: What proves to the server that it is the same browser.
        grant_id: The grant it is for.
        state: What the account holder chose.
        created: When it began, in microseconds.
    """

    id: str
    nonce: str
    reference: str
    session: str
    grant_id: str
    state: InteractionState
    created: int

    def is_expired(self, now: int) -> bool:
        """Return whether the time to consent is over."""
        return now > self.created + INTERACTION_LIFE


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An access token as it is kept; the instant in microseconds."""

    value: str
    manage_id: str
    grant_id: str
    created: int

    def is_expired(self, now: int) -> bool:
        """Return whether the token's time is over."""
        return now > self.created + TOKEN_LIFE * SECOND


class Grants:
    """All grants, interactions and tokens.

    Attributes:
        wait: Seconds between two continuations of a grant.
    """

    def __init__(self, database: sqlite3.Connection, wait: int = 5) -> None:
        self._database = database
        self.wait = wait

    def too_early(self, grant: GrantRow, now: int) -> bool:
        """Return whether a continuation comes before its time."""
        return now < grant.last_continued + self.wait * SECOND

    def create(
        self,
        client: str,
        access: tuple[dict[str, Any], ...],
        state: GrantState,
        finish: tuple[str, str] | None,
        now: int,
    ) -> GrantRow:
        """Keep a new grant; ``finish`` is the URL to return to and the client's nonce."""
        uri, nonce = finish or (None, None)
        grant = GrantRow(
            id=_new_id(),
            continue_id=_new_id(),
            continue_token=_new_token(),
            client=client,
            access=access,
            state=state,
            finish_uri=uri,
            finish_nonce=nonce,
            last_continued=now,
        )
        self._database.execute(
            "INSERT INTO grants (id, continue_id, continue_token, client, access, state, "
            "finish_uri, finish_nonce, last_continued) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                grant.id,
                grant.continue_id,
                grant.continue_token,
                grant.client,
                msgspec.json.encode(access).decode(),
                grant.state.value,
                grant.finish_uri,
                grant.finish_nonce,
                grant.last_continued,
            ),
        )
        return grant

    def get(self, grant_id: str) -> GrantRow:
        """Return a grant that is known to exist."""
        return _grant(
            self._database.execute("SELECT * FROM grants WHERE id = ?", (grant_id,)).fetchone()
        )

    def by_continuation(self, continue_id: str, continue_token: str) -> GrantRow | None:
        """Return the grant of a continuation, unless it was cancelled."""
        found = self._database.execute(
            "SELECT * FROM grants WHERE continue_id = ? AND continue_token = ? AND state != ?",
            (continue_id, continue_token, GrantState.REVOKED.value),
        ).fetchone()
        return None if found is None else _grant(found)

    def set_state(self, grant_id: str, state: GrantState) -> None:
        """Move a grant on."""
        self._database.execute("UPDATE grants SET state = ? WHERE id = ?", (state.value, grant_id))

    def note_poll(self, grant_id: str, now: int) -> None:
        """Remember when a grant was last polled."""
        self._database.execute("UPDATE grants SET last_continued = ? WHERE id = ?", (now, grant_id))

    def cancel(self, grant_id: str) -> None:
        """Cancel a grant and all its tokens."""
        self.set_state(grant_id, GrantState.REVOKED)
        self._database.execute("UPDATE tokens SET revoked = 1 WHERE grant_id = ?", (grant_id,))

    def begin_interaction(self, grant_id: str, state: InteractionState, now: int) -> InteractionRow:
        """Keep a new interaction for a grant."""
        interaction = InteractionRow(
            id=_new_id(),
            nonce=secrets.token_hex(8).upper(),
            reference=_new_id(),
            session=_new_id(),
            grant_id=grant_id,
            state=state,
            created=now,
        )
        self._database.execute(
            "INSERT INTO interactions (id, nonce, reference, session, grant_id, state, created) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                interaction.id,
                interaction.nonce,
                interaction.reference,
                interaction.session,
                interaction.grant_id,
                interaction.state.value,
                interaction.created,
            ),
        )
        return interaction

    def interaction(self, interaction_id: str, nonce: str) -> InteractionRow | None:
        """Return the interaction of a URL."""
        return self._interaction("id = ? AND nonce = ?", interaction_id, nonce)

    def by_reference(self, reference: str) -> InteractionRow | None:
        """Return the interaction that an ``interact_ref`` names."""
        return self._interaction("reference = ?", reference)

    def choose(self, interaction_id: str, state: InteractionState) -> None:
        """Note what the account holder chose."""
        self._database.execute(
            "UPDATE interactions SET state = ? WHERE id = ?", (state.value, interaction_id)
        )

    def issue_token(self, grant_id: str, now: int) -> TokenRow:
        """Make a new access token for a grant; earlier ones stay valid."""
        token = TokenRow(_new_token(), _new_id(), grant_id, now)
        self._database.execute(
            "INSERT INTO tokens (value, manage_id, grant_id, created) VALUES (?, ?, ?, ?)",
            (token.value, token.manage_id, token.grant_id, token.created),
        )
        return token

    def token(self, value: str) -> TokenRow | None:
        """Return a token that was not revoked, expired or not."""
        return self._token("value", value)

    def token_by_manage_id(self, manage_id: str) -> TokenRow | None:
        """Return the token that a management URL names, unless it was revoked."""
        return self._token("manage_id", manage_id)

    def revoke_token(self, token: TokenRow) -> bool:
        """Revoke a token; False when somebody else has done so meanwhile."""
        changed = self._database.execute(
            "UPDATE tokens SET revoked = 1 WHERE value = ? AND NOT revoked", (token.value,)
        )
        return changed.rowcount == 1

    def _token(self, column: str, value: str) -> TokenRow | None:
        found = self._database.execute(
            f"SELECT value, manage_id, grant_id, created FROM tokens WHERE {column} = ? "
            "AND NOT revoked",
            (value,),
        ).fetchone()
        return None if found is None else TokenRow(*found)

    def _interaction(self, where: str, *values: str) -> InteractionRow | None:
        found = self._database.execute(
            "SELECT id, nonce, reference, session, grant_id, state, created FROM interactions "
            f"WHERE {where}",
            values,
        ).fetchone()
        if found is None:
            return None
        return InteractionRow(
            id=found["id"],
            nonce=found["nonce"],
            reference=found["reference"],
            session=found["session"],
            grant_id=found["grant_id"],
            state=InteractionState(found["state"]),
            created=found["created"],
        )


def _grant(found: sqlite3.Row) -> GrantRow:
    return GrantRow(
        id=found["id"],
        continue_id=found["continue_id"],
        continue_token=found["continue_token"],
        client=found["client"],
        access=tuple(msgspec.json.decode(found["access"])),
        state=GrantState(found["state"]),
        finish_uri=found["finish_uri"],
        finish_nonce=found["finish_nonce"],
        last_continued=found["last_continued"],
    )


def _new_id() -> str:
    return str(uuid.uuid4())


def _new_token() -> str:
    return secrets.token_hex(10).upper()
