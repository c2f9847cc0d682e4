"""A statement as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from opdash.ledger.records import PaymentRow
from opdash.statements import wording
from opdash.statements.document import (
    Bar,
    Block,
    Column,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
)
from opdash.statements.records import (
    AssetStatement,
    ReferenceSum,
    Span,
    Statement,
    WalletStatement,
)

TOP_REFERENCES: Final = 20
"""How many references are named unless all are wanted."""

TOP_ACTIONS: Final = 50
"""How many payments that need action are named unless all are wanted."""

WHAT_SUMS_ARE: Final = (
    "All totals are sums of what opdash observed to be received. They are not the account's "
    "balance: what was paid out, fees, and other ways of getting money are not in them."
)


def statement_document(statement: Statement, *, whole: bool = False) -> Document:
    """Return a statement as a document.

    Args:
        statement: What it says.
        whole: Whether all references and payments that need action are named, however many.
    """
    span = statement.span
    title = f"Statement for {span.title}"
    blocks: list[Block] = [
        Heading(title, 1),
        Facts(
            (
                ("Period", period_words(span)),
                ("Time zone", span.zone_name),
                ("Made on", wording.moment(statement.made_at, span.zone)),
            )
        ),
    ]
    if not statement.is_over:
        made = wording.moment(statement.made_at, span.zone)
        blocks.append(Paragraph(f"{span.title} is not over: this is what arrived until {made}."))
    blocks.append(Paragraph(WHAT_SUMS_ARE, is_aside=True))
    for wallet in statement.wallets:
        blocks += _wallet(wallet, statement, whole=whole)
    return Document(title, tuple(blocks))


def leaves_out(statement: Statement) -> bool:
    """Return whether a statement that is not whole names fewer references or payments."""
    return any(
        len(wallet.actions) > TOP_ACTIONS
        or any(len(asset.references) > TOP_REFERENCES for asset in wallet.assets)
        for wallet in statement.wallets
    )


def figures_first(document: Document) -> Document:
    """Return a statement of one wallet for a small window: figures first, what they are about last.

    Its title and the wallet's are left out: they stand above the window.
    """
    blocks = document.blocks
    begin = next(
        (
            number
            for number, block in enumerate(blocks)
            if isinstance(block, Heading) and block.level == 3
        ),
        len(blocks),
    )
    head = [block for block in blocks[:begin] if not isinstance(block, Heading)]
    notices = [block for block in head if isinstance(block, Paragraph) and block.is_notice]
    about = [block for block in head if block not in notices]
    return Document(
        document.title,
        (*notices, *blocks[begin:], Heading("About this statement", 3), *about),
    )


def period_words(span: Span) -> str:
    """Write a period by its days."""
    if span.first == span.last:
        return wording.long_day(span.first)
    return f"{wording.long_day(span.first)} – {wording.long_day(span.last)}"


def completeness(wallet: WalletStatement) -> str:
    """Say what of a wallet's payments may be missing; empty where nothing is."""
    known = wallet.knowledge
    if known is None:
        return (
            f"Nothing is known of {wording.cut(wallet.title)} yet: "
            "its server has never answered opdash."
        )
    if known.complete:
        return ""
    return (
        f"The ledger does not know the server's whole list: of {wording.cut(wallet.title)} "
        f"{wording.counted(known.payments, 'payment')} are known, and older ones may be missing "
        "from every sum. “opdash sync” reads the rest."
    )


def _wallet(wallet: WalletStatement, statement: Statement, *, whole: bool) -> Iterator[Block]:
    span = statement.span
    yield Heading(wording.cut(wallet.title))
    yield Facts(tuple(_about(wallet, span)))
    missing = completeness(wallet)
    if missing:
        yield Paragraph(missing, is_notice=True)
    for asset in wallet.assets:
        yield from _asset(asset, statement, whole=whole)
    if wallet.knowledge is None:
        return
    yield from _states(wallet, span)
    yield from _actions(wallet, span, whole=whole)


def _about(wallet: WalletStatement, span: Span) -> Iterator[tuple[str, str]]:
    yield "Wallet address", wallet.address
    if wallet.public_name and wallet.public_name != wallet.title:
        yield "Public name", wording.cut(wallet.public_name)
    known = wallet.knowledge
    if known is None:
        return
    yield "Seen", wording.scope(known.scope)
    whole = "the server's whole list" if known.complete else "not the server's whole list"
    yield "Known", f"{wording.counted(known.payments, 'payment')}, {whole}"
    if known.last_poll_at is not None:
        yield "As of", wording.moment(known.last_poll_at, span.zone)


def _asset(asset: AssetStatement, statement: Statement, *, whole: bool) -> Iterator[Block]:
    span = statement.span
    code = wording.code(asset.asset)
    yield Heading(code, 3)
    before = wording.long_day(span.first)
    after = f"up to {wording.long_day(span.last)}" if statement.is_over else "so far"
    rows = [
        (f"Opening total, received before {before}", _number(asset, asset.opening)),
        (_receipt_words(asset), _number(asset, asset.received)),
    ]
    if asset.corrections:
        rows.append(("Corrections by the server", _number(asset, asset.corrected)))
    yield Table(
        f"Received {span.within}",
        (Column("Total", least=20), Column(code, is_figures=True)),
        tuple(rows),
        (f"Closing total, received {after}", _number(asset, asset.closing)),
    )
    if not asset.receipts:
        yield Paragraph(f"Nothing was received {span.within}.")
    else:
        yield _days(asset)
        if asset.estimated:
            yield Paragraph(_estimated(asset))
        yield _references(asset, whole=whole)
    if asset.corrections:
        yield _corrections(asset, span)


