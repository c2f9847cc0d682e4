"""``opdash key new|show|import|replace|retire``: the keys that requests are signed with."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from opdash.cli import key_change
from opdash.cli.context import Context, opened
from opdash.cli.group import Action, CommandGroup
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option, place
from opdash.cli.output import is_interactive, print_json, talk
from opdash.errors import ConfigError
from opdash.paths import key_id_of


def run(arguments: list[str]) -> int:
    """Run ``opdash key …``."""
    return _GROUP.run(arguments)


def new(arguments: list[str]) -> int:
    """Run ``opdash key new``: write a new private key and print its public half."""
    from opdash.cli.passphrase import ask_new_passphrase
    from opdash.keyfiles import write_key, write_own_key
    from opdash.openpayments.keys import ClientKey

    parser = CommandParser(
        "key new",
        "Make an Ed25519 key. The private half goes into a file that only you can read; the public "
        "half is printed as the JWK to register with the wallet's provider.",
    )
    parser.add_argument(
        "--key-id", metavar="ID", default="", help="the key's name; a random UUID unless given"
    )
    parser.add_argument(
        "--out", metavar="PATH", type=Path, help="where to write the private key (PEM)"
    )
    parser.add_argument(
        "--encrypt",
        action="store_true",
        help="protect it with a passphrase, which opdash then asks for once at each start",
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        key = ClientKey.generate(options.key_id or str(uuid.uuid4()))
        passphrase = ask_new_passphrase() if options.encrypt else None
        path = place(options.out)
        if path is None:
            path = write_own_key(context.options.data_dir, key, passphrase)
        else:
            write_key(path, key, passphrase)
        _print_key(key.public_jwk(), path, as_json=options.json)
        _talk_next_step(key.key_id, path)
    return 0


def import_(arguments: list[str]) -> int:
    """Run ``opdash key import``: take in a key that another program or a provider made."""
    from opdash.cli.passphrase import ask_key, with_passphrase
    from opdash.keyfiles import import_key, text_of
    from opdash.openpayments.secrets import Secret

    parser = CommandParser(
        "key import",
        "Take a private key into opdash's key directory: PEM (PKCS#8) or the base64 of that, from "
        "a file, from standard input, or pasted at the terminal without being shown. One with a "
        "passphrase keeps it.",
        ["opdash key import --key-id 6f3c… < private.key", "opdash key import download.pem"],
    )
    parser.add_argument("path", metavar="PATH", type=Path, nargs="?", help="the file, or nothing")
    parser.add_argument(
        "--key-id",
        metavar="ID",
        default="",
        help="the id that the provider shows for it (kid); made of the key unless given",
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        if options.path is not None:
            text = text_of(place(options.path) or options.path)
        elif is_interactive():
            text = ask_key()
        else:
            text = Secret(sys.stdin.read(1 << 16))
        (path, key), _ = with_passphrase(
            lambda passphrase: import_key(
                context.options.data_dir, text, options.key_id, passphrase
            ),
            options.path or Path("the key"),
        )
        _print_key(key.public_jwk(), path, as_json=options.json)
        _talk_next_step(key.key_id, path)
    return 0


def show(arguments: list[str]) -> int:
    """Run ``opdash key show``: print the public half of a key."""
    from opdash.cli.passphrase import opened_key

    parser = CommandParser(
        "key show", "Print the public half of a key as the JWK to register with the provider."
    )
    parser.add_argument("path", metavar="PATH", type=Path, nargs="?", help="a private key file")
    parser.add_argument(
        "--key-id", metavar="ID", default="", help="the key's name; the file's name unless given"
    )
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        if options.path is not None and options.wallet:
            raise UsageError("Name a key file or a wallet, not both.", "Leave one of them out.")
        if options.path is not None:
            path = place(options.path) or options.path
            key_id = options.key_id or _known_id(context, path)
        else:
            profile = context.choose_profile(options.wallet)
            if profile.key_file is None:
                raise ConfigError(
                    f"The wallet “{profile.name}” has no key.",
                    "Make one with “opdash key new”, or name a key file.",
                )
            path, key_id = profile.key_file, options.key_id or profile.key_id
        key, _ = opened_key(path, key_id)
        _print_key(key.public_jwk(), path, as_json=options.json)
    return 0


def _print_key(jwk: dict[str, str], path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"keyId": jwk["kid"], "keyFile": str(path), "jwk": jwk})
    else:
        sys.stdout.write(json.dumps(jwk, indent=2) + "\n")
        sys.stdout.flush()


def _talk_next_step(key_id: str, path: Path) -> None:
    talk(
        "",
        f"The private key is in {path}; only you can read it, and nobody else needs it.",
        "Register the JWK above with your wallet's provider as a developer key, then:",
        f"  opdash wallet add ADDRESS --key-id '{key_id}' --key-file '{path}'",
    )


def _known_id(context: Context, path: Path) -> str:
    """Return the id that a wallet uses a key file under, else the one that its name holds."""
    try:
        profiles = context.store.load().profiles
    except ConfigError:
        profiles = ()
    known = (profile.key_id for profile in profiles if profile.key_file == path)
    return next(known, key_id_of(path))


_GROUP = CommandGroup(
    "key",
    "Make a key, show the part of it to register, or replace it.",
    {
        "new": Action(new, "new [--key-id ID] [--out PATH]", "make a key and print its JWK"),
        "show": Action(show, "show PATH | --wallet NAME", "print the JWK of a key"),
        "import": Action(import_, "import [PATH] [--key-id ID]", "take in a key made elsewhere"),
        "replace": Action(
            key_change.replace, "replace [WALLET] [--wait]", "make the next key, switch to it"
        ),
        "retire": Action(key_change.retire, "retire [WALLET]", "put the former key away"),
    },
)
