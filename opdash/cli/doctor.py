"""``opdash doctor``: examine one wallet step by step, and say what is wrong and what to do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.cli.consenting import ConsentTalk
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, add_json_option, place
from opdash.cli.output import Style, is_interactive, painted, print_json, talk
from opdash.cli.passphrase import opened_key
from opdash.errors import ConfigError, KeyFileError
from opdash.openpayments.addresses import parse_wallet_address
from opdash.safetext import safe_text
from opdash.service.consent import ConsentDesk, Right
from opdash.service.doctor.examination import broken_configuration, examine
from opdash.service.doctor.report import WIDTH, detail_lines, step_lines
from opdash.service.doctor.steps import Step, exit_code, summary
from opdash.service.events import EventHub
from opdash.settings import ConsentWay, Profile

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.grants import Access, Grant
    from opdash.openpayments.keys import ClientKey
    from opdash.service.doctor.case import Asker

_STYLES = {True: Style.GOOD, False: Style.ATTENTION, None: Style.HEADING}


def run(arguments: list[str]) -> int:
    """Run ``opdash doctor``."""
    options = _parser().parse(arguments)
    with opened(options) as context:
        try:
            context.store.load()
        except ConfigError as error:
            steps = broken_configuration(error)
            for step in steps:
                _print(step, options)
            return _ended(steps, options)
        profile, where = _meant(context, options)
        return asyncio.run(_examined(context, profile, where, options))


def _parser() -> CommandParser:
    parser = CommandParser(
        "doctor",
        "Go through everything between opdash and a wallet: configuration, key, name, connection, "
        "addresses, the client's keys, clocks, a grant, its token, a signed list. Each step says "
        "what was sent, what came back, and what to do. A grant that it gets is given back; no "
        "other token is touched.",
        [
            "opdash doctor",
            "opdash doctor shop --verbose",
            "opdash doctor '$ilp.example/rosa'",
            "opdash doctor --json | jq 'select(.ok == false)'",
        ],
    )
    parser.add_argument(
        "wallet",
        metavar="WALLET",
        nargs="?",
        default="",
        help="the name of a wallet, or a wallet address that need not be set up",
    )
    parser.add_argument("--wallet", dest="named", metavar="NAME", default="", help="the same")
    parser.add_argument(
        "--ask",
        action="store_true",
        help="ask for the account holder's consent where it is needed",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="print requests and answers whole, secrets masked"
    )
    parser.add_argument(
        "--ca-file",
        metavar="PATH",
        type=Path,
        help="certificates to trust, for an address that is not set up",
    )
    add_json_option(parser)
    return parser


def _meant(context: Context, options: argparse.Namespace) -> tuple[Profile, str]:
    """Return the profile that is meant, and where it is written down; nowhere for an address.

    Raises:
        ConfigError: There is none of that name.
        AddressError: It looks like an address, and is none.
    """
    wanted = options.wallet or options.named
    if not (wanted.startswith("$") or "://" in wanted):
        return context.choose_profile(wanted), str(context.store.path)
    address = parse_wallet_address(wanted)
    for profile in context.store.load().profiles:
        if profile.wallet_address == address:
            return profile, str(context.store.path)
    return Profile(name="", wallet_address=address, ca_file=place(options.ca_file)), ""


async def _examined(
    context: Context, profile: Profile, where: str, options: argparse.Namespace
) -> int:
    title = f"{profile.title}  {profile.wallet_address}" if where else profile.wallet_address
    if not options.json:
        _write(safe_text(title), "")
    steps: list[Step] = []
    hub, consenting = EventHub(), ConsentTalk(context.clock)
    hub.subscribe(consenting.hear)
    asker = _asker(context, profile, hub) if options.ask else None
    examination = examine(
        profile,
        context.clock,
        place=where,
        asker=asker,
        observer=None if context.log is None else context.log.exchange,
        key=_opened_key(profile),
    )
    try:
        async with contextlib.aclosing(examination):
            async for step in examination:
                steps.append(step)
                _print(step, options)
                if context.traces is not None:
                    for trace in step.traces:
                        context.traces.note(profile.name, trace)
    finally:
        consenting.close()
    return _ended(steps, options)


def _opened_key(profile: Profile) -> ClientKey | None:
    """Return the key where somebody can be asked for its passphrase; None where none is needed."""
    if profile.key_file is None or not is_interactive():
        return None
    with contextlib.suppress(KeyFileError):  # the examination says what is wrong with it
        key, passphrase = opened_key(profile.key_file, profile.key_id)
        return None if passphrase is None else key
    return None


def _asker(context: Context, profile: Profile, hub: EventHub) -> Asker:
    ways = (context.options.consent, profile.consent)
    way = next((one for one in ways if one is not ConsentWay.AUTO), ConsentWay.POLLING)
    desk = ConsentDesk(profile.title or profile.wallet_address, hub, context.clock, way)

    async def ask(client: OpenPaymentsClient, auth_server: str, access: Sequence[Access]) -> Grant:
        return await desk.obtain(client, auth_server, access, Right.INCOMING)

    return ask


def _print(step: Step, options: argparse.Namespace) -> None:
    if options.json:
        record: dict[str, object] = {
            "step": step.name.value,
            "ok": step.ok,
            "found": step.found,
            "advice": step.advice,
        }
        if options.verbose:
            record["details"] = list(detail_lines(step, verbose=True))
        print_json(record)
        return
    first, *rest = step_lines(step, verbose=options.verbose, width=_width())
    sign = painted(first[0], _STYLES[step.ok], sys.stdout)
    _write(f"{sign}{first[1:]}", *rest)


def _ended(steps: Sequence[Step], options: argparse.Namespace) -> int:
    if options.json:
        talk(summary(steps))
    else:
        _write("", summary(steps))
    return int(exit_code(steps))


def _write(*lines: str) -> None:
    """Print lines that are safe to show already."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _width() -> int:
    return min(WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH
