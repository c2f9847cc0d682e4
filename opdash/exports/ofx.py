"""OFX 2.1.1 bank statements: one for each wallet address and asset, an entry for each receipt.

Version 2 because it is XML, which the programs that read OFX take today; 1.x has no rules for
texts that are not Latin. The balances are running sums of what opdash observed, from 0, and the
statement says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date
from typing import Final

from opdash.exports.records import Entry, Statement, Wanted
from opdash.exports.statement_accounts import account_number, account_numbers
from opdash.exports.texts import cut, fitting_id, one_line, xml_text
from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import safe_text

BANK: Final = "OPENPAYMT"
"""Stands where a bank's number does; nine characters at the most."""

_LONGEST_ACCOUNT: Final = 22
_LONGEST_ID: Final = 255
_LONGEST_NAME: Final = 32
_LONGEST_MEMO: Final = 255
_LONGEST_AMOUNT: Final = 32
_CURRENCY = re.compile(r"[A-Z]{3}")
_SAID: Final = (
    "Balances are running sums, from 0, of the receipts that opdash observed; "
    "the wallet provider has not confirmed them."
)
_HEAD: Final = """\
<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX>
<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>\
<DTSERVER>{now}</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1>
"""


class Format:
    """Writes OFX."""

    has_balances = True

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._numbers = account_numbers(wanted, _LONGEST_ACCOUNT)

    def why_no_asset(self, asset: Asset) -> str:
        """Return why OFX cannot hold an asset: currencies have three capital letters."""
        if _CURRENCY.fullmatch(asset.code):
            return ""
        return f"OFX has no currency “{safe_text(asset.code, limit=24)}”: it takes three letters"

    def why_not(self, entry: Entry, balance: int) -> str:
        """Return why OFX cannot hold an entry: amounts have at most 32 characters."""
        if max(len(entry.amount), len(format_minor(balance, entry.asset.scale))) > _LONGEST_AMOUNT:
            return f"OFX holds amounts of at most {_LONGEST_AMOUNT} characters"
        return ""

    def write(
        self,
        statements: Sequence[Statement],
        entries: Callable[[Statement | None], Iterator[Entry]],
    ) -> Iterator[str]:
        """Yield a statement for each wallet address and asset."""
        yield _HEAD.format(now=f"{self._wanted.now.astimezone(UTC):%Y%m%d%H%M%S}[0:GMT]")
        for number, statement in enumerate(statements, start=1):
            yield from self._statement(number, statement, entries(statement))
        yield "</BANKMSGSRSV1>\n</OFX>\n"

    def _statement(
        self, number: int, statement: Statement, entries: Iterator[Entry]
    ) -> Iterator[str]:
        asset = statement.asset
        own_number = self._numbers.get(statement.wallet.address)
        yield (
            f"<STMTTRNRS><TRNUID>{number}</TRNUID>"
            "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>\n"
            f"<STMTRS><CURDEF>{asset.code}</CURDEF>"
            f"<BANKACCTFROM><BANKID>{BANK}</BANKID>"
            f"<ACCTID>{xml_text(own_number or account_number(statement))}</ACCTID>"
            "<ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>\n"
            f"<BANKTRANLIST><DTSTART>{_noon(statement.first)}</DTSTART>"
            f"<DTEND>{_noon(statement.last)}</DTEND>\n"
        )
        for entry in entries:
            yield _entry(entry)
        closing = format_minor(statement.closing, asset.scale)
        opening = format_minor(statement.opening, asset.scale)
        day = _noon(statement.last)
        yield (
            "</BANKTRANLIST>\n"
            f"<LEDGERBAL><BALAMT>{closing}</BALAMT><DTASOF>{day}</DTASOF></LEDGERBAL>\n"
            "<BALLIST><BAL><NAME>Before these entries</NAME>"
            "<DESC>Running sum from 0 of receipts observed</DESC><BALTYPE>DOLLAR</BALTYPE>"
            f"<VALUE>{opening}</VALUE><DTASOF>{_noon(statement.first)}</DTASOF></BAL></BALLIST>\n"
            f"<MKTGINFO>{_SAID} {xml_text(cut(statement.wallet.address, 200))}</MKTGINFO>\n"
            "</STMTRS></STMTTRNRS>\n"
        )


def _entry(entry: Entry) -> str:
    step = entry.step
    reference, description = one_line(step.reference), one_line(step.description)
    name = cut(reference or description or "Open Payments", _LONGEST_NAME)
    remarks = [
        reference,
        description,
        "may be several receipts, there when opdash first looked" if step.may_be_several else "",
        "taken back by the server" if step.delta < 0 else "",
    ]
    memo = cut(" · ".join(filter(None, remarks)), _LONGEST_MEMO)
    return (
        f"<STMTTRN><TRNTYPE>{'CREDIT' if step.delta > 0 else 'DEBIT'}</TRNTYPE>"
        f"<DTPOSTED>{_noon(entry.day)}</DTPOSTED><TRNAMT>{entry.amount}</TRNAMT>"
        f"<FITID>{xml_text(fitting_id(entry.id, _LONGEST_ID))}</FITID>"
        f"<NAME>{xml_text(name)}</NAME>"
        + (f"<MEMO>{xml_text(memo)}</MEMO>" if memo else "")
        + "</STMTTRN>\n"
    )


def _noon(day: date) -> str:
    """Return noon of a day: it is the same day wherever a program thinks it is."""
    return f"{day.year:04}{day.month:02}{day.day:02}120000[0:GMT]"
