"""What is said about a payment looked up by its URL, as the entries of a sheet; pure functions."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from textual.content import Content

from opdash.ledger.outgoing import (
    OUTGOING_GLYPHS,
    OutgoingFacts,
    OutgoingState,
    OutgoingVerdict,
    derive_outgoing,
    effective_rate,
    outgoing_cost,
)
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.resources import OutgoingPayment, PublicIncomingPayment
from opdash.safetext import safe_text
from opdash.tui.format import asset_code, instant_long, money, number, relative
from opdash.tui.widgets.metadata_tree import WHOLE, read_metadata, tree_rows
from opdash.tui.widgets.progress_line import ProgressLine, percent
from opdash.tui.widgets.sheet import Entry, facts, heading, row

_RATE_DIGITS = 6

_STYLES = {
    OutgoingState.SENDING: "bold $accent",
    OutgoingState.SENT: "bold $good",
    OutgoingState.FAILED: "bold $bad",
    OutgoingState.FAILED_PARTIAL: "bold $bad",
}


def judge_outgoing(
    payment: OutgoingPayment,
    now: datetime,
    *,
    sent_changed_at: datetime | None = None,
    receiver_settled: bool | None = None,
) -> OutgoingVerdict:
    """Return the state of an outgoing payment.

    Args:
        payment: As its server sent it.
        now: The server's present instant, UTC.
        sent_changed_at: When the sent amount was last seen to change, or None.
        receiver_settled: Whether its receiver is complete or covered; None when not known.
    """
    return derive_outgoing(
        OutgoingFacts(
            failed=payment.failed,
            sent=payment.sent_amount.minor_units,
            debit=payment.debit_amount.minor_units,
            created_at=payment.created_at,
            sent_changed_at=sent_changed_at,
            receiver_settled=receiver_settled,
        ),
        now,
    )


def outgoing_entries(
    payment: OutgoingPayment, verdict: OutgoingVerdict, now: datetime, *, receiver_name: str = ""
) -> list[Entry]:
    """Return what is known of an outgoing payment.

    Args:
        payment: As its server sent it.
        verdict: Its state.
        now: The server's present instant, UTC.
        receiver_name: The configured wallet that it pays, or empty.
    """
    state = verdict.state
    doubt = "" if verdict.certain else "  as far as can be known"
    sent, debit = payment.sent_amount.minor_units, payment.debit_amount.minor_units
    share = percent(sent, debit) if state is not OutgoingState.SENT else ""
    entries: list[Entry] = [
        row("", Content.styled("Outgoing payment", "bold")),
        row(
            "",
            Content.assemble(
                (f"{OUTGOING_GLYPHS[state]} {state.value}", _STYLES[state]),
                f"  {share} sent" if share else "",
                (doubt, "$muted"),
            ),
        ),
    ]
    if share:
        entries.append(ProgressLine(sent, debit))
    zone = payment.created_at.astimezone().tzname() or ""
    receiver = safe_text(payment.receiver)
    entries += facts(
        [
            *_amounts(payment, state),
            ("failed", "yes" if payment.failed else "no"),
            (
                "created",
                Content.assemble(
                    f"{instant_long(payment.created_at)} {zone}",
                    (f" ({relative(payment.created_at, now)})", "$muted"),
                ),
            ),
            ("receiver", f"{safe_text(receiver_name)}: {receiver}" if receiver_name else receiver),
            ("sender", safe_text(payment.wallet_address)),
            ("payment", safe_text(payment.id)),
        ]
    )
    entries += heading("Metadata")
    entries += tree_rows(read_metadata(payment.metadata_json), WHOLE)
    return entries


def public_entries(url: str, payment: PublicIncomingPayment) -> list[Entry]:
    """Return what anyone may read of an incoming payment."""
    received = payment.received_amount
    told = "its server does not say" if received is None else _money(received)
    return [
        row("", Content.styled("Incoming payment of somebody else", "bold")),
        *facts([("received", told), ("payment", safe_text(url))]),
        row("", ""),
        row(
            "",
            Content.styled(
                "It belongs to none of your wallet addresses, so this is all that anyone may "
                "read; opdash asked without a token.",
                "$muted",
            ),
        ),
    ]


def rate_text(rate: Fraction, debit: Asset, receive: Asset) -> str:
    """Write what one unit debited brings, such as ``1 USD = 0.917 EUR``; ``≈`` where it is cut."""
    per_unit = rate * Fraction(10**debit.scale, 10**receive.scale)
    digits = _RATE_DIGITS
    while per_unit and per_unit * 10**digits < 10 ** (_RATE_DIGITS - 1) and digits < 24:
        digits += 1
    scaled = per_unit * 10**digits
    whole = scaled.numerator // scaled.denominator
    text = number(whole, digits)
    if scaled.denominator == 1:
        text = text.rstrip("0").rstrip(".")
    sign = "=" if scaled.denominator == 1 else "≈"
    return f"1 {asset_code(debit)} {sign} {text} {asset_code(receive)}"


def _amounts(payment: OutgoingPayment, state: OutgoingState) -> list[tuple[str, Content | str]]:
    debit, receive = payment.debit_amount, payment.receive_amount
    texts = [
        ("debit", debit.minor_units, debit.asset),
        ("receive", receive.minor_units, receive.asset),
        ("sent", payment.sent_amount.minor_units, payment.sent_amount.asset),
    ]
    comparable = debit.asset == payment.sent_amount.asset
    cost = outgoing_cost(state, debit.minor_units, payment.sent_amount.minor_units)
    if comparable and cost is not None:
        texts.append(("cost", cost, debit.asset))
    numbers = [number(minor_units, asset.scale) for _, minor_units, asset in texts]
    width = max(map(len, numbers))
    rows: list[tuple[str, Content | str]] = [
        (label, f"{text:>{width}} {asset_code(asset)}")
        for (label, _, asset), text in zip(texts, numbers, strict=True)
    ]
    rate = effective_rate(receive.minor_units, debit.minor_units)
    if rate is not None and debit.asset != receive.asset:
        rows.append(("rate", rate_text(rate, debit.asset, receive.asset)))
    return rows


def _money(amount: Amount) -> str:
    return money(amount.minor_units, amount.asset)
