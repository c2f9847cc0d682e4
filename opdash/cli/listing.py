"""``opdash list``: incoming payments, newest first, printed from the ledger."""

from __future__ import annotations

from typing import NamedTuple

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import (
    CommandParser,
    UsageError,
    add_json_option,
    add_wallet_option,
    whole_number,
)
from opdash.cli.output import Cell, Column, print_json, print_table, talk
from opdash.cli.running import run_with_dashboard, tell_creations
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Scope, WalletRow
from opdash.ledger.search.choosing import chosen_query
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.errors import OpenPaymentsError
from opdash.service.dashboard import Dashboard
from opdash.service.session import WalletSession

_BATCH = 500
_SCOPES = {Scope.OWN: "created by opdash only", Scope.EVERYTHING: "everything on this wallet"}


class Listed(NamedTuple):
    """What is printed.

    Attributes:
        query: What payments must match, or None for all.
        at_most: How many, or None for all.
        as_json: Whether it is for programs.
        is_stale: Whether the server did not answer.
    """

    query: Query | None
    at_most: int | None
    as_json: bool
    is_stale: bool


def run(arguments: list[str]) -> int:
    """Run ``opdash list``."""
    parser = CommandParser(
        "list",
        "List incoming payments, newest first. The newest are fetched first; what the server does "
        "not answer is printed as it was last known.",
        [
            "opdash list --first 50",
            "opdash list --all --json | jq -r .id",
            "opdash list --filter 'state:short amount>10 since:7d'",
            "opdash list --saved 'Needs action'",
        ],
    )
    parser.add_argument(
        "--first", metavar="N", type=whole_number, default=20, help="how many; 20 unless given"
    )
    parser.add_argument(
        "--all", action="store_true", help="all of them, walking the server's list to its end"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--filter", metavar="QUERY", default="", help="those that match, of all that are known"
    )
    which.add_argument("--saved", metavar="NAME", default="", help="those of a saved search")
    parser.add_argument("--offline", action="store_true", help="ask no server; print what is known")
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(with_negations(arguments))
    if options.all and options.offline:
        raise UsageError("--all asks the server, and --offline does not.", "Leave one of them out.")
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)
        searches = context.store.load().searches if options.saved else ()
        query = chosen_query(
            options.filter, options.saved, searches, profile.name, Moment(context.clock.now())
        )

        async def work(dashboard: Dashboard) -> int:
            session = dashboard.session(profile.name)
            dashboard.events.subscribe(tell_creations)
            failure: OpenPaymentsError | None = None
            if not options.offline:
                # Of what is older than the head nobody knows how much would match.
                wanted = None if options.all else options.first if query is None else 0
                failure = await _fetch(dashboard, session, wanted)
            at_most = None if options.all else options.first
            listed = Listed(query, at_most, as_json=options.json, is_stale=failure is not None)
            _print(dashboard, session, listed)
            if failure is not None:
                raise failure
            return 0

        return run_with_dashboard(context, work)


def with_negations(arguments: list[str]) -> list[str]:
    """Return the arguments with a filter such as ``-lamp``, which is no option, tied to its own."""
    tied: list[str] = []
    for argument in arguments:
        is_term = argument[:1] == "-" and argument[1:2] not in ("", "-") and argument != "-h"
        if is_term and tied and tied[-1] == "--filter":
            tied[-1] = f"--filter={argument}"
        else:
            tied.append(argument)
    return tied


async def _fetch(
    dashboard: Dashboard, session: WalletSession, wanted: int | None
) -> OpenPaymentsError | None:
    """Bring the ledger up to date, so far that it holds as many payments as are wanted.

    Returns:
        Why a server could not be asked to the end, or None.
    """
    try:
        await session.poll_once()
        while wanted is None or _known(dashboard, session) < wanted:
            if not await session.load_older():
                break
    except OpenPaymentsError as error:
        return error
    return None


def _known(dashboard: Dashboard, session: WalletSession) -> int:
    return dashboard.reader.count(session.wallet_id) if session.wallet_id is not None else 0


def _print(dashboard: Dashboard, session: WalletSession, listed: Listed) -> None:
    wallet_id = session.wallet_id
    wallet = None if wallet_id is None else dashboard.reader.wallet(wallet_id)
    if wallet is None or (listed.is_stale and wallet.known == 0):
        if not listed.is_stale:
            talk("Nothing is known of this wallet yet.")
        return
    reader, query = dashboard.reader, listed.query
    found = wallet.known if query is None else reader.count(wallet.address, query)
    count = found if listed.at_most is None else min(found, listed.at_most)
    if listed.as_json:
        _print_json(dashboard, session, wallet, query, count)
        return
    rows = reader.window(wallet.address, NEWEST_FIRST, 0, count, query)
    _print_table(rows, wallet)
    for totals in reader.totals(wallet.address, query) if query is not None else ():
        talk(wording.totals(totals))
    scope = _SCOPES[session.profile.scope]
    talk(f"{_footer(len(rows), found, wallet, listed)} · scope: {scope}")


def _footer(printed: int, found: int, wallet: WalletRow, listed: Listed) -> str:
    words = f"{printed:,} of {wallet.known:,} known payments"
    if listed.query is not None:
        words = f"{printed:,} of {found:,} that match, of {wallet.known:,} known payments"
    if listed.is_stale:
        return f"{words}, as last known on {wording.local(wallet.last_poll_at)}"
    more = "--all" if listed.query is not None else "--first N, --all"
    return words if wallet.complete else f"{words}; the server has more ({more})"


def _print_json(
    dashboard: Dashboard,
    session: WalletSession,
    wallet: WalletRow,
    query: Query | None,
    count: int,
) -> None:
    for offset in range(0, count, _BATCH):
        limit = min(count - offset, _BATCH)
        for row in dashboard.reader.window(wallet.address, NEWEST_FIRST, offset, limit, query):
            print_json(shapes.payment(row, session.profile.name))


def _print_table(rows: tuple[PaymentRow, ...], wallet: WalletRow) -> None:
    if not rows:
        return
    code = wallet.asset.code
    columns = [
        Column("Id"),
        Column("State"),
        Column(f"Asked {code}", right=True),
        Column(f"Received {code}", right=True),
        Column("Reference", shrinks=True, spare=3),
        Column("Description", shrinks=True, spare=1),
        Column("Created"),
        Column("Expires", spare=2),
    ]
    ids = wording.short_ids(rows)
    print_table(columns, [_cells(row, ids[row.id], wallet) for row in rows])


def _cells(row: PaymentRow, short_id: str, wallet: WalletRow) -> list[Cell]:
    asked = ""
    if row.asked is not None and row.asked_asset is not None:
        same = row.asked_asset == wallet.asset
        write = wording.number if same else wording.money
        asked = write(row.asked, row.asked_asset)
    write = wording.number if row.received_asset == wallet.asset else wording.money
    return [
        Cell(short_id),
        Cell(wording.state(row), wording.state_style(row)),
        Cell(asked),
        Cell(write(row.received, row.received_asset)),
        Cell(row.reference),
        Cell(row.description),
        Cell(wording.local(row.created_at)),
        Cell(wording.local(row.expires_at)),
    ]
