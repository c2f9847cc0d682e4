"""A shop's year made to lead a matcher astray: 10,000 invoices, their payments, and the truth.

Each trick is one function; numbers lie near each other, many amounts are equal, and what is spoilt
never names another invoice by accident.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from opdash.books.naming import names_in, normalised, words
from opdash.books.records import Invoice
from opdash.ledger.records import PaymentRow, Scope
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset

USD: Final = Asset("USD", 2)
_WALLET: Final = "https://wallet.example/shop"
_SERVER: Final = "https://wallet.example/incoming-payments"
_BEGAN: Final = datetime(2026, 1, 1, 9, tzinfo=UTC)
_AMOUNTS: Final = (500, 1000, 1000, 1999, 2500, 4990, 12000)
_THINGS: Final = ("a lamp", "2 chairs", "order of 12 May", "table 4711", "thanks!", "")


@dataclass
class Corpus:
    """Invoices, payments, and what is true of them.

    Attributes:
        invoices: The file's rows.
        rows: The ledger's payments.
        named: The row that a payment names so that the rules can read it, by the payment's URL.
        spoilt: The row that a payment is for although nothing readable says so.
        swapped: Rows whose payment names another invoice of another amount.
    """

    invoices: list[Invoice] = field(default_factory=list)
    rows: list[PaymentRow] = field(default_factory=list)
    named: dict[str, int] = field(default_factory=dict)
    spoilt: dict[str, int] = field(default_factory=dict)
    swapped: set[int] = field(default_factory=set)


def corpus(pairs: int = 10_000, seed: int = 1, *, shuffled: bool = True) -> Corpus:
    """Return a corpus of so many invoices, each with at least one payment.

    Args:
        pairs: How many invoices.
        seed: What all chance follows from.
        shuffled: Whether rows lie anyhow; else as in a file by date, and as in the ledger, newest
            first.
    """
    chance = random.Random(seed)
    maker = _Maker(pairs, chance)
    maker.make()
    if shuffled:
        chance.shuffle(maker.corpus.invoices)
        chance.shuffle(maker.corpus.rows)
    else:
        maker.corpus.rows.reverse()
    return maker.corpus


class _Maker:
    def __init__(self, pairs: int, chance: random.Random) -> None:
        self._chance = chance
        self.corpus = Corpus()
        self._numbers = _near_numbers(pairs)
        self._normal = {normalised(number) for number in self._numbers}
        self._words = {words(number) for number in self._numbers}
        self._tricks: tuple[Callable[[Invoice], None], ...] = (
            self._exactly,
            self._exactly,
            self._elsewhere,
            self._respelt,
            self._full_width,
            self._described,
            self._by_url,
            self._split,
            self._swapped,
            self._typo,
            self._cut,
            self._unnamed,
        )
        self._waiting: Invoice | None = None

    def make(self) -> None:
        for row, number in enumerate(self._numbers, 2):
            day = date(2026, 1, 1) + timedelta(days=self._chance.randrange(300))
            amount = self._chance.choice(_AMOUNTS)
            invoice = Invoice(row=row, number=number, amount=amount, asset=USD, issued=day)
            self.corpus.invoices.append(invoice)
            self._chance.choice(self._tricks)(invoice)
        if self._waiting is not None:  # nobody is left to swap with
            self._exactly(self._waiting)

    # What can be read

    def _exactly(self, invoice: Invoice) -> None:
        self._pay(invoice, {"externalRef": invoice.number}, names=invoice)

    def _elsewhere(self, invoice: Invoice) -> None:
        order: Any = [{"note": [self._other_text()]}, {"invoice_number": invoice.number}]
        self._pay(invoice, {"order": order, "amount": invoice.amount}, names=invoice)

    def _respelt(self, invoice: Invoice) -> None:
        text = invoice.number.replace("-", self._chance.choice((" ", "_", "/", ""))).lower()
        self._pay(invoice, {"reference": text}, names=invoice)

    def _full_width(self, invoice: Invoice) -> None:
        wide = "".join(chr(ord(one) + 0xFEE0) if one != " " else one for one in invoice.number)
        self._pay(invoice, {"orderId": wide}, names=invoice)

    def _described(self, invoice: Invoice) -> None:
        text = f"{self._other_text()} for ({invoice.number.lower()}), {self._other_text()}"
        self._pay(invoice, {"description": text}, names=invoice)

    def _by_url(self, invoice: Invoice) -> None:
        other = self._chance.choice(self._numbers)
        url = self._pay(invoice, {"externalRef": other}, names=invoice)
        place = self.corpus.invoices.index(invoice, -1)
        self.corpus.invoices[place] = Invoice(
            row=invoice.row,
            number=invoice.number,
            amount=invoice.amount,
            asset=USD,
            issued=invoice.issued,
            payment_url=url,
        )

    def _split(self, invoice: Invoice) -> None:
        first = invoice.amount // 3
        for part in (first, invoice.amount - first):
            self._pay(invoice, {"externalRef": invoice.number}, part, names=invoice)

    def _swapped(self, invoice: Invoice) -> None:
        """Let two invoices of other amounts be paid under each other's numbers."""
        other = self._waiting
        if other is None or other.amount == invoice.amount:
            self._waiting = invoice
            if other is not None:
                self._exactly(other)
            return
        self._waiting = None
        self._pay(invoice, {"externalRef": other.number}, names=other)
        self._pay(other, {"externalRef": invoice.number}, names=invoice)
        self.corpus.swapped |= {invoice.row, other.row}

    # What cannot

    def _typo(self, invoice: Invoice) -> None:
        self._pay(invoice, {"externalRef": self._spoilt(invoice.number)})

    def _cut(self, invoice: Invoice) -> None:
        """Name a part of a number, and a longer one that it is a part of."""
        digits = invoice.number.rpartition("-")[2]
        text = f"paid {digits}0000{digits} and x{invoice.number}x"
        self._pay(invoice, {"description": text if self._is_harmless(text) else ""})

    def _unnamed(self, invoice: Invoice) -> None:
        self._pay(invoice, {"description": self._other_text()} if invoice.row % 2 else {})

    # How

    def _spoilt(self, number: str) -> str:
        while True:
            place = self._chance.randrange(len(number))
            drop = self._chance.random() < 0.3
            put = "" if drop else self._chance.choice("0123456789OIlB")
            text = number[:place] + put + number[place + 1 :]
            if self._is_harmless(text):
                return text

    def _is_harmless(self, text: str) -> bool:
        if normalised(text) in self._normal:
            return False
        return self._words.isdisjoint(names_in(text))

    def _other_text(self) -> str:
        return self._chance.choice(_THINGS)

    def _pay(
        self,
        invoice: Invoice,
        metadata: dict[str, Any],
        amount: int | None = None,
        *,
        names: Invoice | None = None,
    ) -> str:
        url = f"{_SERVER}/{self._chance.getrandbits(64):016x}"
        received = invoice.amount if amount is None else amount
        text = json.dumps(metadata) if metadata else ""
        description = str(metadata.get("description", ""))
        self.corpus.rows.append(_row(url, received, text, description, len(self.corpus.rows)))
        if names is None:
            self.corpus.spoilt[url] = invoice.row
        else:
            self.corpus.named[url] = names.row
        return url


