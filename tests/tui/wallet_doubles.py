"""Two wallets of two providers in one ledger, one of them offline, and outgoing payments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from opdash.errors import OpdashError
from opdash.ledger.records import Scope, Source
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import (
    OutgoingPayment,
    OutgoingPaymentPage,
    Pagination,
    WalletAddress,
)
from opdash.service.events import OutgoingChanged, StatusChanged
from opdash.service.status import Phase, Status
from opdash.settings import Profile, Settings
from tests.tui.doubles import (
    GRACE,
    NOW,
    SERVER,
    FakeSession,
    World,
    make_payment,
    shop_payments,
)

OTHER_SERVER = "https://rs.other.example"
TIPS = WalletAddress(
    id="https://other.example/tips",
    asset_code="EUR",
    asset_scale=2,
    auth_server="https://auth.other.example",
    resource_server=OTHER_SERVER,
    public_name="Tips",
)


def sent_payment(number: int, **changes: Any) -> OutgoingPayment:
    """Return an outgoing payment of so many minutes ago, all of which was sent."""
    made = OutgoingPayment(
        id=f"{SERVER}/outgoing-payments/{number:08x}-63f5-4f0e-b0c2-5d1e8f7a6b34",
        wallet_address="https://ilp.example/rosa",
        receiver="https://elsewhere.example/incoming-payments/1",
        receive_amount=Amount("8000", "EUR", 2),
        debit_amount=Amount("9384", "USD", 2),
        sent_amount=Amount("9200", "USD", 2),
        created_at=NOW - timedelta(minutes=number),
    )
    return msgspec.structs.replace(made, **changes)


@dataclass
class Payer(FakeSession):
    """A session whose list of outgoing payments a test writes, two to a page."""

    listed: list[OutgoingPayment] = field(default_factory=list)
    page_size: int = 50
    refusal: OpdashError | None = None
    asked: list[str | None] = field(default_factory=list)
    may_read_outgoing: bool = True
    may_list_outgoing: bool = True

    async def outgoing_page(self, cursor: str | None = None) -> OutgoingPaymentPage:
        self.asked.append(cursor)
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        ids = [payment.id for payment in self.listed]
        begin = 0 if cursor is None else ids.index(cursor) + 1
        result = tuple(self.listed[begin : begin + self.page_size])
        assert self.world is not None
        assert self.wallet is not None
        changed = self.world.ledger.record_outgoing(self.wallet.id, result, at=self.clock.now())
        if changed:
            news = OutgoingChanged(self.wallet.id, changed)
            self.world.dashboard.events.publish(news)
        more = begin + len(result) < len(self.listed)
        end = result[-1].id if result else None
        return OutgoingPaymentPage(Pagination(end_cursor=end, has_next_page=more), result)


class Providers(World):
    """Rosa's Shop, live, and her tips at another provider, offline."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.shop = Payer(self.session.profile, self.clock, self.wallet, world=self)
        self.session = self.shop
        self.tips = Payer(Profile("tips", TIPS.id, label="Tips"), self.clock, TIPS, world=self)
        self.ledger.remember_wallet(TIPS, self.clock.now())
        self.dashboard.sessions = [self.shop, self.tips]
        self.dashboard.settings = Settings(
            (self.shop.profile, self.tips.profile), default_profile="shop"
        )
        self.record(*shop_payments())
        self.tip(1, 350)
        self.live()
        self.stand(self.tips, Phase.OFFLINE, problem="No answer.")

    def tip(self, number: int, cents: int, ago: timedelta = timedelta(minutes=3)) -> None:
        """Let a tip arrive at the other provider."""
        made = make_payment(
            number, asked=None, received=cents, ago=ago, asset=TIPS.asset, wallet=TIPS.id
        )
        changes = self.ledger.record(
            TIPS.id,
            [msgspec.structs.replace(made, id=made.id.replace(SERVER, OTHER_SERVER))],
            at=self.clock.now(),
            source=Source.LIST,
            scope=Scope.OWN,
            grace=GRACE,
        )
        self.announce(changes)

    def stand(self, session: FakeSession, phase: Phase, **changes: Any) -> None:
        """Change how a session stands, and announce it."""
        session.status = Status(
            phase=phase, last_ok_at=self.clock.now() - timedelta(minutes=4), **changes
        )
        self.dashboard.events.publish(StatusChanged(session.profile.name, session.status))
