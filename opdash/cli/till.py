"""``opdash till``: the screen, open at the till."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opdash.cli.options import CommandParser, add_wallet_option
from opdash.cli.screen import show

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard
    from opdash.tui.app import OpdashApp


def run(arguments: list[str]) -> int:
    """Open the till."""
    parser = CommandParser(
        "till",
        "Open the screen at the till: type an amount, type or scan a reference, show the customer "
        "the QR code, and see PAID. Esc on the empty form leads to the payments.",
        ["opdash till", "opdash till --wallet shop"],
    )
    add_wallet_option(parser)
    return show(vars(parser.parse(arguments)), _till_app)


def _till_app(dashboard: Dashboard, wallet: str) -> OpdashApp:
    from opdash.errors import InputError
    from opdash.service.rights import check_may_write
    from opdash.tui.till_app import TillApp

    app = TillApp(dashboard, wallet=wallet)
    if not app.first_wallet:
        names = [profile.name for profile in dashboard.profiles]
        raise InputError(
            "Several wallets are set up, and none is named."
            if names
            else "No wallet is set up yet.",
            f"Say which with --wallet: {', '.join(names)}."
            if names
            else "Add one with “opdash wallet add ADDRESS”.",
        )
    check_may_write(dashboard.settings.profile(app.first_wallet), "create")
    return app
