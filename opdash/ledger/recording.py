"""Writing what was observed of one wallet address's payments, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from opdash.ledger.encoding import (
    IS_DUE,
    SCOPE_CODES,
    decode_optional_instant,
    encode_amount,
    encode_instant,
    split_id,
)
from opdash.ledger.events import EventWriter, is_history
from opdash.ledger.notes import NO_NOTE, Edit, Note, folded_note, standing_of, steps_of
from opdash.ledger.observing import (
    Look,
    Observed,
    announcement,
    gone,
    looks_the_same,
    observe,
    receipt_at,
    rederive,
    same_but_for_the_look,
)
from opdash.ledger.placing import Placer, Spot
from opdash.ledger.records import (
    Announcement,
    Change,
    ChangeKind,
    PagePlace,
    PaymentRow,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.rows import (
    INSERT,
    UPDATE,
    UPDATE_STATE,
    Assets,
    decode_all,
    encode,
    encode_state,
    select,
)
from opdash.ledger.search.index import Document, TextIndex
from opdash.ledger.sheet_writer import SheetWriter
from opdash.ledger.wallets import Wallet, save_figures
from opdash.openpayments.resources import IncomingPayment

_AT_ONCE: Final = 200


class _Subject(msgspec.Struct):
    """A payment on its way through a transaction.

    Attributes:
        spot: Where it stands in the order.
        row: As it is known by now; None while it is new.
        before: As it was known before the transaction.
        stood: Its place and tie as they were.
        announced: What was announced of it, as bits.
        sequence: The wallet's number of the observation that last saw it.
        kind: Why it is not as it was.
        announce: What is to be announced.
        rewritten: Whether its row must be written.
        seen: Whether this transaction's answer spoke of it.
        lines: What its time line gains, each with the instant at which money arrived.
    """

    spot: Spot
    row: PaymentRow | None = None
    before: PaymentRow | None = None
    stood: tuple[int | None, bool] = (None, False)
    announced: int = 0
    sequence: int = 0
    kind: ChangeKind | None = None
    announce: Announcement | None = None
    rewritten: bool = False
    seen: bool = False
    lines: list[tuple[TimelineEntry, datetime | None]] = msgspec.field(default_factory=list)

    @property
    def moved(self) -> bool:
        """Whether its place in the order is another than before."""
        return (self.spot.tie, self.spot.placed) != self.stood


class Recorder:
    """Records what was observed of one wallet address; lives as long as one transaction.

    Attributes:
        changes: What is not as it was, in the order in which it was observed.
    """

    def __init__(self, connection: sqlite3.Connection, assets: Assets, wallet: Wallet) -> None:
        self._connection = connection
        self._assets = assets
        self._wallet = wallet
        self._texts = TextIndex(connection, wallet.key)
        self._sheets = SheetWriter(connection)
        self._log = EventWriter(connection, assets, wallet.key)
        self.changes: tuple[Change, ...] = ()

    def record(
        self,
        payments: Sequence[IncomingPayment],
        look: Look,
        place: PagePlace | None,
        ticket: int | None,
    ) -> None:
        """Take over one answer of the server."""
        if self._wallet.watching_since is None:
            self._wallet.watching_since = look.at
        subjects = self._load(payment.id for payment in payments)
        left = self._notes_left([p.id for p in payments if p.id not in subjects])
        for payment in payments:
            subject = subjects.setdefault(payment.id, _Subject(Spot(payment.id, 0)))
            if ticket is None or subject.sequence <= ticket:
                note = left.get(payment.id, NO_NOTE)
                self._take(subject, observe(subject.row, payment, look, note), payment)
        page = [subjects[payment_id] for payment_id in dict.fromkeys(p.id for p in payments)]
        placer = Placer(self._connection, self._wallet.key, SCOPE_CODES[look.scope])
        moved = _place(page, placer, look, place)
        self._write(page)
        self._move(moved)
        if place is not None and page:
            placer.remember_cursors([subject.spot for subject in page], place)
        self._finish(page, look.at, look.source, reordered=bool(moved))

    def mark_gone(
        self, payment_id: str, at: datetime, grace: timedelta, scope: Scope, ticket: int | None
    ) -> None:
        """Take over that a payment is gone, where that scope is evidence of it."""
        subject = self._load([payment_id]).get(payment_id)
        if subject is None or subject.row is None or subject.row.gone_at is not None:
            return
        if not scope.covers(subject.row.scope):
            return
        if ticket is not None and subject.sequence > ticket:
            return
        self._take(subject, gone(subject.row, at, grace))
        subject.seen = True
        self._write([subject])
        self._finish([subject], at)

    def mark_absent(self, keys: Sequence[int], at: datetime, grace: timedelta) -> None:
        """Take over that payments are gone, by their numbers, at most some hundreds."""
        marks = ", ".join("?" * len(keys))
        found = self._connection.execute(select(f"WHERE p.payment_key IN ({marks})"), keys)
        subjects: list[_Subject] = []
        for columns in found.fetchall():
            subject, before = self._decode(columns)
            self._take(subject, gone(before, at, grace))
            subject.seen = True
            subjects.append(subject)
        self._write(subjects)
        self._finish(subjects, at)

    def advance(self, now: datetime, grace: timedelta, limit: int) -> bool:
        """Move what time alone moves, at most ``limit`` payments; return whether more are due."""
        due = self._connection.execute(
            select(f"WHERE p.wallet_key = ? AND {IS_DUE} ORDER BY p.next_change_at LIMIT ?"),
            (self._wallet.key, encode_instant(now), limit),
        ).fetchall()
        subjects: list[_Subject] = []
        states: list[tuple[int | None, ...]] = []
        for columns in due:
            subject, before = self._decode(columns)
            row = rederive(before, now, grace)
            kind = None if looks_the_same(before, row) else ChangeKind.TIME
            self._take(subject, Observed(row, kind))
            subjects.append(subject)
            states.append((*encode_state(row, announced=subject.announced), subject.spot.key))
        if subjects:
            self._connection.executemany(UPDATE_STATE, states)
            self._sheets.write(self._wallet.key, _keys(subjects), {})
            self._finish(subjects, now)
        return len(subjects) == limit

    def add_line(self, payment_id: str, line: TimelineEntry) -> bool:
        """Add to a payment's time line; return whether the payment is known."""
        subject = self._load([payment_id]).get(payment_id)
        if subject is None:
            return False
        if line.kind is TimelineKind.CREATED and self._was_created_here(subject):
            return True
        subject.lines.append((line, None))
        self._write_lines([subject])
        save_figures(self._connection, self._wallet, revised=True)
        return True

    def write_note(self, payment_id: str, edit: Edit, at: datetime, grace: timedelta) -> bool:
        """Take over what a person wrote on a payment; return whether the payment is known."""
        from opdash.ledger.note_rows import insert_steps

        subject = self._load([payment_id]).get(payment_id)
        if subject is None or subject.row is None:
            return False
        row = subject.row
        at = max(at, row.last_seen_at, self._last_poll_at() or at)  # no clock turns states back
        steps = steps_of(edit, row.note, standing_of(row), at)
        if not steps:
            return True
        insert_steps(self._connection, row.wallet, row.id, steps)
        noted = msgspec.structs.replace(row, note=folded_note(steps, row.note))
        self._take(subject, Observed(rederive(noted, at, grace), ChangeKind.NOTE))
        self._connection.execute(
            "UPDATE payment SET noted = ? WHERE payment_key = ?",
            (noted.note.bits, subject.spot.key),
        )
        state = encode_state(subject.row, announced=subject.announced)
        self._connection.execute(UPDATE_STATE, (*state, subject.spot.key))
        self._sheets.write(self._wallet.key, _keys([subject]), {})
        self._finish([subject], at)
        return True

    def _last_poll_at(self) -> datetime | None:
        found = self._connection.execute(
            "SELECT last_poll_at FROM wallet WHERE wallet_key = ?", (self._wallet.key,)
        )
        return decode_optional_instant(found.fetchone()[0])

    def _notes_left(self, new: Sequence[str]) -> dict[str, Note]:
        """Return what people wrote on payments before those were forgotten."""
        if not new:
            return {}
        from opdash.ledger.note_rows import has_notes, read_notes_of

        address = self._wallet.expected.address
        if not has_notes(self._connection, address):
            return {}
        return read_notes_of(self._connection, address, new)

    def _was_created_here(self, subject: _Subject) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM entry WHERE payment_key = ? AND kind = ?",
            (subject.spot.key, TimelineKind.CREATED.value),
        )
        return found.fetchone() is not None

    def _take(
        self, subject: _Subject, observed: Observed, payment: IncomingPayment | None = None
    ) -> None:
        """Apply what an observation means to a payment in memory."""
        row, known = observed.row, subject.row
        created_at = encode_instant(row.created_at)
        if created_at != subject.spot.created_at:
            subject.spot.created_at, subject.spot.tie, subject.spot.placed = created_at, None, False
        announce, announced = announcement(
            row,
            subject.announced,
            first_seen=known is None,
            watching_since=self._wallet.watching_since or row.first_seen_at,
        )
        subject.rewritten |= known is None or not same_but_for_the_look(row, known)
        subject.row, subject.announced = row, announced
        subject.announce = subject.announce or announce
        subject.kind = subject.kind or observed.kind
        subject.seen |= payment is not None
        for line in observed.entries:
            subject.lines.append((line, None if payment is None else receipt_at(line, payment)))

    def _write(self, subjects: Sequence[_Subject]) -> None:
        new = [subject for subject in subjects if subject.spot.key is None]
        old = [s for s in subjects if s.spot.key is not None and (s.rewritten or s.moved)]
        self._connection.executemany(UPDATE, [(*self._values(s), s.spot.key) for s in old])
        if new:
            self._insert(new)
        self._index(new, old)
        self._wallet.sequence += 1
        self._write_sights(subjects)
        self._write_lines(subjects)

    def _insert(self, new: Sequence[_Subject]) -> None:
        (last,) = self._connection.execute("SELECT MAX(payment_key) FROM payment").fetchone()
        base_keys: dict[str, int] = {}
        rows: list[tuple[Any, ...]] = []
        for key, subject in enumerate(new, start=(last or 0) + 1):
            subject.spot.key = key
            base, segment = split_id(subject.spot.id)
            base_key = base_keys.get(base) or self._new_base_key(base)
            base_keys[base] = base_key
            noted = NO_NOTE.bits if subject.row is None else subject.row.note.bits
            own = (noted, key, self._wallet.key, base_key, segment)
            rows.append((*self._values(subject), *own))
        self._connection.executemany(INSERT, rows)
        self._wallet.known += len(new)

    def _index(self, new: Sequence[_Subject], old: Sequence[_Subject]) -> None:
        """Let searches find the texts as they are now."""
        pairs = [(_document(s.before, s.spot.key), _document(s.row, s.spot.key)) for s in old]
        moved = [(before, now) for before, now in pairs if before != now]
        self._texts.remove(before for before, _ in moved if before)
        added = (_document(subject.row, subject.spot.key) for subject in new)
        fresh = [now for now in (*added, *(now for _, now in moved)) if now]
        contents = [document.contents for document in fresh]
        self._texts.add(zip(fresh, contents, strict=True))
        by_key = {one.payment_key: held for one, held in zip(fresh, contents, strict=True)}
        self._sheets.write(self._wallet.key, _keys((*new, *old)), by_key)

    def _values(self, subject: _Subject) -> tuple[Any, ...]:
        if subject.row is None:
            raise LookupError(subject.spot.id)
        spot = subject.spot
        return encode(
            subject.row,
            self._assets,
            tie=spot.tie,
            placed=spot.placed,
            announced=subject.announced,
        )

    def _write_sights(self, subjects: Iterable[_Subject]) -> None:
        sequence = self._wallet.sequence
        self._connection.executemany(
            "INSERT OR REPLACE INTO sight VALUES (?, ?, ?, ?)",
            [
                (s.spot.key, encode_instant(s.row.last_seen_at), SCOPE_CODES[s.row.scope], sequence)
                for s in subjects
                if s.seen and s.row is not None
            ],
        )

    def _write_lines(self, subjects: Iterable[_Subject]) -> None:
        self._connection.executemany(
            """INSERT INTO entry (wallet_key, payment_key, at, kind, source, received, delta,
                                  receipt_at, text)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    self._wallet.key,
                    subject.spot.key,
                    encode_instant(line.at),
                    line.kind.value,
                    None if line.source is None else line.source.value,
                    None if line.received is None else encode_amount(line.received),
                    None if line.delta is None else str(line.delta),
                    self._receipt(subject, arrived_at),
                    line.text,
                )
                for subject in subjects
                for line, arrived_at in subject.lines
            ],
        )

    def _receipt(self, subject: _Subject, arrived_at: datetime | None) -> int | None:
        """Return when money of the wallet address's own asset arrived, encoded."""
        if arrived_at is None or not self._in_own_asset(subject.row):
            return None
        return encode_instant(arrived_at)

    def _in_own_asset(self, row: PaymentRow | None) -> bool:
        return row is not None and self._assets.key(row.received_asset) == self._wallet.asset_key

    def _own_received(self, row: PaymentRow | None) -> int:
        return row.received if row is not None and self._in_own_asset(row) else 0

    def _move(self, spots: Iterable[Spot]) -> None:
        self._connection.executemany(
            "UPDATE payment SET tie = ?, placed = ? WHERE payment_key = ?",
            [(spot.tie, spot.placed, spot.key) for spot in spots],
        )

    def _finish(
        self,
        subjects: Sequence[_Subject],
        at: datetime,
        source: Source | None = None,
        *,
        reordered: bool = False,
    ) -> None:
        for subject in subjects:
            if subject.rewritten:
                before = self._own_received(subject.before)
                self._wallet.received_total += self._own_received(subject.row) - before
        revised = reordered or any(s.rewritten or s.moved or s.lines for s in subjects)
        save_figures(self._connection, self._wallet, revised=revised)
        found = [
            (subject.spot.key, Change(subject.kind, subject.row, subject.before, subject.announce))
            for subject in subjects
            if subject.kind is not None and subject.row is not None
        ]
        self.changes = tuple(change for _, change in found)
        since = self._wallet.watching_since
        self._log.write(
            at,
            (
                (key, change)
                for key, change in found
                if key is not None and not is_history(change, since, source)
            ),
        )

    def _load(self, ids: Iterable[str]) -> dict[str, _Subject]:
        segments: dict[str, list[str]] = {}
        for payment_id in dict.fromkeys(ids):
            base, segment = split_id(payment_id)
            segments.setdefault(base, []).append(segment)
        subjects: dict[str, _Subject] = {}
        for base, of_base in segments.items():
            base_key = self._base_key(base)
            for start in range(0, len(of_base) if base_key else 0, _AT_ONCE):
                some = of_base[start : start + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                found = self._connection.execute(
                    select(f"WHERE p.segment IN ({marks}) AND p.base_key = ? AND p.wallet_key = ?"),
                    (*some, base_key, self._wallet.key),
                )
                for columns in found.fetchall():
                    subject, row = self._decode(columns)
                    subjects[row.id] = subject
        return subjects

    def _decode(self, columns: tuple[Any, ...]) -> tuple[_Subject, PaymentRow]:
        (row,) = decode_all(self._connection, [columns], self._assets)
        key, _, _, created_at, tie, placed, *_ = columns
        subject = _Subject(
            spot=Spot(row.id, created_at, key, tie, bool(placed)),
            row=row,
            before=row,
            stood=(tie, bool(placed)),
            announced=columns[21],
            sequence=columns[28],
        )
        return subject, row

    def _base_key(self, base: str) -> int | None:
        found = self._connection.execute("SELECT base_key FROM base WHERE url = ?", (base,))
        key: int | None
        (key,) = found.fetchone() or (None,)
        return key

    def _new_base_key(self, base: str) -> int:
        return self._base_key(base) or int(
            self._connection.execute("INSERT INTO base (url) VALUES (?)", (base,)).lastrowid or 0
        )


def _keys(subjects: Iterable[_Subject]) -> list[int]:
    return [subject.spot.key for subject in subjects if subject.spot.key is not None]


def _document(row: PaymentRow | None, key: int | None) -> Document | None:
    if row is None or key is None:
        return None
    created_at = encode_instant(row.created_at)
    return Document(key, created_at, row.reference, row.description, row.metadata_json)


def _place(
    page: Sequence[_Subject], placer: Placer, look: Look, place: PagePlace | None
) -> list[Spot]:
    """Give every payment its place; return payments outside the page that had to move."""
    if look.source is Source.LIST:
        return placer.arrange([subject.spot for subject in page], place)
    placer.put_on_top(subject.spot for subject in page if subject.spot.tie is None)
    return []
