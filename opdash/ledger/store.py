"""The writer's side of the ledger: one door for every fact."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from msgspec.structs import replace

from opdash.errors import LedgerError
from opdash.ledger.billings import Bill, insert_billing
from opdash.ledger.creations import change_creation, insert_creation
from opdash.ledger.database import explained, open_for_writing
from opdash.ledger.decisions import Decision, DecisionKind, Verdict, insert_decision, mark_undone
from opdash.ledger.encoding import SCOPE_CODES, encode_instant
from opdash.ledger.events import claim_notice
from opdash.ledger.export_marks import ExportMark, save_mark
from opdash.ledger.note_rows import forget_notes
from opdash.ledger.notes import Edit
from opdash.ledger.observing import Look
from opdash.ledger.outgoing import SeenOutgoing
from opdash.ledger.outgoing_rows import save_outgoing
from opdash.ledger.recording import Recorder
from opdash.ledger.records import (
    Announcement,
    Change,
    Creation,
    CreationStatus,
    PagePlace,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
    WalkState,
)
from opdash.ledger.rows import Assets
from opdash.ledger.scans import (
    Scan,
    Scanned,
    absent_payments,
    created_at_cursor,
    moved_on,
    read_scan,
    save_frontier,
    save_scan,
)
from opdash.ledger.search.index import index_some, is_waiting
from opdash.ledger.setbacks import set_back
from opdash.ledger.transactions import Transactions
from opdash.ledger.wallets import (
    Wallet,
    change_client,
    find_wallet,
    forget_wallet,
    read_walk_state,
    save_figures,
    save_walk_state,
    save_wallet,
)
from opdash.openpayments.resources import (
    IncomingPayment,
    IncomingPaymentPage,
    OutgoingPayment,
    WalletAddress,
)
from opdash.safetext import safe_text

_ADVANCE_AT_ONCE: Final = 500
_GONE_AT_ONCE: Final = 500


class Ledger:
    """The one writer of a ledger; used by one thread at a time.

    Every method is one transaction, whole or not at all. What is observed may be lost with the
    machine's power, and is then fetched again; what opdash itself sets out to do is on the disk
    when the method returns. Two processes may have the same ledger open.

    Every method raises `LedgerError` where the ledger cannot be read or written, or does not know
    the wallet address.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._assets = Assets(connection)
        self.transactions = Transactions(connection, path, self._assets.forget)
        """How its writes are committed, for whoever runs several together."""
        self.path = path
        """The database file."""

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Open the ledger at ``path``, make one where there is none, update an older one.

        Raises:
            LedgerError: It is no ledger, newer, damaged, or must not be written; nothing was
                overwritten.
        """
        return cls(open_for_writing(path), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._connection.close()

    def remember_wallet(self, wallet: WalletAddress, at: datetime, *, client: str = "") -> None:
        """Write down what a wallet address is, before anything else about it.

        Args:
            wallet: Its public description.
            at: When it was read.
            client: The client wallet address that asks; payments that another client's own list
                showed are not found gone by this one's.
        """
        with self.transactions.one():
            save_wallet(self._connection, wallet, at, self._assets)
            if client:
                change_client(self._connection, wallet.id, client)

    def forget_wallet(self, wallet_id: str, *, notes: bool = False) -> None:
        """Delete all that is known of a wallet address and its payments.

        Args:
            wallet_id: The wallet address.
            notes: Whether to delete also what people wrote on the payments.
        """
        with self.transactions.one():
            forget_wallet(self._connection, wallet_id)
            if notes:
                forget_notes(self._connection, wallet_id)

    def ticket(self, wallet_id: str) -> int:
        """Return a number to take before a request is sent, for `record` and `mark_gone`.

        With it, an answer cannot overwrite what was observed while it was on its way.
        """
        with explained(self.path):
            return find_wallet(self._connection, wallet_id).sequence

    def record(
        self,
        wallet_id: str,
        payments: Sequence[IncomingPayment],
        *,
        at: datetime,
        source: Source,
        scope: Scope,
        grace: timedelta,
        page: PagePlace | None = None,
        ticket: int | None = None,
    ) -> tuple[Change, ...]:
        """Take over one answer of the server.

        The time line gains what changed, states are derived, anomalies are found and kept, and
        "paid" and "received" are announced once per payment, ever; not for payments that were over
        before this wallet address was first observed.

        Args:
            wallet_id: The wallet address that was asked for.
            payments: What was answered, in the list's order.
            at: When it was answered, in the server's time.
            source: The kind of answer.
            scope: The scope of the grant that was used.
            grace: See `opdash.ledger.states.grace`.
            page: Where the payments lie in the list, for answers of the list.
            ticket: What `ticket` returned before the request was sent; payments that were observed
                since then keep what was observed.

        Returns:
            The payments that are not as they were.
        """
        with self._recording(wallet_id) as (recorder, wallet):
            look = Look(at, source, scope, grace, wallet.expected)
            recorder.record(payments, look, page, ticket)
        return recorder.changes

    def mark_gone(
        self,
        wallet_id: str,
        payment_id: str,
        *,
        at: datetime,
        grace: timedelta,
        scope: Scope,
        ticket: int | None = None,
    ) -> tuple[Change, ...]:
        """Take over that the server no longer has a payment.

        The caller vouches for the evidence; this checks only that the scope is not narrower than
        the one under which the payment was last seen, and that it was not seen since ``ticket``.

        Returns:
            The change; nothing where it is not evidence or not news.
        """
        with self._recording(wallet_id) as (recorder, _):
            recorder.mark_gone(payment_id, at, grace, scope, ticket)
        return recorder.changes

    def advance(self, now: datetime, grace: timedelta, wallet_id: str) -> tuple[Change, ...]:
        """Move the states that time alone moves; back, where the server's time ran back.

        Args:
            now: The server's time.
            grace: See `opdash.ledger.states.grace`.
            wallet_id: The wallet address.

        Returns:
            The payments that are not as they were.
        """
        changes: tuple[Change, ...] = ()
        while True:
            with self._recording(wallet_id) as (recorder, wallet):
                set_back(self._connection, wallet.key, now)
                more = recorder.advance(now, grace, _ADVANCE_AT_ONCE)
            changes += recorder.changes
            if not more:
                return changes
            self.transactions.begin_another()

    def record_action(
        self,
        wallet_id: str,
        payment_id: str,
        kind: TimelineKind,
        *,
        at: datetime,
        text: str = "",
    ) -> None:
        """Add something that opdash did to a payment's time line; durable.

        That opdash created a payment is kept once, however often it is said.

        Raises:
            LedgerError: The payment is not known.
        """
        with self._recording(wallet_id, durably=True) as (recorder, _):
            if not recorder.add_line(payment_id, TimelineEntry(at=at, kind=kind, text=text)):
                raise _unknown(payment_id)

    def claim_notice(self, wallet_id: str, payment_id: str, what: Announcement) -> bool:
        """Take it on oneself to ring for a payment that was paid or received.

        Returns:
            Whether no other opdash has done so before; true once per payment, ever.
        """
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            return claim_notice(self._connection, wallet.key, payment_id, what)

    def record_outgoing(
        self, wallet_id: str, payments: Sequence[OutgoingPayment], *, at: datetime
    ) -> tuple[SeenOutgoing, ...]:
        """Take over outgoing payments that a wallet address's server showed.

        Args:
            wallet_id: The wallet address that was asked with.
            payments: What was answered.
            at: When it was answered, in the server's time.

        Returns:
            Those that are not as they were.
        """
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            return save_outgoing(self._connection, wallet, payments, at, self._assets)

    def decide(
        self,
        wallet_id: str,
        kind: DecisionKind,
        invoice: str,
        payment_id: str,
        *,
        at: datetime,
        amount: int | None = None,
    ) -> Decision:
        """Write down what a person decided about an invoice and a payment; durable.

        An earlier decision about the two no longer stands; the same one again changes nothing.

        Args:
            wallet_id: The wallet address whose payment it is.
            kind: What was decided.
            invoice: The invoice's number as written in the file.
            payment_id: The payment's URL.
            at: When.
            amount: Minor units of the payment that are the invoice's; None for all.
        """
        (made,) = self.decide_all([Verdict(wallet_id, kind, invoice, payment_id, amount)], at=at)
        return made

    def decide_all(
        self, verdicts: Sequence[Verdict], undone: Sequence[Decision] = (), *, at: datetime
    ) -> tuple[Decision, ...]:
        """Write down what a person decided at one time: all of it or nothing; durable.

        Args:
            verdicts: What was decided.
            undone: Decisions that are taken back by it; they stay on record.
            at: When.

        Returns:
            The decisions that were made.
        """
        made = []
        with self.transactions.one(durably=True):
            for one in undone:
                wallet = find_wallet(self._connection, one.wallet)
                mark_undone(self._connection, wallet.key, one.id, at)
                save_figures(self._connection, wallet, revised=True)
            for verdict in verdicts:
                wallet = find_wallet(self._connection, verdict.wallet)
                made.append(
                    insert_decision(
                        self._connection,
                        wallet.key,
                        verdict.kind,
                        verdict.invoice,
                        verdict.payment_id,
                        verdict.amount,
                        at,
                    )
                )
                save_figures(self._connection, wallet, revised=True)
        return tuple(made)

    def undo_decision(self, wallet_id: str, decision_id: int, *, at: datetime) -> Decision:
        """Take back what a person decided; durable. It stays on record.

        Raises:
            InputError: The wallet address has no such decision.
        """
        with self.transactions.one(durably=True):
            wallet = find_wallet(self._connection, wallet_id)
            decision = mark_undone(self._connection, wallet.key, decision_id, at)
            save_figures(self._connection, wallet, revised=True)
        return decision

    def write_note(
        self, wallet_id: str, payment_id: str, edit: Edit, *, at: datetime, grace: timedelta
    ) -> tuple[Change, ...]:
        """Write down what a person wrote on a payment, or how they settled it; durable.

        What was written before stays on record. It is never sent.

        Args:
            wallet_id: The wallet address whose payment it is.
            payment_id: The payment's URL.
            edit: What is to be otherwise.
            at: When, in the server's time.
            grace: See `opdash.ledger.states.grace`.

        Returns:
            The payment, unless nothing changed.

        Raises:
            InputError: There would be too many labels.
            LedgerError: The payment is not known.
        """
        with self._recording(wallet_id, durably=True) as (recorder, _):
            if not recorder.write_note(payment_id, edit, at, grace):
                raise _unknown(payment_id)
        return recorder.changes

    def mark_export(self, wallet_id: str, kind: str, mark: ExportMark, before: ExportMark) -> bool:
        """Write down how far a kind of export has come; durable.

        Args:
            wallet_id: The wallet address.
            kind: The kind of export.
            mark: How far it has come.
            before: How far it had come when the export began, as `LedgerReader.export_mark` gave.

        Returns:
            Whether it was; not where another export of that kind was quicker.
        """
        with self.transactions.one(durably=True):
            wallet = find_wallet(self._connection, wallet_id)
            return save_mark(self._connection, wallet.key, kind, mark, before)

    def index_texts(self, limit: int = 500) -> bool:
        """Take about ``limit`` payments into what searches read.

        Only payments of a ledger that an older opdash wrote wait for it; searches find them in the
        meantime, slowly.

        Returns:
            Whether more are waiting.
        """
        with explained(self.path):
            if not is_waiting(self._connection):
                return False
        with self.transactions.one():
            return index_some(self._connection, limit)

    def begin_creation(self, creation: Creation) -> None:
        """Write down a payment that opdash is about to create; durable.

        Raises:
            LedgerError: Its request id is taken.
        """
        with self.transactions.one(durably=True):
            wallet = find_wallet(self._connection, creation.wallet)
            insert_creation(self._connection, wallet.key, creation)

    def begin_billing(self, bill: Bill, creation: Creation) -> None:
        """Write down a payment that opdash is about to create for an invoice; durable.

        Raises:
            AlreadyBilledError: There is a payment for that invoice, or may be one.
            LedgerError: The request id is taken.
        """
        with self.transactions.one(durably=True):
            wallet = find_wallet(self._connection, creation.wallet)
            insert_billing(self._connection, wallet.key, bill, creation)

    def update_creation(
        self,
        request_id: str,
        status: CreationStatus,
        *,
        at: datetime,
        payment_id: str | None = None,
        error: str = "",
    ) -> Creation:
        """Write down how far a creation has come, and return it; durable.

        Args:
            request_id: Its key.
            status: How far.
            at: When.
            payment_id: The payment's URL, where known; one that is known stays.
            error: What went wrong, one sentence.
        """
        with self.transactions.one(durably=True):
            return change_creation(self._connection, request_id, status, at, payment_id, error)

    def walk_state(self, wallet_id: str, scope: Scope) -> WalkState | None:
        """Return how far a scope's list was read without a gap; None where it was not read."""
        with explained(self.path):
            return read_walk_state(self._connection, wallet_id, scope)

    def set_walk_state(self, wallet_id: str, scope: Scope, state: WalkState | None) -> None:
        """Write down how far a scope's list was read; None to begin again at the head."""
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            save_walk_state(self._connection, wallet, scope, state)

    def change_walk_state(
        self,
        wallet_id: str,
        scope: Scope,
        change: Callable[[WalkState | None], WalkState | None],
    ) -> None:
        """Change how far a scope's list was read, from what that is by now.

        Another process may have moved it since it was read.
        """
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            known = read_walk_state(self._connection, wallet_id, scope)
            changed = change(known)
            if changed != known:
                save_walk_state(self._connection, wallet, scope, changed)

    def forget_cursor(self, wallet_id: str, scope: Scope, cursor: str) -> None:
        """Forget a cursor that the server no longer knows."""
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            self._connection.execute(
                "DELETE FROM cursor WHERE wallet_key = ? AND scope = ? AND cursor = ?",
                (wallet.key, SCOPE_CODES[scope], cursor),
            )

    def begin_scan(
        self, wallet_id: str, scope: Scope, at: datetime, *, anew: bool = False
    ) -> tuple[Scan, int]:
        """Begin to read a scope's whole list, or go on where that was broken off.

        Args:
            wallet_id: The wallet address.
            scope: The scope.
            at: The server's time.
            anew: Whether to begin at the head although a scan is under way: its place was lost.

        Returns:
            The scan, and the ticket to be taken for its next request.
        """
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            scan = read_scan(self._connection, wallet_id, scope)
            if scan.began_at is None or anew:
                walk = read_walk_state(self._connection, wallet_id, scope)
                known = walk is not None and not walk.server_has_more
                fresh = Scan(
                    began_at=at,
                    ticket=wallet.sequence,
                    whole=anew or known,
                    ended_at=scan.ended_at,
                    total=scan.total,
                    paused=scan.paused,
                )
                save_scan(self._connection, wallet, scope, fresh)
                scan = read_scan(self._connection, wallet_id, scope)
            return scan, wallet.sequence

    def record_scanned(
        self,
        wallet_id: str,
        page: IncomingPaymentPage,
        scan: Scan,
        *,
        at: datetime,
        scope: Scope,
        grace: timedelta,
        ticket: int,
    ) -> Scanned:
        """Take over a page that a scan read at its cursor, and move the scan on, in one.

        Where another process has moved the scan since, the page is recorded all the same.
        """
        with self._recording(wallet_id) as (recorder, wallet):
            before = created_at_cursor(self._connection, wallet, scope, scan.cursor)
            if page.result:
                look = Look(at, Source.LIST, scope, grace, wallet.expected)
                place = PagePlace(pagination=page.pagination, cursor=scan.cursor)
                recorder.record(page.result, look, place, ticket)
            now = read_scan(self._connection, wallet_id, scope)
            moved = now.is_at(scan)
            if moved:
                now = moved_on(now, page, wallet_id, before)
                save_scan(self._connection, wallet, scope, now)
                if not now.whole or now.walked:
                    save_frontier(self._connection, wallet, scope, now, at)
        return Scanned(now, moved, recorder.changes, wallet.sequence)

    def end_scan(
        self, wallet_id: str, scope: Scope, *, at: datetime, grace: timedelta
    ) -> tuple[Change, ...]:
        """End a scan that has reached the end of the list; does nothing for another.

        What a whole one did not show, and nobody has seen since it began, is gone.

        Returns:
            The payments that are gone.
        """
        changes: tuple[Change, ...] = ()
        after: int | None = 0
        while after is not None:
            with self._recording(wallet_id) as (recorder, wallet):
                scan = read_scan(self._connection, wallet_id, scope)
                if scan.began_at is None or not scan.walked:
                    return changes
                after = self._mark_absent(recorder, wallet, scope, scan, after, at, grace)
                if after is None:
                    total = scan.payments if scan.whole else wallet.known
                    ended = Scan(ended_at=at, total=total, paused=scan.paused)
                    save_scan(self._connection, wallet, scope, ended)
            changes += recorder.changes
            if after is not None:
                self.transactions.begin_another()
        return changes

    def pause_scan(self, wallet_id: str, scope: Scope, paused: bool) -> None:
        """Write down whether a person wants the list to be read in the background."""
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            scan = read_scan(self._connection, wallet_id, scope)
            save_scan(self._connection, wallet, scope, replace(scan, paused=paused))

    def _mark_absent(
        self,
        recorder: Recorder,
        wallet: Wallet,
        scope: Scope,
        scan: Scan,
        after: int,
        at: datetime,
        grace: timedelta,
    ) -> int | None:
        """Mark some of those gone that a scan did not show; return the last, None at the end."""
        if not scan.proves:
            return None
        absent = absent_payments(self._connection, wallet, scope, scan.ticket, after, _GONE_AT_ONCE)
        if not absent:
            return None
        recorder.mark_absent(absent, at, grace)
        return absent[-1]

    def set_last_poll(self, wallet_id: str, at: datetime) -> None:
        """Write down when the server last answered a poll."""
        with self.transactions.one():
            wallet = find_wallet(self._connection, wallet_id)
            set_back(self._connection, wallet.key, at)
            self._connection.execute(
                "UPDATE wallet SET last_poll_at = ? WHERE wallet_key = ?",
                (encode_instant(at), wallet.key),
            )

    @contextmanager
    def _recording(
        self, wallet_id: str, *, durably: bool = False
    ) -> Iterator[tuple[Recorder, Wallet]]:
        with self.transactions.one(durably=durably):
            wallet = find_wallet(self._connection, wallet_id)
            yield Recorder(self._connection, self._assets, wallet), wallet


def _unknown(payment_id: str) -> LedgerError:
    return LedgerError(
        f"The ledger does not know the payment {safe_text(payment_id, limit=200)}.",
        "Refresh it first.",
    )
