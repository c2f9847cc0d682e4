"""``opdash key replace|retire``: the next key, and what becomes of the one before."""

from __future__ import annotations

import argparse
import sys

from opdash.cli.context import opened
from opdash.cli.options import CommandParser, UsageError, add_json_option
from opdash.cli.output import ask, is_interactive, print_json, talk
from opdash.cli.running import run_with_dashboard
from opdash.errors import ExitCode
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.settings import Profile


def replace(arguments: list[str]) -> int:
    """Run ``opdash key replace``: make the next key, or switch to it once it works."""
    parser = CommandParser(
        "key replace",
        "Replace a wallet's key. The first time, the next key is made beside the one in use, and "
        "its JWK printed to be registered. Run it again, or let it --wait: as soon as the provider "
        "serves the next key and a grant with it works, the wallet signs with it, and what the "
        "former key got is given back. Until then the former key stays in use.",
        ["opdash key replace shop", "opdash key replace shop --wait", "opdash key retire shop"],
    )
    _add_wallet(parser)
    parser.add_argument(
        "--wait", action="store_true", help="check again and again until the next key works"
    )
    parser.add_argument(
        "--cancel", action="store_true", help="give up the next key; the one in use stays"
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    if options.wait and options.cancel:
        raise UsageError("--wait and --cancel exclude each other.", "Leave one of them out.")
    with opened(options) as context:
        profile = context.choose_profile(options.wallet or options.named)

        async def work(dashboard: Dashboard) -> int:
            if options.cancel:
                return await _cancelled(dashboard, profile, options)
            return await _replaced(dashboard, profile, options)

        return run_with_dashboard(context, work)


async def _replaced(dashboard: Dashboard, profile: Profile, options: argparse.Namespace) -> int:
    from opdash.cli.readiness import ReadinessTalk, checks_json, key_json, talk_registering
    from opdash.service.key_change import Stage

    change = dashboard.key_change(profile.name)
    is_new = change.stage is not Stage.NEXT
    made = await change.begin()
    if not options.json:
        sys.stdout.write(made.jwk_json + "\n")
        sys.stdout.flush()
    if is_new:
        talk("", f"The next key of “{profile.name}” is in {made.file}; only you can read it.")
        talk_registering(profile.client_wallet_address, "Paste the JWK above, whole.")
    talk("")
    telling = ReadinessTalk(
        "Checking again and again; Ctrl+C ends that, and the key in use stays.",
        "Register the next key: it is the JWK above."
        if not options.json
        else "Register the next key: it is the JWK on standard output.",
    )
    watch = dashboard.readiness(change.candidate, telling.hear)
    now = await watch.run() if options.wait else await watch.check()
    record = {"name": profile.name, **key_json(made), "checks": checks_json(now)}
    if not now.key_works:
        if options.json:
            print_json(record | {"inUse": profile.key_id, "stage": Stage.NEXT.value})
        talk(
            f"The key in use stays “{profile.key_id}”. Once the next one is registered:",
            f"  opdash key replace '{profile.name}'",
        )
        return int(now.code or ExitCode.FAILED)
    switched = await change.switch(now)
    if options.json:
        print_json(record | {"inUse": made.key_id, "stage": Stage.FORMER.value})
    for told in switched.given_back:
        talk(told.sentence)
    talk(
        f"“{profile.name}” signs with “{made.key_id}” from now on.",
        f"Remove the former key, “{profile.key_id}”, at the provider, and put its file away:",
        f"  opdash key retire '{profile.name}'",
    )
    return ExitCode.DONE


async def _cancelled(dashboard: Dashboard, profile: Profile, options: argparse.Namespace) -> int:
    gone = await dashboard.key_change(profile.name).cancel()
    if options.json:
        print_json(
            {"name": profile.name, "keyId": gone.key_id, "keyFile": str(gone.file or "") or None}
        )
    talk(f"The next key, “{gone.key_id}”, is given up; “{profile.key_id}” stays in use.")
    talk("If you registered it already, remove it at the provider.")
    return ExitCode.DONE


def retire(arguments: list[str]) -> int:
    """Run ``opdash key retire``: put away the key that was replaced."""
    parser = CommandParser(
        "key retire",
        "Put away the key that was replaced: its file is moved to where opdash looks for none, or "
        "deleted. A key that another wallet signs with stays.",
        ["opdash key retire shop", "opdash key retire shop --delete"],
    )
    _add_wallet(parser)
    parser.add_argument("--delete", action="store_true", help="delete the file for good")
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting")
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        profile = context.choose_profile(options.wallet or options.named)
        if options.delete and profile.former_key_id and not options.yes:
            _confirm(profile.former_key_id)

        async def work(dashboard: Dashboard) -> int:
            change = dashboard.key_change(profile.name)
            is_served = profile.former_key_id and await change.former_is_served()
            retired = await change.retire(delete=options.delete)
            if options.json:
                print_json(
                    {
                        "name": profile.name,
                        "keyId": retired.key_id,
                        "keyFile": None if retired.file is None else str(retired.file),
                        "usedBy": retired.used_by or None,
                        "served": is_served,
                    }
                )
            if retired.used_by:
                talk(f"“{retired.used_by}” signs with it, so its file stays: {retired.file}.")
            elif retired.file is not None:
                talk(f"The former key, “{retired.key_id}”, is now in {retired.file}.")
            else:
                talk(f"The file of the former key, “{retired.key_id}”, is gone.")
            if is_served:
                talk(f"{profile.client_wallet_address} still serves it: remove it at the provider.")
            return ExitCode.DONE

        return run_with_dashboard(context, work)


def _confirm(key_id: str) -> None:
    shown = safe_text(key_id, limit=80)
    if not is_interactive():
        raise UsageError(
            f"The key “{shown}” would be deleted for good, and nobody can be asked.",
            "Add --yes, or leave out --delete to have it moved aside.",
        )
    if ask(f"Type the key's id, {shown}, to delete it for good:") != key_id:
        raise UsageError("Nothing was deleted.", "Without --delete it is moved aside.")


def _add_wallet(parser: CommandParser) -> None:
    parser.add_argument(
        "wallet", metavar="WALLET", nargs="?", default="", help="the name of the wallet"
    )
    parser.add_argument("--wallet", dest="named", metavar="NAME", default="", help="the same")
