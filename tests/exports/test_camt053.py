"""camt.053.001.08, held against a table of its elements.

The table is written from knowledge of the message: for each element that opdash writes, its
children in their order with how often they may be there, or what its text must look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.exports.camt053 import NAMESPACE, decimal, fits
from opdash.exports.records import FormatName, Names
from opdash.exports.texts import one_line, short_id
from opdash.ledger.reader import LedgerReader
from opdash.periods import read_period
from tests.exports.builders import (
    BERLIN,
    at,
    exported,
    record_texts,
    text_of,
    texts,
    told,
)
from tests.ledger.builders import ADDRESS, NOW, Book, payment, payment_id

CAMT = FormatName.CAMT053

MANY = 10**9
OPTIONAL, ONE, SEVERAL, ANY = (0, 1), (1, 1), (1, MANY), (0, MANY)

Children = list[tuple[str, tuple[int, int], str]]
"""For each child in its order: its name, how often, and its type."""

SEQUENCES: dict[str, Children] = {
    "Document": [("BkToCstmrStmt", ONE, "BankToCustomerStatementV08")],
    "BankToCustomerStatementV08": [
        ("GrpHdr", ONE, "GroupHeader81"),
        ("Stmt", SEVERAL, "AccountStatement9"),
    ],
    "GroupHeader81": [("MsgId", ONE, "Max35Text"), ("CreDtTm", ONE, "ISODateTime")],
    "AccountStatement9": [
        ("Id", ONE, "Max35Text"),
        ("CreDtTm", OPTIONAL, "ISODateTime"),
        ("FrToDt", OPTIONAL, "DateTimePeriod1"),
        ("Acct", ONE, "CashAccount39"),
        ("Bal", SEVERAL, "CashBalance8"),
        ("TxsSummry", OPTIONAL, "TotalTransactions6"),
        ("Ntry", ANY, "ReportEntry10"),
        ("AddtlStmtInf", OPTIONAL, "Max500Text"),
    ],
    "DateTimePeriod1": [("FrDtTm", ONE, "ISODateTime"), ("ToDtTm", ONE, "ISODateTime")],
    "CashAccount39": [
        ("Id", ONE, "AccountIdentification4Choice"),
        ("Ccy", OPTIONAL, "CurrencyCode"),
        ("Nm", OPTIONAL, "Max70Text"),
    ],
    "AccountIdentification4Choice": [("Othr", ONE, "GenericAccountIdentification1")],
    "GenericAccountIdentification1": [("Id", ONE, "Max34Text")],
    "CashBalance8": [
        ("Tp", ONE, "BalanceType13"),
        ("Amt", ONE, "CurrencyAndAmount"),
        ("CdtDbtInd", ONE, "CreditDebitCode"),
        ("Dt", ONE, "DateAndDateTime2Choice"),
    ],
    "BalanceType13": [("CdOrPrtry", ONE, "BalanceType10Choice")],
    "BalanceType10Choice": [("Cd", ONE, "BalanceTypeCode")],
    "DateAndDateTime2Choice": [("Dt", ONE, "ISODate")],
    "TotalTransactions6": [
        ("TtlNtries", OPTIONAL, "NumberAndSumOfTransactions4"),
        ("TtlCdtNtries", OPTIONAL, "NumberAndSumOfTransactions1"),
        ("TtlDbtNtries", OPTIONAL, "NumberAndSumOfTransactions1"),
    ],
    "NumberAndSumOfTransactions4": [
        ("NbOfNtries", OPTIONAL, "Max15NumericText"),
        ("Sum", OPTIONAL, "DecimalNumber"),
        ("TtlNetNtry", OPTIONAL, "AmountAndDirection35"),
    ],
    "NumberAndSumOfTransactions1": [
        ("NbOfNtries", OPTIONAL, "Max15NumericText"),
        ("Sum", OPTIONAL, "DecimalNumber"),
    ],
    "AmountAndDirection35": [
        ("Amt", ONE, "NonNegativeDecimalNumber"),
        ("CdtDbtInd", ONE, "CreditDebitCode"),
    ],
    "ReportEntry10": [
        ("NtryRef", OPTIONAL, "Max35Text"),
        ("Amt", ONE, "CurrencyAndAmount"),
        ("CdtDbtInd", ONE, "CreditDebitCode"),
        ("RvslInd", OPTIONAL, "TrueFalseIndicator"),
        ("Sts", ONE, "EntryStatus1Choice"),
        ("BookgDt", OPTIONAL, "DateAndDateTime2Choice"),
        ("ValDt", OPTIONAL, "DateAndDateTime2Choice"),
        ("AcctSvcrRef", OPTIONAL, "Max35Text"),
        ("BkTxCd", ONE, "BankTransactionCodeStructure4"),
        ("NtryDtls", ANY, "EntryDetails9"),
        ("AddtlNtryInf", OPTIONAL, "Max500Text"),
    ],
    "EntryStatus1Choice": [("Cd", ONE, "EntryStatusCode")],
    "BankTransactionCodeStructure4": [("Domn", OPTIONAL, "BankTransactionCodeStructure5")],
    "BankTransactionCodeStructure5": [
        ("Cd", ONE, "Max4Code"),
        ("Fmly", ONE, "BankTransactionCodeStructure6"),
    ],
    "BankTransactionCodeStructure6": [("Cd", ONE, "Max4Code"), ("SubFmlyCd", ONE, "Max4Code")],
    "EntryDetails9": [("TxDtls", ANY, "EntryTransaction10")],
    "EntryTransaction10": [
        ("Refs", OPTIONAL, "TransactionReferences6"),
        ("Amt", OPTIONAL, "CurrencyAndAmount"),
        ("CdtDbtInd", OPTIONAL, "CreditDebitCode"),
        ("RmtInf", OPTIONAL, "RemittanceInformation16"),
    ],
    "TransactionReferences6": [("AcctSvcrRef", OPTIONAL, "Max35Text")],
    "RemittanceInformation16": [("Ustrd", ANY, "Max140Text")],
}
"""Elements with children."""

_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"

PATTERNS = {
    "Max4Code": r".{1,4}",
    "Max15NumericText": r"[0-9]{1,15}",
    **{f"Max{length}Text": rf".{{1,{length}}}" for length in (34, 35, 70, 140, 500)},
    "ISODate": _DATE,
    "ISODateTime": rf"{_DATE}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(Z|[+-]\d\d:\d\d)?",
    "CurrencyCode": r"[A-Z]{3}",
    "CreditDebitCode": r"CRDT|DBIT",
    "TrueFalseIndicator": r"true|false",
    "BalanceTypeCode": r"OPBD|CLBD",
    "EntryStatusCode": r"BOOK|PDNG|INFO|FUTR",
    "CurrencyAndAmount": r"(?=(?:\.?[0-9]){1,18}$)[0-9]+(\.[0-9]{1,5})?",
    "DecimalNumber": r"-?(?=(?:\.?[0-9]){1,18}$)[0-9]+(\.[0-9]{1,17})?",
    "NonNegativeDecimalNumber": r"(?=(?:\.?[0-9]){1,18}$)[0-9]+(\.[0-9]{1,17})?",
}
"""What the texts of other elements look like; leading zeros do not count as digits."""


def complaints(text: str) -> Iterator[str]:
    """Yield what is wrong with a document."""
    root = Xml.fromstring(text)
    if root.tag != f"{{{NAMESPACE}}}Document":
        yield f"the root is {root.tag}"
    yield from _complaints(root, "Document", "Document")


def _complaints(element: Xml.Element, kind: str, where: str) -> Iterator[str]:
    yield from _attribute_complaints(element, kind, where)
    if kind in SEQUENCES:
        yield from _children_complaints(element, kind, where)
    elif len(element):
        yield f"{where} has children"
    elif not re.fullmatch(PATTERNS[kind], element.text or ""):
        yield f"{where} is {element.text!r}, which is no {kind}"


def _attribute_complaints(element: Xml.Element, kind: str, where: str) -> Iterator[str]:
    has_currency = kind == "CurrencyAndAmount"
    if set(element.attrib) != ({"Ccy"} if has_currency else set()):
        yield f"{where} has the attributes {element.attrib}"
    if has_currency and not re.fullmatch(PATTERNS["CurrencyCode"], element.get("Ccy", "")):
        yield f"{where} has the currency {element.get('Ccy')}"


def _children_complaints(element: Xml.Element, kind: str, where: str) -> Iterator[str]:
    if (element.text or "").strip():
        yield f"{where} has a text"
    children = list(element)
    for name, (least, most), its_kind in SEQUENCES[kind]:
        count = 0
        while children and children[0].tag == f"{{{NAMESPACE}}}{name}":
            count += 1
            yield from _complaints(children.pop(0), its_kind, f"{where}/{name}[{count}]")
        if not least <= count <= most:
            yield f"{where} has {count} {name}"
    if children:
        yield f"{where} has {children[0].tag} where it must not be"


def found(element: Xml.Element, path: str) -> list[str]:
    """Return the texts at a path."""
    spaces = {"c": NAMESPACE}
    wanted = "/".join(f"c:{name}" for name in path.split("/"))
    return [one.text or "" for one in element.findall(wanted, spaces)]


def statements(text: str) -> list[Xml.Element]:
    assert list(complaints(text)) == []
    return Xml.fromstring(text).findall(f".//{{{NAMESPACE}}}Stmt")


def test_the_table_finds_what_is_wrong(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5, "INV-7"), at=NOW)
    text = text_of(reader, CAMT)

    assert list(complaints(text)) == []
    for right, wrong in (
        ("<Sts><Cd>BOOK</Cd></Sts>", ""),
        ("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>"),
        ('<Amt Ccy="USD">0.05</Amt>', '<Amt Ccy="usd">0.05</Amt>'),
        ('<Amt Ccy="USD">0.05</Amt>', '<Amt Ccy="USD">0.050001</Amt>'),
        ('<Amt Ccy="USD">0.05</Amt>', '<Amt Ccy="USD">1234567890123456.005</Amt>'),
        ("<Ustrd>INV-7</Ustrd>", f"<Ustrd>{'x' * 141}</Ustrd>"),
        ("<NtryRef>", "<AcctSvcrRef>x</AcctSvcrRef><NtryRef>"),
        ("2026-11-20</Dt>", "2026-13-20</Dt>"),
    ):
        assert right in text
        assert list(complaints(text.replace(right, wrong, 1))), wrong


def test_a_receipt_is_an_entry(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 0, "INV-7", "Blue lamp"), told("b", 700, code="EUR"), at=NOW)
    book.record(told("a", 1250, "INV-7", "Blue lamp"), at=at(1))
    book.record(told("a", 1200, "INV-7", "Blue lamp"), at=at(2))

    euros, dollars = statements(text_of(reader, CAMT))

    assert found(euros, "Ntry/Amt") == ["7.00"]
    assert found(euros, "Acct/Ccy") == ["EUR"]
    assert found(dollars, "Ntry/Amt") == ["12.50", "0.50"]
    assert found(dollars, "Ntry/CdtDbtInd") == ["CRDT", "DBIT"]
    assert found(dollars, "Ntry/RvslInd") == ["true"]
    assert found(dollars, "Ntry/BookgDt/Dt") == ["2026-11-20"] * 2
    assert found(dollars, "Ntry/NtryDtls/TxDtls/RmtInf/Ustrd") == ["INV-7", "Blue lamp"] * 2
    ids = [f"{payment_id('a')}#1250", f"{payment_id('a')}#1200.1"]
    assert found(dollars, "Ntry/NtryRef") == [short_id(one) for one in ids]
    assert found(dollars, "Ntry/AddtlNtryInf") == ids
    assert found(dollars, "Bal/Tp/CdOrPrtry/Cd") == ["OPBD", "CLBD"]
    assert found(dollars, "Bal/Amt") == ["0.00", "12.00"]
    assert found(dollars, "TxsSummry/TtlNtries/Sum") == ["13.00"]
    assert found(dollars, "TxsSummry/TtlNtries/TtlNetNtry/Amt") == ["12.00"]
    assert found(dollars, "TxsSummry/TtlDbtNtries/Sum") == ["0.50"]
    assert ADDRESS in found(dollars, "AddtlStmtInf")[0]
    assert "running sums, from 0" in found(dollars, "AddtlStmtInf")[0]
    assert found(euros, "Ntry/AddtlNtryInf")[0].startswith("May be several receipts")


def test_a_statement_begins_with_what_was_there(book: Book, reader: LedgerReader) -> None:
    for day in range(3):
        book.record(told("a", 100 * (day + 1), created=NOW), at=at(day * 1440))

    period = read_period("2026-11-21", NOW, BERLIN)
    (statement,) = statements(text_of(reader, CAMT, period=period))

    assert found(statement, "Bal/Amt") == ["1.00", "2.00"]
    assert found(statement, "Bal/Dt/Dt") == ["2026-11-21"] * 2
    assert found(statement, "FrToDt/FrDtTm") == ["2026-11-21T00:00:00"]
    assert found(statement, "FrToDt/ToDtTm") == ["2026-11-21T23:59:59"]
    assert found(statement, "Ntry/Amt") == ["1.00"]


def test_the_same_entries_have_the_same_ids(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 100), at=NOW)

    first, again = (
        text_of(reader, CAMT, now=moment).replace(f"{moment:%H:%M:%S}", "")
        for moment in (at(5), at(6))
    )

    assert first == again


def test_a_ledger_without_receipts_has_a_statement(reader: LedgerReader) -> None:
    (statement,) = statements(text_of(reader, CAMT))

    assert found(statement, "Ntry") == []
    assert found(statement, "Bal/Amt") == ["0.00", "0.00"]


def test_accounts_are_called_as_a_person_says(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5), at=NOW)

    (statement,) = statements(text_of(reader, CAMT, names=Names("DE02 <1>")))

    assert found(statement, "Acct/Id/Othr/Id") == ["DE02 <1>"]


@pytest.mark.parametrize(
    ("minor_units", "scale", "written", "is_held"),
    [
        (0, 0, "0", True),
        (1250, 2, "12.50", True),
        (1250, 3, "1.25", True),
        (1000, 3, "1.00", True),
        (12345678, 6, "12.345678", False),
        (12345670, 6, "12.34567", True),
        (10**18 - 1, 0, "9" * 18, True),
        (10**18, 0, "1" + "0" * 18, False),
        (10**18 - 1, 2, "9" * 16 + ".99", True),
        (10**18, 2, "1" + "0" * 16 + ".00", False),
        (99999, 5, "0.99999", True),
        (5 * 10**250, 255, "0.00005", True),
        (-700, 2, "7.00", True),
    ],
)
def test_amounts_keep_their_value(
    minor_units: int, scale: int, written: str, is_held: bool
) -> None:
    assert decimal(minor_units, scale) == written
    assert fits(minor_units, scale) is is_held


def test_what_camt_cannot_hold_is_named(book: Book, reader: LedgerReader) -> None:
    book.record(
        told("a", 5, code="USDC"),
        told("b", 123, code="EUR", scale=6),
        told("c", 120, code="EUR", scale=6),
        told("d", 2**64 - 1),
        told("e", 10**18 - 5, created=at(-9)),
        told("f", 10, created=at(-8)),
        told("g", 3, created=at(-7)),
        at=NOW,
    )

    text, result, _ = exported(reader, CAMT)

    euros, dollars = sorted(statements(text), key=lambda one: found(one, "Acct/Ccy"))
    assert found(euros, "Ntry/Amt") == ["0.00012"]
    assert found(dollars, "Ntry/Amt") == ["9999999999999999.95", "0.03"]
    assert found(dollars, "Bal/Amt")[1] == "9999999999999999.98"
    assert {left.why: left.count for left in result.left_out} == {
        "camt.053 has no currency “USDC”: it takes three letters": 1,
        "camt.053 holds 18 digits and 5 decimals": 3,
    }
    assert all(left.examples for left in result.left_out)


@settings(max_examples=30)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=30))
def test_any_text_is_held(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            record_texts(book, pairs)
            text = text_of(reader, CAMT)

    (statement,) = statements(text)
    entries = statement.findall(f"{{{NAMESPACE}}}Ntry")
    assert len(entries) == len(pairs)
    for entry in entries:
        (information,) = found(entry, "AddtlNtryInf")
        reference, about = pairs[int(information.rpartition("/p")[2].removesuffix("#1"))]
        told_of = "".join(found(entry, "NtryDtls/TxDtls/RmtInf/Ustrd"))
        sent = one_line(reference)[:560] + one_line(about)[:560]
        assert told_of.replace(" ", "") == sent.replace(" ", "")


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(1, 2**64 - 1), st.sampled_from([0, 2, 5, 6, 9])),
        min_size=1,
        max_size=12,
    )
)
def test_balances_are_the_sums_of_what_is_held(amounts: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            page = [
                payment(f"p{n}", asked=None, received=received, scale=scale)
                for n, (received, scale) in enumerate(amounts)
            ]
            book.record(*page, at=NOW)
            text, result, _ = exported(reader, CAMT)

    total = Fraction(0)
    for statement in statements(text):
        opening, closing = map(Fraction, found(statement, "Bal/Amt"))
        entries = sum(map(Fraction, found(statement, "Ntry/Amt")), start=Fraction(0))
        assert opening == 0
        assert closing == entries
        total += closing
    held = sum(Fraction(one.amount, 10**one.asset.scale) for one in result.sums)
    left = sum(
        Fraction(one.amount, 10**one.asset.scale) for out in result.left_out for one in out.sums
    )
    assert total == held
    assert held + left == sum(Fraction(received, 10**scale) for received, scale in amounts)
