"""beancount ledgers (checked with beancount 3): a transaction for each receipt.

::

    2026-10-05 * "Blue lamp"
      id: "https://rs.example/incoming-payments/2f1b#1250"
      reference: "INV-7"
      Assets:OpenPayments:Shop      12.50 EUR
      Income:OpenPayments          -12.50 EUR

An asset whose code is no commodity's name (2 to 24 capital letters, digits and a few signs) gets
one that ends in a short id of the code; the code is told where the commodity is declared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from opdash.errors import InputError
from opdash.exports.records import Entry, ExportWallet, Names, Statement, Wanted
from opdash.exports.texts import fitting_id, one_line, short_id
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text

STANDARD: Final = Names("Assets:OpenPayments:{wallet}", "Income:OpenPayments")
"""What accounts are called unless a person says otherwise."""

OPENED: Final = "1970-01-01"
"""The day on which accounts and commodities are declared, before all receipts."""

_LONGEST_ID: Final = 2_000
_ROOTS: Final = ("Assets", "Liabilities", "Equity", "Income", "Expenses")
_COMMODITY = re.compile(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]")
_MADE_UP = re.compile(r".*-[A-Z2-7]{8}")
_COMPONENT = re.compile(r"[A-Z0-9][A-Za-z0-9-]*")
_NOT_IN_COMPONENTS = re.compile(r"[^A-Za-z0-9]+")
_NOT_IN_COMMODITIES = re.compile(r"[^A-Z0-9]+")


class Format:
    """Writes beancount ledgers."""

    has_balances = False

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        names = STANDARD.changed_by(wanted.names)
        parts = _components(wanted.wallets)
        self._accounts = {
            address: account_name(names.account, part) for address, part in parts.items()
        }
        self._incomes = {
            address: account_name(names.income, part) for address, part in parts.items()
        }

    def why_no_asset(self, _asset: Asset) -> str:
        """Return why beancount cannot hold an asset: any code has a name of its own."""
        return ""

    def why_not(self, _entry: Entry, _balance: int) -> str:
        """Return why beancount cannot hold an entry: it can hold any."""
        return ""

    def write(
        self,
        statements: Sequence[Statement],
        entries: Callable[[Statement | None], Iterator[Entry]],
    ) -> Iterator[str]:
        """Yield declarations, then a transaction for each receipt."""
        yield ";; receipts of Open Payments wallet addresses, written by opdash\n\n"
        if not self._wanted.entries_only:
            yield from self._declarations(statements)
        for entry in entries(None):
            yield self._transaction(entry)

    def _declarations(self, statements: Sequence[Statement]) -> Iterator[str]:
        for code in dict.fromkeys(one.asset.code for one in statements):
            yield f"{OPENED} commodity {commodity(code)}\n"
            if commodity(code) != code:
                yield f"  name: {quoted(code)}\n"
        addresses = dict.fromkeys(one.wallet.address for one in statements)
        names = [
            names[address] for address in addresses for names in (self._accounts, self._incomes)
        ]
        yield from (f"{OPENED} open {name}\n" for name in dict.fromkeys(names))

    def _transaction(self, entry: Entry) -> str:
        step, address = entry.step, entry.wallet.address
        amount, code = entry.amount, commodity(entry.asset.code)
        counter = amount[1:] if amount.startswith("-") else f"-{amount}"
        account, income = self._accounts[address], self._incomes[address]
        width = max(len(account), len(income)) + 2
        room = max(len(amount), len(counter))
        lines = [
            f"\n{entry.day.isoformat()} * {quoted(step.description or step.reference)}",
            f"  id: {quoted(fitting_id(entry.id, _LONGEST_ID))}",
        ]
        if step.reference:
            lines.append(f"  reference: {quoted(step.reference)}")
        if step.may_be_several:
            lines.append('  note: "may be several receipts, there when opdash first looked"')
        if step.delta < 0:
            lines.append('  note: "taken back by the server"')
        lines.append(f"  {account:<{width}}{amount:>{room}} {code}")
        lines.append(f"  {income:<{width}}{counter:>{room}} {code}\n")
        return "\n".join(lines)


def account_name(pattern: str, component: str) -> str:
    """Return an account's name.

    Args:
        pattern: With ``{wallet}`` for the wallet.
        component: The wallet's name as a part of an account's name.

    Raises:
        InputError: beancount could not read it.
    """
    name = pattern.replace("{wallet}", component)
    root, *parts = name.split(":")
    if root not in _ROOTS or not parts or not all(map(_COMPONENT.fullmatch, parts)):
        raise InputError(
            f"“{safe_text(pattern, limit=80)}” is no account of beancount.",
            "Write one such as Assets:Bank:{wallet}: parts begin with a capital letter or digit "
            "and have letters, digits and - only.",
        )
    return name


def commodity(code: str) -> str:
    """Return what an asset code is called; two codes are never called the same."""
    if _COMMODITY.fullmatch(code) and not _MADE_UP.fullmatch(code):
        return code
    readable = _NOT_IN_COMMODITIES.sub("", code.upper()).lstrip("0123456789")[:12]
    return f"{readable or 'ASSET'}-{short_id(code, 8)}"


def quoted(text: str) -> str:
    """Return a text of one line in quotes."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _components(wallets: Sequence[ExportWallet]) -> dict[str, str]:
    """Return the wallets' names as parts of accounts' names, each another."""
    plain = {wallet.address: _component(wallet.name) for wallet in wallets}
    times = Counter(plain.values())
    return {
        address: part if times[part] == 1 else f"{part}-{short_id(address, 6)}"
        for address, part in plain.items()
    }


def _component(name: str) -> str:
    part = _NOT_IN_COMPONENTS.sub("-", name).strip("-")
    return part[:1].upper() + part[1:] if part else "Wallet"
