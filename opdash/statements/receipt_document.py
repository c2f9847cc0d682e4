"""A receipt as a document, in words that a customer understands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final

from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.periods import zone_name
from opdash.statements import wording
from opdash.statements.document import Block, Column, Document, Facts, Heading, Paragraph, Table
from opdash.statements.receipts import Known, Receipt, ReceiptStep

_TAKES_MONEY: Final = frozenset({State.UNPAID, State.PARTIAL, State.OPEN, State.RECEIVING})
_EXPIRED: Final = frozenset({State.EXPIRING, State.EXPIRED_UNPAID, State.EXPIRED_PARTIAL})


def receipt_document(receipt: Receipt, zone: tzinfo | None) -> Document:
    """Return a receipt as a document, its instants in a time zone; None is this machine's."""
    title = "Receipt" if receipt.received else "Payment request"
    if receipt.reference.strip():
        title = f"{title} for {wording.cut(receipt.reference)}"
    blocks: list[Block] = [
        Heading(title, 1),
        Paragraph(in_plain_words(receipt, zone)),
        Facts(tuple(_facts(receipt, zone))),
    ]
    if len(receipt.steps) > 1 or any(step.delta < 0 for step in receipt.steps):
        blocks.append(_steps(receipt, zone))
    as_of = wording.moment(receipt.as_of, zone)
    place = zone_name(zone) if zone is not None else f"{receipt.as_of.astimezone():%Z}"
    blocks.append(Paragraph(f"As of {as_of}. Times are in {place}.", is_aside=True))
    return Document(title, tuple(blocks))


def in_plain_words(receipt: Receipt, zone: tzinfo | None) -> str:
    """Say in a sentence or two how the payment stands."""
    sentences = list(_sentences(receipt, zone))
    return " ".join(sentences)


def _sentences(receipt: Receipt, zone: tzinfo | None) -> Iterator[str]:
    asked, asset = receipt.asked, receipt.received_asset
    if receipt.state is State.ANOMALY and asked is not None and receipt.asked_asset is not None:
        wanted = wording.money(asked, receipt.asked_asset)
        yield f"Received {wording.money(receipt.received, asset)}; {wanted} was asked."
        return
    if receipt.covered_at is not None:
        yield f"Paid in full {_when(receipt.covered_at, receipt.covered, zone)}."
        if receipt.too_much:
            yield f"{wording.money(receipt.too_much, asset)} more than was asked has arrived."
        if receipt.state is State.SETTLING:
            yield "The wallet has yet to confirm it."
        return
    if asked is None:
        yield from _free(receipt, zone)
    elif receipt.received:
        paid = _of(receipt.received, asked, asset)
        yield f"Paid {paid}; {wording.money(receipt.missing, asset)} missing."
    else:
        yield "Not paid."
    yield from _what_next(receipt, zone)


def _of(received: int, asked: int, asset: Asset) -> str:
    return f"{wording.number(received, asset)} of {wording.money(asked, asset)}"


def _free(receipt: Receipt, zone: tzinfo | None) -> Iterator[str]:
    if not receipt.received:
        yield "Nothing has been paid."
        return
    total = wording.money(receipt.received, receipt.received_asset)
    if receipt.steps:
        last = receipt.steps[-1]
        when = _when(last.at, last.known, zone)
        yield f"Received {total}, {'last' if len(receipt.steps) > 1 else 'all'} {when}."
    else:
        yield f"Received {total}."


def _when(at: datetime, known: Known, zone: tzinfo | None) -> str:
    if known is Known.OBSERVED:
        return f"on {wording.moment(at, zone)}"
    return f"by {_latest(at, known, zone)}"


def _latest(at: datetime, known: Known, zone: tzinfo | None) -> str:
    why = " (when it was first looked at)" if known is Known.FIRST_LOOK else ""
    return f"{wording.moment(at, zone)}{why}"


def _what_next(receipt: Receipt, zone: tzinfo | None) -> Iterator[str]:
    until = "" if receipt.expires_at is None else wording.moment(receipt.expires_at, zone)
    if receipt.state in _TAKES_MONEY:
        yield f"It can be paid until {until}." if until else "It can still be paid."
    elif receipt.state in _EXPIRED:
        yield f"It could be paid until {until}." if until else "It can no longer be paid."
    elif receipt.state in (State.CLOSED_UNPAID, State.CLOSED_SHORT):
        yield "It was closed and can no longer be paid."
    elif receipt.state is State.UNAVAILABLE:
        yield "The wallet no longer knows this payment; this is what was last seen of it."


def _facts(receipt: Receipt, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    if receipt.merchant.strip():
        yield "Paid to", wording.cut(receipt.merchant)
    yield "Wallet address", receipt.wallet_address
    if receipt.reference.strip():
        yield "Reference", receipt.reference
    if receipt.description.strip():
        yield "For", receipt.description
    if receipt.asked is not None and receipt.asked_asset is not None:
        yield "Amount asked", wording.money(receipt.asked, receipt.asked_asset)
    else:
        yield "Amount asked", "any amount"
    yield "Received", wording.money(receipt.received, receipt.received_asset)
    if len(receipt.steps) == 1:
        yield _received_when(receipt.steps[0], zone)
    if receipt.missing:
        yield "Missing", wording.money(receipt.missing, receipt.received_asset)
    if receipt.too_much:
        yield "Too much", wording.money(receipt.too_much, receipt.received_asset)
    yield "Created", wording.moment(receipt.created_at, zone)
    if receipt.expires_at is not None and receipt.state in _TAKES_MONEY | _EXPIRED:
        yield "Payable until", wording.moment(receipt.expires_at, zone)
    yield "Payment", receipt.payment_url


def _received_when(step: ReceiptStep, zone: tzinfo | None) -> tuple[str, str]:
    if step.known is Known.OBSERVED:
        return "Received on", wording.moment(step.at, zone)
    return "Received by", _latest(step.at, step.known, zone)


def _steps(receipt: Receipt, zone: tzinfo | None) -> Table:
    asset = receipt.received_asset
    code = wording.code(asset)
    return Table(
        "What arrived when",
        (
            Column("When", least=16),
            Column(f"Arrived, {code}", is_figures=True),
            Column(f"Together, {code}", is_figures=True),
        ),
        tuple(
            (
                ("" if step.known is Known.OBSERVED else "by ") + wording.moment(step.at, zone),
                wording.number(step.delta, asset),
                wording.number(step.received, asset),
            )
            for step in receipt.steps
        ),
        ("Received", wording.number(receipt.received, asset), ""),
    )
