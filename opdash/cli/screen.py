"""``opdash`` by itself: the screen."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opdash.cli.common import UsageError, can_show_screen
from opdash.cli.context import opened

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard
    from opdash.tui.app import OpdashApp

_PLACES = ("--config", "--data-dir")


def run(arguments: list[str]) -> int:
    """Open the screen."""
    gc.disable()  # what is imported and mounted stays; the app collects from its first frame on
    sys.setswitchinterval(0.0005)  # until then the thread that writes to the terminal goes first
    options = _plain(arguments)
    if options is None:
        options = _parsed(arguments)
    return show(options, _dashboard_app)


def _dashboard_app(dashboard: Dashboard, wallet: str) -> OpdashApp:
    from opdash.tui.app import OpdashApp

    return OpdashApp(dashboard, wallet=wallet)


def show(options: Mapping[str, Any], make: Callable[[Dashboard, str], OpdashApp]) -> int:
    """Run an app on the dashboard that options name; return the exit code.

    Args:
        options: As parsed.
        make: Returns the app, from the dashboard and the name of a profile, which may be empty.

    Raises:
        UsageError: There is no terminal.
    """
    if not can_show_screen():
        raise UsageError(
            "The screen needs a terminal, and this is none.",
            "Use “opdash list” or “opdash watch”, or see “opdash --help”.",
        )
    with opened(options) as context:
        from opdash.cli.ending import run_screen
        from opdash.service.dashboard import Dashboard
        from opdash.tui.passphrases import PassphraseDialogs

        observer = None if context.log is None else context.log.exchange
        dashboard = Dashboard(
            context.store,
            context.options.data_dir,
            context.clock,
            observer=observer,
            witness=context.witness,
            consent=context.options.consent,
        )
        wallet = options.get("wallet", "")
        name = dashboard.settings.profile(wallet).name if wallet else ""
        app = make(dashboard, name)
        dashboard.keyring.asker = PassphraseDialogs(app)
        return run_screen(app)


def _plain(arguments: list[str]) -> Mapping[str, Any] | None:
    """Return what the words say; None where they are not as plain as they mostly are."""
    options: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        if word == "--debug":
            options["debug"] = True
            continue
        value = next(words, "-")
        if value.startswith("-"):
            return None
        if word in _PLACES:
            options[word[2:].replace("-", "_")] = Path(value)
        elif word == "--wallet":
            options["wallet"] = value
        else:
            return None
    return options


def _parsed(arguments: list[str]) -> Mapping[str, Any]:
    from opdash.cli.options import CommandParser, add_wallet_option

    parser = CommandParser("", "Open the screen.")
    add_wallet_option(parser)
    return vars(parser.parse(arguments))
