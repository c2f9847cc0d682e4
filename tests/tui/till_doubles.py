"""A till without a network: a wallet whose payments are created, paid and ended by the test."""

from __future__ import annotations

import asyncio
import builtins
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

from opdash.errors import OpdashError
from opdash.ledger.records import (
    Creation,
    CreationStatus,
    PaymentRow,
    Source,
    TimelineKind,
)
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.resources import IncomingPayment
from opdash.service.completions import Seen
from opdash.service.drafts import PaymentDraft, draft_json, draft_metadata
from opdash.service.till import Sale, SaleWatch, till_draft
from opdash.settings import Profile
from opdash.tui.app import OpdashApp
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.session_header import SessionHeader
from tests.tui.doubles import NOW, USD, FakeSession, World, payment_id

MINUTE = timedelta(minutes=1)
_S = TypeVar("_S", bound=Screen[Any])


def sale_of_row(row: PaymentRow) -> Sale:
    """Return a payment as a sale of the till, whoever created it."""
    creation = Creation(
        request_id="r1",
        wallet=row.wallet,
        draft_json="{}",
        status=CreationStatus.CREATED,
        created_at=row.created_at,
        updated_at=row.created_at,
        payment_id=row.id,
    )
    return Sale(creation, row.asked or 0, row.received_asset, row.reference, row.expires_at, row)


class TillSession(FakeSession):
    """A session that creates in the ledger at once; what was asked for is kept.

    Attributes:
        created: The drafts that were sent.
        refusals: What creating ends in, first to last, instead of a payment.
        completing: What completing ends in, likewise.
        looking: Why looking at a payment fails, or None.
        completed: What was asked to be completed.
        remarks: What was written into time lines.
    """

    shop: Shop

    def begin(self, shop: Shop) -> None:
        self.shop = shop
        self.created: list[PaymentDraft] = []
        self.refusals: list[OpdashError | CreationStatus] = []
        self.completing: list[OpdashError] = []
        self.looking: OpdashError | None = None
        self.looks = 0
        self.completed: list[Seen] = []
        self.remarks: list[str] = []

    async def create_payment(self, draft: PaymentDraft) -> Creation:
        self.created.append(draft)
        await self.gate.wait()
        ends = self.refusals.pop(0) if self.refusals else CreationStatus.CREATED
        if isinstance(ends, OpdashError):
            raise ends
        return self.shop.create(draft, status=ends)

    async def refresh_payment(self, payment_id: str) -> PaymentRow | None:
        self.looks += 1
        await self.gate.wait()
        if self.looking is not None:
            raise self.looking
        return self.shop.reader.payment(self.shop.wallet.id, payment_id)

    async def complete_payment(self, payment_id: str, *, seen: Seen) -> PaymentRow:
        self.completed.append(seen)
        await self.gate.wait()
        if self.completing:
            raise self.completing.pop(0)
        self.shop.change(payment_id, completed=True)
        row = self.shop.reader.payment(self.shop.wallet.id, payment_id)
        assert row is not None
        return row

    def watch_sale(self, payment_id: str) -> SaleWatch:
        return SaleWatch(
            lambda: self.refresh_payment(payment_id), lambda: 0.0, self.now, self.clock
        )

    async def remark(self, payment_id: str, text: str) -> None:
        self.remarks.append(text)
        self.shop.ledger.record_action(
            self.shop.wallet.id, payment_id, TimelineKind.NOTE, at=self.now(), text=text
        )


