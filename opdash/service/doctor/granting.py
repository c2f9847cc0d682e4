"""What needs a signature: a grant, its token, a list; and giving all of it back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from opdash.errors import ExitCode
from opdash.ledger.records import Scope
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.errors import (
    ContinuationError,
    InteractionNeededError,
    InvalidClientError,
    NotFoundError,
    OpenPaymentsError,
    SignatureRefusedError,
)
from opdash.openpayments.grants import Access, Grant
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.service.doctor.case import Case
from opdash.service.doctor.refused import explained
from opdash.service.doctor.steps import Finding
from opdash.service.rights import Right, access_of, in_words

_ROWS = 3
_ASK = "Run “opdash doctor --ask” to ask for it; it is not asked for otherwise."


async def grant(case: Case) -> Finding:
    """Ask for a grant, as opdash needs it at the least."""
    wallet = _wallet(case)
    access = access_of(Right.INCOMING, Scope.OWN, wallet.id, read_only=case.profile.is_read_only)
    how = "without asking anybody"
    try:
        given = await case.asking.request_grant(wallet.auth_server, access)
    except InteractionNeededError:
        if case.asker is None:
            return Finding(None, "The server gives no grant without consent.", _ASK)
        given = await case.asker(case.asking, wallet.auth_server, access)
        how = "with the account holder's consent"
    except (SignatureRefusedError, InvalidClientError) as error:
        return await explained(case, error)
    case.grants.append(given)
    case.token = given.token
    if given.token is None:
        return Finding(
            False,
            "The server gave a grant without a token, though nobody has to consent.",
            "Tell the wallet's provider.",
            code=ExitCode.FAILED,
        )
    return Finding(True, f"The server gave a grant {how}.", lines=_rights(access))


async def token(case: Case) -> Finding:
    """Look whether the token is for what was asked, and can be renewed."""
    wallet, given = _wallet(case), case.token
    assert given is not None  # noqa: S101 - GRANT came before
    asked = access_of(Right.INCOMING, Scope.OWN, wallet.id, read_only=case.profile.is_read_only)
    wanted = set(asked[0].actions)
    held = {
        action for item in given.access if item.type == asked[0].type for action in item.actions
    }
    lines = _rights(given.access)
    if given.access and wanted - held:
        return Finding(
            False,
            f"The token lacks what was asked for: {', '.join(sorted(wanted - held))}.",
            "Ask the wallet's provider which rights clients may have, or set access = "
            '"read-only" for this wallet.',
            lines,
            ExitCode.NOT_PERMITTED,
            is_usable="list" in held,
        )
    if not case.is_at_auth_server(given.manage):
        return Finding(
            False,
            "The token is to be renewed at another server than the wallet address names: "
            f"{safe_text(given.manage.rpartition('/')[0], limit=120)}/….",
            "opdash sends no token there, and has to ask for a new grant each time. Tell the "
            "wallet's provider.",
            lines,
            ExitCode.FAILED,
            is_usable=True,
        )
    lives = f"lives {given.expires_in} seconds" if given.expires_in else "does not say how long"
    return Finding(True, f"The token holds all that was asked for, and {lives}.")


async def signed_list(case: Case) -> Finding:
    """Ask for the head of the list, signed and with the token."""
    wallet, held = _wallet(case), case.token
    assert held is not None  # noqa: S101 - TOKEN came before
    try:
        page = await case.asking.list_incoming_payments(wallet, held.value, first=_ROWS)
    except SignatureRefusedError as error:
        return await explained(case, error, held.value)
    count = len(page.result)
    if page.pagination.has_next_page:
        return Finding(True, f"The server lists payments: {count} of them, and it has more.")
    if count:
        payments = "payment" if count == 1 else "payments"
        return Finding(True, f"The server lists {count} {payments}, and has no more.")
    return Finding(True, "The server answers with an empty list: there is no payment yet.")


async def scope(case: Case) -> Finding:
    """Look whether the scope that the profile names can be had."""
    if case.profile.scope is Scope.OWN:
        return Finding(True, "opdash is to see what it created; that takes nobody's consent.")
    wallet = _wallet(case)
    access = access_of(
        Right.INCOMING, case.profile.scope, wallet.id, read_only=case.profile.is_read_only
    )
    try:
        given = await case.asking.request_grant(wallet.auth_server, access)
    except InteractionNeededError:
        if case.asker is None:
            return Finding(
                None, "Everything on the wallet is seen with the account holder's consent.", _ASK
            )
        given = await case.asker(case.asking, wallet.auth_server, access)
        case.grants.append(given)
        return Finding(True, "The account holder consents to everything being seen.")
    case.grants.append(given)
    return Finding(True, "The server shows everything on the wallet without consent.")


async def give_back(case: Case) -> Finding:
    """Give back all that was given."""
    failure: OpenPaymentsError | None = None
    count = len(case.grants)
    while case.grants:
        try:
            await _give_back(case, case.grants.pop())
        except OpenPaymentsError as error:
            failure = failure or error
    if failure is not None:
        return Finding(
            False,
            f"A grant could not be given back: {failure.sentence}",
            "Its token ends by itself. " + failure.advice,
            code=failure.exit_code,
        )
    what = "grant was" if count == 1 else f"{count} grants were"
    return Finding(True, f"The {what} given back; nothing is left at the server.")


async def _give_back(case: Case, given: Grant) -> None:
    wallet = _wallet(case)
    try:
        if given.token is not None and case.is_at_auth_server(given.token.manage):
            await case.asking.revoke_token(wallet.auth_server, given.token)
    finally:
        if given.continuation is not None:
            with contextlib.suppress(ContinuationError, NotFoundError, AddressError):
                await case.asking.cancel_grant(wallet.auth_server, given.continuation)


def _wallet(case: Case) -> WalletAddress:
    assert case.wallet is not None  # noqa: S101 - DISCOVERY came before
    return case.wallet


def _rights(access: Sequence[Access]) -> tuple[str, ...]:
    return tuple(f"opdash may {safe_text(words, limit=120)}" for words in in_words(access))
