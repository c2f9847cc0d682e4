"""``opdash reconcile link | reject | undo | decisions``: a person's own word about invoices."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from opdash.books.deciding import check_link
from opdash.books.ledger_side import standing_decisions
from opdash.books.records import Link
from opdash.cli import shapes, wording
from opdash.cli.context import Context, opened
from opdash.cli.options import (
    CommandParser,
    add_json_option,
    add_wallet_option,
    whole_number,
)
from opdash.cli.output import Cell, Column, print_json, print_lines, print_table, talk
from opdash.cli.running import PAYMENT_HELP, only_one, rows_meant
from opdash.errors import InputError
from opdash.ledger.decisions import Decision, DecisionKind
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Asset, parse_minor
from opdash.service.dashboard import LEDGER_FILE


def run(word: str, arguments: Sequence[str]) -> int:
    """Run one of the commands about decisions."""
    return _COMMANDS[word](arguments)


def _link(arguments: Sequence[str]) -> int:
    parser = _parser(
        "link",
        "Say that a payment is an invoice's. That wins over every rule, in every run, until it is "
        "undone. A payment of several invoices is split with --amount.",
        ["opdash reconcile link INV-7 2f1b6c0e", "opdash reconcile link INV-8 2f1b --amount 12.50"],
    )
    _add_pair(parser)
    parser.add_argument(
        "--amount", metavar="A", help="how much of the payment is the invoice's; all unless given"
    )
    options = parser.parse(arguments)
    return _decide(options, DecisionKind.LINK)


def _reject(arguments: Sequence[str]) -> int:
    parser = _parser(
        "reject",
        "Say that a payment is not an invoice's: no rule links or suggests the two again.",
        ["opdash reconcile reject INV-7 2f1b6c0e"],
    )
    _add_pair(parser)
    options = parser.parse(arguments)
    options.amount = None
    return _decide(options, DecisionKind.REJECTION)


def _undo(arguments: Sequence[str]) -> int:
    parser = _parser(
        "undo",
        "Take back what was decided; rules apply again. It stays on record.",
        ["opdash reconcile undo 3"],
    )
    parser.add_argument("decision", metavar="N", type=whole_number, help="its number")
    add_json_option(parser)
    options = parser.parse(arguments)
    with (
        opened(options) as context,
        _ledger(context) as ledger,
        LedgerReader.open(ledger.path) as reader,
    ):
        known = _decisions(reader, context, "")
        found = next((one for one in known if one.id == options.decision), None)
        if found is None:
            raise InputError(
                f"There is no decision {options.decision}.", "See “opdash reconcile decisions”."
            )
        if not found.stands:
            talk(f"Decision {found.id} was undone before, on {wording.local(found.undone_at)}.")
        undone = ledger.undo_decision(found.wallet, found.id, at=context.clock.now())
        _tell(undone, reader.payment(undone.wallet, undone.payment_id), as_json=options.json)
    return 0


def _list(arguments: Sequence[str]) -> int:
    parser = _parser(
        "decisions",
        "List what was decided, oldest first; with --all also what was undone.",
        ["opdash reconcile decisions", "opdash reconcile decisions --all --json"],
    )
    parser.add_argument("--all", action="store_true", help="also those that were undone")
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context, _ledger(context) as ledger:
        with LedgerReader.open(ledger.path) as reader:
            known = _decisions(reader, context, options.wallet)
            shown = [one for one in known if options.all or one.stands]
            assets = {one.payment_id: _asset(reader, one) for one in shown}
        if options.json:
            for one in shown:
                print_json(_record(one, assets[one.payment_id]))
        elif shown:
            _print(shown, assets)
        else:
            talk("Nothing has been decided yet.")
    return 0


_COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "link": _link,
    "reject": _reject,
    "undo": _undo,
    "decisions": _list,
}


def _parser(word: str, summary: str, examples: Sequence[str]) -> CommandParser:
    return CommandParser(f"reconcile {word}", summary, examples)


def _add_pair(parser: CommandParser) -> None:
    parser.add_argument("invoice", metavar="NUMBER", help="its number as written in the file")
    parser.add_argument("payment", metavar="PAYMENT", help=PAYMENT_HELP)
    add_wallet_option(parser)
    add_json_option(parser)


def _ledger(context: Context) -> Ledger:
    """Open the ledger, an older one updated."""
    return Ledger.open(context.options.data_dir / LEDGER_FILE)


def _decide(options: argparse.Namespace, kind: DecisionKind) -> int:
    invoice = options.invoice.strip()
    if not invoice:
        raise InputError("The invoice's number is empty.")
    with (
        opened(options) as context,
        _ledger(context) as ledger,
        LedgerReader.open(ledger.path) as reader,
    ):
        wallets = None
        if options.wallet:
            wallets = {context.store.load().profile(options.wallet).wallet_address}
        rows = rows_meant(reader, options.payment, wallets)
        row = only_one(rows, options.payment)
        amount = _amount(options.amount, row)
        if kind is DecisionKind.LINK:
            links = standing_decisions(reader.decisions(row.wallet)).links
            wanted = Link(invoice, row.id, amount)
            check_link(row.received, row.asked, row.received_asset, links, wanted)
        made = ledger.decide(
            row.wallet, kind, invoice, row.id, at=context.clock.now(), amount=amount
        )
        _tell(made, row, as_json=options.json)
    return 0


def _amount(text: str | None, row: PaymentRow) -> int | None:
    if text is None:
        return None
    amount = parse_minor(text, row.received_asset.scale)
    if amount == 0:
        raise InputError("An invoice cannot have nothing of a payment.", "See “reject”.")
    return amount


def _decisions(reader: LedgerReader, context: Context, wallet: str) -> list[Decision]:
    addresses = [row.address for row in reader.wallets()]
    if wallet:
        named = context.store.load().profile(wallet).wallet_address
        addresses = [address for address in addresses if address == named]
    found = [one for address in addresses for one in reader.decisions(address)]
    return sorted(found, key=lambda one: one.id)


def _asset(reader: LedgerReader, one: Decision) -> Asset | None:
    row = reader.payment(one.wallet, one.payment_id)
    return None if row is None else row.received_asset


def _tell(one: Decision, row: PaymentRow | None, *, as_json: bool) -> None:
    asset = None if row is None else row.received_asset
    if as_json:
        print_json(_record(one, asset))
        return
    verb = "is linked to" if one.kind is DecisionKind.LINK else "is not"
    part = f", {wording.money(one.amount, asset)} of it" if one.amount is not None else ""
    name = wording.last_segment(one.payment_id)
    said = f"payment {name} {verb} {one.invoice}{part}"
    undone = "" if one.stands else " (undone)"
    print_lines(f"Decision {one.id}: {said}{undone}")


def _print(shown: Sequence[Decision], assets: Mapping[str, Asset | None]) -> None:
    print_table(
        [
            Column("N", right=True),
            Column("Decision"),
            Column("Invoice", shrinks=True),
            Column("Payment", shrinks=True),
            Column("Amount", right=True),
            Column("Decided", spare=1),
            Column("Undone", spare=2),
        ],
        [
            [
                Cell(str(one.id)),
                Cell(one.kind.value),
                Cell(one.invoice),
                Cell(wording.last_segment(one.payment_id)),
                Cell(wording.money(one.amount, assets[one.payment_id])),
                Cell(wording.local(one.decided_at)),
                Cell(wording.local(one.undone_at)),
            ]
            for one in shown
        ],
    )


def _record(one: Decision, asset: Asset | None) -> dict[str, object]:
    return {
        "id": one.id,
        "walletAddress": one.wallet,
        "decision": one.kind.value,
        "invoice": one.invoice,
        "paymentId": one.payment_id,
        "amount": shapes.amount(one.amount, asset),
        "decidedAt": shapes.instant(one.decided_at),
        "undoneAt": shapes.instant(one.undone_at),
    }
