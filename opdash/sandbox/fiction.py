"""Made-up payments: invoices, tips and web monetization, all following from one seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random

from opdash.openpayments.amounts import Asset

_GOODS = (
    "Two bags of espresso beans",
    "Stoneware mug, blue",
    "Workshop: latte art, 2 seats",
    "Repair of a hand grinder",
    "Filter papers, box of 400",
    "Gift card",
    "Catering, small order",
    "Linen apron",
    "Cold brew, crate of 12",
    "Poster “Coffee plants of the world”",
    "Monthly subscription, 1 kg",
    "Pour-over set",
    "Wedding order, deposit",
    "Café table, used",
    "Müsli and Brötchen, Saturday",
)
_CUSTOMERS = (
    "Ana Ribeiro",
    "Jonas Weber",
    "Thandiwe Mokoena",
    "Zoë Larsen",
    "Søren Holm",
    "山田 太郎",
    "Miguel Ortega",
    "Priya Nair",
    "Lucía Fernández",
    "Kwame Boateng",
    "Eszter Szabó",
    "O’Neill & Sons",
)
_THANKS = ("Thank you!", "Tip for the barista ☕", "Keep it up", "For the song", "❤", "Great talk")
_PAGES = ("/", "/beans/ethiopia", "/blog/water", "/blog/grinding", "/events", "/recipes/cold-brew")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a made-up payment asks for.

    Attributes:
        asked: Minor units, or None.
        metadata: The metadata object's JSON.
    """

    asked: int | None
    metadata: str


class Fiction:
    """Makes payments up."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)  # noqa: S311 - made-up data, and the same each time

    def payment_id(self) -> str:
        """Return the next UUID."""
        return spell_uuid(self.random.getrandbits(128))

    def invoice(self, asset: Asset, number: int, year: int) -> Draft:
        """Return an invoice over some whole and half units.

        Args:
            asset: What it is in.
            number: Its running number.
            year: The year in that number.
        """
        reference = f"INV-{year}-{number:04d}"
        metadata: dict[str, object] = {
            "externalRef": reference,
            "description": self.random.choice(_GOODS),
        }
        chance = self.random.random()
        if chance < 0.4:
            metadata["customer"] = self.random.choice(_CUSTOMERS)
        elif chance < 0.5:
            items = [
                {"name": self.random.choice(_GOODS), "quantity": self.random.randint(1, 4)}
                for _ in range(2)
            ]
            metadata["order"] = {"items": items, "table": self.random.randint(1, 12)}
        return Draft(self.price(asset), _written(metadata))

    def tip(self) -> Draft:
        """Return a tip: nothing is asked for."""
        return Draft(None, _written({"type": "tip", "description": self.random.choice(_THANKS)}))

    def monetization(self) -> Draft:
        """Return what a browser creates to stream small amounts to a page."""
        page = f"https://rosa.example{self.random.choice(_PAGES)}"
        return Draft(None, _written({"source": "web-monetization", "page": page}))

    def price(self, asset: Asset) -> int:
        """Return a price as a shop would set it, in minor units."""
        cents = self.random.choice(
            (250, 480, 990, 1200, 1999, 2450, 3500, 4500, 8000, 12550, 25000)
        )
        return from_cents(cents, asset)

    def small_amount(self, asset: Asset) -> int:
        """Return a tip's amount in minor units."""
        return from_cents(self.random.choice((50, 100, 150, 200, 300, 500, 750)), asset)


def from_cents(cents: int, asset: Asset) -> int:
    """Return about as much, in minor units of an asset, as so many cents of a dollar."""
    if asset.code == "JPY":
        return max(1, cents * 3 // 2)
    return cents * int(10**asset.scale) // 100


def spell_uuid(bits: int) -> str:
    """Write 128 bits as a UUID of version 4."""
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[bits & 3]}{text[17:20]}-{text[20:]}"


def _written(metadata: dict[str, object]) -> str:
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
