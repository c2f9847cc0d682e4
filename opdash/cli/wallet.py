"""``opdash wallet add|list|remove``: which wallet addresses opdash works for."""

from __future__ import annotations

from pathlib import Path

from opdash.cli import shapes, wallet_add, wording
from opdash.cli.context import opened
from opdash.cli.group import Action, CommandGroup
from opdash.cli.options import CommandParser, add_json_option
from opdash.cli.output import Cell, Column, print_json, print_table, talk
from opdash.cli.running import run_with_dashboard
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import WalletRow
from opdash.paths import token_path
from opdash.service.dashboard import LEDGER_FILE, Dashboard
from opdash.settings import Profile, Settings

_COLUMNS = (
    Column("Name"),
    Column("Wallet address", shrinks=True),
    Column("Asset"),
    Column("Open", right=True),
    Column("Due", right=True),
    Column("Received", right=True),
    Column("Last asked"),
)


def run(arguments: list[str]) -> int:
    """Run ``opdash wallet …``."""
    return _GROUP.run(arguments)


def list_wallets(arguments: list[str]) -> int:
    """Run ``opdash wallet list``: print what is set up and known, without asking a server."""
    parser = CommandParser(
        "wallet list", "List the wallets that are set up, with what is known of them."
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        settings = context.store.load()
        known = _known(context.options.data_dir / LEDGER_FILE, settings)
        rows = list(zip(settings.profiles, known, strict=True))
        if options.json:
            for profile, row in rows:
                is_default = profile.name == settings.default_profile
                print_json(shapes.wallet(profile, row, is_default=is_default))
        elif rows:
            print_table(_COLUMNS, [_cells(profile, row, settings) for profile, row in rows])
        else:
            talk("No wallet is set up yet. Add one with “opdash wallet add ADDRESS”.")
    return 0


def remove(arguments: list[str]) -> int:
    """Run ``opdash wallet remove``: forget a profile; ledger and key file stay."""
    parser = CommandParser(
        "wallet remove",
        "Forget a wallet. Its payments stay in the ledger and its key file stays in place, so that "
        "adding it again brings everything back.",
    )
    parser.add_argument("name", metavar="NAME", help="the name that “opdash wallet list” shows")
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        settings = context.store.load()
        profile = settings.profile(options.name)
        if token_path(context.options.data_dir, profile.name).exists():
            run_with_dashboard(context, lambda dashboard: _sign_out(dashboard, profile.name))
        context.store.save(settings.without(profile.name))
        if options.json:
            print_json({"name": profile.name, "walletAddress": profile.wallet_address})
        talk(
            f"The wallet “{profile.name}” ({profile.wallet_address}) is removed.",
            "Its payments stay in the ledger; its key file stays in place.",
        )
    return 0


async def _sign_out(dashboard: Dashboard, name: str) -> int:
    """Give the wallet's grants back, as far as the server can be reached."""
    for told in await dashboard.grants.sign_out(name):
        talk(told.sentence)
    return 0


def _known(ledger: Path, settings: Settings) -> list[WalletRow | None]:
    """Return what the ledger knows of each wallet; nothing where there is no ledger yet."""
    if not ledger.exists():
        return [None for _ in settings.profiles]
    with LedgerReader.open(ledger) as reader:
        return [reader.wallet(profile.wallet_address) for profile in settings.profiles]


def _cells(profile: Profile, row: WalletRow | None, settings: Settings) -> list[Cell]:
    mark = " (default)" if profile.name == settings.default_profile else ""
    known = ["", "", "", "", "never"]
    if row is not None:
        known = [
            row.asset.code,
            f"{row.open_count:,}",
            wording.number(row.open_due, row.asset),
            wording.number(row.received_total, row.asset),
            wording.local(row.last_poll_at) or "never",
        ]
    return [Cell(text) for text in (profile.name + mark, profile.wallet_address, *known)]


_GROUP = CommandGroup(
    "wallet",
    "Say which wallet addresses opdash works for.",
    {
        "add": Action(
            wallet_add.run, "add ADDRESS [--key-id ID --key-file PATH]", "check and save one"
        ),
        "list": Action(list_wallets, "list", "list them, with what is known"),
        "remove": Action(remove, "remove NAME", "forget one; ledger and key stay"),
    },
)
