"""What is said about a payment looked up by its URL, as the entries of a sheet; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual.content import Content

from opdash.ledger.outgoing import (
    OUTGOING_GLYPHS,
    OutgoingState,
    OutgoingVerdict,
    SeenOutgoing,
    effective_rate,
    is_settled,
    judge,
    outgoing_cost,
)
from opdash.ledger.rates import exact_rate, rate_text
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import OutgoingPayment, PublicIncomingPayment
from opdash.safetext import safe_text
from opdash.tui.format import (
    age,
    asset_code,
    glyph,
    instant_long,
    money,
    number,
    payment_name,
    relative,
    short_address,
    state_word,
)
from opdash.tui.widgets.metadata_tree import WHOLE, read_metadata, tree_rows
from opdash.tui.widgets.progress_line import ProgressLine, percent
from opdash.tui.widgets.sheet import Entry, facts, heading, row

_FRESH = timedelta(seconds=90)

_STYLES = {
    OutgoingState.SENDING: "bold $accent",
    OutgoingState.SENT: "bold $good",
    OutgoingState.FAILED: "bold $bad",
    OutgoingState.FAILED_PARTIAL: "bold $bad",
}


def outgoing_entries(
    payment: OutgoingPayment,
    verdict: OutgoingVerdict,
    now: datetime,
    *,
    receiver: PaymentRow | None = None,
    receiver_name: str = "",
    seen_at: datetime | None = None,
    answers: bool = True,
    look_at: datetime | None = None,
) -> list[Entry]:
    """Return what is known of an outgoing payment.

    Args:
        payment: As its server sent it.
        verdict: Its state.
        now: The server's present instant, UTC.
        receiver: The incoming payment that it pays, where that is one's own and known.
        receiver_name: The configured wallet that it pays, or empty.
        seen_at: When the server last showed it; now if None.
        answers: Whether the server answered when it was last asked.
        look_at: When it will be asked again, or None: what is final is left alone.
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
            *_receiver(payment, receiver, receiver_name),
            ("sender", safe_text(payment.wallet_address)),
            ("payment", safe_text(payment.id)),
            *_watch(state, now, seen_at, answers=answers, look_at=look_at),
        ]
    )
    entries += heading("Metadata")
    entries += tree_rows(read_metadata(payment.metadata_json), WHOLE)
    return entries


def payer_entries(
    payers: Sequence[SeenOutgoing], receiver: PaymentRow, now: datetime
) -> list[Entry]:
    """Return what is known of the outgoing payments that pay an incoming one.

    Args:
        payers: Them, the newest first.
        receiver: The incoming payment.
        now: The server's present instant, UTC.
    """
    entries: list[Entry] = [*heading("Paid by")]
    for seen in payers:
        payment = seen.payment
        verdict = judge(
            payment,
            now,
            sent_changed_at=seen.sent_changed_at,
            receiver_settled=is_settled(receiver, payment),
        )
        state = f"{OUTGOING_GLYPHS[verdict.state]} {verdict.state.value}"
        entries.append(
            row(
                "",
                Content.assemble(
                    (state, _STYLES[verdict.state]),
                    f"  {_money(payment.receive_amount)} from {short_address(seen.wallet)}",
                    (f"  as of {relative(seen.last_seen_at, now)}", "$muted"),
                ),
            )
        )
    return [
        *entries,
        row("", Content.styled("o opens it" if len(payers) == 1 else "o lists them", "$muted")),
    ]


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
    if rate is not None:
        rows.append(("rate", rate_text(rate, debit.asset, receive.asset)))
        exactly = exact_rate(rate, debit.asset, receive.asset)
        rows += [("exactly", exactly)] if exactly else []
    return rows


def _receiver(
    payment: OutgoingPayment, receiver: PaymentRow | None, name: str
) -> list[tuple[str, Content | str]]:
    url = safe_text(payment.receiver)
    rows: list[tuple[str, Content | str]] = []
    if receiver is not None:
        known = f"{payment_name(receiver)}  {glyph(receiver.state)} {state_word(receiver)}"
        rows.append(("pays", Content.assemble(known, ("  i opens it", "$muted"))))
    rows.append(("receiver", f"{safe_text(name)}: {url}" if name else url))
    return rows


def _watch(
    state: OutgoingState,
    now: datetime,
    seen_at: datetime | None,
    *,
    answers: bool,
    look_at: datetime | None,
) -> list[tuple[str, Content | str]]:
    """Return how old this is, and whether it is followed."""
    old = seen_at is not None and (not answers or now - seen_at >= _FRESH)
    rows: list[tuple[str, Content | str]] = []
    if seen_at is not None and old:
        why = "" if answers else "; the server does not show it now"
        rows.append(("as of", Content.styled(f"{relative(seen_at, now)}{why}", "$attention")))
    if state is OutgoingState.SENDING and look_at is not None:
        left = max(look_at - now, timedelta(seconds=1))
        rows.append(("followed", Content.styled(f"looks again in {age(left)}", "$muted")))
    return rows


def _money(amount: Amount) -> str:
    return money(amount.minor_units, amount.asset)
