"""``opdash wallet add``: ask a wallet address who it is, check the key, and save both."""

from __future__ import annotations

import argparse
from pathlib import Path

from msgspec.structs import replace

from opdash.cli import shapes
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, UsageError, add_json_option, place
from opdash.cli.output import ask, is_interactive, print_fields, print_json, talk
from opdash.cli.passphrase import opened_key
from opdash.cli.readiness import ReadinessTalk, checks_json, talk_registering
from opdash.cli.running import run_with_dashboard
from opdash.keyfiles import write_own_key
from opdash.ledger.records import Scope
from opdash.openpayments.addresses import parse_wallet_address
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.paths import key_directory, key_id_of, keys
from opdash.service.client_keys import KeyOnDisk, shown_key
from opdash.service.dashboard import Dashboard
from opdash.service.naming import free_name
from opdash.service.onboarding import Check, Mark, Readiness
from opdash.settings import PAGE_SIZES, AccessLevel, Profile, Settings


def run(arguments: list[str]) -> int:
    """Run ``opdash wallet add``."""
    options = _parser().parse(arguments)
    with opened(options) as context:
        address = parse_wallet_address(options.address)
        client = parse_wallet_address(options.client) if options.client else ""
        settings = context.store.load()
        draft = _draft(options, settings, address, client)
        settings.adding(draft)
        known, passphrase = _known_key(context, options)

        async def work(dashboard: Dashboard) -> int:
            wallet = await dashboard.probe(address, ca_file=draft.ca_file)
            key = known or _new_key(context, options.key_id)
            if passphrase is not None:
                dashboard.keyring.remember(key.file, passphrase)
            found = replace(
                draft,
                wallet_address=wallet.id,
                client_wallet_address=client or wallet.id,
                key_id=key.key_id,
                key_file=key.file,
            )
            wanted = settings.adding(found)
            if options.default:
                wanted = replace(wanted, default_profile=found.name)
            context.store.save(wanted)
            await _check_and_tell(dashboard, found, wallet, key, options)
            return 0

        return run_with_dashboard(context, work)


async def _check_and_tell(
    dashboard: Dashboard,
    profile: Profile,
    wallet: WalletAddress,
    key: KeyOnDisk,
    options: argparse.Namespace,
) -> None:
    """Check a wallet that is saved already, once or until it is ready."""
    if not options.json:
        _print_fields(profile, wallet)
    talk(f"The wallet “{profile.name}” is saved.")
    telling = ReadinessTalk("Checking again and again; Ctrl+C ends that, and the wallet is saved.")
    watch = dashboard.readiness(profile, telling.hear)
    try:
        now = await watch.check()
        if now.line(Check.KEY).mark is Mark.TO_DO:
            talk_registering(profile.client_wallet_address, f"Paste this, whole:\n{key.jwk_json}")
            talk("", f"The same later: opdash key show --wallet '{profile.name}'")
        if options.wait and not now.is_ready:
            await watch.run()
    finally:  # also where Ctrl+C ended the waiting
        if options.json:
            _print_json(profile, wallet, watch.now, default=options.default)
    if watch.now.is_ready:
        talk("Everything is ready.")
        if profile.scope is Scope.EVERYTHING:
            talk("opdash asks for the account holder's consent when it first lists the payments.")
    elif not options.wait:
        talk(f"Check again with: opdash doctor '{profile.name}'")


