"""``opdash reconcile FILE --review``: the same on the screen, where a person can decide."""

from __future__ import annotations

import argparse

from opdash.books.tabular import Table
from opdash.cli.common import can_show_screen
from opdash.cli.context import Context
from opdash.cli.invoice_options import guess_fields
from opdash.cli.options import UsageError
from opdash.ledger.search.values import Moment


def run(context: Context, options: argparse.Namespace, table: Table) -> int:
    """Open the screen on a file: its columns where they are not known yet, else the invoices.

    Raises:
        UsageError: There is no terminal.
        InputError: Columns were named that are not there, or there is no such wallet.
    """
    from opdash.cli.reconcile import asked_span

    source = guess_fields(options, table, context.options.data_dir)
    query = asked_span(options, Moment(context.clock.now()))
    first, *_ = context.profiles_meant(options.wallet)
    if not can_show_screen():
        raise UsageError(
            "The screen needs a terminal, and this is none.", "Leave --review out for a report."
        )
    from opdash.cli.ending import run_screen
    from opdash.service.dashboard import Dashboard
    from opdash.tui.app import OpdashApp
    from opdash.tui.passphrases import PassphraseDialogs
    from opdash.tui.screens.invoices import open_books

    dashboard = Dashboard(
        context.store,
        context.options.data_dir,
        context.clock,
        observer=None if context.log is None else context.log.exchange,
        witness=context.witness,
        consent=context.options.consent,
    )
    app = OpdashApp(
        dashboard,
        wallet=first.name,
        begin=lambda begun: open_books(
            begun, first.name, source=source, query=query, alone=bool(options.wallet)
        ),
    )
    dashboard.keyring.asker = PassphraseDialogs(app)
    return run_screen(app)
