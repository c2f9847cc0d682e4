"""A dashboard without a network over a real ledger, with a clock that stands until it is moved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from opdash.errors import OpdashError
from opdash.ledger.decisions import Decision, Verdict
from opdash.ledger.export_marks import ExportMark
from opdash.ledger.notes import Edit
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, Creation, PaymentRow, Scope, Source, WalkState
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.resources import IncomingPayment, PaymentMethod, WalletAddress
from opdash.service.dashboard import Dashboard
from opdash.service.events import (
    ConsentEnded,
    ConsentNeeded,
    CreationChanged,
    EventHub,
    PaymentsChanged,
    StatusChanged,
)
from opdash.service.giving_back import GivenBack
from opdash.service.grant_office import GrantView
from opdash.service.inspection import RequestLog
from opdash.service.rights import Right
from opdash.service.session import WalletSession
from opdash.service.status import Phase, Status
from opdash.service.till import SaleWatch
from opdash.settings import ConsentWay, NotifyWay, Profile, Settings
from opdash.table_view import TableView
from tests.tui.key_doubles import FakeKeyChange, FakeKeys, FakeWatch

NOW = datetime(2026, 11, 20, 14, 7, 0, tzinfo=UTC)
USD = Asset("USD", 2)
GRACE = timedelta(seconds=30)
SERVER = "https://rs.example/t1"


class FrozenClock:
    """A clock that stands until a test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


def payment_id(number: int) -> str:
    """Return the URL of the payment of that number."""
    return f"{SERVER}/incoming-payments/2f1b0c4e-8d4a-4a30-9a51-{number:012x}"


def make_payment(
    number: int,
    *,
    asked: int | None = 1000,
    received: int = 0,
    ago: timedelta = timedelta(hours=1),
    expires_in: timedelta | None = timedelta(days=2),
    completed: bool = False,
    reference: str = "",
    description: str = "",
    asset: Asset = USD,
    received_asset: Asset | None = None,
    wallet: str = "https://ilp.example/rosa",
    now: datetime = NOW,
) -> IncomingPayment:
    """Return what a server would answer about a payment; amounts are minor units."""
    metadata = {"externalRef": reference, "description": description}
    kept = {key: value for key, value in metadata.items() if value}
    return IncomingPayment(
        id=payment_id(number),
        wallet_address=wallet,
        completed=completed,
        received_amount=Amount.of(received, received_asset or asset),
        created_at=now - ago,
        incoming_amount=None if asked is None else Amount.of(asked, asset),
        expires_at=None if expires_in is None else now + expires_in,
        raw_metadata=msgspec.Raw(json.dumps(kept).encode() if kept else b""),
    )


@dataclass
class FakeSession:
    """One wallet address whose server is the test itself."""

    profile: Profile
    clock: FrozenClock
    wallet: WalletAddress | None
    status: Status = field(default_factory=Status)
    polls_asked_for: int = 0
    consent_ways: list[tuple[int, ConsentWay]] = field(default_factory=list)
    withdrawn: list[int | None] = field(default_factory=list)
    watched: frozenset[str] = frozenset()
    focused: bool = True
    older_pages: list[Iterable[IncomingPayment]] = field(default_factory=list)
    older_failure: OpdashError | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    world: World | None = None
    may_read_outgoing: bool = False
    may_list_outgoing: bool = False

    @property
    def wallet_id(self) -> str | None:
        return None if self.wallet is None else self.wallet.id

    def now(self) -> datetime:
        return self.clock.now()

    def start(self) -> None:
        pass

    def poll_soon(self) -> None:
        self.polls_asked_for += 1

    def change_consent_way(self, number: int, way: ConsentWay) -> None:
        self.consent_ways.append((number, way))

    def abandon_consent(self, number: int | None = None) -> None:
        self.withdrawn.append(number)

    def watch_on_screen(self, payment_ids: Iterable[str]) -> None:
        self.watched = frozenset(payment_ids)

    def focus(self, active: bool) -> None:
        self.focused = active

    def __post_init__(self) -> None:
        self.gate.set()

    async def pause_scan(self, paused: bool) -> None:
        scan = replace(self.status.scan, paused=paused)
        if self.world is not None:
            self.world.set_status(self.status.phase, scan=scan)

    async def load_older(self) -> bool:
        await self.gate.wait()
        if self.older_failure is not None:
            raise self.older_failure
        if self.older_pages and self.world is not None:
            page = self.older_pages.pop(0)
            self.world.record(*page)
            self.world.set_complete(not self.older_pages)
        return bool(self.older_pages)

    async def payment_methods(self, payment_id: str) -> tuple[PaymentMethod, ...]:
        return ()

    async def write_note(self, payment_id: str, edit: Edit) -> PaymentRow | None:
        await self.gate.wait()
        return None if self.world is None else self.world.write_note(payment_id, edit)

    def watch_sale(self, payment_id: str) -> SaleWatch:
        return SaleWatch(self._look_at_nothing, lambda: 0.0, self.now, self.clock)

    async def _look_at_nothing(self) -> None:
        return None


