"""Commands that use the service: the same dashboard as the screen, without a screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from opdash.cli.consenting import ConsentTalk
from opdash.cli.context import Context
from opdash.cli.output import is_interactive, talk
from opdash.cli.wording import last_segment
from opdash.errors import InputError, OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import CreationStatus, PaymentRow
from opdash.ledger.search.terms import All, Contains, Query, TextField
from opdash.openpayments.addresses import lies_below
from opdash.openpayments.errors import GoneError, NotFoundError, OpenPaymentsError
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.service.errors import NotOurPaymentError
from opdash.service.events import CreationChanged, Event, SettingsNoted
from opdash.service.session import WalletSession
from opdash.settings import ConsentWay

PAYMENT_HELP: Final = "its URL, a unique part of its id, or its whole reference"
"""How a payment is named on a command line."""

_MOST_ROWS: Final = 50


class UnknownPayment(InputError):
    """No payment, or more than one, is meant by what a person typed."""


def run_with_dashboard(context: Context, work: Callable[[Dashboard], Awaitable[int]]) -> int:
    """Open the dashboard, do the work, and close it again however the work ends.

    Raises:
        OpdashError: What the work raised, or the ledger cannot be opened.
    """

    async def main() -> int:
        observer = None if context.log is None else context.log.exchange
        dashboard = Dashboard(
            context.store,
            context.options.data_dir,
            context.clock,
            observer=observer,
            witness=context.witness,
            inspected=False,
            consent=context.options.consent,
            usual_consent=ConsentWay.POLLING,
        )
        if is_interactive():
            from opdash.cli.passphrase import asked_at_terminal

            dashboard.keyring.asker = asked_at_terminal
        consenting = ConsentTalk(context.clock)
        dashboard.events.subscribe(consenting.hear)
        dashboard.events.subscribe(tell_settings)
        try:
            return await work(dashboard)
        finally:
            consenting.close()
            await dashboard.stop()

    return asyncio.run(main())


async def find_payment(
    dashboard: Dashboard,
    sessions: Sequence[WalletSession],
    text: str,
    *,
    anywhere: bool,
    offline: bool = False,
) -> tuple[WalletSession | None, PaymentRow]:
    """Return the payment that a person means, as far as known, and the session it belongs to.

    There is no session for a payment whose wallet is no longer set up.

    The servers are asked only for a payment that the ledger does not know.

    Args:
        dashboard: Where to look.
        sessions: The wallets that may hold it.
        text: The payment's URL, a unique start or end of its id, or its whole reference.
        anywhere: Whether it may also be one of a wallet that is no longer set up.
        offline: Whether to ask no server at all.

    Raises:
        UnknownPayment: There is none, or several are meant.
        OpdashError: A server could not be asked.
    """
    found = _known(dashboard, sessions, text, anywhere=anywhere)
    if not found and not offline:
        found = await _asked_for(dashboard, sessions, text)
    row = only_one(found, text)
    return session_of(dashboard, row), row


async def _asked_for(
    dashboard: Dashboard, sessions: Sequence[WalletSession], text: str
) -> tuple[PaymentRow, ...]:
    failure: OpdashError | None = None
    for session in sessions:
        try:
            found = await _asked_for_at(dashboard, session, text)
        except OpdashError as error:
            failure = failure or error
            continue
        if found:
            return found
    if failure is not None:
        raise failure
    return ()


async def _asked_for_at(
    dashboard: Dashboard, session: WalletSession, text: str
) -> tuple[PaymentRow, ...]:
    await session.poll_once()
    found = _known(dashboard, (session,), text, anywhere=False)
    wallet = session.wallet
    if found or wallet is None or not lies_below(text, wallet.resource_server):
        return found
    with contextlib.suppress(GoneError, NotFoundError, NotOurPaymentError):
        row = await session.refresh_payment(text)
        return () if row is None else (row,)
    return ()


def _known(
    dashboard: Dashboard, sessions: Sequence[WalletSession], text: str, *, anywhere: bool
) -> tuple[PaymentRow, ...]:
    wallets = {session.wallet_id for session in sessions if session.wallet_id is not None}
    return rows_meant(dashboard.reader, text, None if anywhere else wallets)


def rows_meant(
    reader: LedgerReader, text: str, wallets: Collection[str] | None = None
) -> tuple[PaymentRow, ...]:
    """Return the payments that a person may mean, by URL, part of the id, or whole reference.

    An id that is typed wholly means that payment alone. Else a reference counts as much as a part
    of an id, so that nobody gets another payment than the one that they mean.

    Args:
        reader: The ledger.
        text: What was typed.
        wallets: The wallet addresses whose payments count; None for all.
    """
    found = tuple(row for row in reader.find(text) if wallets is None or row.wallet in wallets)
    typed = text.strip()
    if not typed or any(typed in (row.id, last_segment(row.id)) for row in found):
        return found
    query = Query("", All((Contains(TextField.REFERENCE, typed, whole=True),)))
    referred: list[PaymentRow] = []
    for wallet in reader.wallets():
        if wallets is None or wallet.address in wallets:
            keys = reader.matches(wallet.address, query).keys[:_MOST_ROWS]
            referred += reader.rows(keys)
    same = [row for row in referred if row.reference.strip() == typed] or referred
    known = {(row.wallet, row.id): row for row in (*found, *same)}
    return tuple(known.values())


def session_of(dashboard: Dashboard, row: PaymentRow) -> WalletSession | None:
    """Return the session of the wallet that a payment belongs to, where it is set up."""
    sessions = (dashboard.session(profile.name) for profile in dashboard.profiles)
    return next((session for session in sessions if session.wallet_id == row.wallet), None)


def only_one(rows: tuple[PaymentRow, ...], text: str) -> PaymentRow:
    """Return the payment that was found by what a person typed.

    Raises:
        UnknownPayment: There is none, or there are several.
    """
    shown = safe_text(text, limit=80)
    if not rows:
        raise UnknownPayment(
            f"opdash knows no payment “{shown}”.",
            "Give its URL, its whole reference, or the id that “opdash list --all” shows.",
        )
    if len(rows) > 1:
        names = ", ".join(f"{last_segment(row.id)} ({row.state.value})" for row in rows[:5])
        more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
        raise UnknownPayment(
            f"Several payments are meant by “{shown}”.", f"Say which by its id: {names}{more}."
        )
    return rows[0]


def tell_settings(event: Event) -> None:
    """Say what another opdash changed of what this one goes by."""
    if isinstance(event, SettingsNoted):
        talk(event.sentence)


def tell_creations(event: Event) -> None:
    """Say what became of a payment whose creation got no answer in an earlier run."""
    if not isinstance(event, CreationChanged):
        return
    creation = event.creation
    if creation.status is CreationStatus.CREATED:
        talk(f"A payment whose answer was lost has been created: {creation.payment_id}")
    elif creation.status is CreationStatus.NOT_FOUND:
        talk("A payment whose answer was lost was not created; create it again if it is wanted.")
    else:
        talk("It is unknown whether a payment was created, as no answer came. Checking …")


async def learn_wallets(dashboard: Dashboard) -> None:
    """Ask the wallets of which nothing is known yet to describe themselves.

    One that cannot be reached is passed over, unless it is the only one.

    Raises:
        OpdashError: The only wallet cannot be asked.
    """
    for profile in dashboard.profiles:
        session = dashboard.session(profile.name)
        if session.wallet is not None:
            continue
        try:
            await session.discover()
        except OpdashError:
            if len(dashboard.profiles) == 1:
                raise


async def refresh(session: WalletSession, row: PaymentRow) -> OpenPaymentsError | None:
    """Fetch a payment anew; return why that could not be done."""
    try:
        await session.refresh_payment(row.id)
    except (GoneError, NotFoundError):
        talk("The server no longer has this payment; this is what opdash remembers.")
    except OpenPaymentsError as error:
        return error
    return None
