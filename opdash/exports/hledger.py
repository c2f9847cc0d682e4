"""hledger journals (checked with hledger 1.25): a transaction for each receipt.

::

    2026-10-05 * (INV-7) Blue lamp
        ; id:https://rs.example/incoming-payments/2f1b#1250
        assets:open payments:shop    12.50 EUR
        income:open payments        -12.50 EUR

What has a meaning in a journal is replaced by what looks the same: ``;`` and ``|`` in descriptions
by their full-width forms, and in the values of tags, which a comma ends, also the comma.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from opdash.errors import InputError
from opdash.exports.records import Entry, Names, Statement, Wanted
from opdash.exports.texts import fitting_id, one_line
from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import safe_text

STANDARD: Final = Names("assets:open payments:{wallet}", "income:open payments")
"""What accounts are called unless a person says otherwise."""

_LONGEST_ID: Final = 2_000
_PLAIN_CODE = re.compile(r"[A-Za-z]+")
_BAD_ACCOUNT = re.compile(r"[;\t\x00-\x1f\x7f]|  |^[ (\[!*=:]|[ :]$|::")
_DESCRIPTION: Final = str.maketrans({";": "；", "|": "｜"})
_TAG: Final = str.maketrans({",": "，", ";": "；"})
_NOT_IN_CODES = re.compile(r"[();|]")


class Format:
    """Writes hledger journals."""

    has_balances = False

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._names = STANDARD.changed_by(wanted.names)
        self._accounts = {
            wallet.address: account_name(self._names.account, wallet.name)
            for wallet in wanted.wallets
        }
        self._incomes = {
            wallet.address: account_name(self._names.income, wallet.name)
            for wallet in wanted.wallets
        }

    def why_no_asset(self, asset: Asset) -> str:
        """Return why hledger cannot hold an asset."""
        if not asset.code or '"' in asset.code or not asset.code.isprintable():
            return f"hledger has no commodity “{safe_text(asset.code, limit=24)}”"
        return ""

    def why_not(self, _entry: Entry, _balance: int) -> str:
        """Return why hledger cannot hold an entry: it can hold any."""
        return ""

    def write(
        self,
        statements: Sequence[Statement],
        entries: Callable[[Statement | None], Iterator[Entry]],
    ) -> Iterator[str]:
        """Yield declarations, then a transaction for each receipt."""
        yield "; receipts of Open Payments wallet addresses, written by opdash\n\n"
        if not self._wanted.entries_only:
            yield from self._declarations(statements)
        else:
            yield "decimal-mark .\n"
        for entry in entries(None):
            yield self._transaction(entry)

    def _declarations(self, statements: Sequence[Statement]) -> Iterator[str]:
        yield "decimal-mark .\n"
        scales: dict[str, int] = {}
        for one in statements:
            scales[one.asset.code] = max(one.asset.scale, scales.get(one.asset.code, 0))
        for code, scale in scales.items():
            zero = format_minor(1000 * 10**scale, scale)
            yield f"commodity {zero if scale else zero + '.'} {_commodity(code)}\n"
        addresses = {one.wallet.address: None for one in statements}
        names = [names[address] for address in addresses for names in self._both]
        yield from (f"account {name}\n" for name in dict.fromkeys(names))

    @property
    def _both(self) -> tuple[dict[str, str], dict[str, str]]:
        return self._accounts, self._incomes

    def _transaction(self, entry: Entry) -> str:
        step, address = entry.step, entry.wallet.address
        amount, commodity = entry.amount, _commodity(entry.asset.code)
        counter = amount[1:] if amount.startswith("-") else f"-{amount}"
        account, income = self._accounts[address], self._incomes[address]
        width = max(len(account), len(income)) + 2
        room = max(len(amount), len(counter))
        tags = [f"id:{tag_value(fitting_id(entry.id, _LONGEST_ID))}"]
        if step.reference and tag_value(step.reference):
            tags.append(f"reference:{tag_value(step.reference)}")
        if step.may_be_several:
            tags.append("note:may be several receipts, there when opdash first looked")
        if step.delta < 0:
            tags.append("note:taken back by the server")
        return (
            f"\n{entry.day.isoformat()} *{title(step.reference, step.description)}"
            + "".join(f"\n    ; {tag}" for tag in tags)
            + f"\n    {account:<{width}}{amount:>{room}} {commodity}"
            + f"\n    {income:<{width}}{counter:>{room}} {commodity}\n"
        )


def account_name(pattern: str, wallet: str) -> str:
    """Return an account's name.

    Raises:
        InputError: hledger could not read it.
    """
    name = pattern.replace("{wallet}", " ".join(wallet.split()))
    if not name or not name.isprintable() or _BAD_ACCOUNT.search(name):
        raise InputError(
            f"“{safe_text(pattern, limit=80)}” is no account of hledger.",
            "Write one such as assets:bank:{wallet}: no ; and no two blanks in a row.",
        )
    return name


def title(reference: str, text: str) -> str:
    """Return what stands behind the status of a transaction: its code and description."""
    written, short = description(text), code(reference)
    # What begins with a bracket would be taken for a code where there is none.
    before = f" ({short})" if short or written.startswith("(") else ""
    return f"{before} {written}".rstrip()


def description(text: str) -> str:
    """Return a description as a journal can hold it."""
    return one_line(text).translate(_DESCRIPTION)


def code(reference: str) -> str:
    """Return a reference as the code of a transaction, empty where it cannot be one."""
    line = one_line(reference)
    return "" if _NOT_IN_CODES.search(line) else line


def tag_value(text: str) -> str:
    """Return a text as the value of a tag."""
    return one_line(text).translate(_TAG)


def _commodity(code: str) -> str:
    return code if _PLAIN_CODE.fullmatch(code) else f'"{code}"'
