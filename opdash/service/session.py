"""A wallet session: one profile's connection, polling and actions over the ledger.

A session never ends because of the network: being offline is a state. A POST runs in a task that
the session owns, so that closing a screen cannot cancel it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from opdash.clock import Clock
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, Creation, PaymentRow, TimelineKind
from opdash.service.events import (
    CaughtUp,
    CreationChanged,
    EventHub,
    PaymentsChanged,
    StatusChanged,
)
from opdash.service.late_imports import LateImports
from opdash.service.pace import RightOfWay
from opdash.service.rights import Right, check_may_write
from opdash.service.status import Phase, ScanProgress, Status
from opdash.settings import ConsentWay, Profile

if TYPE_CHECKING:
    from opdash.ledger.billings import Bill
    from opdash.ledger.notes import Edit
    from opdash.openpayments.resources import (
        OutgoingPayment,
        OutgoingPaymentPage,
        PaymentMethod,
        PublicIncomingPayment,
        WalletAddress,
    )
    from opdash.openpayments.traces import Tracer
    from opdash.openpayments.transport import Observer
    from opdash.service.completions import Completer, Seen
    from opdash.service.connection import Connection
    from opdash.service.creations import Creator
    from opdash.service.drafts import PaymentDraft
    from opdash.service.outgoing import OutgoingDesk
    from opdash.service.parts import Parts, Shared
    from opdash.service.poller import Poller
    from opdash.service.recorder import Recorder
    from opdash.service.scan import Scanner
    from opdash.service.till import SaleWatch
    from opdash.service.token_shelf import TokenShelf

_T = TypeVar("_T")

_LOG = logging.getLogger(__name__)

STOP_PATIENCE = 5.0
"""Seconds that stopping waits for a POST in flight; then it is followed up at the next start."""

_TICK = 1.0


class WalletSession:
    """One profile at work.

    Attributes:
        profile: What it works for.
        status: How it stands with its server; replaced at every change.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        recorder: Callable[[], Recorder],
        reader: LedgerReader,
        events: EventHub,
        clock: Clock,
        imports: LateImports,
        jitter: Callable[[], float],
        observer: Observer | None = None,
        tracer: Tracer | None = None,
        shared: Callable[[], Shared],
        shelf: Callable[[], TokenShelf] | None = None,
        consent: ConsentWay = ConsentWay.AUTO,
    ) -> None:
        self.profile = profile
        self.status = Status()
        self._recorder = recorder
        self._reader = reader
        self._events = events
        self._clock = clock
        self._imports = imports
        self._jitter = jitter
        self._observer = observer
        self._tracer = tracer
        self._shared = shared
        self._shelf = shelf
        self._consent = consent
        self._way = RightOfWay()
        self._made: Parts | None = None
        self._known_wallet: WalletAddress | None = None
        self._wake = asyncio.Event()
        self._focused = True
        self._loops: list[asyncio.Task[None]] = []
        self._actions: set[asyncio.Task[Any]] = set()

    # The parts, made when they are first needed: the screen is painted before

    @property
    def _parts(self) -> Parts:
        if self._made is None:
            from opdash.service.parts import Heard, Parts
            from opdash.service.polling import Surroundings

            self._made = Parts(
                self.profile,
                recorder=self._recorder(),
                reader=self._reader,
                events=self._events,
                clock=self._clock,
                imports=self._imports,
                observer=self._observer,
                tracer=self._tracer,
                shelf=self._shelf,
                consent=self._consent,
                way=self._way,
                shared=self._shared(),
                heard=Heard(
                    is_live=self._may_scan,
                    changed=self._payments_changed,
                    caught_up=self._has_caught_up,
                    created=self._creation_changed,
                    scanned=lambda progress: self._set_status(scan=progress),
                ),
                around=Surroundings(
                    wallet_id=lambda: self.wallet_id,
                    status=lambda: self.status,
                    tell=self._set_status,
                    changed=self._tell_payments,
                    jitter=self._jitter,
                    is_focused=lambda: self._focused,
                    wake=self._wake,
                ),
            )
        return self._made

    def _may_scan(self) -> bool:
        """Return whether the server answers polls, and this is the process that makes them."""
        return self.status.phase is Phase.LIVE and not self.status.polled_elsewhere

    @property
    def connection(self) -> Connection:
        """Its client, wallet address and tokens."""
        return self._parts.connection

    @property
    def _connection(self) -> Connection:
        return self._parts.connection

    @property
    def _poller(self) -> Poller:
        return self._parts.poller

    @property
    def _scanner(self) -> Scanner:
        return self._parts.scanner

    @property
    def _creator(self) -> Creator:
        return self._parts.creator

    @property
    def _completer(self) -> Completer:
        return self._parts.completer

    # What is known without asking

    @property
    def wallet(self) -> WalletAddress | None:
        """The wallet address, from its server or the ledger; None before the first answer ever."""
        if self._known_wallet is None:
            told = None if self._made is None else self._made.connection.known_wallet
            self._known_wallet = told or self._reader.wallet_address(self.profile.wallet_address)
        return self._known_wallet

    @property
    def wallet_id(self) -> str | None:
        """The wallet address's id, or None before the first answer ever."""
        wallet = self.wallet
        return None if wallet is None else wallet.id

    def now(self) -> datetime:
        """The server's present instant, UTC, as well as it is known."""
        return self._clock.now() if self._made is None else self._made.poller.now()

    # Polling

    def start(self) -> None:
        """Begin polling and scanning in the background; does nothing when it has begun."""
        if self._loops:
            return
        self._set_status(phase=Phase.CONNECTING)
        polling = self._parts.polling
        self._loops = [
            asyncio.create_task(polling.for_ever(), name=f"poll {self.profile.name}"),
            asyncio.create_task(polling.tick_for_ever(), name=f"tick {self.profile.name}"),
            asyncio.create_task(self._scanner.run(), name=f"scan {self.profile.name}"),
        ]

    async def stop(self) -> None:
        """End polling, wait a little for a POST in flight, and close the connections."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []
        if self._made is None:
            return
        self._made.polling.end()
        self._connection.abandon_consent()
        if self._actions:
            await asyncio.wait(self._actions, timeout=STOP_PATIENCE)
        for action in tuple(self._actions):
            action.cancel()
        await self._connection.close()
        self._set_status(phase=Phase.IDLE, polling=False, next_poll_at=None)

    def poll_soon(self) -> None:
        """Poll now instead of when the next poll is due, because a person wants it.

        Consent that was not given is asked for again.
        """
        self._reopen(Right.INCOMING)
        self._wake.set()

    async def discover(self) -> WalletAddress:
        """Ask the wallet address to describe itself, once in a run; for the command line.

        From then on `now` follows the server's clock.

        Raises:
            OpdashError: It could not be asked.
        """
        return await self._own(self._poller.wallet())

    async def poll_once(self) -> None:
        """Poll once and wait for the end; for the command line.

        Raises:
            OpdashError: The server could not be asked.
        """
        await self._own(self._parts.polling.poll_whole())

    async def follow_time(self) -> None:
        """Let payments be in the state in which the server's time puts them; for commands.

        The screen does so every second by itself.

        Raises:
            OpdashError: It could not be written down.
        """
        if self.wallet_id is not None:
            await self._own(self._poller.advance(self.wallet_id))

    def focus(self, active: bool) -> None:
        """Say whether somebody looks; polls are rarer while nobody does.

        A server that asked to be left alone for a while is, whoever looks.
        """
        regained = active and not self._focused
        self._focused = active
        held_off = self._made is not None and self._made.polling.held_off
        if regained and not held_off:
            self._wake.set()

    def watch_on_screen(self, payment_ids: Iterable[str]) -> None:
        """Say which payments a person sees; they are refreshed first."""
        self._poller.on_screen = frozenset(payment_ids)

    async def load_older(self) -> bool:
        """Fetch one page beyond the oldest known payment; returns whether there is more.

        Raises:
            OpdashError: It could not be fetched.
        """
        return await self._own(self._poller.load_older())

    async def read_all(self) -> ScanProgress:
        """Read the server's list to its end now; see `Scanner.read_all`.

        It stops at once when it is cancelled: what was read stays, and the next scan goes on.

        Raises:
            OpdashError: It could not be read to the end.
        """
        return await self._scanner.read_all()

    async def pause_scan(self, paused: bool) -> None:
        """Pause the reading of the whole list in the background, or let it go on.

        Raises:
            OpdashError: It could not be written down.
        """
        if self.wallet_id is not None:
            await self._own(self._scanner.pause(self.wallet_id, paused))

    # A person's actions

    async def refresh_payment(self, payment_id: str) -> PaymentRow | None:
        """Fetch one payment anew and return what is now known of it.

        Raises:
            OpdashError: It could not be fetched.
        """
        await self._own(self._poller.refresh(payment_id))
        wallet_id = self.wallet_id
        return None if wallet_id is None else self._reader.payment(wallet_id, payment_id)

    async def payment_methods(self, payment_id: str) -> tuple[PaymentMethod, ...]:
        """Fetch the ways to pay a payment; empty once it takes no more money.

        Raises:
            OpdashError: It could not be fetched.
        """
        payment = await self._own(self._poller.refresh(payment_id))
        return payment.methods or ()

    async def create_payment(self, draft: PaymentDraft, bill: Bill | None = None) -> Creation:
        """Create an incoming payment, once, perhaps for an invoice; see `Creator.create`.

        Raises:
            ReadOnlyError: The profile is set up to read only; nothing was sent.
            AlreadyBilledError: The invoice has been billed before; nothing was sent.
            OpdashError: It was not created.
        """
        check_may_write(self.profile, "create")
        self._reopen(Right.INCOMING)
        return await self._own(self._creator.create(draft, bill))

    async def complete_payment(self, payment_id: str, *, seen: Seen) -> PaymentRow:
        """Complete an incoming payment if it still is what a person saw; see `Completer.complete`.

        Raises:
            ReadOnlyError: The profile is set up to read only; nothing was sent.
            ChangedMeanwhile: It is not; nothing was done.
            OpdashError: It was not completed, or no answer came.
        """
        check_may_write(self.profile, "complete")
        self._reopen(Right.INCOMING)
        return await self._own(self._completer.complete(payment_id, seen))

    def watch_sale(self, payment_id: str) -> SaleWatch:
        """Return what looks at a payment again and again while a customer stands there.

        Its requests are a person's: they are made whoever polls. They are counted all the same,
        and polls leave room for them.
        """
        from opdash.service.till import SaleWatch

        async def look() -> PaymentRow | None:
            server = self._poller.server_if_known
            if server is not None:
                server.polling.spend()
            return await self.refresh_payment(payment_id)

        def patience() -> float:
            server = self._poller.server_if_known
            return 0.0 if server is None else server.polling.wait_left()

        return SaleWatch(look, patience, self.now, self._clock)

    async def write_note(self, payment_id: str, edit: Edit) -> PaymentRow | None:
        """Write down what a person wrote on a payment, or how they settled it; it is not sent.

        Returns:
            The payment as it is known now.

        Raises:
            InputError: There would be too many labels.
            LedgerError: It could not be written down, or the payment is not known.
        """
        from opdash.ledger.states import grace

        wallet_id = self.wallet_id
        if wallet_id is None:
            return None
        now, patience = self.now(), grace(self.profile.poll_interval)
        changes = await self._own(
            self._recorder().write(
                lambda ledger: ledger.write_note(
                    wallet_id, payment_id, edit, at=now, grace=patience
                )
            )
        )
        self._payments_changed(wallet_id, changes)
        return self._reader.payment(wallet_id, payment_id)

    async def remark(self, payment_id: str, text: str) -> None:
        """Write what a person saw or did about a payment into its time line.

        Raises:
            LedgerError: It could not be written down, or the payment is not known.
        """
        wallet_id = self.wallet_id
        if wallet_id is None:
            return
        now = self.now()
        await self._own(
            self._recorder().write(
                lambda ledger: ledger.record_action(
                    wallet_id, payment_id, TimelineKind.NOTE, at=now, text=text
                )
            )
        )

    async def outgoing_payment(self, url: str) -> OutgoingPayment:
        """Fetch an outgoing payment of this wallet address; may wait for consent.

        Raises:
            AddressError: The URL is not at this wallet address's resource server.
            OpdashError: It could not be fetched.
        """
        return await self._own(self._outgoing(url))

    async def outgoing_page(self, cursor: str | None = None) -> OutgoingPaymentPage:
        """Fetch a page of the list of outgoing payments; may wait for consent.

        Args:
            cursor: Where the page before ended; None for the head of the list.

        Raises:
            NotListedError: The server or the grant does not permit it.
            OpdashError: It could not be fetched.
        """
        return await self._own(self._outgoing_page(cursor))

    @property
    def may_read_outgoing(self) -> bool:
        """Whether the right to read outgoing payments is held already."""
        return self._connection.holds(Right.OUTGOING)

    @property
    def may_list_outgoing(self) -> bool:
        """Whether the right to list outgoing payments is held already."""
        return self._connection.holds(Right.OUTGOING, listing=True)

    async def public_payment(self, url: str) -> PublicIncomingPayment:
        """Fetch what anyone may read of an incoming payment anywhere; sends no token.

        Raises:
            OpdashError: It could not be fetched.
        """
        from opdash.openpayments.addresses import parse_resource_url

        client = await self._connection.client()
        return await client.public_incoming_payment(parse_resource_url(url))

    def abandon_consent(self, number: int | None = None) -> None:
        """Stop waiting for the account holder's consent, everywhere or in the wait of a number."""
        if self._made is not None:
            self._made.desk.give_up(number)

    def change_consent_way(self, number: int, way: ConsentWay) -> None:
        """Go on waiting for consent in another way, with a new question."""
        if self._made is not None:
            self._made.desk.change_way(number, way)

    def _reopen(self, right: Right) -> None:
        if self._made is not None:
            self._made.connection.ask_again(right)

    async def _outgoing(self, url: str) -> OutgoingPayment:
        self._reopen(Right.OUTGOING)
        return await self._outgoing_desk.payment(await self._poller.wallet(), url)

    async def _outgoing_page(self, cursor: str | None) -> OutgoingPaymentPage:
        self._reopen(Right.OUTGOING)
        return await self._outgoing_desk.page(await self._poller.wallet(), cursor)

    @property
    def _outgoing_desk(self) -> OutgoingDesk:
        from opdash.service.outgoing import OutgoingDesk

        return OutgoingDesk(self._connection, self._recorder(), self._events, self.now)

    # Announcing

    def _payments_changed(self, wallet_id: str, changes: tuple[Change, ...]) -> None:
        if changes:
            self._tell_payments(wallet_id, changes)

    def _tell_payments(self, wallet_id: str, changes: tuple[Change, ...]) -> None:
        self._events.publish(PaymentsChanged(wallet_id, changes))
        if self._made is not None:
            self._made.polling.told(wallet_id)

    def _has_caught_up(self, payments: int, since: datetime) -> None:
        self._events.publish(CaughtUp(self.profile.name, payments, since))

    def _creation_changed(self, creation: Creation) -> None:
        self._events.publish(CreationChanged(self.profile.name, creation))

    def _set_status(self, **changes: Any) -> None:
        offset = timedelta(0) if self._made is None else self._connection.server_offset
        status = replace(self.status, server_offset=offset, **changes)
        if status != self.status:
            self.status = status
            self._events.publish(StatusChanged(self.profile.name, status))

    async def _own(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run work in a task of the session's: the caller may be cancelled, the work is not."""
        task = asyncio.create_task(self._going_first(work))
        self._actions.add(task)
        task.add_done_callback(self._forget_action)
        return await asyncio.shield(task)

    async def _going_first(self, work: Coroutine[Any, Any, _T]) -> _T:
        with self._way.taken():
            return await work

    def _forget_action(self, task: asyncio.Task[Any]) -> None:
        self._actions.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone; a failure is then nobody's
