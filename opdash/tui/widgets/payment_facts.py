"""What is said about one incoming payment, as the entries of a sheet; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual.content import Content

from opdash.ledger.records import (
    ANOMALY_TEXT,
    PaymentRow,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.states import State
from opdash.ledger.timeline import WRITTEN, former_amount, former_instant, told
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text
from opdash.tui.format import (
    Tone,
    asset_code,
    day_word,
    glyph,
    instant_long,
    moment,
    moment_short,
    money,
    number,
    payment_name,
    relative,
    state_tone,
    state_word,
)
from opdash.tui.widgets.beyond import BEYOND, is_beyond
from opdash.tui.widgets.header import SCOPE_WORDS
from opdash.tui.widgets.progress_line import ProgressLine, percent
from opdash.tui.widgets.sheet import Entry, facts, heading, row

if TYPE_CHECKING:
    from opdash.ledger.folds import FoldRow

PANE_STEPS = 8
"""How many steps of the time line stand in the pane beside the table."""

_TAIL = 20
_LONGEST_METADATA = 400
_LONGEST_IN_PANE = 120

_STYLES: dict[Tone, str] = {
    "plain": "bold",
    "muted": "bold $muted",
    "accent": "bold $accent",
    "good": "bold $good",
    "attention": "bold $attention",
    "bad": "bold $bad",
}


def head_entries(
    payment: PaymentRow, now: datetime, *, whole: bool, view: Scope = Scope.EVERYTHING
) -> list[Entry]:
    """Return what a payment is: name, state, amounts, times, URL, and what needs a person.

    Args:
        payment: As the ledger knows it.
        now: The server's present instant, UTC.
        whole: Whether there is a whole screen for it, or only a pane.
        view: The scope under which the server is asked.
    """
    entries: list[Entry] = [
        row("", Content.styled(payment_name(payment), "bold")),
        _state_row(payment),
    ]
    if payment.asked and _share(payment):
        entries.append(ProgressLine(payment.received, payment.asked))
    entries += facts(
        [
            *_amounts(payment),
            *_times(payment, now, whole=whole),
            *_places(payment, whole),
            *_notes(payment, now, whole=whole),
        ]
    )
    settled = payment.note.settlement is not None and not payment.needs_action
    sign = Content.styled("· ", "$muted") if settled else Content.styled("▲ ", "$attention")
    entries += [row(sign, sentence) for sentence in attention(payment, now)]
    if is_beyond(payment, view):
        seen = relative(payment.last_seen_at, now)
        words = f"Not visible under this scope, {SCOPE_WORDS[view]}: this is how it was {seen}."
        entries.append(row(Content.styled(f"{BEYOND} ", "$attention"), words))
    entries += [
        row(Content.styled("! ", "$bad"), safe_text(_sentence(_anomaly(code))))
        for code in payment.anomalies
    ]
    return entries


def fold_entries(fold: FoldRow, now: datetime) -> list[Entry]:
    """Return what several payments in one line are: where from, how many, how much, when."""
    asset, count = fold.received_asset, fold.count
    source = safe_text(fold.source, limit=80) or safe_text(fold.search, limit=40)
    known: list[tuple[str, Content | str]] = [
        ("received", Content.styled(money(fold.received, asset), "bold")),
        ("payments", f"{count:,}"),
        ("day", day_word(fold.day, now)),
        ("newest", moment(fold.newest_at, now)),
        ("oldest", moment(fold.oldest_at, now)),
        ("search", safe_text(fold.search, limit=40)),
    ]
    hint = "Space closes this line." if fold.is_open else "Space opens this line."
    return [
        row("", Content.styled(source, "bold")),
        *facts(known),
        row("", ""),
        row("", Content.styled(hint, "$muted")),
    ]


def completion_entries(payment: PaymentRow, now: datetime) -> list[Entry]:
    """Return what a person must see before completing: state, asked, received, shortfall."""
    amounts = _amounts(payment, difference="shortfall" if (payment.difference or 0) < 0 else "")
    return [_state_row(payment), *facts([*amounts, *_times(payment, now, whole=False)])]


def attention(payment: PaymentRow, now: datetime) -> list[str]:
    """Return, a sentence each, what a person should know beyond the state's word."""
    said: list[str] = []
    missing = -payment.difference if payment.difference is not None else 0
    match payment.state:
        case State.CLOSED_SHORT:
            said.append(f"Closed with {_asked_money(payment, missing)} missing.")
        case State.EXPIRED_PARTIAL:
            said.append(f"Expired with {_asked_money(payment, missing)} missing.")
        case State.OVERPAID:
            said.append(f"{_asked_money(payment, -missing)} more than asked for.")
        case State.SETTLING if payment.needs_action and payment.reached_at is not None:
            since = relative(payment.reached_at, now)
            said.append(f"All of it arrived {since}, and the server has not completed it.")
        case State.UNAVAILABLE if payment.received:
            said.append("Money had arrived, and the server no longer shows the payment.")
        case _:
            pass
    if payment.not_completed_by_server:
        said.append("* The server has not completed it.")
    if payment.no_longer_at_server:
        said.append("No longer at the server.")
    if payment.note.settlement is not None:
        from opdash.tui.widgets.note_facts import outdated_sentence

        said += filter(None, [outdated_sentence(payment)])
    return said


