"""``opdash grants`` and ``opdash signout``: what opdash may, and giving it back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from opdash.cli import wording
from opdash.cli.context import opened
from opdash.cli.group import Action, CommandGroup
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option
from opdash.cli.output import Cell, Column, ask, is_interactive, print_json, print_table, talk
from opdash.cli.running import run_with_dashboard
from opdash.cli.shapes import instant
from opdash.errors import OpdashError
from opdash.service.dashboard import Dashboard
from opdash.service.giving_back import GivenBack
from opdash.service.grant_office import GrantView
from opdash.service.rights import Right

_RIGHTS: Final = {"incoming": Right.INCOMING, "outgoing": Right.OUTGOING}
_NAMES: Final = {right: name for name, right in _RIGHTS.items()}
_COLUMNS = (
    Column("Wallet"),
    Column("For"),
    Column("Actions", shrinks=True),
    Column("About", spare=2),
    Column("Consent", spare=3),
    Column("Token"),
    Column("Last used", spare=1),
)


def run(arguments: list[str]) -> int:
    """Run ``opdash grants …``."""
    return _GROUP.run(arguments)


def list_grants(arguments: list[str]) -> int:
    """Run ``opdash grants list``: print what is kept, without asking a server."""
    parser = CommandParser(
        "grants list",
        "List the grants that are kept for the next start, with what they permit. No server is "
        "asked, and no secret is printed. What a running opdash holds in memory only is not here.",
    )
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        profiles = context.profiles_meant(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            office = dashboard.grants
            views = [view for profile in profiles for view in office.views(profile.name)]
            for profile in profiles:
                if problem := office.problem(profile.name):
                    talk(problem)
            _print([view for view in views if view.is_held], context.clock.now(), options)
            return 0

        return run_with_dashboard(context, work)


def renew(arguments: list[str]) -> int:
    """Run ``opdash grants renew``: exchange a token, or ask for a grant."""
    parser = CommandParser(
        "grants renew",
        "Exchange a wallet's token for a new one, or ask for the grant where there is none. Where "
        "that takes the account holder's consent, opdash prints the page and waits.",
        ["opdash grants renew", "opdash grants renew outgoing --wallet shop"],
    )
    _add_right(parser)
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    right = _RIGHTS[options.right]
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            await dashboard.grants.renew(profile.name, right)
            views = [one for one in dashboard.grants.views(profile.name) if one.right is right]
            _print(views, context.clock.now(), options)
            return 0

        return run_with_dashboard(context, work)


def revoke(arguments: list[str]) -> int:
    """Run ``opdash grants revoke``: revoke a token, at the server and here."""
    parser = CommandParser(
        "grants revoke",
        "Revoke a token at the server and forget it. If the server cannot be reached it is "
        "forgotten all the same, and opdash says until when it stays valid there.",
    )
    return _give_back(parser, arguments, cancel=False)


def cancel(arguments: list[str]) -> int:
    """Run ``opdash grants cancel``: end a grant and its token."""
    parser = CommandParser(
        "grants cancel",
        "End a grant and its token at the server and forget both. If the server cannot be reached "
        "they are forgotten all the same, and opdash says until when the token stays valid there.",
    )
    return _give_back(parser, arguments, cancel=True)


def sign_out(arguments: list[str]) -> int:
    """Run ``opdash signout``: give all grants of a wallet back."""
    parser = CommandParser(
        "signout",
        "Give all grants of a wallet back, at the server and here. Another opdash that runs stops "
        "using them, says so, and asks for no other by itself. "
        "The key stays: the next command asks for a new grant with it. To end that, remove the "
        "key at the wallet's provider.",
        ["opdash signout", "opdash signout shop --yes"],
    )
    parser.add_argument("wallet", metavar="WALLET", nargs="?", default="", help="which wallet")
    _add_yes(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            office = dashboard.grants
            _confirm(office.views(profile.name), options)
            told = await office.sign_out(profile.name)
            if not told:
                talk(f"opdash held no grant for “{profile.name}”.")
            return _tell(profile.name, told, options)

        return run_with_dashboard(context, work)


def _give_back(parser: CommandParser, arguments: list[str], *, cancel: bool) -> int:
    _add_right(parser)
    _add_yes(parser)
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    right = _RIGHTS[options.right]
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            office = dashboard.grants
            _confirm([v for v in office.views(profile.name) if v.right is right], options)
            give = office.cancel if cancel else office.revoke
            return _tell(profile.name, [await give(profile.name, right)], options)

        return run_with_dashboard(context, work)


def _add_right(parser: CommandParser) -> None:
    parser.add_argument(
        "right",
        nargs="?",
        choices=tuple(_RIGHTS),
        default="incoming",
        help="the grant for incoming payments (the usual one), or for outgoing payments",
    )


def _add_yes(parser: CommandParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask, even where consent is lost")


def _confirm(views: Sequence[GrantView], options: argparse.Namespace) -> None:
    """Ask before something is lost that only the account holder can give again.

    Raises:
        UsageError: There is nobody to ask.
        OpdashError: The person decided otherwise; nothing was done.
    """
    if options.yes or not any(view.is_held and view.with_consent for view in views):
        return
    if not is_interactive():
        raise UsageError(
            "The account holder consented to this grant, and would have to do so again.",
            "Say --yes to give it back all the same.",
        )
    talk("The account holder consented to this, and has to consent again if it is wanted back.")
    if ask("Type yes to give it back:").lower() != "yes":
        raise OpdashError("Nothing was done.")


def _tell(profile: str, told: Sequence[GivenBack], options: argparse.Namespace) -> int:
    code = 0
    for one in told:
        talk(one.sentence)
        if options.json:
            print_json(_given_back(profile, one))
        if one.failure is not None:
            code = int(one.failure.exit_code)
    return code


def _print(views: Sequence[GrantView], now: datetime, options: argparse.Namespace) -> None:
    if options.json:
        for view in views:
            print_json(_grant(view))
    elif views:
        print_table(_COLUMNS, [_cells(view, now) for view in views])
    else:
        talk("opdash keeps no grant.")


def _cells(view: GrantView, now: datetime) -> list[Cell]:
    texts = (
        view.profile,
        f"{_NAMES[view.right]} payments",
        ", ".join(view.actions),
        ", ".join(view.identifiers) or "own",
        "yes" if view.with_consent else "no",
        _token(view, now),
        wording.local(view.last_used_at) or "never",
    )
    return [Cell(text) for text in texts]


def _token(view: GrantView, now: datetime) -> str:
    if view.expires_at is None:
        return "no end told"
    ends = wording.local(view.expires_at)
    return f"expired {ends}, can be renewed" if view.expires_at <= now else f"until {ends}"


def _grant(view: GrantView) -> dict[str, Any]:
    """Return a grant's object; see `opdash.cli.shapes` for how instants are written."""
    return {
        "wallet": view.profile,
        "for": _NAMES[view.right],
        "held": view.is_held,
        "actions": list(view.actions),
        "rights": list(view.rights),
        "identifiers": list(view.identifiers),
        "limits": view.limits or None,
        "withConsent": view.with_consent,
        "kept": view.is_kept,
        "givenAt": instant(view.given_at),
        "renewedAt": instant(view.renewed_at),
        "expiresAt": instant(view.expires_at),
        "lastUsedAt": instant(view.last_used_at),
    }


def _given_back(profile: str, told: GivenBack) -> dict[str, Any]:
    failure = told.failure
    remains = told.was_held and not told.is_revoked and not told.is_over
    return {
        "wallet": profile,
        "for": _NAMES[told.right],
        "wasHeld": told.was_held,
        "revoked": told.is_revoked,
        "cancelled": told.cancelled,
        "error": None if failure is None else failure.sentence,
        "validUntil": instant(told.valid_until) if remains else None,
    }


_GROUP = CommandGroup(
    "grants",
    "See what opdash may do with your wallets, and give it back.",
    {
        "list": Action(list_grants, "list", "list the kept grants; asks no server"),
        "renew": Action(renew, "renew [incoming|outgoing]", "exchange the token, or ask anew"),
        "revoke": Action(revoke, "revoke [incoming|outgoing]", "revoke the token"),
        "cancel": Action(cancel, "cancel [incoming|outgoing]", "end the grant and its token"),
    },
)