def _receipt_words(asset: AssetStatement) -> str:
    if not asset.receipts:
        return "Receipts"
    receipts = wording.counted(asset.receipts, "receipt")
    return f"{receipts} of {wording.counted(asset.payments, 'payment')}"


def _days(asset: AssetStatement) -> Table:
    most = max(day.received for day in asset.days)
    return Table(
        "Receipts per day",
        (
            Column("Day", least=15),
            Column("Receipts", is_figures=True),
            Column("Payments", is_figures=True),
            Column(wording.code(asset.asset), is_figures=True),
            Column("", is_bars=True),
        ),
        tuple(
            (
                wording.weekday(day.day),
                f"{day.receipts:,}",
                f"{day.payments:,}",
                _number(asset, day.received),
                Bar(day.received, most),
            )
            for day in asset.days
        ),
        (
            wording.counted(len(asset.days), "day"),
            f"{asset.receipts:,}",
            f"{asset.payments:,}",
            _number(asset, asset.received),
            "",
        ),
    )


def _estimated(asset: AssetStatement) -> str:
    receipts = wording.counted(asset.estimated, "receipt")
    many = asset.estimated > 1
    return (
        f"{receipts} of {wording.money(asset.estimated_received, asset.asset)} "
        f"{'were' if many else 'was'} there when opdash first looked, on a later day. "
        f"{'They stand' if many else 'It stands'} on the day on which "
        f"{'their payments were' if many else 'its payment was'} created, or last changed at the "
        "server."
    )


def _references(asset: AssetStatement, *, whole: bool) -> Table:
    shown = asset.references if whole else asset.references[:TOP_REFERENCES]
    rest = asset.references[len(shown) :]
    rows = [_reference_row(asset, _called(one), one) for one in shown]
    if rest:
        others = ReferenceSum(
            "",
            sum(one.receipts for one in rest),
            sum(one.payments for one in rest),
            sum(one.received for one in rest),
        )
        words = wording.counted(len(rest), "further reference")
        rows.append(_reference_row(asset, f"({words})", others))
    all_of_them = ReferenceSum("", asset.receipts, asset.payments, asset.received)
    return Table(
        "Receipts by reference",
        (
            Column("Reference", least=16),
            Column("Receipts", is_figures=True),
            Column("Payments", is_figures=True),
            Column(wording.code(asset.asset), is_figures=True),
        ),
        tuple(rows),
        _reference_row(asset, wording.counted(len(asset.references), "reference"), all_of_them),
    )


def _called(one: ReferenceSum) -> str:
    return wording.cut(one.reference) if one.reference.strip() else "(no reference)"


def _reference_row(asset: AssetStatement, words: str, one: ReferenceSum) -> tuple[str, ...]:
    return words, f"{one.receipts:,}", f"{one.payments:,}", _number(asset, one.received)


def _corrections(asset: AssetStatement, span: Span) -> Table:
    return Table(
        "Corrections by the server",
        (
            Column("Payment", least=14),
            Column("Observed", least=16),
            Column("What happened", least=16),
            Column(wording.code(asset.asset), is_figures=True),
        ),
        tuple(
            (
                wording.payment_name(step.reference, step.payment_id),
                wording.short_moment(step.at, span.zone),
                step.why,
                _number(asset, step.delta),
            )
            for step in asset.corrections
        ),
        ("All", "", "", _number(asset, asset.corrected)),
    )


def _states(wallet: WalletStatement, span: Span) -> Iterator[Block]:
    yield Heading(f"Payments created {span.within}", 3)
    if not wallet.states:
        yield Paragraph(f"No payment was created {span.within}.")
        return
    yield Table(
        "By their state as last known, with all that they received so far",
        (
            Column("State", least=17),
            Column("Asset", least=5),
            Column("Payments", is_figures=True),
            Column("Asked", is_figures=True),
            Column("Received", is_figures=True),
            Column("Difference", is_figures=True),
        ),
        tuple(
            (
                wording.state(one.state),
                wording.code(one.asset),
                f"{one.count:,}",
                wording.number(one.asked, one.asset) if one.asked else "",
                wording.number(one.received, one.asset),
                wording.number(one.difference, one.asset) if one.asked else "",
            )
            for one in wallet.states
        ),
    )


def _actions(wallet: WalletStatement, span: Span, *, whole: bool) -> Iterator[Block]:
    yield Heading("Needs action", 3)
    waiting = wallet.actions
    named = waiting if whole else waiting[:TOP_ACTIONS]
    if waiting:
        yield _action_table("Payments of this period that a person should look at", named, span)
        if len(named) < len(waiting):
            others = wording.counted(len(waiting) - len(named), "further payment")
            yield Paragraph(f"And {others}.")
    else:
        yield Paragraph(f"No payment of {span.title} needs a person's look.")
    if wallet.other_actions:
        others = wording.counted(wallet.other_actions, "payment")
        needs = "needs" if wallet.other_actions == 1 else "need"
        yield Paragraph(f"{others} of other times {needs} a look too.")
    if wallet.settled:
        yield _action_table("Settled by you", wallet.settled, span)


def _action_table(caption: str, rows: Sequence[PaymentRow], span: Span) -> Table:
    return Table(
        caption,
        (
            Column("Payment", least=14),
            Column("State", least=17),
            Column("Created", least=10),
            Column("Received", is_figures=True),
            Column("What is the matter", least=18),
        ),
        tuple(_action_row(row, span) for row in rows),
    )


def _action_row(row: PaymentRow, span: Span) -> tuple[str, ...]:
    return (
        wording.payment_name(row.reference, row.id),
        wording.state(row.state),
        f"{row.created_at.astimezone(span.zone):%Y-%m-%d}",
        wording.money(row.received, row.received_asset),
        wording.matter(row),
    )


def _number(asset: AssetStatement, minor_units: int) -> str:
    return wording.number(minor_units, asset.asset)
