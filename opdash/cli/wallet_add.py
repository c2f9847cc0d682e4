"""``opdash wallet add``: ask a wallet address who it is, check the key, and save both."""

from __future__ import annotations

import argparse
from pathlib import Path

from msgspec.structs import replace

from opdash.cli import shapes
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, UsageError, add_json_option, place
from opdash.cli.output import print_fields, print_json, talk
from opdash.cli.running import run_with_dashboard
from opdash.errors import OpdashError
from opdash.keyfiles import read_key
from opdash.ledger.records import Scope
from opdash.openpayments.addresses import parse_wallet_address
from opdash.openpayments.resources import WalletAddress
from opdash.paths import key_directory, key_id_of, keys
from opdash.service.dashboard import Dashboard, KeyCheck
from opdash.service.naming import free_name
from opdash.settings import PAGE_SIZES, AccessLevel, Profile


def run(arguments: list[str]) -> int:
    """Run ``opdash wallet add``."""
    options = _parser().parse(arguments)
    with opened(options) as context:
        address = parse_wallet_address(options.address)
        key_file, key_id = _key(context, options)
        read_key(key_file, key_id)
        settings = context.store.load()
        profile = Profile(
            name=options.name or free_name(address, settings),
            wallet_address=address,
            client_wallet_address=parse_wallet_address(options.client) if options.client else "",
            key_id=key_id,
            key_file=key_file,
            poll_interval=options.poll_interval,
            page_size=options.page_size,
            ca_file=place(options.ca_file),
            scope=Scope.EVERYTHING if options.scope == "everything" else Scope.OWN,
            label=options.label,
            access=AccessLevel(options.access),
        )
        settings.adding(profile)

        async def work(dashboard: Dashboard) -> int:
            wallet = await dashboard.probe(address, ca_file=profile.ca_file)
            client = wallet.id if not options.client else profile.client_wallet_address
            found = replace(profile, wallet_address=wallet.id, client_wallet_address=client)
            check = await _checked(dashboard, found, key_file)
            wanted = settings.adding(found)
            if options.default:
                wanted = replace(wanted, default_profile=found.name)
            context.store.save(wanted)
            _print_added(found, wallet, check, as_json=options.json, default=options.default)
            return 0

        return run_with_dashboard(context, work)


def _parser() -> CommandParser:
    parser = CommandParser(
        "wallet add",
        "Add a wallet address: ask its server who it is, check that the key is registered, and "
        "save it. A key that is not registered yet is saved all the same.",
        [
            "opdash wallet add https://ilp.example/rosa --key-id 6f3c… --key-file rosa.pem",
            "opdash wallet add '$ilp.example/rosa' --name shop",
        ],
    )
    parser.add_argument("address", metavar="ADDRESS", help="https://… or a payment pointer $…")
    parser.add_argument("--name", default="", help="what to call it; taken from its address if not")
    parser.add_argument("--label", metavar="TEXT", default="", help="a longer name for the screen")
    parser.add_argument(
        "--client",
        metavar="ADDRESS",
        default="",
        help="the wallet address whose jwks.json serves the key; the wallet's own if not given",
    )
    parser.add_argument("--key-id", metavar="ID", default="", help="the id of the key (kid)")
    parser.add_argument("--key-file", metavar="PATH", type=Path, help="the private key")
    parser.add_argument(
        "--scope",
        choices=("own", "everything"),
        default="own",
        help="see payments that opdash created, or everything (needs consent)",
    )
    parser.add_argument(
        "--access",
        choices=("full", "read-only"),
        default="full",
        help="read-only asks for no right to create or complete",
    )
    parser.add_argument(
        "--poll-interval", metavar="SECONDS", type=float, default=5.0, help="0.2 to 3600"
    )
    parser.add_argument("--page-size", type=int, choices=PAGE_SIZES, default=50)
    parser.add_argument(
        "--ca-file", metavar="PATH", type=Path, help="certificates to trust instead of the system's"
    )
    parser.add_argument(
        "--default", action="store_true", help="use this one when no wallet is named"
    )
    add_json_option(parser)
    return parser


# The key


def _key(context: Context, options: argparse.Namespace) -> tuple[Path, str]:
    """Return the key file and key id that are meant; keys of opdash need not be spelled out."""
    given = place(options.key_file)
    if given is not None:
        return given, options.key_id or key_id_of(given)
    own = {key_id_of(path): path for path in keys(context.options.data_dir)}
    if options.key_id:
        if options.key_id not in own:
            raise UsageError(
                f"There is no key “{options.key_id}” in {key_directory(context.options.data_dir)}.",
                "Say where it is with --key-file PATH, or make it with “opdash key new”.",
            )
        return own[options.key_id], options.key_id
    if not own:
        raise UsageError(
            "The wallet needs a key to sign with, and there is none yet.",
            "Make one with “opdash key new”, register it with the provider, and try again.",
        )
    if len(own) > 1:
        raise UsageError(
            "There are several keys, and none is named.",
            f"Say which with --key-id: {', '.join(own)}.",
        )
    ((key_id, path),) = own.items()
    return path, key_id


async def _checked(dashboard: Dashboard, profile: Profile, key_file: Path) -> KeyCheck:
    """Look whether the key is registered; a check that fails says why and hinders nothing."""
    try:
        return await dashboard.check_key(
            profile.client_wallet_address, profile.key_id, key_file, ca_file=profile.ca_file
        )
    except OpdashError as error:
        return KeyCheck(False, error.sentence, error.advice)


def _print_added(
    profile: Profile, wallet: WalletAddress, check: KeyCheck, *, as_json: bool, default: bool
) -> None:
    if as_json:
        record = shapes.wallet(profile, None, is_default=default)
        record |= {
            "publicName": wallet.public_name,
            "assetCode": wallet.asset_code,
            "assetScale": wallet.asset_scale,
            "keyServed": check.served,
        }
        print_json(record)
    else:
        print_fields(
            [
                ("name", profile.name),
                ("wallet", profile.wallet_address),
                ("public name", wallet.public_name or ""),
                ("asset", f"{wallet.asset_code}, scale {wallet.asset_scale}"),
                ("client", profile.client_wallet_address),
                ("key id", profile.key_id),
                ("key file", str(profile.key_file)),
            ]
        )
    talk(check.sentence, *([f"  {check.advice}"] if check.advice else []))
    if not check.served:
        talk(f"  See the key with: opdash key show --wallet '{profile.name}'")
    talk("The wallet is saved.")