class FakeOffice:
    """The grants as a test wants them; what was asked for is kept.

    Attributes:
        shown: The grants.
        trouble: Why kept tokens are not used.
        calls: What was asked for.
        answers: What giving back ends in; a failure is raised.
    """

    def __init__(self) -> None:
        self.shown: tuple[GrantView, ...] = ()
        self.trouble = ""
        self.calls: list[tuple[object, ...]] = []
        self.answers: list[GivenBack | OpdashError] = []

    def views(self, profile: str = "") -> tuple[GrantView, ...]:
        return tuple(one for one in self.shown if profile in ("", one.profile))

    def problem(self, profile: str) -> str:
        return self.trouble

    async def renew(self, profile: str, right: Right) -> None:
        self._call("renew", profile, right)

    async def revoke(self, profile: str, right: Right) -> GivenBack:
        return self._call("revoke", profile, right) or GivenBack(right)

    async def cancel(self, profile: str, right: Right) -> GivenBack:
        return self._call("cancel", profile, right) or GivenBack(right, cancelled=True)

    async def sign_out(self, profile: str) -> tuple[GivenBack, ...]:
        told = self._call("sign out", profile)
        return () if told is None else (told,)

    async def set_keeping(self, profile: str, keeps: bool) -> None:
        self._call("keep", profile, keeps)

    async def change_scope(self, profile: str, scope: Scope) -> GivenBack | None:
        return self._call("scope", profile, scope)

    def _call(self, *what: object) -> GivenBack | None:
        self.calls.append(what)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, OpdashError):
            raise answer
        return answer


class FakeDashboard:
    """The service as the screens see it."""

    def __init__(
        self, reader: LedgerReader, clock: FrozenClock, sessions: list[FakeSession]
    ) -> None:
        self.reader = reader
        self.data_dir = reader.path.parent
        self.clock = clock
        self.events = EventHub()
        self.sessions = sessions
        self.settings = Settings(tuple(session.profile for session in sessions))
        self.started = False
        self.stopped = False
        self.themes: list[str] = []
        self.claimed: set[tuple[str, str]] = set()
        self.views: list[TableView] = []
        self.save_failure: OpdashError | None = None
        self.grants = FakeOffice()
        self.keys = FakeKeys()
        self.requests = RequestLog(200)
        self.ledger: Ledger | None = None

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return self.settings.profiles

    def session(self, name: str) -> FakeSession:
        self.settings.profile(name)
        return next(session for session in self.sessions if session.profile.name == name)

    def readiness(self, profile: Profile, tell: Any) -> FakeWatch:
        return FakeWatch(profile, tell, self.keys)

    def key_change(self, profile: str) -> FakeKeyChange:
        return FakeKeyChange(self, self.keys, profile)

    async def start(self) -> None:
        self.started = True

    async def stop(self) -> None:
        self.stopped = True

    async def decide(
        self, verdicts: Sequence[Verdict] = (), undone: Sequence[Decision] = ()
    ) -> tuple[Decision, ...]:
        assert self.ledger is not None
        return self.ledger.decide_all(verdicts, undone, at=self.clock.now())

    async def mark_export(
        self, wallet_id: str, kind: str, mark: ExportMark, before: ExportMark
    ) -> bool:
        assert self.ledger is not None
        return self.ledger.mark_export(wallet_id, kind, mark, before)

    async def save_theme(self, theme: str) -> None:
        self.themes.append(theme)

    async def save_notify(self, way: NotifyWay) -> None:
        if self.save_failure is not None:
            raise self.save_failure
        self.settings = replace(self.settings, notify=way)

    async def claim_notice(self, wallet_id: str, payment_id: str, what: str) -> bool:
        is_first = (payment_id, what) not in self.claimed
        self.claimed.add((payment_id, what))
        return is_first

    async def save_view(self, profile: str, view: TableView) -> None:
        if self.save_failure is not None:
            raise self.save_failure
        self.settings = self.settings.viewing(profile, view)
        self.views.append(view)

    async def save_search(self, search: SavedSearch, instead_of: SavedSearch | None = None) -> None:
        if self.save_failure is not None:
            raise self.save_failure
        self.settings = self.settings.saving(search, instead_of)

    async def remove_search(self, search: SavedSearch) -> None:
        self.settings = self.settings.without_search(search)

    @property
    def real(self) -> Dashboard:
        """Itself, as the type that the screens expect."""
        return cast(Dashboard, self)


