"""Outgoing payments, and the packets in which their money travels.

Packets lie in a queue with the instant at which each is due. `Transfers.deliver_next` hands over
the next one as of its own instant, so it makes no difference when somebody looks.
"""

# ruff: noqa: S608 - statements are put together from this module's own constants only

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from opdash.openpayments.amounts import Asset
from opdash.sandbox.clock import SECOND
from opdash.sandbox.payments import IncomingPayments, IncomingRow
from opdash.sandbox.wallets import EUR, JPY, OTHER_CLIENT, SENDER, USD, XRP

SETTLE_DELAY = 300_000
"""Microseconds until the first packet arrives."""
PACKET_GAP = 200_000
"""Microseconds between two packets, unless the sender takes its time."""
MAX_PACKETS = 100
"""The most packets that one outgoing payment is cut into."""

_LARGE = 1_000
_FEE_PER_CENT = 2
_RATES = {USD: (1, 1), EUR: (115, 100), JPY: (67, 100), XRP: (21, 10**8)}
_COLUMNS = (
    "id, wallet, client, receiver, receive, receive_asset, receive_scale, debit, fee, delivered, "
    "failed, metadata, created"
)
_REASON = '{"cancellationReason":"Account does not have enough balance."}'


@dataclass(frozen=True, slots=True)
class OutgoingRow:
    """An outgoing payment as it is kept; amounts in minor units, the debit in US cents.

    Attributes:
        id: The last segment of its URL, a UUID.
        wallet: The path of the sender's wallet address.
        client: Who created it, as `WalletDirectory.key_of` writes it.
        receiver: The id of the incoming payment.
        receive: What the receiver is to get.
        receive_asset: In which asset.
        debit: What leaves the sender's account, the fee included.
        fee: The part of the debit that nobody receives.
        delivered: What the receiver got so far.
        failed: Whether the server gave up.
        metadata: The metadata object's JSON, or None.
        created: When it was created, in microseconds.
    """

    id: str
    wallet: str
    client: str
    receiver: str
    receive: int
    receive_asset: Asset
    debit: int
    fee: int
    delivered: int
    failed: bool
    metadata: str | None
    created: int

    @property
    def sent(self) -> int:
        """What left the sender's account so far, without the fee."""
        return self.delivered * (self.debit - self.fee) // self.receive


@dataclass(frozen=True, slots=True)
class Transfer:
    """What somebody sends.

    Attributes:
        amount: Minor units of the receiver's asset.
        packets: In how many parts.
        gap: Microseconds between two of them.
        fails: Whether the sender runs out of money before the last one.
        metadata: The outgoing payment's metadata as JSON, or None.
    """

    amount: int
    packets: int = 1
    gap: int = PACKET_GAP
    fails: bool = False
    metadata: str | None = None


