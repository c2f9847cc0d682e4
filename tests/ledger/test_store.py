"""Wallet addresses, walks, creations, and what the writer promises."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from opdash.errors import LedgerError
from opdash.ledger.database import open_for_writing
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    UNRESOLVED,
    Creation,
    CreationStatus,
    Scope,
    TimelineKind,
    WalkState,
)
from opdash.ledger.store import Ledger
from tests.ledger.builders import (
    ADDRESS,
    NOW,
    OTHER,
    WALLET,
    Book,
    names,
    page_place,
    payment,
    payment_id,
)

SOON = NOW + timedelta(seconds=5)
INTENT = Creation(
    request_id="r-1",
    wallet=ADDRESS,
    draft_json='{"incomingAmount":{"value":"1000"}}',
    status=CreationStatus.INTENDED,
    created_at=NOW,
    updated_at=NOW,
)


class TestCreations:
    """What opdash set out to create is known from before it is sent."""

    def test_the_way_of_one(self, book: Book, reader: LedgerReader) -> None:
        book.ledger.begin_creation(INTENT)
        assert reader.creation("r-1") == INTENT
        book.ledger.update_creation("r-1", CreationStatus.SENT, at=SOON)
        unknown = book.ledger.update_creation(
            "r-1", CreationStatus.UNKNOWN, at=SOON, error="No answer."
        )
        assert unknown == replace(
            INTENT, status=CreationStatus.UNKNOWN, updated_at=SOON, error="No answer."
        )
        assert reader.unresolved_creations(ADDRESS) == (unknown,)
        created = book.ledger.update_creation(
            "r-1", CreationStatus.CREATED, at=SOON, payment_id=payment_id("p")
        )
        assert (created.payment_id, created.error) == (payment_id("p"), "")
        assert reader.creation("r-1") == created
        assert reader.unresolved_creations(ADDRESS) == ()
        again = book.ledger.update_creation("r-1", CreationStatus.CREATED, at=SOON)
        assert again.payment_id == payment_id("p")

    @pytest.mark.parametrize("status", CreationStatus)
    def test_which_are_unresolved(
        self, book: Book, reader: LedgerReader, status: CreationStatus
    ) -> None:
        book.ledger.begin_creation(INTENT)
        book.ledger.update_creation("r-1", status, at=SOON)
        assert bool(reader.unresolved_creations(ADDRESS)) is (status in UNRESOLVED)
        assert reader.unresolved_creations(OTHER.id) == ()

    def test_oldest_first(self, book: Book, reader: LedgerReader) -> None:
        for number in (2, 3, 1):
            at = NOW + timedelta(seconds=number)
            book.ledger.begin_creation(
                replace(INTENT, request_id=f"r-{number}", created_at=at, updated_at=at)
            )
        found = reader.unresolved_creations(ADDRESS)
        assert [creation.request_id for creation in found] == ["r-1", "r-2", "r-3"]

    def test_a_request_id_is_used_once(self, book: Book, reader: LedgerReader) -> None:
        book.ledger.begin_creation(INTENT)
        with pytest.raises(LedgerError, match="was begun before"):
            book.ledger.begin_creation(replace(INTENT, draft_json="{}"))
        assert reader.creation("r-1") == INTENT

    def test_an_unknown_one(self, book: Book, reader: LedgerReader) -> None:
        assert reader.creation("r-9") is None
        with pytest.raises(LedgerError, match="no creation r-9"):
            book.ledger.update_creation("r-9", CreationStatus.SENT, at=SOON)

    def test_for_an_unknown_wallet_address(self, book: Book, reader: LedgerReader) -> None:
        with pytest.raises(LedgerError, match="does not know the wallet address"):
            book.ledger.begin_creation(replace(INTENT, wallet="https://nowhere.example"))
        assert reader.creation("r-1") is None


class TestDurability:
    """What opdash sets out to do is on the disk before it is done; observations need not be."""

    @pytest.fixture
    def statements(self) -> list[str]:
        return []

    @pytest.fixture
    def traced(self, book: Book, statements: list[str]) -> Iterator[Ledger]:
        book.record(payment())
        connection = open_for_writing(book.path)
        connection.set_trace_callback(statements.append)
        with Ledger(connection, book.path) as ledger:
            yield ledger

    def test_own_actions_wait_for_the_disk(self, traced: Ledger, statements: list[str]) -> None:
        for act in (
            lambda: traced.begin_creation(INTENT),
            lambda: traced.update_creation("r-1", CreationStatus.SENT, at=SOON),
            lambda: traced.record_action(
                ADDRESS, payment_id("p"), TimelineKind.COMPLETING, at=SOON
            ),
        ):
            statements.clear()
            act()
            assert statements[0] == "PRAGMA synchronous = FULL"
            assert statements[1] == "BEGIN IMMEDIATE"
            assert statements[-2:] == ["COMMIT", "PRAGMA synchronous = NORMAL"]

    def test_a_failed_action_goes_back_to_normal(
        self, traced: Ledger, statements: list[str]
    ) -> None:
        with pytest.raises(LedgerError):
            traced.update_creation("r-9", CreationStatus.SENT, at=SOON)
        assert statements[-2:] == ["ROLLBACK", "PRAGMA synchronous = NORMAL"]

    def test_observations_do_not(self, traced: Ledger, statements: list[str]) -> None:
        traced.set_last_poll(ADDRESS, NOW)
        assert "PRAGMA synchronous = FULL" not in statements


class TestWalks:
    """How far the list was read, by scope."""

    STATE = WalkState(cursor="c-9", server_has_more=True, updated_at=NOW, gaps=("a", "b"))

    def test_each_scope_has_its_own(self, book: Book, reader: LedgerReader) -> None:
        assert book.ledger.walk_state(ADDRESS, Scope.OWN) is None
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, self.STATE)
        assert book.ledger.walk_state(ADDRESS, Scope.OWN) == self.STATE
        assert reader.walk_state(ADDRESS, Scope.OWN) == self.STATE
        assert reader.walk_state(ADDRESS, Scope.EVERYTHING) is None

    def test_it_can_begin_again(self, book: Book) -> None:
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, self.STATE)
        end = replace(self.STATE, cursor=None, server_has_more=False, gaps=())
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, end)
        assert book.ledger.walk_state(ADDRESS, Scope.OWN) == end
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, None)
        assert book.ledger.walk_state(ADDRESS, Scope.OWN) is None


class TestWalletAddresses:
    """What a wallet address is may change; what is known of it can be forgotten."""

    def test_a_new_description(self, book: Book, reader: LedgerReader) -> None:
        renamed = msgspec.structs.replace(
            WALLET, public_name=None, resource_server="https://new.example"
        )
        book.ledger.remember_wallet(renamed, SOON)
        (wallet,) = reader.wallets()
        assert wallet.public_name == ""
        assert wallet.resource_server == "https://new.example"

    def test_a_new_asset_counts_anew(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment("a", received=5), payment("b", received=70, code="EUR"))
        assert reader.wallets()[0].received_total == 5
        book.ledger.remember_wallet(msgspec.structs.replace(WALLET, asset_code="EUR"), SOON)
        assert reader.wallets()[0].received_total == 70
        book.record(payment("b", received=75, code="EUR"))
        assert reader.wallets()[0].received_total == 75

    def test_forgetting_one_leaves_the_others(self, book: Book, reader: LedgerReader) -> None:
        book.ledger.remember_wallet(OTHER, NOW)
        for wallet in (ADDRESS, OTHER.id):
            place = page_place(start="first", end="last")
            book.record(payment(), payment("q"), wallet_id=wallet, page=place)
            book.ledger.begin_creation(replace(INTENT, wallet=wallet, request_id=wallet))
            book.ledger.set_walk_state(wallet, Scope.OWN, TestWalks.STATE)
            book.ledger.begin_scan(wallet, Scope.OWN, NOW)
        book.ledger.forget_wallet(ADDRESS)
        book.ledger.forget_wallet("https://nowhere.example")
        assert [wallet.address for wallet in reader.wallets()] == [OTHER.id]
        assert reader.window(ADDRESS) == ()
        assert reader.creation(ADDRESS) is None
        assert reader.walk_state(ADDRESS, Scope.OWN) is None
        assert sorted(names(reader.window(OTHER.id))) == ["p", "q"]
        assert reader.creation(OTHER.id) is not None
        assert reader.timeline(OTHER.id, payment_id("p"))
        tables = reader._connection.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE '%wallet_key INTEGER NOT NULL%'"
        ).fetchall()
        assert {"payment", "entry", "cursor", "walk", "creation", "scan"} <= {
            one[0] for one in tables
        }
        (kept,) = reader._connection.execute("SELECT wallet_key FROM wallet").fetchall()
        for (table,) in tables:
            keys = reader._connection.execute(f"SELECT DISTINCT wallet_key FROM {table}")
            assert set(keys) <= {kept}, table

    def test_a_forgotten_one_begins_anew(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=1000, completed=True))
        book.ledger.forget_wallet(ADDRESS)
        book.ledger.remember_wallet(WALLET, SOON)
        assert reader.count(ADDRESS) == 0
        (change,) = book.record(payment(received=1000, completed=True), at=SOON)
        assert change.announce is None

    def test_an_unknown_one(self, book: Book) -> None:
        unknown = "https://nowhere.example/\x1b[31m"
        for act in (
            lambda: book.record(payment(), wallet_id=unknown),
            lambda: book.ledger.ticket(unknown),
            lambda: book.ledger.set_walk_state(unknown, Scope.OWN, None),
        ):
            with pytest.raises(LedgerError, match="does not know the wallet address") as caught:
                act()
            assert "\x1b" not in str(caught.value)

    def test_an_action_on_an_unknown_payment(self, book: Book) -> None:
        with pytest.raises(LedgerError, match="does not know the payment"):
            book.ledger.record_action(ADDRESS, "https://x.example/p", TimelineKind.NOTE, at=NOW)


def test_two_writers_share_a_ledger(book: Book, reader: LedgerReader) -> None:
    """As two processes do: each has its own connection, and each waits for the other."""
    errors: list[BaseException] = []

    def write(prefix: str) -> None:
        try:
            other = Book(book.path)
            with other.ledger:
                for number in range(60):
                    other.record(payment(f"{prefix}{number}", received=1), at=SOON)
                    other.record(payment("shared", received=number), at=SOON)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(prefix,)) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    (wallet,) = reader.wallets()
    rows = reader.window(ADDRESS, limit=1000)
    assert wallet.known == len(rows) == 121
    assert wallet.received_total == sum(row.received for row in rows)


def test_a_closed_ledger_says_so(book: Book) -> None:
    book.ledger.close()
    book.ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        book.record(payment())


class TestClients:
    """Each client has a list of its own; one's list says nothing about another's payments."""

    def test_what_another_client_saw_is_not_found_gone(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.ledger.remember_wallet(WALLET, NOW, client="https://ilp.example/one")
        book.record(payment("a"))
        book.ledger.remember_wallet(WALLET, NOW, client="https://ilp.example/two")
        assert book.mark_gone("a", at=SOON) == ()
        row = reader.payment(ADDRESS, payment_id("a"))
        assert row is not None
        assert row.gone_at is None
        book.record(payment("a"), at=SOON)
        assert book.mark_gone("a", at=SOON)

    def test_its_list_is_begun_anew(self, book: Book) -> None:
        book.ledger.remember_wallet(WALLET, NOW, client="https://ilp.example/one")
        state = WalkState(cursor="c", server_has_more=True, updated_at=NOW, gaps=("g",))
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, state)
        book.ledger.remember_wallet(WALLET, NOW, client="https://ilp.example/one")
        assert book.ledger.walk_state(ADDRESS, Scope.OWN) == state
        book.ledger.remember_wallet(WALLET, NOW, client="https://ilp.example/two")
        assert book.ledger.walk_state(ADDRESS, Scope.OWN) is None