class World:
    """A ledger, a clock, and one wallet address, Rosa's Shop.

    Args:
        path: A directory of the test's own.
        asset: What the wallet address holds.
        known: Whether the wallet address has ever answered.
    """

    def __init__(self, path: Path, *, asset: Asset = USD, known: bool = True) -> None:
        self.clock = FrozenClock()
        self.asset = asset
        self.ledger = Ledger.open(path / "ledger.sqlite3")
        self.reader = LedgerReader.open(path / "ledger.sqlite3")
        self.wallet = WalletAddress(
            id="https://ilp.example/rosa",
            asset_code=asset.code,
            asset_scale=asset.scale,
            auth_server="https://auth.example",
            resource_server=SERVER,
            public_name="Rosa's Shop",
        )
        profile = Profile("shop", self.wallet.id, label="Rosa's Shop")
        self.session = FakeSession(profile, self.clock, None, world=self)
        self.dashboard = FakeDashboard(self.reader, self.clock, [self.session])
        self.dashboard.ledger = self.ledger
        if known:
            self.meet()

    def close(self) -> None:
        self.reader.close()
        self.ledger.close()

    @property
    def wallet_session(self) -> WalletSession:
        """The session, as the type that the screens expect."""
        return cast(WalletSession, self.session)

    # What happens

    def meet(self) -> None:
        """Let the wallet address answer for the first time."""
        self.ledger.remember_wallet(self.wallet, self.clock.now())
        self.session.wallet = self.wallet

    def record(self, *payments: IncomingPayment, source: Source = Source.LIST) -> None:
        """Let the server show payments, and announce what changed."""
        self.announce(self.write(*payments, source=source))

    def write(self, *payments: IncomingPayment, source: Source = Source.LIST) -> tuple[Change, ...]:
        """Write payments down as another opdash process would: nothing is announced here."""
        return self.ledger.record(
            self.wallet.id,
            payments,
            at=self.clock.now(),
            source=source,
            scope=Scope.OWN,
            grace=GRACE,
        )

    def announce(self, changes: tuple[Change, ...]) -> None:
        """Announce changes as the service would."""
        if changes:
            self.dashboard.events.publish(PaymentsChanged(self.wallet.id, changes))

    def write_note(self, payment_id: str, edit: Edit) -> PaymentRow | None:
        """Let a person write on a payment, and announce it."""
        changes = self.ledger.write_note(
            self.wallet.id, payment_id, edit, at=self.clock.now(), grace=GRACE
        )
        self.announce(changes)
        return self.reader.payment(self.wallet.id, payment_id)

    def set_complete(self, complete: bool) -> None:
        """Say whether the whole list of the server is known."""
        state = WalkState(cursor="c", server_has_more=not complete, updated_at=self.clock.now())
        self.ledger.set_walk_state(self.wallet.id, Scope.OWN, state)

    def set_status(self, phase: Phase = Phase.LIVE, **changes: Any) -> None:
        """Change how the session stands, and announce it."""
        self.session.status = replace(self.session.status, phase=phase, **changes)
        name = self.session.profile.name
        self.dashboard.events.publish(StatusChanged(name, self.session.status))

    def live(self) -> None:
        """Let the last poll be three seconds ago and the next one two ahead."""
        now = self.clock.now()
        self.set_status(
            Phase.LIVE,
            last_ok_at=now - timedelta(seconds=3),
            next_poll_at=now + timedelta(seconds=2),
        )

    def creation_news(self, creation: Creation) -> None:
        """Announce how a creation goes on."""
        self.dashboard.events.publish(CreationChanged("shop", creation))

    def ask_consent(self, url: str, **more: Any) -> None:
        """Let the authorization server ask for consent."""
        until = self.clock.now() + timedelta(minutes=10)
        purpose = "read outgoing payments"
        self.dashboard.events.publish(ConsentNeeded("shop", purpose, url, until, **more))

    def end_consent(
        self, sentence: str, *, granted: bool = True, number: int = 0, advice: str = ""
    ) -> None:
        """Let the account holder decide."""
        self.dashboard.events.publish(ConsentEnded("shop", granted, sentence, number, advice))