def _near_numbers(count: int) -> list[str]:
    """Return numbers of which many are parts of others, or like them but for a letter."""
    ways: tuple[Callable[[int], str], ...] = (
        lambda n: f"INV-2026-{n:05}",
        lambda n: f"INV-2026-{n:05}-A",
        lambda n: f"RE-{n:04}",
        lambda n: f"RE-{n:04}0",
    )
    numbers = dict.fromkeys(way(n) for n in range(1, count) for way in ways)
    unique = {normalised(number): number for number in numbers}
    return list(unique.values())[:count]


def _row(url: str, received: int, metadata: str, description: str, place: int) -> PaymentRow:
    created = _BEGAN + timedelta(minutes=37 * place)
    return PaymentRow(
        id=url,
        wallet=_WALLET,
        state=State.PAID,
        final=True,
        needs_action=False,
        not_completed_by_server=False,
        no_longer_at_server=False,
        next_change_at=None,
        asked=received,
        asked_asset=USD,
        received=received,
        received_asset=USD,
        difference=0,
        completed=True,
        created_at=created,
        expires_at=None,
        reference="",
        description=description,
        metadata_json=metadata,
        first_seen_at=created,
        last_seen_at=created,
        changed_at=created,
        gone_at=None,
        reached_at=created,
        scope=Scope.OWN,
        anomalies=(),
    )
