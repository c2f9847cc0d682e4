"""The reader's side of the ledger: synchronous, and fast enough for the thread of the screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

from opdash.ledger.creations import read_creation, read_since, read_unresolved
from opdash.ledger.database import explained, open_for_reading
from opdash.ledger.encoding import (
    IS_DUE,
    SCOPE_CODES,
    SCOPES,
    decode_amount,
    decode_instant,
    decode_optional_instant,
    encode_instant,
    split_id,
)
from opdash.ledger.figures import Figures
from opdash.ledger.ranking import INDEXED
from opdash.ledger.records import (
    NEWEST_FIRST,
    AssetTotals,
    Changeable,
    Creation,
    PaymentRow,
    Scope,
    Sort,
    Source,
    Summary,
    TimelineEntry,
    TimelineKind,
    WalkState,
    WalletRow,
)
from opdash.ledger.rows import Assets, decode_all, select
from opdash.openpayments.resources import WalletAddress

if TYPE_CHECKING:
    from opdash.ledger.billings import Billing
    from opdash.ledger.charting import Chart
    from opdash.ledger.decisions import Decision
    from opdash.ledger.export_marks import ExportMark
    from opdash.ledger.fold_index import FoldIndex
    from opdash.ledger.folds import FoldRule
    from opdash.ledger.notes import Note, NoteStep
    from opdash.ledger.outgoing import SeenOutgoing
    from opdash.ledger.payment_stream import Batch
    from opdash.ledger.receipt_steps import ReceiptStep
    from opdash.ledger.receipts import AssetReceipts
    from opdash.ledger.scans import Scan
    from opdash.ledger.search.finding import Matches
    from opdash.ledger.search.terms import All, Query
    from opdash.openpayments.amounts import Asset

_MOST_FOUND: Final = 50
_AT_ONCE: Final = 200
_FIRST: Final = 500
_AFTER_ALL: Final = chr(0x10FFFF)
_LONG_AGO: Final = 0
_NONE_HELD: Final[Mapping[str, int]] = MappingProxyType({})


class LedgerReader:
    """Reads a ledger beside its writer; one for each thread.

    What the first frame of the screen does without is imported when it is asked for.

    Each method sees one state of the ledger, as of the last commit, and raises `LedgerError` where
    the file cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._assets = Assets(connection)
        self._known_figures: dict[str, Figures] = {}
        self.path = path
        """The database file."""

    @classmethod
    def open(cls, path: Path) -> LedgerReader:
        """Open an existing ledger; see `opdash.ledger.store.Ledger.open`.

        Raises:
            LedgerError: There is none, or it cannot be read by this opdash.
        """
        return cls(open_for_reading(path), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._connection.close()

    def version(self) -> int:
        """Return a number that changes whenever anything was committed to the ledger."""
        with explained(self.path):
            version: int
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            return version

    def wallets(self) -> tuple[WalletRow, ...]:
        """Return all wallet addresses, in the order in which they were added."""
        with self._snapshot():
            return tuple(self._wallets("ORDER BY wallet_key"))

    def wallet(self, wallet_id: str) -> WalletRow | None:
        """Return a wallet address, or None."""
        with self._snapshot():
            return next(self._wallets("WHERE address = ?", wallet_id), None)

    def wallet_address(self, wallet_id: str) -> WalletAddress | None:
        """Return how a wallet address described itself, or None if it is not known."""
        with self._snapshot():
            found = self._connection.execute(
                """SELECT address, public_name, asset_key, auth_server, resource_server
                   FROM wallet WHERE address = ?""",
                (wallet_id,),
            ).fetchone()
            if found is None:
                return None
            address, name, asset_key, auth_server, resource_server = found
            asset = self._assets[asset_key]
            return WalletAddress(
                id=address,
                asset_code=asset.code,
                asset_scale=asset.scale,
                auth_server=auth_server,
                resource_server=resource_server,
                public_name=name,
            )

    def last_poll_at(self, wallet_id: str) -> datetime | None:
        """Return when the server last answered a poll for a wallet address, or None."""
        with self._snapshot():
            found = self._connection.execute(
                "SELECT last_poll_at FROM wallet WHERE address = ?", (wallet_id,)
            ).fetchone()
            return None if found is None else decode_optional_instant(found[0])

    def has_to_advance(self, wallet_id: str, now: datetime) -> bool:
        """Return whether `Ledger.advance` has anything to do at an instant of the server's time."""
        from opdash.ledger.setbacks import is_set_back

        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                return False
            (is_due,) = self._connection.execute(
                f"SELECT EXISTS (SELECT 1 FROM payment WHERE wallet_key = ? AND {IS_DUE})",  # noqa: S608 - a constant
                (figures.key, encode_instant(now)),
            ).fetchone()
            return bool(is_due) or is_set_back(self._connection, figures.key, now)

    def is_complete(self, wallet_id: str) -> bool:
        """Return whether the server's whole list is known."""
        with self._snapshot():
            figures = self._figures(wallet_id)
            return figures is not None and self._is_complete(figures.key)

    def revision(self, wallet_id: str) -> int:
        """Return a number that changes when anything shown of a wallet address does.

        Another opdash process may have written it; a poll that finds nothing new changes nothing.
        """
        with self._snapshot():
            figures = self._figures(wallet_id)
            return 0 if figures is None else figures.revision

    def count(self, wallet_id: str, query: Query | None = None) -> int:
        """Return how many payments of a wallet address are known, or match a query."""
        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                return 0
            if query is None:
                return figures.known
            return figures.answers.count(self._connection, query.tree)

    def window(
        self,
        wallet_id: str,
        sort: Sort = NEWEST_FIRST,
        offset: int = 0,
        limit: int = 50,
        query: Query | None = None,
    ) -> tuple[PaymentRow, ...]:
        """Return at most ``limit`` payments from rank ``offset`` on, of those that match a query.

        The first rows of a query, the newest first, are there before all that match are known. An
        order by a column without an index (`opdash.ledger.ranking.INDEXED`) is made of all
        payments, once for each revision: at a million that takes up to half a second, and by a
        metadata value two.
        """
        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None or limit <= 0:
                return ()
            offset = max(offset, 0)
            if query is None and sort.column in INDEXED:
                return self._rows(figures.order(self._connection, sort).window(offset, limit))
            tree = _tree(query)
            if sort == NEWEST_FIRST and offset + limit <= _FIRST:
                first = figures.answers.first(self._connection, tree, offset + limit)
                return self._rows(first[offset:])
            matches = figures.answers.matches(self._connection, tree, sort)
            return self._rows(matches.keys[offset : offset + limit])

    def position(
        self, wallet_id: str, sort: Sort, payment_id: str, query: Query | None = None
    ) -> int | None:
        """Return the rank of a payment in an order, or None if it is not one of these."""
        with self._snapshot():
            figures, key = self._figures(wallet_id), self._key(wallet_id, payment_id)
            if figures is None or key is None:
                return None
            if query is None and sort.column in INDEXED:
                return figures.order(self._connection, sort).position(key)
            found = figures.answers.matches(self._connection, _tree(query), sort)
            return found.position(key)

    def totals(self, wallet_id: str, query: Query | None = None) -> tuple[AssetTotals, ...]:
        """Return what all payments, or those that match a query, add up to in each asset."""
        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                return ()
            return figures.answers.totals(self._connection, _tree(query))

    def matches(self, wallet_id: str, query: Query, sort: Sort = NEWEST_FIRST) -> Matches:
        """Return all payments that match a query, by their numbers, for `rows`.

        They are the ledger's as of now; another thread may go on with them.
        """
        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                from opdash.ledger.search.finding import NO_MATCHES

                return NO_MATCHES
            return figures.answers.matches(self._connection, query.tree, sort)

    def fold(
        self,
        wallet_id: str,
        rules: tuple[FoldRule, ...],
        zone: tzinfo | None = None,
        *,
        before: FoldIndex | None = None,
        held: Mapping[str, int] = _NONE_HELD,
    ) -> FoldIndex | None:
        """Return a wallet address's payments, newest first, those of a fold in one line.

        Not for the thread of the screen: the first look reads all payments, later ones the days on
        which something has changed.

        Args:
            wallet_id: The wallet address; None is returned for one that is not known.
            rules: What is folded; of several that match, the first.
            zone: Where days begin at midnight; None for this machine's zone.
            before: What was returned last, to begin with.
            held: Folds, by their ids, that must stand where the payment of that number stands, and
                not where their newest does.
        """
        from opdash.ledger.fold_maker import FoldMaker

        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                return None
            maker = FoldMaker(self._connection, figures.key, rules, zone, self._assets)
            found = None if before is None else maker.update(before, self._rows, held)
            if found is not None:
                return found
            found = maker.make(
                lambda tree, sort: figures.answers.matches(self._connection, tree, sort).keys, held
            )
            figures.forget_answers()
            return found

    def forget_answers(self) -> None:
        """Let go of what searches have found: nobody searches any more."""
        for figures in self._known_figures.values():
            figures.forget_answers()

    def rows(self, keys: Sequence[int]) -> tuple[PaymentRow, ...]:
        """Return payments by their numbers, in that order; those that are gone are left out."""
        with self._snapshot():
            return self._rows(keys)

    def number(self, wallet_id: str, payment_id: str) -> int | None:
        """Return a payment's number, or None if it is not known."""
        with self._snapshot():
            return self._key(wallet_id, payment_id)

    def interrupt(self) -> None:
        """End what another thread is reading; its call raises `LedgerError`."""
        self._connection.interrupt()

    def payment(self, wallet_id: str, payment_id: str) -> PaymentRow | None:
        """Return a payment by its URL, or None."""
        with self._snapshot():
            key = self._key(wallet_id, payment_id)
            return None if key is None else next(iter(self._rows([key])), None)

    def find(self, text: str) -> tuple[PaymentRow, ...]:
        """Return the payments that a person may mean, of all wallet addresses.

        Args:
            text: A payment's URL, or the beginning or the end of its last segment.

        Returns:
            Those of exactly that URL or segment if there are any, else all that begin or end so;
            at most 50.
        """
        typed = text.strip().strip("…").rstrip("/")
        with self._snapshot():
            base, segment = split_id(typed)
            exact = self._found("p.segment = ? AND b.url = ?", segment, base) if base else ()
            if exact or not typed or base:
                return exact
            return self._found("p.segment = ?", typed) or self._found(
                """p.payment_key IN (
                       SELECT payment_key FROM payment WHERE segment >= ? AND segment < ?
                       UNION SELECT payment_key FROM payment WHERE substr(segment, ?) = ?)""",
                typed,
                typed + _AFTER_ALL,
                -len(typed),
                typed,
            )

    def timeline(self, wallet_id: str, payment_id: str) -> tuple[TimelineEntry, ...]:
        """Return a payment's time line, oldest first."""
        with self._snapshot():
            entries = self._connection.execute(
                """SELECT at, kind, source, received, delta, text FROM entry
                   WHERE payment_key = ? ORDER BY entry_key""",
                (self._key(wallet_id, payment_id),),
            )
            observed = tuple(map(_entry, entries))
            if not self._is_written_on(wallet_id, payment_id):
                return observed
            from opdash.ledger.note_rows import read_steps
            from opdash.ledger.timeline import with_notes

            return with_notes(observed, read_steps(self._connection, wallet_id, payment_id))

    def summary(self, wallet_id: str, *, day_start: datetime, now: datetime) -> Summary:
        """Return the figures above the table.

        Args:
            wallet_id: The wallet address; one that is not known has nothing.
            day_start: When today began where the person is, aware.
            now: The server's time; what expired before it is not open.
        """
        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                return _nothing()
            open_now = figures.open_at(self._connection, encode_instant(now))
            receipts = figures.receipts_since(self._connection, day_start)
            return Summary(
                open_count=open_now.count,
                open_due=open_now.due,
                today_count=receipts.today_count,
                today_received=receipts.days[-1],
                needs_action=figures.needing_action(self._connection),
                known=figures.known,
                complete=self._is_complete(figures.key),
                days=receipts.days,
            )

    def receipts(self, wallet_id: str, starts: tuple[datetime, ...]) -> tuple[AssetReceipts, ...]:
        """Return what arrived in each stretch of time, asset by asset, the wallet's own first.

        The first look reads all receipts of that time, later ones what is new: not for the thread
        of the screen.

        Args:
            wallet_id: The wallet address; one that is not known has nothing.
            starts: When each stretch begins, aware and ascending; the last has no end.
        """
        with self._snapshot():
            figures = self._figures(wallet_id)
            return () if figures is None else figures.receipts_by(self._connection, starts)

    def receipt_steps(
        self,
        wallet_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        after: int = 0,
    ) -> Iterator[ReceiptStep]:
        """Yield each observed step of what payments received, oldest first.

        All are of one commit; read them to the end, or close the iterator. Others may be read
        meanwhile through this reader, and are of the same commit.

        Args:
            wallet_id: The wallet address; one that is not known has none.
            start: The earliest instant that counts, or None.
            end: The instant before which steps count, or None.
            after: Leaves out steps whose number is not greater, as an earlier `last_entry` gave it.
        """
        from opdash.ledger.receipt_steps import read_steps

        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is not None:
                yield from read_steps(
                    self._connection,
                    self._assets,
                    figures.key,
                    start=start,
                    end=end,
                    after=after,
                )

    def payment_batches(
        self, wallet_id: str, query: Query | None = None, *, after: int = 0
    ) -> Iterator[Batch]:
        """Yield payments as the ledger keeps them, oldest first, some at a time.

        They are of one commit, as with `receipt_steps`, and none is kept.

        Args:
            wallet_id: The wallet address; one that is not known has none.
            query: Which, or None for all.
            after: Leaves out payments without a step whose number is greater.
        """
        from opdash.ledger.payment_stream import read_batches

        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is not None:
                keys = None
                if query is not None:
                    answers = figures.answers
                    keys = answers.matches(self._connection, query.tree, NEWEST_FIRST).keys
                yield from read_batches(self._connection, figures.key, wallet_id, keys, after)

    def export_mark(self, wallet_id: str, kind: str) -> ExportMark:
        """Return how far a kind of export has come."""
        from opdash.ledger.export_marks import read_mark

        with self._snapshot():
            return read_mark(self._connection, wallet_id, kind)

    def asset(self, number: int) -> Asset:
        """Return the asset of that number."""
        with self._snapshot():
            return self._assets[number]

    def last_entry(self) -> int:
        """Return the number of the last step of all time lines, for `receipt_steps`."""
        from opdash.ledger.receipt_steps import last_entry

        with self._snapshot():
            return last_entry(self._connection)

    def changeable(
        self, wallet_id: str, within: Scope = Scope.EVERYTHING
    ) -> tuple[Changeable, ...]:
        """Return the payments that can still change, newest first.

        Args:
            wallet_id: The wallet address.
            within: Leaves out what was last seen under a wider scope: this one does not show it.
        """
        with self._snapshot():
            found = self._connection.execute(
                """SELECT b.url || p.segment, p.created_at, p.expires_at, p.changed_at,
                          s.last_seen_at, s.scope, p.payment_key
                   FROM payment p
                   JOIN sight s ON s.payment_key = p.payment_key
                   JOIN base b ON b.base_key = p.base_key
                   WHERE p.final = 0
                     AND p.wallet_key = (SELECT wallet_key FROM wallet WHERE address = ?)
                     AND s.scope <= ?
                   ORDER BY p.created_at DESC, p.tie DESC""",
                (wallet_id, SCOPE_CODES[within]),
            )
            return tuple(
                Changeable(
                    payment_id,
                    decode_instant(created_at),
                    decode_optional_instant(expires_at),
                    decode_instant(changed_at),
                    decode_instant(last_seen_at),
                    SCOPES[scope],
                    number,
                )
                for (
                    payment_id,
                    created_at,
                    expires_at,
                    changed_at,
                    last_seen_at,
                    scope,
                    number,
                ) in found
            )

    def chart(self, wallet_id: str, scope: Scope, numbers: Collection[int]) -> Chart:
        """Return where payments stand in a scope's list, as far as pages of it reach.

        Args:
            wallet_id: The wallet address.
            scope: The scope that the list is asked under.
            numbers: The payments, as `Changeable.number` gives them.
        """
        from opdash.ledger.charting import Chart, read_chart
        from opdash.ledger.wallets import read_walk_state

        with self._snapshot():
            figures = self._figures(wallet_id)
            if figures is None:
                return Chart()
            walk = read_walk_state(self._connection, wallet_id, scope)
            return read_chart(self._connection, figures.key, scope, walk, numbers)

    def was_listed(self, wallet_id: str, payment_id: str) -> bool:
        """Return whether a payment's place was read from the server's list."""
        with self._snapshot():
            key = self._key(wallet_id, payment_id)
            found = self._connection.execute(
                """SELECT p.placed, (SELECT e.source FROM entry e
                                     WHERE e.payment_key = p.payment_key ORDER BY entry_key LIMIT 1)
                   FROM payment p WHERE p.payment_key = ?""",
                (key,),
            ).fetchone()
            return found is not None and (bool(found[0]) or found[1] == Source.LIST.value)

    def outgoing(self, url: str) -> SeenOutgoing | None:
        """Return what was last seen of an outgoing payment, or None."""
        from opdash.ledger.outgoing_rows import read_outgoing

        with self._snapshot():
            found = read_outgoing(self._connection, self._assets, url)
            return max(found, key=lambda seen: seen.last_seen_at, default=None)

    def outgoing_window(
        self, wallet_id: str, offset: int = 0, limit: int = 50
    ) -> tuple[SeenOutgoing, ...]:
        """Return outgoing payments that were seen of a wallet address, newest first."""
        from opdash.ledger.outgoing_rows import read_outgoing_window

        with self._snapshot():
            return read_outgoing_window(self._connection, self._assets, wallet_id, offset, limit)

    def outgoing_count(self, wallet_id: str) -> int:
        """Return how many outgoing payments were seen of a wallet address."""
        from opdash.ledger.outgoing_rows import count_outgoing

        with self._snapshot():
            return count_outgoing(self._connection, wallet_id)

    def paid_by(self, payment_id: str, limit: int = 20) -> tuple[SeenOutgoing, ...]:
        """Return outgoing payments that were seen to pay an incoming payment, newest first."""
        from opdash.ledger.outgoing_rows import read_payers

        with self._snapshot():
            return read_payers(self._connection, self._assets, payment_id, limit)

    def unresolved_creations(self, wallet_id: str) -> tuple[Creation, ...]:
        """Return the creations whose end is not known, oldest first."""
        with self._snapshot():
            return read_unresolved(self._connection, wallet_id)

    def creations_since(self, wallet_id: str, since: datetime) -> tuple[Creation, ...]:
        """Return the creations of a wallet address since an instant, newest first."""
        with self._snapshot():
            return read_since(self._connection, wallet_id, since)

    def creation(self, request_id: str) -> Creation | None:
        """Return a creation by its request id, or None."""
        with self._snapshot():
            return read_creation(self._connection, request_id)

    def billings(self, wallet_id: str) -> dict[str, Billing]:
        """Return the latest attempt to bill each invoice of a wallet address, by its number."""
        from opdash.ledger.billings import read_billings

        with self._snapshot():
            return read_billings(self._connection, wallet_id)

    def decisions(self, wallet_id: str) -> tuple[Decision, ...]:
        """Return what people decided about invoices, undone or not, oldest first."""
        from opdash.ledger.decisions import read_decisions

        with self._snapshot():
            return read_decisions(self._connection, wallet_id)

    def notes(self, wallet_id: str) -> Mapping[str, Note]:
        """Return what people wrote on a wallet address's payments, by the payments' URLs.

        Payments on which nothing stands are left out; those that the ledger does not know (any
        more) are not. Single payments have it as `PaymentRow.note`.
        """
        from opdash.ledger.note_rows import read_notes

        with self._snapshot():
            return read_notes(self._connection, wallet_id)

    def note_steps(self, wallet_id: str, payment_id: str) -> tuple[NoteStep, ...]:
        """Return all that people ever wrote on a payment, oldest first; also on an unknown one."""
        from opdash.ledger.note_rows import read_steps

        with self._snapshot():
            return read_steps(self._connection, wallet_id, payment_id)

    def walk_state(self, wallet_id: str, scope: Scope) -> WalkState | None:
        """Return how far a scope's list was read without a gap; None where it was not read."""
        from opdash.ledger.wallets import read_walk_state

        with self._snapshot():
            return read_walk_state(self._connection, wallet_id, scope)

    def scan(self, wallet_id: str, scope: Scope) -> Scan:
        """Return how the reading of a scope's whole list stands."""
        from opdash.ledger.scans import read_scan

        with self._snapshot():
            return read_scan(self._connection, wallet_id, scope)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything that the body asks this reader see the same commit.

        What the body raises for other reasons is not turned into `LedgerError`.
        """
        with explained(self.path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with explained(self.path):
                self._connection.execute("COMMIT")

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Let all queries of the body see the same commit."""
        with explained(self.path):
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def _figures(self, wallet_id: str) -> Figures | None:
        """Return a wallet address's figures, those of before where nothing was committed since."""
        found = self._connection.execute(
            "SELECT wallet_key, asset_key, known, revision FROM wallet WHERE address = ?",
            (wallet_id,),
        ).fetchone()
        if found is None:
            self._known_figures.pop(wallet_id, None)
            return None
        figures = self._known_figures.get(wallet_id)
        if figures is None or (figures.key, figures.asset_key) != found[:2]:
            key, asset_key, known, revision = found
            figures = Figures(key, asset_key, known, revision, self._assets)
            self._known_figures[wallet_id] = figures
        figures.refresh(known=found[2], revision=found[3])
        return figures

    def _wallets(self, condition: str, *values: str) -> Iterator[WalletRow]:
        found = self._connection.execute(
            f"""SELECT address, public_name, asset_key, auth_server, resource_server,
                       received_total, last_poll_at
                FROM wallet {condition}""",  # noqa: S608 - conditions are constants
            values,
        ).fetchall()
        for address, name, asset_key, auth_server, resource_server, total, last_poll_at in found:
            figures = self._figures(address)
            if figures is None:
                continue
            open_now = figures.open_at(self._connection, _LONG_AGO)
            yield WalletRow(
                address=address,
                public_name=name,
                asset=self._assets[asset_key],
                auth_server=auth_server,
                resource_server=resource_server,
                open_count=open_now.count,
                open_due=open_now.due,
                received_total=int(total),
                known=figures.known,
                complete=self._is_complete(figures.key),
                last_poll_at=decode_optional_instant(last_poll_at),
            )

    def _is_complete(self, wallet_key: int) -> bool:
        """Return whether the widest scope that was read was read to the end of the list."""
        found = self._connection.execute(
            "SELECT server_has_more FROM walk WHERE wallet_key = ? ORDER BY scope DESC LIMIT 1",
            (wallet_key,),
        ).fetchone()
        return found is not None and not found[0]

    def _key(self, wallet_id: str, payment_id: str) -> int | None:
        found = self._connection.execute(
            """SELECT p.payment_key FROM payment p
               JOIN base b ON b.base_key = p.base_key
               JOIN wallet w ON w.wallet_key = p.wallet_key
               WHERE p.segment = ? AND b.url = ? AND w.address = ?""",
            (*reversed(split_id(payment_id)), wallet_id),
        ).fetchone()
        return None if found is None else int(found[0])

    def _is_written_on(self, wallet_id: str, payment_id: str) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM note WHERE wallet = ? AND payment = ? LIMIT 1", (wallet_id, payment_id)
        )
        return found.fetchone() is not None

    def _rows(self, keys: Sequence[int]) -> tuple[PaymentRow, ...]:
        """Return payments in the order of their numbers."""
        rows: dict[int, PaymentRow] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found = self._connection.execute(select(f"WHERE p.payment_key IN ({marks})"), some)
            columns = found.fetchall()
            decoded = decode_all(self._connection, columns, self._assets)
            rows |= {key: row for (key, *_), row in zip(columns, decoded, strict=True)}
        return tuple(rows[key] for key in keys if key in rows)

    def _found(self, condition: str, *values: str | int) -> tuple[PaymentRow, ...]:
        found = self._connection.execute(
            select(f"WHERE {condition} ORDER BY p.created_at DESC, p.tie DESC LIMIT ?"),
            (*values, _MOST_FOUND),
        )
        return tuple(decode_all(self._connection, found.fetchall(), self._assets))


def _tree(query: Query | None) -> All:
    from opdash.ledger.search.terms import All

    return All() if query is None else query.tree


def _entry(columns: tuple[int, str, str | None, str | None, str | None, str]) -> TimelineEntry:
    at, kind, source, received, delta, text = columns
    return TimelineEntry(
        at=decode_instant(at),
        kind=TimelineKind(kind),
        source=None if source is None else Source(source),
        received=None if received is None else decode_amount(received),
        delta=None if delta is None else int(delta),
        text=text,
    )


def _nothing() -> Summary:
    from opdash.ledger.receipts import DAYS

    return Summary(
        open_count=0,
        open_due=0,
        today_count=0,
        today_received=0,
        needs_action=0,
        known=0,
        complete=False,
        days=(0,) * DAYS,
    )