class Shop(World):
    """Rosa's shop, with what a person does at its till."""

    def __init__(
        self, path: Path, *, asset: Asset = USD, known: bool = True, server: str = ""
    ) -> None:
        super().__init__(path, asset=asset, known=False)
        session = TillSession(self.session.profile, self.clock, None, world=self)
        session.begin(self)
        self.session = session
        self.dashboard.sessions[:] = [session]
        self.server = server
        self._payments: dict[str, IncomingPayment] = {}
        if known:
            self.meet()
            self.live()

    @property
    def till_session(self) -> TillSession:
        return cast(TillSession, self.session)

    def set_profile(self, profile: Profile) -> None:
        self.session.profile = profile
        self.dashboard.settings = replace(self.dashboard.settings, profiles=(profile,))

    # Payments

    def url(self, number: int) -> str:
        """The URL of the sale of that number."""
        tail = payment_id(number).rpartition("/")[2]
        return f"{self.server}/incoming-payments/{tail}" if self.server else payment_id(number)

    def asked(self, number: int) -> int:
        """What the sale of that number asks for, in minor units."""
        asked = self._payments[self.url(number)].incoming_amount
        return 0 if asked is None else asked.minor_units

    def create(
        self,
        draft: PaymentDraft,
        *,
        status: CreationStatus = CreationStatus.CREATED,
        at: datetime | None = None,
    ) -> Creation:
        """Write a creation down, with its payment unless nobody knows of it."""
        number = len(self.reader.creations_since(self.wallet.id, NOW - timedelta(days=400))) + 1
        request_id = f"00000000-0000-4000-8000-{number:012x}"
        now = at or self.clock.now()
        creation = Creation(
            request_id=request_id,
            wallet=self.wallet.id,
            draft_json=draft_json(draft, self.wallet, request_id),
            status=CreationStatus.INTENDED,
            created_at=now,
            updated_at=now,
        )
        self.ledger.begin_creation(creation)
        if status is not CreationStatus.CREATED:
            return self.ledger.update_creation(request_id, status, at=now)
        return self.found(creation, draft, number)

    def found(self, creation: Creation, draft: PaymentDraft, number: int) -> Creation:
        """Let the payment of a creation be known."""
        metadata = draft_metadata(draft, creation.request_id)
        payment = IncomingPayment(
            id=self.url(number),
            wallet_address=self.wallet.id,
            completed=False,
            received_amount=Amount.of(0, self.asset),
            created_at=creation.created_at,
            incoming_amount=Amount.of(draft.amount or 0, self.asset),
            expires_at=draft.expires_at,
            raw_metadata=msgspec.Raw(json.dumps(metadata).encode()),
        )
        self._payments[payment.id] = payment
        self.record(payment, source=Source.CREATE)
        return self.ledger.update_creation(
            creation.request_id,
            CreationStatus.CREATED,
            at=creation.created_at,
            payment_id=payment.id,
        )

    def sale(
        self,
        amount: int,
        reference: str = "",
        *,
        ago: timedelta = timedelta(0),
        received: int = 0,
        completed: bool = False,
        seen: bool = True,
    ) -> str:
        """Let there be a sale of some time ago; return its payment's URL."""
        at = self.clock.now() - ago
        creation = self.create(till_draft(amount, reference, at + 10 * MINUTE), at=at)
        assert creation.payment_id is not None
        if received or completed:
            self.change(creation.payment_id, received=received, completed=completed)
        if seen:
            self.ledger.record_action(
                self.wallet.id,
                creation.payment_id,
                TimelineKind.NOTE,
                at=at,
                text="At the till: seen",
            )
        return creation.payment_id

    def change(
        self, url: str, *, received: int | None = None, completed: bool | None = None
    ) -> None:
        """Let the server tell something else of a payment."""
        payment = self._payments[url]
        changed = msgspec.structs.replace(
            payment,
            received_amount=payment.received_amount
            if received is None
            else Amount.of(received, self.asset),
            completed=payment.completed if completed is None else completed,
        )
        self._payments[url] = changed
        self.record(changed, source=Source.GET)

    def expire(self, url: str, *, told: bool = True) -> None:
        """Let a payment's time pass, and the grace after it; the server tells of it or not."""
        expires_at = self._payments[url].expires_at
        assert expires_at is not None
        self.clock.instant = expires_at + timedelta(seconds=31)
        if told:
            self.record(self._payments[url], source=Source.GET)
        self.announce(self.ledger.advance(self.clock.now(), timedelta(seconds=30), self.wallet.id))


class Counter:
    """Somebody at the till."""

    def __init__(self, shop: Shop, app: OpdashApp, pilot: Pilot[None]) -> None:
        self.shop = shop
        self.app = app
        self.pilot = pilot
        self.bells: list[int] = []

    @property
    def session(self) -> TillSession:
        return self.shop.till_session

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type a text: in a field all but the last character at once; every key takes a while."""
        focused = self.app.focused
        if isinstance(focused, Input):
            focused.insert_text_at_cursor(text[:-1])
            text = text[-1:]
        await self.press(*("full_stop" if key == "." else key for key in text))

    async def settle(self) -> None:
        """Wait until all that was asked is answered and shown, but for what waits for a clock."""
        for _ in range(2):
            await self.pilot.pause()

    async def sell(self, amount: str, reference: str = "") -> None:
        """Type a sale as a person and a scanner do."""
        await self.type(amount)
        await self.press("enter")
        if reference:
            await self.type(reference)
        await self.press("enter")

    async def later(self, **span: float) -> None:
        """Let time pass on the clock, and the screen look at it."""
        await self.settle()
        self.shop.clock.instant += timedelta(**span)
        self.shop.live()
        for screen in self.app.screen_stack:
            for name in ("tick", "_tick"):
                look = getattr(screen, name, None)
                if look is not None:
                    found = look()
                    if asyncio.iscoroutine(found):
                        await found
            for header in screen.query(SessionHeader):
                header.fill()
        await self.settle()

    async def open(self) -> None:
        """Open the till by its key."""
        self.on(PaymentsScreen)
        await self.press("P")

    def on(self, kind: builtins.type[_S]) -> _S:
        """Return the screen that is there, which is of a kind."""
        screen = self.app.screen
        assert isinstance(screen, kind), screen
        return screen

    @property
    def words(self) -> str:
        """What the texts of the screen say, whatever their lines."""
        shown = [text for text in self.app.screen.query(Static) if text.is_on_screen]
        return " ".join(str(text.render()) for text in shown)

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        return screen_text(self.app)


def screen_text(app: OpdashApp) -> str:
    """Return what stands on the screen now, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)
