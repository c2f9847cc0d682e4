"""Which rights opdash asks for: as few as a profile needs, and what they are in words."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from opdash.ledger.records import Scope
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.grants import Access


class Right(Enum):
    """What a grant is for; the value is its purpose in words."""

    INCOMING = "read and create incoming payments"
    OUTGOING = "read outgoing payments"


_READING = ("read", "list")
_WRITING = ("create", "complete")
_OTHERS = ("read-all", "list-all")

_DEEDS = (
    ("list-all", "list every {}, whoever created it"),
    ("list", "list the {}s that opdash created"),
    ("read-all", "read every {}"),
    ("read", "read the {}s that opdash created"),
    ("create", "create {}s"),
    ("complete", "complete {}s"),
)
"""Actions, the widest first, and what each permits; the blank is the kind of payment."""

_WIDER = {"list": "list-all", "read": "read-all"}


def access_of(
    right: Right,
    scope: Scope,
    wallet_id: str,
    *,
    read_only: bool = False,
    listing: bool = False,
) -> tuple[Access, ...]:
    """Return what to ask an authorization server for.

    Args:
        right: What the grant is for.
        scope: Whether incoming payments of others than opdash are to be seen.
        wallet_id: The wallet address's id.
        read_only: Whether only the rights to read and list incoming payments are wanted.
        listing: Whether outgoing payments are to be listed, too, and not only read one by one.
    """
    from opdash.openpayments.grants import Access

    if right is Right.OUTGOING:
        actions = (*_READING, *_OTHERS) if listing else (_READING[0], _OTHERS[0])
        return (Access("outgoing-payment", actions, identifier=wallet_id),)
    own = _READING if read_only else ("create", "complete", *_READING)
    if scope is Scope.EVERYTHING:
        return (Access("incoming-payment", (*own, *_OTHERS), identifier=wallet_id),)
    return (Access("incoming-payment", own),)


def does_for(given: tuple[Access, ...], wanted: tuple[Access, ...]) -> bool:
    """Return whether a grant that was asked for once does for what is wanted now.

    Where outgoing payments may be listed they may be read. A wider right to incoming payments does
    not do for a narrower one: the list would show more than the profile's scope.
    """
    if given == wanted:
        return True
    if len(given) != 1 or len(wanted) != 1 or wanted[0].type != "outgoing-payment":
        return False
    has, needs = given[0], wanted[0]
    is_about_the_same = (has.type, has.identifier) == (needs.type, needs.identifier)
    return is_about_the_same and set(has.actions) >= set(needs.actions)


def needs_consent(right: Right, scope: Scope) -> bool:
    """Return whether servers give this right only with the account holder's consent."""
    return right is Right.OUTGOING or scope is Scope.EVERYTHING


def check_may_write(profile: Profile, deed: str) -> None:
    """Refuse what a read-only profile may not do.

    Args:
        profile: Who would do it.
        deed: "create" or "complete".

    Raises:
        ReadOnlyError: The profile is set up to read only.
    """
    if profile.is_read_only:
        from opdash.service.errors import ReadOnlyError

        raise ReadOnlyError(
            f"“{profile.title}” is set up to read only: opdash may not {deed} payments.",
            'To change that, set access = "full" for this wallet in the configuration file.',
        )


def purpose(access: Iterable[Access]) -> str:
    """Return what rights are for, as the end of “opdash may …”."""
    items = tuple(access)
    kinds = " and ".join(f"{_kind(item)}s" for item in items)
    actions = {action for item in items for action in item.actions}
    more = " and list" if "list" in actions else ""
    return f"read{' and create' if actions & set(_WRITING) else more} {kinds}"


def in_words(access: Iterable[Access]) -> tuple[str, ...]:
    """Return each right as the end of “opdash may …”; what a wider one covers is left out."""
    words: list[str] = []
    for item in access:
        for action, deed in _DEEDS:
            if action in item.actions and _WIDER.get(action) not in item.actions:
                words.append(deed.format(_kind(item)))
        known = [action for action, _ in _DEEDS]
        words += [f"{other} {_kind(item)}s" for other in item.actions if other not in known]
    return tuple(words)


def _kind(item: Access) -> str:
    return item.type.replace("-", " ")
