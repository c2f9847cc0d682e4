"""What is said of an export when it is made: rows, totals, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from opdash.exports.formats import FORMATS
from opdash.exports.records import AssetSum, Exported, LeftOut, Wanted
from opdash.ledger.records import Scope
from opdash.openpayments.amounts import format_minor
from opdash.safetext import safe_text

_SCOPES = {
    Scope.OWN: "the payments that this client created",
    Scope.EVERYTHING: "everything on the wallet",
}


def told(exported: Exported) -> Iterator[str]:
    """Yield lines for a person, safe to show."""
    wanted = exported.wanted
    what = _count(exported.rows, "receipt" if FORMATS[wanted.format].has_receipts else "payment")
    place = "" if exported.path is None else f" in {exported.path}"
    yield safe_text(f"{what}{place}")
    for one in exported.sums:
        yield (
            f"  {amount(one)} received in {one.count:,} of them"
            if len(exported.sums) > 1
            else f"  {amount(one)} received"
        )
    yield safe_text(f"  {scope(wanted)}")
    for known in exported.known:
        if known.told_until is not None:
            yield safe_text(
                f"  {known.wallet.name}: new since the export of "
                f"{_local(known.told_until, wanted.zone)}"
            )
    yield from warnings(exported)


def warnings(exported: Exported) -> Iterator[str]:
    """Yield what a person should know before they use the file."""
    for left in exported.left_out:
        yield left_out(left)
    if exported.may_be_several:
        yield (
            f"{_count(exported.may_be_several, 'receipt')} may be several: what a payment had "
            "received when opdash first saw it is one receipt."
        )
    if exported.taken_back:
        yield (
            f"{_count(exported.taken_back, 'receipt')} {_are(exported.taken_back)} negative: the "
            "server says that less has arrived than it said before."
        )
    for known in exported.known:
        if not known.complete:
            name = safe_text(known.wallet.name, limit=40)
            yield (
                f"{name}: the ledger is incomplete, with {known.known:,} payments known; "
                "“opdash sync” reads the rest."
            )


def scope(wanted: Wanted) -> str:
    """Return what was looked at, for a person."""
    names = ", ".join(wallet.name for wallet in wanted.wallets)
    parts = [names, " and ".join(dict.fromkeys(_SCOPES[one.scope] for one in wanted.wallets))]
    if wanted.period is not None:
        verb = "arrived" if FORMATS[wanted.format].has_receipts else "created"
        parts.append(f"{verb} in {wanted.period.text} ({wanted.period.zone})")
    if wanted.query is not None:
        parts.append(f"that match “{wanted.query.text.strip()}”")
    return "; ".join(parts)


def left_out(left: LeftOut) -> str:
    """Return what is not in the file and why, one sentence."""
    sums = ", ".join(amount(one) for one in left.sums)
    examples = ", ".join(left.examples)
    more = ", …" if left.count > len(left.examples) else ""
    return safe_text(f"Left out: {left.count:,} ({sums}): {left.why}. {examples}{more}")


def amount(one: AssetSum) -> str:
    """Return a sum with its asset, exactly."""
    number = format_minor(one.amount, one.asset.scale, grouped=True)
    return f"{number} {safe_text(one.asset.code, limit=24)}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _local(instant: datetime, zone: tzinfo | None) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"