def grant_view(**changes: Any) -> GrantView:
    """Return the grant that opdash usually holds: of an hour ago, with nine minutes left."""
    view = GrantView(
        profile="shop",
        title="Rosa's Shop",
        right=Right.INCOMING,
        is_held=True,
        rights=(
            "list the incoming payments that opdash created",
            "read the incoming payments that opdash created",
            "create incoming payments",
            "complete incoming payments",
        ),
        actions=("create", "complete", "read", "list"),
        given_at=NOW - timedelta(hours=1),
        renewed_at=NOW - timedelta(seconds=48),
        expires_at=NOW + timedelta(minutes=9, seconds=12),
        last_used_at=NOW - timedelta(seconds=3),
        is_kept=True,
        can_cancel=True,
    )
    return replace(view, **changes)


def shop_payments(asset: Asset = USD) -> list[IncomingPayment]:
    """Return the payments of a small shop in all states that matter, newest first."""
    unit = 10 ** min(asset.scale, 16)
    hour, day = timedelta(hours=1), timedelta(days=1)

    def payment(number: int, asked: int | None, received: int, ago: timedelta, **more: Any) -> Any:
        return make_payment(
            number,
            asked=None if asked is None else asked * unit,
            received=received * unit,
            ago=ago,
            asset=asset,
            **more,
        )

    return [
        payment(1, 250, 120, 0.1 * hour, reference="INV-2026-0412", description="Garden chairs"),
        payment(2, 20, 20, 0.5 * hour, completed=True, reference="INV-2026-0411"),
        payment(
            3, 80, 0, 2 * hour, expires_in=5 * hour, reference="花瓶と本", description="お買い上げ"
        ),
        payment(4, None, 12, 2.2 * hour, expires_in=0.01 * hour, reference="tip"),
        payment(5, 45, 30, 6 * day, expires_in=-2 * day, reference="INV-2026-0398"),
        payment(6, 40, 40, 8 * day, expires_in=-3 * day, description="[/nope] \x1b[31mred"),
        payment(7, None, 5, 9 * day, expires_in=-8 * day, description="Web monetization"),
        payment(8, 1000, 0, 10 * day, expires_in=-9 * day, reference="INV-2026-0380"),
        payment(9, 1000, 900, 11 * day, completed=True, reference="INV-2026-0377"),
        payment(10, 1000, 1100, 400 * day, completed=True, reference="INV-2025-0001"),
    ]


def many_payments(count: int, *, first: int = 1000) -> list[IncomingPayment]:
    """Return so many unpaid payments, newest first, a minute apart."""
    return [
        make_payment(
            first + number,
            asked=100 * (number + 1),
            ago=timedelta(days=12, minutes=number),
            expires_in=timedelta(days=10),
            reference=f"INV-{first + number}",
        )
        for number in range(count)
    ]
