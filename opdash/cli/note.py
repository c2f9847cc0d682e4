"""``opdash note``: labels, a note and a resolution of one payment, kept by opdash alone."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from opdash.cli import shapes, wording
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option
from opdash.cli.output import print_fields, print_json, print_lines, talk
from opdash.cli.running import PAYMENT_HELP, only_one, rows_meant
from opdash.ledger.note_texts import (
    read_label,
    read_labels,
    read_text,
)
from opdash.ledger.notes import (
    LONGEST_TEXT,
    Edit,
    Resolution,
)
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow
from opdash.ledger.states import grace
from opdash.ledger.store import Ledger
from opdash.ledger.timeline import WRITTEN
from opdash.service.dashboard import LEDGER_FILE
from opdash.settings import Profile

_STANDARD_INPUT = "-"
_RESOLUTIONS = [one.value for one in Resolution]


def run(arguments: list[str]) -> int:
    """Run ``opdash note``."""
    options = _parser().parse(arguments)
    edit = _edit(options)
    with (
        opened(options) as context,
        Ledger.open(context.options.data_dir / LEDGER_FILE) as ledger,
        LedgerReader.open(ledger.path) as reader,
    ):
        row = _found(reader, context, options)
        if edit is not None:
            now, patience = context.clock.now(), _grace(context, row)
            changes = ledger.write_note(row.wallet, row.id, edit, at=now, grace=patience)
            row = changes[0].payment if changes else row
            if not changes:
                talk("Nothing has changed: that is how it stood.")
        _show(reader, row, _name(context, row), as_json=options.json)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "note",
        "Label a payment, write a note on it, or say how you settled it; without options, show "
        "what was written and when. It stays in opdash and is never sent. A payment that was "
        "settled no longer needs action, until its amounts change.",
        [
            "opdash note 2f1b6c0e --label vip,claim --text 'Rosa will call back'",
            "opdash note 2f1b6c0e --resolve refunded",
            "opdash note 2f1b6c0e --text - < letter.txt",
            "opdash note 2f1b6c0e --no-label claim --text '' --resolve none",
        ],
    )
    parser.add_argument("payment", metavar="ID", help=PAYMENT_HELP)
    parser.add_argument(
        "--label",
        metavar="A,B",
        action="append",
        default=[],
        help="give it these labels, each one word; can be given again",
    )
    parser.add_argument(
        "--no-label", metavar="A,B", action="append", default=[], help="take these labels away"
    )
    parser.add_argument(
        "--text",
        metavar="TEXT",
        help="write this note instead of the one before; - reads it from standard input, an "
        "empty one takes it away",
    )
    parser.add_argument(
        "--resolve",
        metavar="HOW",
        choices=_RESOLUTIONS,
        help=f"say how it was settled: {', '.join(_RESOLUTIONS[1:])}; none takes that back",
    )
    add_wallet_option(parser)
    add_json_option(parser)
    return parser


def _edit(options: argparse.Namespace) -> Edit | None:
    """Return what is to be otherwise; None where nothing is asked for."""
    if not (options.label or options.no_label or options.resolve) and options.text is None:
        return None
    typed = options.text
    if typed == _STANDARD_INPUT:
        typed = sys.stdin.read(4 * LONGEST_TEXT)
    return Edit(
        add=tuple(label for text in options.label for label in _labels(text)),
        remove=tuple(label for text in options.no_label for label in _labels(text)),
        text=None if typed is None else read_text(typed),
        resolution=None if options.resolve is None else Resolution(options.resolve),
    )


def _labels(text: str) -> tuple[str, ...]:
    return read_labels(",".join(read_label(label) for label in text.split(",")))


def _found(reader: LedgerReader, context: Context, options: argparse.Namespace) -> PaymentRow:
    wallets = None
    if options.wallet:
        wallets = {context.store.load().profile(options.wallet).wallet_address}
    rows = rows_meant(reader, options.payment, wallets)
    return only_one(rows, options.payment)


def _profile(context: Context, row: PaymentRow) -> Profile | None:
    profiles = context.store.load().profiles
    return next((one for one in profiles if one.wallet_address == row.wallet), None)


def _name(context: Context, row: PaymentRow) -> str:
    profile = _profile(context, row)
    return "" if profile is None else profile.name


def _grace(context: Context, row: PaymentRow) -> timedelta:
    profile = _profile(context, row)
    return grace(0.0 if profile is None else profile.poll_interval)


def _show(reader: LedgerReader, row: PaymentRow, name: str, *, as_json: bool) -> None:
    line = reader.timeline(row.wallet, row.id)
    history = [entry for entry in line if entry.kind in WRITTEN]
    if as_json:
        steps = shapes.timeline(history, row.received_asset)
        print_json({**shapes.payment(row, name), "history": steps})
        return
    talk(f"{row.id}  {wording.state(row)}")
    written = [field for field in wording.note_fields(row) if field[1]]
    print_fields([*written, ("needs action", "yes" if row.needs_action else "no")])
    if not history:
        talk("Nothing was ever written on it.")
        return
    print_lines("", "history")
    for entry in history:
        moment = wording.to_the_second(entry.at)
        print_lines(f"  {moment}  {wording.step(entry, row.received_asset)}")
