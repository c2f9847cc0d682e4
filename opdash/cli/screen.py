"""``opdash`` by itself: the screen."""

from __future__ import annotations

import gc

from opdash.cli.context import opened
from opdash.cli.options import CommandParser, UsageError, add_wallet_option
from opdash.cli.output import can_show_screen


def run(arguments: list[str]) -> int:
    """Open the screen."""
    gc.disable()  # what is imported and mounted stays; the app collects from its first frame on
    parser = CommandParser("", "Open the screen.")
    add_wallet_option(parser)
    options = parser.parse(arguments)
    if not can_show_screen():
        raise UsageError(
            "The screen needs a terminal, and this is none.",
            "Use “opdash list” or “opdash watch”, or see “opdash --help”.",
        )
    with opened(options) as context:
        from opdash.cli.ending import run_screen
        from opdash.service.dashboard import Dashboard
        from opdash.tui.app import OpdashApp

        observer = None if context.log is None else context.log.exchange
        dashboard = Dashboard(
            context.store,
            context.options.data_dir,
            context.clock,
            observer=observer,
            consent=context.options.consent,
        )
        wallet = dashboard.settings.profile(options.wallet).name if options.wallet else ""
        return run_screen(OpdashApp(dashboard, wallet=wallet))
