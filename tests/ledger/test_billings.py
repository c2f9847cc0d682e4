"""Which invoices were billed: once, whoever else does the same at that moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.errors import LedgerError
from opdash.ledger.billings import AlreadyBilledError, Bill
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Creation, CreationStatus
from opdash.ledger.repair import repair
from opdash.ledger.store import Ledger
from tests.ledger.builders import ADDRESS, NOW, OTHER, WALLET, payment_id

MADE_NONE = (CreationStatus.FAILED, CreationStatus.NOT_FOUND)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite3") as ledger:
        ledger.remember_wallet(WALLET, NOW)
        ledger.remember_wallet(OTHER, NOW)
        yield ledger


@pytest.fixture
def reader(ledger: Ledger) -> Iterator[LedgerReader]:
    with LedgerReader.open(ledger.path) as reader:
        yield reader


def intent(request_id: str, wallet: str = ADDRESS) -> Creation:
    return Creation(
        request_id=request_id,
        wallet=wallet,
        draft_json="{}",
        status=CreationStatus.INTENDED,
        created_at=NOW,
        updated_at=NOW,
    )


def bill(invoice: str = "INV-7", instead_of: str = "") -> Bill:
    return Bill(invoice=invoice, amount=500, instead_of=instead_of)


def test_a_billing_is_written_down_with_its_intent(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.begin_billing(bill("INV\x1b 7"), intent("one"))

    (billing,) = reader.billings(ADDRESS).values()
    assert (billing.invoice, billing.at) == ("INV\x1b 7", NOW)
    assert billing.creation == intent("one")
    assert billing.is_unresolved
    assert reader.unresolved_creations(ADDRESS) == (intent("one"),)
    assert reader.billings(OTHER.id) == {}


@pytest.mark.parametrize("status", [one for one in CreationStatus if one not in MADE_NONE])
def test_what_may_have_made_a_payment_is_not_billed_again(
    ledger: Ledger, reader: LedgerReader, status: CreationStatus
) -> None:
    ledger.begin_billing(bill(), intent("one"))
    ledger.update_creation("one", status, at=NOW, payment_id=payment_id("p"))

    with pytest.raises(AlreadyBilledError) as refused:
        ledger.begin_billing(bill(), intent("two"))

    assert refused.value.billing.creation.request_id == "one"
    assert "INV-7 has been billed already" in refused.value.sentence
    assert reader.creation("two") is None, "the intent is part of the same transaction"
    assert not refused.value.billing.made_none


@pytest.mark.parametrize("status", MADE_NONE)
def test_what_made_none_is_billed_again(
    ledger: Ledger, reader: LedgerReader, status: CreationStatus
) -> None:
    ledger.begin_billing(bill(), intent("one"))
    ledger.update_creation("one", status, at=NOW)
    assert reader.billings(ADDRESS)["INV-7"].made_none

    ledger.begin_billing(bill(), intent("two"))

    assert reader.billings(ADDRESS)["INV-7"].creation.request_id == "two"


def test_a_person_bills_again_instead_of_the_payment_that_they_saw(
    ledger: Ledger, reader: LedgerReader
) -> None:
    ledger.begin_billing(bill(), intent("one"))
    with pytest.raises(AlreadyBilledError):  # nobody knows yet what it made
        ledger.begin_billing(bill(instead_of="one"), intent("two"))
    ledger.update_creation("one", CreationStatus.CREATED, at=NOW, payment_id=payment_id("p"))

    ledger.begin_billing(bill(instead_of="one"), intent("two"))

    with pytest.raises(AlreadyBilledError):  # another process saw the same
        ledger.begin_billing(bill(instead_of="one"), intent("three"))
    assert reader.billings(ADDRESS)["INV-7"].creation.request_id == "two"


def test_wallets_have_invoices_of_their_own(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.begin_billing(bill(), intent("one"))
    ledger.begin_billing(bill(), intent("two", OTHER.id))

    assert reader.billings(OTHER.id)["INV-7"].creation.request_id == "two"
    ledger.forget_wallet(ADDRESS)
    assert reader.billings(ADDRESS) == {}
    assert len(reader.billings(OTHER.id)) == 1


def test_a_request_id_is_used_once(ledger: Ledger) -> None:
    ledger.begin_creation(intent("one"))
    with pytest.raises(LedgerError, match="was begun before"):
        ledger.begin_billing(bill(), intent("one"))


def test_of_two_writers_one_gets_to_bill_each_invoice(ledger: Ledger, reader: LedgerReader) -> None:
    invoices = [f"INV-{number}" for number in range(40)]
    got: dict[str, list[str]] = {"a": [], "b": []}
    begin = threading.Barrier(2)

    def write(name: str) -> None:
        with Ledger.open(ledger.path) as own:
            begin.wait()
            for invoice in invoices:
                try:
                    own.begin_billing(bill(invoice), intent(f"{name} {invoice}"))
                except AlreadyBilledError:
                    continue
                got[name].append(invoice)

    threads = [threading.Thread(target=write, args=(name,)) for name in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got["a"] + got["b"]) == sorted(invoices)
    assert len(reader.unresolved_creations(ADDRESS)) == len(invoices)


def test_a_repair_keeps_what_was_billed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.open(path) as ledger:
        ledger.remember_wallet(WALLET, NOW)
        for number in range(60):
            ledger.begin_billing(bill(f"INV-{number}"), intent(f"request {number}"))
            if number % 2:
                url = payment_id(f"p{number}")
                status = CreationStatus.CREATED
                ledger.update_creation(f"request {number}", status, at=NOW, payment_id=url)
    with LedgerReader.open(path) as reader:
        whole = reader.billings(ADDRESS)

    repair(path, NOW)

    with Ledger.open(path) as ledger, LedgerReader.open(path) as reader:
        assert reader.billings(ADDRESS) == whole
        for number in (1, 2):
            with pytest.raises(AlreadyBilledError):
                ledger.begin_billing(bill(f"INV-{number}"), intent("again"))