class Transfers:
    """The outgoing payments and the packets on their way."""

    def __init__(self, database: sqlite3.Connection, incoming: IncomingPayments) -> None:
        self._database = database
        self._incoming = incoming
        self._next_due = self._read_next_due()

    def send(
        self, outgoing_id: str, receiver: IncomingRow, asset: Asset, transfer: Transfer, at: int
    ) -> OutgoingRow:
        """Create an outgoing payment and put its packets on their way.

        Args:
            outgoing_id: The id it gets, a UUID.
            receiver: The incoming payment.
            asset: The receiver's asset.
            transfer: What is sent, and how.
            at: The instant, in microseconds.
        """
        numerator, denominator = _RATES[asset]
        net = max(1, -(-transfer.amount * numerator // denominator))
        fee = -(-net * _FEE_PER_CENT // 100)
        row = OutgoingRow(
            id=outgoing_id,
            wallet=SENDER,
            client=OTHER_CLIENT,
            receiver=receiver.id,
            receive=transfer.amount,
            receive_asset=asset,
            debit=net + fee,
            fee=fee,
            delivered=0,
            failed=False,
            metadata=transfer.metadata,
            created=at,
        )
        self._insert(row)
        parts = _parts(transfer)
        self._database.executemany(
            "INSERT INTO packets VALUES (?, ?, ?, ?)",
            (
                (at + SETTLE_DELAY + index * transfer.gap, row.id, receiver.id, part)
                for index, part in enumerate(parts)
            ),
        )
        self._next_due = self._read_next_due()
        return row

    @property
    def next_due(self) -> int | None:
        """When the next packet arrives, in microseconds; None when none is on its way."""
        return self._next_due

    def deliver_next(self) -> None:
        """Hand over the packet that is due next, as of the instant at which it is due."""
        packet = self._database.execute(
            "SELECT rowid, due, outgoing, incoming, amount FROM packets ORDER BY due, rowid LIMIT 1"
        ).fetchone()
        if packet is not None:
            self._database.execute("DELETE FROM packets WHERE rowid = ?", (packet["rowid"],))
            amount = packet["amount"]
            if amount and self._incoming.credit(packet["incoming"], amount, packet["due"]):
                self._database.execute(
                    "UPDATE outgoing_payments SET delivered = delivered + ? WHERE id = ?",
                    (amount, packet["outgoing"]),
                )
            else:
                self._give_up(packet["outgoing"], None if amount else _REASON)
        self._next_due = self._read_next_due()

    def count(self) -> int:
        """Return how many outgoing payments there are."""
        return int(self._database.execute("SELECT count(*) FROM outgoing_payments").fetchone()[0])

    def is_being_paid(self, incoming_id: str) -> bool:
        """Return whether packets for an incoming payment are on their way."""
        found = self._database.execute("SELECT 1 FROM packets WHERE incoming = ?", (incoming_id,))
        return found.fetchone() is not None

    def get(self, outgoing_id: str) -> OutgoingRow | None:
        """Return an outgoing payment."""
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM outgoing_payments WHERE id = ?", (outgoing_id.lower(),)
        ).fetchone()
        return None if found is None else _row(found)

    def newest(self, wallet: str, limit: int) -> tuple[OutgoingRow, ...]:
        """Return the newest outgoing payments of a wallet address."""
        return self._select(wallet, "", {}, limit, "DESC")

    def page(
        self, wallet: str, client: str | None, size: int, cursor: str | None, backwards: bool
    ) -> tuple[tuple[OutgoingRow, ...], bool, bool]:
        """Return a page, newest first, and whether rows follow and precede it."""
        rows = self._beside(wallet, client, size, cursor, backwards)
        if not rows:
            return (), False, False
        return (
            rows,
            bool(self._beside(wallet, client, 1, rows[-1].id, False)),
            bool(self._beside(wallet, client, 1, rows[0].id, True)),
        )

    def _beside(
        self, wallet: str, client: str | None, size: int, cursor: str | None, backwards: bool
    ) -> tuple[OutgoingRow, ...]:
        where, values = "", dict[str, object]()
        if client is not None:
            where += " AND client = :client"
            values["client"] = client
        if cursor is not None:
            place = self.get(cursor)
            if place is None:
                return ()
            where += f" AND (created, id) {'>' if backwards else '<'} (:created, :id)"
            values |= {"created": place.created, "id": place.id}
        rows = self._select(wallet, where, values, size, "ASC" if backwards else "DESC")
        return rows[::-1] if backwards else rows

    def _select(
        self, wallet: str, where: str, values: dict[str, object], limit: int, order: str
    ) -> tuple[OutgoingRow, ...]:
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM outgoing_payments WHERE wallet = :wallet{where} "
            f"ORDER BY created {order}, id {order} LIMIT :limit",
            {"wallet": wallet, "limit": limit, **values},
        )
        return tuple(_row(row) for row in found)

    def _insert(self, row: OutgoingRow) -> None:
        self._database.execute(
            f"INSERT INTO outgoing_payments ({_COLUMNS}) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.id,
                row.wallet,
                row.client,
                row.receiver,
                row.receive,
                row.receive_asset.code,
                row.receive_asset.scale,
                str(row.debit),
                str(row.fee),
                row.delivered,
                row.failed,
                row.metadata,
                row.created,
            ),
        )

    def _give_up(self, outgoing_id: str, metadata: str | None) -> None:
        self._database.execute("DELETE FROM packets WHERE outgoing = ?", (outgoing_id,))
        self._database.execute(
            "UPDATE outgoing_payments SET failed = 1, metadata = coalesce(?, metadata) "
            "WHERE id = ?",
            (metadata, outgoing_id),
        )

    def _read_next_due(self) -> int | None:
        due = self._database.execute("SELECT min(due) FROM packets").fetchone()[0]
        return None if due is None else int(due)


def usual_packets(amount: int, asset: Asset) -> int:
    """Return in how many packets an amount travels when nobody says: a large one in several."""
    whole_units = amount // int(10**asset.scale)
    return min(10, 1 + whole_units // _LARGE)


def pace(packets: int, seconds: int) -> int:
    """Return the gap, in microseconds, that spreads packets over so many seconds."""
    return max(PACKET_GAP, seconds * SECOND // max(1, packets - 1))


def _parts(transfer: Transfer) -> list[int]:
    share, rest = divmod(transfer.amount, transfer.packets)
    parts = [share + (index < rest) for index in range(transfer.packets)]
    if transfer.fails:
        parts[-1] = 0
    return [part for part in parts if part] + [0] * transfer.fails


def _row(found: sqlite3.Row) -> OutgoingRow:
    return OutgoingRow(
        id=found["id"],
        wallet=found["wallet"],
        client=found["client"],
        receiver=found["receiver"],
        receive=found["receive"],
        receive_asset=Asset(found["receive_asset"], found["receive_scale"]),
        debit=int(found["debit"]),
        fee=int(found["fee"]),
        delivered=found["delivered"],
        failed=bool(found["failed"]),
        metadata=found["metadata"],
        created=found["created"],
    )