def timeline_entries(
    steps: Sequence[TimelineEntry], payment: PaymentRow, now: datetime, *, whole: bool
) -> list[Entry]:
    """Return the time line as observed so far, the oldest step first.

    The pane shows the last steps and counts the earlier ones; the screen shows all.
    """
    shown = steps if whole else steps[-PANE_STEPS:]
    entries: list[Entry] = [*heading("Time line")]
    if len(shown) < len(steps):
        entries.append(row("", Content.styled(f"… {len(steps) - len(shown):,} earlier", "$muted")))
    entries += facts(
        (
            instant_long(step.at) if whole else moment_short(step.at, now),
            _line(step, payment.received_asset, whole=whole),
        )
        for step in shown
    )
    if not steps:
        entries.append(row("", Content.styled("nothing observed yet", "$muted")))
    return entries


def _state_row(payment: PaymentRow) -> Entry:
    share = _share(payment)
    return row(
        "",
        Content.assemble(
            (f"{glyph(payment.state)} {state_word(payment)}", _STYLES[state_tone(payment)]),
            f"  {share}" if share else "",
        ),
    )


def _share(payment: PaymentRow) -> str:
    if payment.difference is None or not payment.asked:
        return ""
    return percent(payment.received, payment.asked)


def _amounts(
    payment: PaymentRow, *, difference: str = "difference"
) -> list[tuple[str, Content | str]]:
    asset = payment.received_asset
    if payment.asked is None or payment.asked_asset is None:
        return [("asked", "any amount"), ("received", money(payment.received, asset))]
    texts = [
        ("asked", number(payment.asked, payment.asked_asset.scale), payment.asked_asset),
        ("received", number(payment.received, asset.scale), asset),
    ]
    if payment.difference is not None:
        shown = -payment.difference if difference == "shortfall" else payment.difference
        sign = "+" if payment.difference > 0 else ""
        texts.append((difference or "difference", sign + number(shown, asset.scale), asset))
    widest = max(len(text) for _, text, _ in texts)
    return [(label, f"{text:>{widest}} {asset_code(of)}") for label, text, of in texts]


def _times(payment: PaymentRow, now: datetime, *, whole: bool) -> list[tuple[str, Content | str]]:
    def told(instant: datetime) -> Content:
        zone = instant.astimezone().tzname() or ""
        absolute = instant_long(instant) if whole else moment(instant, now)
        return Content.assemble(f"{absolute} {zone}", (f" ({relative(instant, now)})", "$muted"))

    expired = payment.expires_at is not None and payment.expires_at <= now
    expires = "never" if payment.expires_at is None else told(payment.expires_at)
    times: list[tuple[str, Content | str]] = [
        ("created", told(payment.created_at)),
        ("expired" if expired else "expires", expires),
        ("checked", Content.styled(_checked(payment.last_seen_at, now), "$muted")),
    ]
    if payment.gone_at is not None:
        times.append(("gone since", told(payment.gone_at)))
    return times


