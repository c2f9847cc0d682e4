"""``opdash ledger purge``: forget what is known of a wallet address."""

from __future__ import annotations

import contextlib

from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, UsageError, add_json_option
from opdash.cli.output import ask, is_interactive, print_json, talk
from opdash.errors import ExitCode, InputError
from opdash.ledger import care
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import WalletRow
from opdash.ledger.store import Ledger
from opdash.openpayments.addresses import AddressError, parse_wallet_address
from opdash.safetext import safe_text
from opdash.service.dashboard import LEDGER_FILE


def run(arguments: list[str]) -> int:
    """Run ``opdash ledger purge``."""
    parser = CommandParser(
        "ledger purge",
        "Forget all payments of a wallet address, with their time lines and what opdash did. The "
        "server is not changed; a wallet that is still set up is read anew at the next start. "
        "Labels, notes and resolutions stay, unless --notes is given.",
        ["opdash ledger purge shop", "opdash ledger purge https://ilp.example/rosa --yes"],
    )
    parser.add_argument(
        "wallet", metavar="WALLET", help="the name of a wallet, or a wallet address"
    )
    parser.add_argument(
        "--notes", action="store_true", help="forget labels, notes and resolutions too"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        path = context.options.data_dir / LEDGER_FILE
        with LedgerReader.open(path) as reader:
            wallet = _chosen(context, reader, options.wallet)
            unresolved = len(reader.unresolved_creations(wallet.address))
            notes = len(reader.notes(wallet.address))
        if unresolved:
            talk(f"It is still unknown whether {unresolved:,} payments of it were created.")
        if notes and not options.notes:
            talk(f"What was written on {notes:,} of its payments stays; --notes forgets that too.")
        if not options.yes and not _confirmed(wallet):
            talk("Nothing was forgotten.")
            return ExitCode.FAILED
        with care.held_alone(path):
            pass
        with Ledger.open(path) as ledger:
            ledger.forget_wallet(wallet.address, notes=options.notes)
        if options.json:
            print_json({"walletAddress": wallet.address, "payments": wallet.known})
        talk(
            f"{wallet.known:,} payments of {wallet.address} are forgotten.",
            "“opdash ledger compact” gives their room back to the disk.",
        )
    return ExitCode.DONE


def _chosen(context: Context, reader: LedgerReader, text: str) -> WalletRow:
    named = (profile for profile in context.store.load().profiles if profile.name == text)
    addresses = [text, *(profile.wallet_address for profile in named)]
    with contextlib.suppress(AddressError):
        addresses.append(parse_wallet_address(text))
    for wallet in reader.wallets():
        if wallet.address in addresses:
            return wallet
    known = ", ".join(wallet.address for wallet in reader.wallets()) or "none"
    raise InputError(
        f"The ledger knows no wallet “{safe_text(text, limit=120)}”.", f"It knows: {known}."
    )


def _confirmed(wallet: WalletRow) -> bool:
    if not is_interactive():
        raise UsageError(
            f"This forgets {wallet.known:,} payments of {wallet.address}, and nobody can be asked.",
            "Give --yes if that is meant.",
        )
    talk(f"This forgets {wallet.known:,} payments of {wallet.address}, with their time lines.")
    return ask(f"Type {wallet.known} to forget them:").replace(",", "") == str(wallet.known)
