"""A dashboard of no network and no disk, whose answers a test writes, and an app for a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from opdash.errors import OpdashError
from opdash.ledger.outgoing import SeenOutgoing
from opdash.ledger.records import (
    Change,
    ChangeKind,
    Creation,
    CreationStatus,
    PaymentRow,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.states import State
from opdash.openpayments.amounts import Amount
from opdash.openpayments.errors import UnreachableError
from opdash.openpayments.resources import (
    OutgoingPayment,
    PaymentMethod,
    PublicIncomingPayment,
    WalletAddress,
)
from opdash.openpayments.secrets import Secret
from opdash.service.completions import Seen
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft, draft_json
from opdash.service.events import CreationChanged, EventHub, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.service.status import Status
from opdash.settings import NotifyWay, Profile, Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.add_wallet import AddWalletScreen
from tests.tui.doubles import USD, FrozenClock
from tests.tui.key_doubles import FakeKeyChange, FakeKeys, FakeWatch

NOW = datetime(2026, 11, 20, 13, 2, 5, tzinfo=UTC)
WALLET = WalletAddress(
    id="https://ilp.example/rosa",
    asset_code="USD",
    asset_scale=2,
    auth_server="https://auth.example/t1",
    resource_server="https://rs.example/t1",
    public_name="Rosa's Shop",
)
PAYMENT_ID = "https://rs.example/t1/incoming-payments/2f1b0c4e-8d4a-4a30-9a51-0e6c3f1d2b77"
OUTGOING_ID = "https://rs.example/t1/outgoing-payments/9a2c7d10-63f5-4f0e-b0c2-5d1e8f7a6b34"


def payment(**changes: Any) -> PaymentRow:
    """Return a payment of which 120.00 of 250.00 USD have arrived, but for what is said."""
    row = PaymentRow(
        id=PAYMENT_ID,
        wallet=WALLET.id,
        state=State.PARTIAL,
        final=False,
        needs_action=False,
        not_completed_by_server=False,
        no_longer_at_server=False,
        next_change_at=None,
        asked=25000,
        asked_asset=USD,
        received=12000,
        received_asset=USD,
        difference=-13000,
        completed=False,
        created_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(days=2),
        reference="INV-2026-0412",
        description="Two bags of coffee",
        metadata_json=(
            '{"description":"Two bags of coffee","externalRef":"INV-2026-0412",'
            '"order":{"id":4711,"paid":false,"lines":["espresso","filter"]}}'
        ),
        first_seen_at=NOW - timedelta(hours=1),
        last_seen_at=NOW - timedelta(seconds=2),
        changed_at=NOW - timedelta(minutes=56),
        gone_at=None,
        reached_at=None,
        scope=Scope.OWN,
        anomalies=(),
    )
    return msgspec.structs.replace(row, **changes)


def timeline() -> tuple[TimelineEntry, ...]:
    """Return what was observed of that payment."""
    start = NOW - timedelta(hours=1)
    return (
        TimelineEntry(at=start, kind=TimelineKind.CREATED),
        TimelineEntry(
            at=start + timedelta(minutes=3),
            kind=TimelineKind.RECEIVED,
            source=Source.LIST,
            received=10000,
            delta=10000,
        ),
        TimelineEntry(
            at=start + timedelta(minutes=4),
            kind=TimelineKind.RECEIVED,
            source=Source.LIST,
            received=12000,
            delta=2000,
        ),
    )


def outgoing(**changes: Any) -> OutgoingPayment:
    """Return an outgoing payment that has paid the payment above in part."""
    body = OutgoingPayment(
        id=OUTGOING_ID,
        wallet_address="https://ilp.example/ben",
        receiver=PAYMENT_ID,
        receive_amount=Amount("12000", "USD", 2),
        debit_amount=Amount("12250", "USD", 2),
        sent_amount=Amount("12000", "USD", 2),
        created_at=NOW - timedelta(minutes=57),
        raw_metadata=msgspec.Raw(b'{"description":"coffee"}'),
    )
    return msgspec.structs.replace(body, **changes)


@dataclass
class FakeReader:
    """What the ledger is to know."""

    payments: dict[str, PaymentRow] = field(default_factory=dict)
    steps: tuple[TimelineEntry, ...] = ()
    outgoings: dict[str, SeenOutgoing] = field(default_factory=dict)

    def payment(self, wallet_id: str, payment_id: str) -> PaymentRow | None:
        row = self.payments.get(payment_id)
        return row if row is not None and row.wallet == wallet_id else None

    def timeline(self, wallet_id: str, payment_id: str) -> tuple[TimelineEntry, ...]:
        return self.steps

    def outgoing(self, url: str) -> SeenOutgoing | None:
        return self.outgoings.get(url)

    def paid_by(self, payment_id: str) -> tuple[SeenOutgoing, ...]:
        known = self.outgoings.values()
        return tuple(seen for seen in known if seen.payment.receiver == payment_id)

    def count(self, wallet_id: str) -> int:
        return len(self.payments)

    def wallets(self) -> tuple[object, ...]:
        return ()


class FakeSession:
    """A session whose answers are what a test puts in; what was asked is kept."""

    def __init__(self, dashboard: FakeDashboard, profile: Profile) -> None:
        self.profile = profile
        self.wallet: WalletAddress | None = WALLET
        self.status = Status()
        self.asked: list[tuple[str, object]] = []
        self.answers: dict[str, object] = {}
        self.may_read_outgoing = True
        self.gate = asyncio.Event()
        self.gate.set()
        self._dashboard = dashboard

    @property
    def wallet_id(self) -> str | None:
        return None if self.wallet is None else self.wallet.id

    def now(self) -> datetime:
        return self._dashboard.clock.now()

    def focus(self, active: bool) -> None:
        pass

    def watch_on_screen(self, payment_ids: object) -> None:
        self.asked.append(("watch", payment_ids))

    async def _answer(self, name: str, argument: object) -> Any:
        self.asked.append((name, argument))
        await self.gate.wait()
        answer = self.answers.get(name)
        if isinstance(answer, BaseException):
            raise answer
        return answer(argument) if callable(answer) else answer

    async def refresh_payment(self, payment_id: str) -> PaymentRow | None:
        default = self._dashboard.reader.payments.get(payment_id)
        row = await self._answer("refresh", payment_id) or default
        return cast(PaymentRow, row)

    async def payment_methods(self, payment_id: str) -> tuple[PaymentMethod, ...]:
        return cast("tuple[PaymentMethod, ...]", await self._answer("methods", payment_id) or ())

    async def create_payment(self, draft: PaymentDraft) -> Creation:
        answer = await self._answer("create", draft)
        return answer if isinstance(answer, Creation) else creation(draft)

    async def complete_payment(self, payment_id: str, *, seen: Seen) -> PaymentRow:
        return cast(PaymentRow, await self._answer("complete", seen))

    async def public_payment(self, url: str) -> PublicIncomingPayment:
        return cast(PublicIncomingPayment, await self._answer("public", url))

    def asked_for(self, name: str) -> list[object]:
        """Return what one method was asked, in order."""
        return [argument for known, argument in self.asked if known == name]


def creation(
    draft: PaymentDraft, status: CreationStatus = CreationStatus.CREATED, error: str = ""
) -> Creation:
    """Return how creating a draft went."""
    return Creation(
        request_id="00000000-0000-4000-8000-000000000001",
        wallet=WALLET.id,
        draft_json=draft_json(draft, WALLET),
        status=status,
        created_at=NOW,
        updated_at=NOW,
        payment_id=PAYMENT_ID if status is CreationStatus.CREATED else None,
        error=error,
    )


class FakeDashboard:
    """A dashboard with one wallet."""

    def __init__(self, data_dir: Path) -> None:
        self.profile = Profile(
            "shop",
            WALLET.id,
            key_id="k1",
            key_file=Path("/home/rosa/keys/k1.pem"),
            label="Rosa's Shop",
        )
        self.settings = Settings((self.profile,), default_profile="shop")
        self.clock = FrozenClock(NOW)
        self.events = EventHub()
        self.reader = FakeReader()
        self.data_dir = data_dir
        self.shop = FakeSession(self, self.profile)
        self.probes: dict[str, WalletAddress | OpdashError] = {}
        self.keys = FakeKeys()
        self.outgoing: OutgoingPayment | OpdashError | None = None
        self.calls: list[tuple[str, object]] = []

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return self.settings.profiles

    def session(self, name: str) -> FakeSession:
        return self.shop

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def save_theme(self, theme: str) -> None:
        pass

    async def save_notify(self, way: NotifyWay) -> None:
        pass

    async def claim_notice(self, wallet_id: str, payment_id: str, what: str) -> bool:
        return True

    async def probe(self, address: str, *, ca_file: Path | None = None) -> WalletAddress:
        self.calls.append(("probe", address if ca_file is None else (address, ca_file)))
        return _or_raise(
            self.probes.get(address, UnreachableError("The server does not answer.", "Try again."))
        )

    @property
    def keyring(self) -> FakeKeys:
        return self.keys

    def readiness(self, profile: Profile, tell: Any) -> FakeWatch:
        return FakeWatch(profile, tell, self.keys)

    def key_change(self, profile: str) -> FakeKeyChange:
        return FakeKeyChange(self, self.keys, profile)

    async def outgoing_payment(self, url: str, *, first: str = "") -> OutgoingPayment:
        self.calls.append(("outgoing", url))
        assert self.outgoing is not None
        return _or_raise(self.outgoing)

    async def add_profile(self, profile: Profile) -> object:
        self.settings = self.settings.adding(profile)
        return self.shop

    async def remove_profile(self, name: str) -> None:
        self.settings = self.settings.without(name)

    # News

    def know(self, *rows: PaymentRow) -> None:
        """Put payments into the ledger and announce them."""
        self.reader.payments |= {row.id: row for row in rows}
        changes = tuple(Change(ChangeKind.CHANGED, row, row) for row in rows)
        self.events.publish(PaymentsChanged(WALLET.id, changes))

    def creation_news(self, news: Creation) -> None:
        """Announce how a creation goes on."""
        self.events.publish(CreationChanged("shop", news))

    @property
    def real(self) -> Dashboard:
        """Itself, as the type that the screens expect."""
        return cast(Dashboard, self)

    @property
    def session_(self) -> WalletSession:
        """Its session, as the type that the screens expect."""
        return cast(WalletSession, self.shop)


class Stage(OpdashApp):
    """The app with one screen over an empty one; keeps what it was told and left with."""

    def __init__(self, dashboard: FakeDashboard, show: Callable[[], Screen[Any]]) -> None:
        super().__init__(dashboard.real)
        self._make = show
        self.left_with: list[object] = []
        self.told: list[str] = []
        self.copied: list[str] = []

    def get_default_screen(self) -> Screen[Any]:
        return Screen()

    def on_mount(self) -> None:
        super().on_mount()
        self.push_screen(self._make(), self.left_with.append)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def tell(self, sentence: str, advice: str = "", **kwargs: Any) -> None:
        self.told.append(f"{sentence} {advice}".strip())
        super().tell(sentence, advice, **kwargs)


_T = TypeVar("_T")


def _or_raise(answer: _T | OpdashError) -> _T:
    if isinstance(answer, OpdashError):
        raise answer
    return answer


METHODS = (
    PaymentMethod("ilp", "test.example.alice.T1b2", Secret("c2VjcmV0")),
    PaymentMethod("card"),
)


async def write(pilot: Pilot[None], text: str) -> None:
    """Type a text: all but the last character at once, because every key takes a while."""
    focused = pilot.app.focused
    assert isinstance(focused, Input)
    focused.insert_text_at_cursor(text[:-1])
    await pilot.press(*(_character_to_key(character) for character in text[-1:]))


async def settled(pilot: Pilot[None]) -> None:
    """Wait until all that was asked has been answered and shown."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def asked(pilot: Pilot[None]) -> None:
    """Wait until what was typed has been asked about and answered."""
    await settled(pilot)
    screen = pilot.app.screen
    while isinstance(screen, AddWalletScreen) and screen.is_waiting:
        await pilot.pause(0.01)
    await settled(pilot)