def _checked(last_seen_at: datetime, now: datetime) -> str:
    """Count no seconds: the details would be painted anew with each of them."""
    if timedelta() <= now - last_seen_at < timedelta(minutes=1):
        return "less than 1 min ago"
    return relative(last_seen_at, now)


def _places(payment: PaymentRow, whole: bool) -> list[tuple[str, Content | str]]:
    if whole:
        return [("payment", safe_text(payment.id)), ("wallet", safe_text(payment.wallet))]
    tail = safe_text(payment.id.rstrip("/").rsplit("/", 1)[-1])
    return [("payment", f"…/{tail}" if len(tail) <= _TAIL else f"…/{tail[:8]}…{tail[-8:]}")]


def _notes(payment: PaymentRow, now: datetime, *, whole: bool) -> list[tuple[str, Content | str]]:
    if not payment.note.bits:
        return []
    from opdash.tui.widgets.note_facts import note_facts

    return note_facts(payment, now, whole=whole)


def _line(step: TimelineEntry, asset: Asset, *, whole: bool) -> Content:
    if step.kind in WRITTEN:
        return Content(safe_text(told(step), limit=0 if whole else _LONGEST_IN_PANE))
    return _step(step, asset, whole=whole)


def _step(step: TimelineEntry, asset: Asset, *, whole: bool) -> Content:
    match step.kind:
        case TimelineKind.RECEIVED | TimelineKind.FELL:
            return _money_step(step, asset)
        case TimelineKind.COMPLETED:
            by = " by opdash" if step.source is Source.COMPLETE else ""
            return Content(f"completed{by}{_with_money(step, asset)}")
        case TimelineKind.GONE if step.received:
            return Content(f"no longer at the server; {money(step.received, asset)} had arrived")
        case TimelineKind.ANOMALY:
            return Content.styled(f"! {safe_text(_anomaly(step.text))}", "$bad")
        case TimelineKind.ASKED:
            return Content(f"the amount asked for changed; before: {_former(step)}")
        case TimelineKind.EXPIRY:
            return Content(f"expiry changed; before: {_instant(step.text)}")
        case TimelineKind.METADATA if whole:
            before = safe_text(step.text, limit=_LONGEST_METADATA) or "none"
            return Content(f"metadata changed; before: {before}")
        case TimelineKind.NOTE:
            return Content(safe_text(step.text, limit=400))
        case TimelineKind.METADATA | TimelineKind.COMPLETING:
            return Content(_STEPS[step.kind])
        case _:
            return Content(f"{_STEPS[step.kind]}{_with_money(step, asset)}")


def _with_money(step: TimelineEntry, asset: Asset) -> str:
    return f" with {money(step.received, asset)}" if step.received else ""


def _former(step: TimelineEntry) -> str:
    amount = former_amount(step.text)
    return "any amount" if amount is None else money(amount.minor_units, amount.asset)


_STEPS = {
    TimelineKind.FIRST_SEEN: "first seen",
    TimelineKind.CREATED: "created by opdash",
    TimelineKind.REOPENED: "open again",
    TimelineKind.METADATA: "metadata changed",
    TimelineKind.GONE: "no longer at the server",
    TimelineKind.BACK: "at the server again",
    TimelineKind.COMPLETING: "opdash asked to complete it",
}


def _money_step(step: TimelineEntry, asset: Asset) -> Content:
    delta = step.delta or 0
    sign = "+" if delta > 0 else ""
    change = f"{sign}{number(delta, asset.scale)}"
    if step.received is None or step.received == delta:
        return Content(change)
    return Content.assemble(change, (f"  = {number(step.received, asset.scale)}", "$muted"))


def _instant(text: str) -> str:
    instant = former_instant(text)
    return instant_long(instant) if instant else safe_text(text, limit=40) or "none"


def _asked_money(payment: PaymentRow, minor_units: int) -> str:
    return money(minor_units, payment.asked_asset or payment.received_asset)


def _anomaly(code: str) -> str:
    return ANOMALY_TEXT.get(code, code)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
