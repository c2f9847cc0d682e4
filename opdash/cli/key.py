"""``opdash key new|show``: make a key, and show the part that the provider must know."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from opdash.cli.context import Context, opened
from opdash.cli.group import Action, CommandGroup
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option, place
from opdash.cli.output import print_json, talk
from opdash.errors import ConfigError
from opdash.keyfiles import read_key, write_key
from opdash.paths import key_id_of, key_path


def run(arguments: list[str]) -> int:
    """Run ``opdash key …``."""
    return _GROUP.run(arguments)


def new(arguments: list[str]) -> int:
    """Run ``opdash key new``: write a new private key and print its public half."""
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
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        key_id = options.key_id or str(uuid.uuid4())
        key = ClientKey.generate(key_id)
        path = place(options.out) or key_path(context.options.data_dir, key_id)
        write_key(path, key)
        _print_key(key.public_jwk(), path, as_json=options.json)
        talk(
            "",
            f"The private key is in {path}; only you can read it, and nobody else needs it.",
            "Register the JWK above with your wallet's provider as a developer key, then:",
            f"  opdash wallet add ADDRESS --key-id '{key_id}' --key-file '{path}'",
        )
    return 0


def show(arguments: list[str]) -> int:
    """Run ``opdash key show``: print the public half of a key."""
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
        _print_key(read_key(path, key_id).public_jwk(), path, as_json=options.json)
    return 0


def _print_key(jwk: dict[str, str], path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"keyId": jwk["kid"], "keyFile": str(path), "jwk": jwk})
    else:
        sys.stdout.write(json.dumps(jwk, indent=2) + "\n")
        sys.stdout.flush()


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
    "Make a key, or show the part of it to register with the wallet's provider.",
    {
        "new": Action(new, "new [--key-id ID] [--out PATH]", "make a key and print its JWK"),
        "show": Action(show, "show PATH | --wallet NAME", "print the JWK of a key"),
    },
)