def _draft(options: argparse.Namespace, settings: Settings, address: str, client: str) -> Profile:
    return Profile(
        name=options.name or free_name(address, settings),
        wallet_address=address,
        client_wallet_address=client,
        poll_interval=options.poll_interval,
        page_size=options.page_size,
        ca_file=place(options.ca_file),
        scope=Scope.EVERYTHING if options.scope == "everything" else Scope.OWN,
        label=options.label,
        access=AccessLevel(options.access),
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "wallet add",
        "Add a wallet address: ask its server who it is, save it, and check that the key is "
        "registered, that the client has a public name, that a grant is given and that a signed "
        "list works. What is not ready yet is told, with what to do; the wallet is saved all the "
        "same.",
        [
            "opdash wallet add https://ilp.example/rosa --new-key --wait",
            "opdash wallet add https://ilp.example/rosa --key-id 6f3c… --key-file rosa.pem",
            "opdash wallet add '$ilp.example/rosa' --name shop --access read-only",
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
    parser.add_argument(
        "--key-file",
        metavar="PATH",
        type=Path,
        help="the private key: PEM (PKCS#8, also with a passphrase), or the base64 of that",
    )
    parser.add_argument(
        "--new-key", action="store_true", help="make a key for it, to be registered"
    )
    parser.add_argument(
        "--wait", action="store_true", help="check again and again until everything is ready"
    )
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


def _known_key(
    context: Context, options: argparse.Namespace
) -> tuple[KeyOnDisk | None, Secret | None]:
    """Return the key that is meant, and its passphrase; None where one is to be made.

    A key of opdash need not be spelled out.
    """
    if options.new_key:
        if options.key_file is not None:
            raise UsageError("--new-key and --key-file exclude each other.", "Leave one out.")
        return None, None
    path, key_id = _chosen(context, options)
    if path is None:
        return None, None
    key, passphrase = opened_key(path, key_id)
    return shown_key(path, key), passphrase


def _new_key(context: Context, key_id: str) -> KeyOnDisk:
    import uuid

    key = ClientKey.generate(key_id or str(uuid.uuid4()))
    path = write_own_key(context.options.data_dir, key)
    talk(f"A new key is in {path}; only you can read it.")
    return shown_key(path, key)


def _chosen(context: Context, options: argparse.Namespace) -> tuple[Path | None, str]:
    """Return the key file and key id that are meant; no file where a new key is wanted."""
    given = place(options.key_file)
    if given is not None:
        return given, options.key_id or key_id_of(given)
    own = {key_id_of(path): path for path in keys(context.options.data_dir)}
    if options.key_id:
        if options.key_id not in own:
            raise UsageError(
                f"There is no key “{options.key_id}” in {key_directory(context.options.data_dir)}.",
                "Say where it is with --key-file PATH, or have it made with --new-key.",
            )
        return own[options.key_id], options.key_id
    if len(own) == 1:
        ((key_id, path),) = own.items()
        return path, key_id
    if is_interactive():
        return _picked(own)
    if not own:
        raise UsageError(
            "The wallet needs a key to sign with, and there is none yet.",
            "Have one made with --new-key, or by “opdash key new”.",
        )
    raise UsageError(
        "There are several keys, and none is named.",
        f"Say which with --key-id: {', '.join(own)}; or have one made with --new-key.",
    )


def _picked(own: dict[str, Path]) -> tuple[Path | None, str]:
    """Let a person at the terminal pick a key, or have one made."""
    names = list(own)
    for number, key_id in enumerate(names, 1):
        talk(f"  {number}  {key_id}")
    talk("  n  a new key")
    answer = ask("Which key?")
    if answer.lower() == "n":
        return None, ""
    if answer.isdecimal() and 1 <= int(answer) <= len(names):
        answer = names[int(answer) - 1]
    if answer not in own:
        raise UsageError("That is none of the keys.", "Nothing was saved.")
    return own[answer], answer


def _print_fields(profile: Profile, wallet: WalletAddress) -> None:
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


def _print_json(profile: Profile, wallet: WalletAddress, now: Readiness, *, default: bool) -> None:
    record = shapes.wallet(profile, None, is_default=default)
    record |= {
        "publicName": wallet.public_name,
        "assetCode": wallet.asset_code,
        "assetScale": wallet.asset_scale,
        "keyServed": now.line(Check.KEY).mark is Mark.DONE,
        "ready": now.is_ready,
        "checks": checks_json(now),
    }
    print_json(record)
