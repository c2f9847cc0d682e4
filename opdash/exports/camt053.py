"""ISO 20022 bank statements, camt.053.001.08: one for each wallet address and asset.

Version 08 because it is the one that European banks have sent since 2025 and that programs
therefore read today. Only elements that older versions have too are written. The balances are
running sums of what opdash observed, from 0, and the statement says so.

A receipt's id is longer than the 35 characters there are, so entries carry a short one that is
always the same; the whole one stands in the additional information.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final

from opdash.exports.records import Entry, Statement, Wanted
from opdash.exports.statement_accounts import account_number, account_numbers
from opdash.exports.texts import cut, one_line, short_id, xml_text
from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import safe_text

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
"""Names the kind of document."""

_LONGEST_ACCOUNT: Final = 34
_LONGEST_NAME: Final = 70
_LONGEST_REMARK: Final = 140
_LONGEST_INFORMATION: Final = 500
_DIGITS: Final = 18
_DECIMALS: Final = 5
_CURRENCY = re.compile(r"[A-Z]{3}")
_SAID: Final = (
    "Balances are running sums, from 0, of the receipts that opdash observed; "
    "the wallet provider has not confirmed them."
)


class Format:
    """Writes camt.053."""

    has_balances = True

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._numbers = account_numbers(wanted, _LONGEST_ACCOUNT)
        self._now = _instant(wanted.now)

    def why_no_asset(self, asset: Asset) -> str:
        """Return why camt.053 cannot hold an asset: currencies have three capital letters."""
        if _CURRENCY.fullmatch(asset.code):
            return ""
        shown = safe_text(asset.code, limit=24)
        return f"camt.053 has no currency “{shown}”: it takes three letters"

    def why_not(self, entry: Entry, balance: int) -> str:
        """Return why camt.053 cannot hold an entry: 18 digits, 5 of them decimals."""
        scale = entry.asset.scale
        if fits(entry.step.delta, scale) and fits(balance, scale):
            return ""
        return f"camt.053 holds {_DIGITS} digits and {_DECIMALS} decimals"

    def write(
        self,
        statements: Sequence[Statement],
        entries: Callable[[Statement | None], Iterator[Entry]],
    ) -> Iterator[str]:
        """Yield a statement for each wallet address and asset."""
        message = self._id(*statements)
        yield (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<Document xmlns="{NAMESPACE}">\n<BkToCstmrStmt>\n'
            f"<GrpHdr><MsgId>{message}</MsgId><CreDtTm>{self._now}</CreDtTm></GrpHdr>\n"
        )
        for statement in statements:
            yield self._head(statement)
            for entry in entries(statement):
                yield _entry(entry)
            yield f"<AddtlStmtInf>{_information(_SAID, statement.wallet.address)}</AddtlStmtInf>\n"
            yield "</Stmt>\n"
        yield "</BkToCstmrStmt>\n</Document>\n"

    def _id(self, *statements: Statement) -> str:
        """Return the id of a statement, or of several: the same for the same entries."""
        parts = [self._wanted.kind]
        parts += [
            f"{account_number(one)} {one.first} {one.last} {one.opening} {one.closing} {one.count}"
            for one in statements
        ]
        return short_id("\n".join(parts))

    def _head(self, statement: Statement) -> str:
        wallet, asset = statement.wallet, statement.asset
        number = self._numbers.get(wallet.address) or account_number(statement)
        return (
            f"<Stmt>\n<Id>{self._id(statement)}</Id><CreDtTm>{self._now}</CreDtTm>\n"
            f"<FrToDt><FrDtTm>{statement.first}T00:00:00</FrDtTm>"
            f"<ToDtTm>{statement.last}T23:59:59</ToDtTm></FrToDt>\n"
            f"<Acct><Id><Othr><Id>{xml_text(number)}</Id></Othr></Id><Ccy>{asset.code}</Ccy>"
            f"<Nm>{xml_text(cut(one_line(wallet.name), _LONGEST_NAME))}</Nm></Acct>\n"
            + _balance("OPBD", statement.opening, asset, statement.first)
            + _balance("CLBD", statement.closing, asset, statement.last)
            + self._summary(statement)
        )

    def _summary(self, statement: Statement) -> str:
        """Return counts and sums, which may be left out where they do not fit."""
        asset, net = statement.asset, statement.closing - statement.opening
        total = statement.came + statement.went
        if not (fits(total, asset.scale) and fits(net, asset.scale)):
            return ""
        credit, debit = _sum(statement.came, asset), _sum(statement.went, asset)
        gone_count = statement.count - statement.came_count
        return (
            f"<TxsSummry><TtlNtries><NbOfNtries>{statement.count}</NbOfNtries>"
            f"<Sum>{_sum(total, asset)}</Sum>"
            f"<TtlNetNtry><Amt>{_sum(abs(net), asset)}</Amt>"
            f"<CdtDbtInd>{_side(net)}</CdtDbtInd></TtlNetNtry></TtlNtries>"
            f"<TtlCdtNtries><NbOfNtries>{statement.came_count}</NbOfNtries>"
            f"<Sum>{credit}</Sum></TtlCdtNtries>"
            f"<TtlDbtNtries><NbOfNtries>{gone_count}</NbOfNtries>"
            f"<Sum>{debit}</Sum></TtlDbtNtries></TxsSummry>\n"
        )


def fits(minor_units: int, scale: int) -> bool:
    """Return whether an amount has at most 18 digits, at most 5 of them decimals that count."""
    written = decimal(minor_units, scale)
    whole, _, fraction = written.partition(".")
    return len(fraction) <= _DECIMALS and len(whole.lstrip("0") + fraction) <= _DIGITS


def decimal(minor_units: int, scale: int) -> str:
    """Return an amount without its sign, and without the zeros that end more than two decimals."""
    written = format_minor(abs(minor_units), scale)
    whole, _, fraction = written.partition(".")
    kept = fraction[:2] + fraction[2:].rstrip("0")
    return f"{whole}.{kept}" if kept else whole


def _sum(minor_units: int, asset: Asset) -> str:
    return decimal(minor_units, asset.scale)


def _balance(code: str, minor_units: int, asset: Asset, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{asset.code}">{decimal(minor_units, asset.scale)}</Amt>'
        f"<CdtDbtInd>{_side(minor_units)}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _entry(entry: Entry) -> str:
    step = entry.step
    short = short_id(entry.id)
    amount = f'<Amt Ccy="{entry.asset.code}">{decimal(step.delta, entry.asset.scale)}</Amt>'
    side = f"<CdtDbtInd>{_side(step.delta)}</CdtDbtInd>"
    reversal = "" if step.delta > 0 else "<RvslInd>true</RvslInd>"
    remarks = "".join(f"<Ustrd>{xml_text(part)}</Ustrd>" for part in _remarks(entry))
    remittance = f"<RmtInf>{remarks}</RmtInf>" if remarks else ""
    several = "May be several receipts, there when opdash first looked."
    return (
        f"<Ntry><NtryRef>{short}</NtryRef>{amount}{side}{reversal}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{entry.day}</Dt></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>"
        f"<AcctSvcrRef>{short}</AcctSvcrRef>"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>OTHR</SubFmlyCd></Fmly></Domn>"
        "</BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><AcctSvcrRef>{short}</AcctSvcrRef></Refs>{amount}{side}"
        f"{remittance}</TxDtls></NtryDtls>"
        f"<AddtlNtryInf>{_information(several if step.may_be_several else '', entry.id)}"
        "</AddtlNtryInf></Ntry>\n"
    )


def _remarks(entry: Entry) -> Iterator[str]:
    """Yield reference and description, each in pieces as long as there is room for."""
    for text in (entry.step.reference, entry.step.description):
        line = one_line(text)[: 4 * _LONGEST_REMARK]
        for start in range(0, len(line), _LONGEST_REMARK):
            piece = line[start : start + _LONGEST_REMARK].strip()
            if piece:
                yield piece


def _information(said: str, what: str) -> str:
    """Return a remark and a URL, which is cut where there is no room for it."""
    room = _LONGEST_INFORMATION - len(said) - 1
    return xml_text(f"{said} {cut(one_line(what), room)}")


def _side(minor_units: int) -> str:
    return "DBIT" if minor_units < 0 else "CRDT"


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
