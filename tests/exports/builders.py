"""Ledgers to export, and exports of them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from opdash.exports.exporting import Marks, Write, export
from opdash.exports.records import AssetSum, Exported, ExportWallet, FormatName, Wanted
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import ADDRESS, NOW, Book, payment

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = ExportWallet("Rosa's shop", ADDRESS, Scope.OWN)
MINUTE = timedelta(minutes=1)
RECEIPT_FORMATS = (
    FormatName.HLEDGER,
    FormatName.BEANCOUNT,
    FormatName.OFX,
    FormatName.CAMT053,
)

HOSTILE = (
    "=1+1",
    " \t=cmd|' /C calc'!A0",
    "＝HYPERLINK(1)",
    "'=twice",
    "@SUM(1)",
    "-7",
    "+49 30 1234",
    'say "hi" \\ there',
    "two\nlines\r\nand\rmore",
    "\x1b[31mred\x07 \x00 nul \x9b c1 \x7f",
    "a;b|c,d:e",
    "; comment",
    "(code) [2020-01-01] date:2020-01-01",
    "* ! pending",
    "</Ustrd><Amt>1</Amt>&amp;<!-- ]]>",
    "\ufffe\uffff not in XML",
    "\u202eright to left\u2066",
    "émoji 👩‍👩‍👧‍👦 ẞ 漢字",
    "x" * 700,
    "  blanks  inside   ",
    "#tag ^link {cost} @ 5 USD",
    "include /etc/passwd",
)
"""Texts that mean something to some program."""

texts = st.one_of(
    st.just(""),
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text("=+-@\t\r\n;|,:\"\\()[]{}*!#^~'<>& \x00\x1b＝", max_size=12),
)
"""References and descriptions."""


class Memory:
    """Takes an export."""

    path: Path | None = None

    def __init__(self) -> None:
        self.text = ""

    @contextlib.contextmanager
    def opened(self) -> Iterator[Write]:
        parts: list[str] = []
        yield parts.append
        self.text = "".join(parts)


def wanted(kind: FormatName, **others: Any) -> Wanted:
    return Wanted(**{"format": kind, "wallets": (SHOP,), "now": NOW, "zone": BERLIN, **others})


def exported(reader: LedgerReader, kind: FormatName, **others: Any) -> tuple[str, Exported, Marks]:
    """Return an export's text, and what came of it."""
    memory = Memory()
    result, marks = export(reader, wanted(kind, **others), memory)
    return memory.text, result, marks


def text_of(reader: LedgerReader, kind: FormatName, **others: Any) -> str:
    return exported(reader, kind, **others)[0]


def told(
    name: str, received: int, reference: str = "", description: str = "", **others: Any
) -> IncomingPayment:
    """Return a payment that says what it is for."""
    says = {"externalRef": reference, "description": description}
    given = {key: value for key, value in says.items() if value}
    return payment(name, received=received, metadata=json.dumps(given) if given else None, **others)


def record_texts(book: Book, pairs: Sequence[tuple[str, str]]) -> None:
    """Record a payment of one minor unit for each reference and description."""
    page = [told(f"p{n}", 1, *pair, created=NOW) for n, pair in enumerate(pairs)]
    book.record(*page, at=NOW)


def decimal_sums(sums: Sequence[AssetSum]) -> dict[str, Fraction]:
    """Return what there is of each asset code, in whole units."""
    total: Counter[str] = Counter()
    for one in sums:
        total[one.asset.code] += Fraction(one.amount, 10**one.asset.scale)  # type: ignore[assignment]
    return {code: Fraction(amount) for code, amount in total.items() if amount}


def at(minute: int) -> datetime:
    return NOW + minute * MINUTE
