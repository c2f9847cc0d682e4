"""What happens at the server while nobody asks: packets arrive, and the payer pays.

Nothing runs in the background. Before a request is answered, everything that is due by then takes
place, in order and each at its own instant; so skipped time behaves exactly like time that passed.
"""

from __future__ import annotations

from opdash.openpayments.amounts import Asset
from opdash.sandbox.clock import SandboxClock
from opdash.sandbox.fiction import Fiction
from opdash.sandbox.payer import Payer
from opdash.sandbox.payments import IncomingPayments, IncomingRow
from opdash.sandbox.transfers import OutgoingRow, Transfer, Transfers
from opdash.sandbox.wallets import Wallet


class Simulation:
    """Lets due things happen.

    Args:
        clock: The sandbox's clock.
        payments: The incoming payments.
        transfers: The money on its way.
        seed: What the ids of outgoing payments follow from.
        payer: Whether open payments get paid without anybody asking.
    """

    def __init__(
        self,
        clock: SandboxClock,
        payments: IncomingPayments,
        transfers: Transfers,
        seed: int,
        *,
        payer: bool,
    ) -> None:
        self._clock = clock
        self._transfers = transfers
        self._fiction = Fiction(f"{seed}outgoing{transfers.count()}")
        self._payer = Payer(seed, payments, transfers, self.send, clock.now()) if payer else None

    def now(self) -> int:
        """Return the current instant in microseconds."""
        return self._clock.now()

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        now = self._clock.now()
        if self._payer is not None:
            self._payer.catch_up_to(now)
        while True:
            packet = self._transfers.next_due
            turn = None if self._payer is None else self._payer.next_due
            if packet is not None and packet <= now and (turn is None or packet <= turn):
                self._transfers.deliver_next()
            elif self._payer is not None and turn is not None and turn <= now:
                self._payer.act()
            else:
                return

    def send(self, receiver: IncomingRow, asset: Asset, transfer: Transfer, at: int) -> OutgoingRow:
        """Send money to an open payment at an instant, and return the outgoing payment."""
        return self._transfers.send(self._fiction.payment_id(), receiver, asset, transfer, at)

    def payment_created(self, row: IncomingRow, wallet: Wallet) -> None:
        """Tell the payer of a payment that a client has just created."""
        if self._payer is not None:
            self._payer.payment_created(row, wallet)
