"""``opdash demo``: the screen on a sandbox that pays, with keys and data that are thrown away."""

from __future__ import annotations

from opdash.cli.context import opened
from opdash.cli.ending import run_screen, unwinding_on_signals
from opdash.cli.options import CommandParser, UsageError, whole_number
from opdash.cli.output import can_show_screen


def run(arguments: list[str]) -> int:
    """Run the demo, or with ``--check`` try everything unattended."""
    parser = CommandParser(
        "demo",
        "Open the screen on a sandbox server of its own: no account, no network, no real money. "
        "Simulated payers pay what is open; whatever you create gets paid too. Keys and data are "
        "thrown away at the end.",
        ["opdash demo", "opdash demo --check", "opdash demo --payments 5000"],
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="drive the real screens unattended, and end with 0 or 1",
    )
    parser.add_argument(
        "--payments",
        metavar="N",
        type=whole_number,
        default=None,
        help="payments that the first wallet starts with",
    )
    parser.add_argument(
        "--seed", metavar="N", type=whole_number, default=1, help="another seed, other payments"
    )
    options = parser.parse(arguments)
    with opened(options) as context, unwinding_on_signals():
        observer = None if context.log is None else context.log.exchange
        if options.check:
            from opdash.cli.demo_check import check

            return check(context.clock, observer, context.witness)
        if not can_show_screen():
            raise UsageError(
                "The demo needs a terminal, and this is none.",
                "“opdash demo --check” runs without one.",
            )
        from opdash.cli.demo_home import demo_home
        from opdash.service.dashboard import Dashboard
        from opdash.settings import ConsentWay
        from opdash.tui.app import OpdashApp

        with demo_home(payer=True, payments=options.payments, seed=options.seed) as home:
            dashboard = Dashboard(
                home.store,
                home.data_dir,
                context.clock,
                observer=observer,
                witness=context.witness,
                consent=context.options.consent,
                usual_consent=ConsentWay.POLLING,  # consent comes by itself, without a browser
            )
            app = OpdashApp(
                dashboard, demo=True, example=home.newest_outgoing, invoices=home.invoices
            )
            return run_screen(app)
