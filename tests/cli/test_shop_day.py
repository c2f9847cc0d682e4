"""A day at a shop: fifty invoices, and everything that payers do with them.

The report of the evening is the golden file ``golden/shop-day.md``; ``OPDASH_GOLDEN=write`` writes
it anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.cli.test_reconcile import classes, of_type

GOLDEN = Path(__file__).parent / "golden" / "shop-day.md"
HOUR = 3600

PAID = range(1, 25)
SHORT_AND_CLOSED = range(25, 28)
PARTIAL = range(28, 31)
OVER = range(31, 34)
TWICE = range(34, 36)
LATE = range(36, 39)
EXPIRED = range(39, 42)
EXPIRED_SHORT = range(42, 44)
OPEN = range(44, 47)
OTHER_SPELLING = 47
IN_WORDS = 48
NO_REFERENCE = 49
NEVER = 50


def number(invoice: int) -> str:
    return f"INV-2026-{500 + invoice}"


def cents(invoice: int) -> int:
    """Minor units that an invoice asks for; each another amount."""
    return 1_000 + invoice * 373


class Day:
    """What the shop and its customers do, and what time it is."""

    def __init__(self, shell: Shell, sandbox: SandboxProcess) -> None:
        self.shell = shell
        self._sandbox = sandbox
        lines = [f"{number(n)},{cents(n) / 100:.2f},USD,customer {n}" for n in range(1, 51)]
        path = shell.config.parent / "invoices.csv"
        path.write_text("\n".join(["number,amount,currency,customer", *lines]) + "\n")
        self.file = str(path)

    def bill(self, invoices: Iterable[int], *words: str, expires: str = "20d") -> dict[int, str]:
        """Create payments for invoices from the file, and return their URLs."""
        numbers = {number(n): n for n in invoices}
        options = ["--yes", "--expires", expires, "--rate", "100", "--force", "--json", *words]
        ran = self.shell.done("bill", self.file, *options, "--only", *numbers)
        billed = [line for line in ran.lines if line["type"] == "invoice"]
        return {numbers[line["number"]]: line["paymentId"] for line in billed}

    def ask(self, invoice: int, **words: str) -> str:
        """Ask for an invoice's amount by hand."""
        amount = f"{cents(invoice) / 100:.2f}"
        options = [word for key, value in words.items() for word in (f"--{key}", value)]
        return str(
            self.shell.done("create", "--amount", amount, *options, "--json").line["paymentId"]
        )

    def pay(self, url: str, amount: int) -> None:
        self._sandbox.pay(url, amount)

    def hours_pass(self, hours: float) -> None:
        self._sandbox.advance(hours * HOUR)

    def look(self) -> None:
        self.shell.done("sync")


@pytest.fixture
def day(shell: Shell, fresh_sandbox: SandboxProcess) -> Day:
    (empty,) = [one for one in fresh_sandbox.wallet_addresses if one.endswith("/new")]
    shell.set_up(shop_profile(fresh_sandbox, wallet_address=empty))
    return Day(shell, fresh_sandbox)


def morning(day: Day) -> dict[int, str]:
    """Bill all invoices but the last one, and return their payments."""
    urls = day.bill((*PAID, *SHORT_AND_CLOSED, *PARTIAL, *OVER, *TWICE, *OPEN))
    urls |= day.bill((*LATE, *EXPIRED, *EXPIRED_SHORT), expires="2h")
    urls[OTHER_SPELLING] = day.ask(OTHER_SPELLING, reference="inv 2026/547")
    urls[IN_WORDS] = day.ask(IN_WORDS, description="For INV-2026-548, thank you")
    urls[NO_REFERENCE] = day.ask(NO_REFERENCE)
    return urls


def customers(day: Day, urls: dict[int, str]) -> None:
    """Pay in full, in part, too much, or twice."""
    for n in (*PAID, *TWICE, OTHER_SPELLING, IN_WORDS, NO_REFERENCE):
        day.pay(urls[n], cents(n))
    for n in (*SHORT_AND_CLOSED, *PARTIAL, *EXPIRED_SHORT):
        day.pay(urls[n], cents(n) - 500)
    for n in OVER:
        day.pay(urls[n], cents(n) + 250)
    day.hours_pass(0.01)  # the money is on its way for a moment
    day.look()
    for n in SHORT_AND_CLOSED:
        received = f"{(cents(n) - 500) / 100:.2f}"
        day.shell.done("complete", urls[n], "--received", received, "--yes")
    for n in TWICE:
        day.pay(day.ask(n, reference=number(n)), cents(n))


def afternoon(day: Day) -> None:
    """Let two hours' requests expire, and ask some customers again, who then pay."""
    day.look()
    day.hours_pass(3)
    for n, url in day.bill(LATE, "--again", *map(number, LATE)).items():
        day.pay(url, cents(n))
    tip = day.shell.done("create", "--description", "A tip", "--json").line["paymentId"]
    day.pay(str(tip), 300)
    day.hours_pass(30)
    day.look()


def expected() -> dict[str, str]:
    """Return the class of each invoice in the evening."""
    named: dict[str, tuple[range | tuple[int, ...], ...]] = {
        "PAID": (PAID, LATE, (OTHER_SPELLING, IN_WORDS)),
        "UNDERPAID": (SHORT_AND_CLOSED, EXPIRED_SHORT),
        "PARTIAL": (PARTIAL,),
        "OVERPAID": (OVER,),
        "DUPLICATE PAYMENT": (TWICE,),
        "EXPIRED UNPAID": (EXPIRED,),
        "OUTSTANDING": (OPEN, (NO_REFERENCE, NEVER)),
    }
    return {number(n): name for name, groups in named.items() for group in groups for n in group}


def without_chance(report: str) -> str:
    """Put names for what is another one in each run: addresses, ids and instants."""
    names: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"payment-{len(names) + 1}")

    report = re.sub(r"127\\?\.0\\?\.0\\?\.1(\\?:)\d+", r"wallet.example", report)
    report = re.sub(
        r"[0-9a-f]{8}(?:…|-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", name, report
    )
    return re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d.*$", "(this evening)", report, flags=re.MULTILINE)


def test_fifty_invoices(day: Day) -> None:
    urls = morning(day)
    customers(day, urls)
    afternoon(day)
    ran = day.shell("reconcile", day.file, "--json")

    assert ran.code == 3
    assert classes(ran) == expected()
    (suggested,) = [one for one in of_type(ran, "invoice") if one["suggestion"]]
    assert (suggested["number"], suggested["suggestion"]["paymentId"]) == (
        number(NO_REFERENCE),
        urls[NO_REFERENCE],
    )
    report = without_chance(day.shell("reconcile", day.file, "--markdown", "--offline").out)
    if os.environ.get("OPDASH_GOLDEN") == "write":
        GOLDEN.write_text(report, encoding="utf-8")
    assert report == GOLDEN.read_text(encoding="utf-8")
