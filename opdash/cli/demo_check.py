"""``opdash demo --check``: the demo unattended, on the real screens, driven by keys.

Everything is real but the terminal: the sandbox is its own process behind HTTP, requests are
signed and verified, the ledger is a file, the payer pays. Each step is asserted on the screen, in
the ledger and at the server. The payer leaves the payments of the check alone, so that what arrives
there is known to the minor unit.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, Any

from opdash.cli.demo_home import DemoHome, demo_home
from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.records import Change, PaymentRow, TimelineKind
from opdash.ledger.states import State
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.settings import ConsentWay
from opdash.tui.app import OpdashApp

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from opdash.openpayments.transport import Observer
    from opdash.service.inspection import Witness

_SIZE = (120, 40)
_PATIENCE = 20.0
_KEYS = {" ": "space", ".": "full_stop", "-": "minus", ":": "colon", "/": "slash"}


class CheckFailedError(OpdashError):
    """Something was not as it must be."""


def check(clock: Clock, observer: Observer | None = None, witness: Witness | None = None) -> int:
    """Run the check, print what was seen, and return 0.

    Raises:
        CheckFailedError: A step did not come about.
        OpdashError: Something broke on the way.
    """
    with demo_home(payer=True) as home:
        dashboard = Dashboard(
            home.store,
            home.data_dir,
            clock,
            observer=observer,
            witness=witness,
            usual_consent=ConsentWay.POLLING,
        )
        asyncio.run(_drive(home, dashboard, clock))
    sys.stdout.write("demo check: everything is as it must be\n")
    return 0


async def _drive(home: DemoHome, dashboard: Dashboard, clock: Clock) -> None:
    app = OpdashApp(dashboard, demo=True)
    async with app.run_test(size=_SIZE) as pilot:
        run = _Check(home, dashboard, app, pilot, clock)
        await run.list_payments()
        await run.see_the_payer()
        payment = await run.create_payment()
        await run.be_paid_in_parts(payment)
        await run.complete_short(payment)
        await run.see_one_vanish()
        await run.look_up_outgoing(payment)
        await run.choose_wallet()


class _Check:
    def __init__(
        self,
        home: DemoHome,
        dashboard: Dashboard,
        app: OpdashApp,
        pilot: Pilot[Any],
        clock: Clock,
    ) -> None:
        self._sandbox = home.sandbox
        self._dashboard = dashboard
        self._app = app
        self._pilot = pilot
        self._clock = clock
        self._last_sent = ""
        self._arrivals: list[Change] = []
        dashboard.events.subscribe(self._hear)

    # The steps

    async def list_payments(self) -> None:
        """The first page of the seeded payments is on the screen."""
        await self._until("the first payments are listed", lambda: self._known() >= 20)
        await self._shows("INV-2026-0411", "DEMO", "no real money", "live")
        _say(f"listed {self._known()} payments of {self._wallet}")

    async def see_the_payer(self) -> None:
        """Money arrives without anybody asking, and is told."""
        await self._until("the payer's money arrives", lambda: bool(self._arrivals))
        await self._shows("received")
        _say("saw the simulated payer's money arrive")

    async def create_payment(self) -> str:
        """A payment created in the form is selected, in the ledger and at the server."""
        await self._pilot.press("n")
        await self._shows("New incoming payment")
        await self._write("25.00")
        await self._pilot.press("tab")
        await self._write("Two teas")
        await self._pilot.press("tab")
        await self._write("INV-9001")
        await self._pilot.press("ctrl+n")
        await self._write("sandboxPayer")
        await self._pilot.press("tab")
        await self._write("never")
        await self._pilot.press("ctrl+s")
        await self._until("the payment is created", lambda: bool(self._referring("INV-9001")))
        await self._shows("INV-9001", "UNPAID", "25.00")
        row = self._referring("INV-9001")[0]
        server = self._server(row.id)
        self._claim("the server has it", server["incomingAmount"]["value"] == "2500")
        self._claim("the ledger has it", (row.asked, row.received) == (2500, 0))
        _say("created 25.00 USD with the form")
        return row.id

    async def be_paid_in_parts(self, payment: str) -> None:
        """Two payments of parts arrive, one by one."""
        for amount, total, shown in ((1000, 1000, "10.00"), (500, 1500, "15.00")):
            self._last_sent = self._sandbox.pay(payment, amount)
            await self._until(f"{shown} arrive", partial(self._has_received, payment, total))
            await self._shows("PARTIAL", shown)
        steps = [
            entry.delta
            for entry in self._dashboard.reader.timeline(self._wallet, payment)
            if entry.kind is TimelineKind.RECEIVED
        ]
        self._claim("the time line has both steps", steps == [1000, 500])
        _say("was paid 10.00 and 5.00, and saw both arrive")

    async def complete_short(self, payment: str) -> None:
        """Completing asks for the received amount, and closes the payment short."""
        await self._pilot.press("c")
        await self._shows("This cannot be undone", "10.00")
        await self._pilot.press("ctrl+y")
        await self._pilot.pause(0.2)
        self._claim("it is not completed by accident", not self._server(payment)["completed"])
        await self._write("15.00")
        await self._pilot.press("ctrl+y")
        await self._until("it is completed", lambda: self._row(payment).completed)
        await self._pilot.press("escape")
        await self._shows("CLOSED SHORT")
        self._claim("the ledger says so", self._row(payment).state is State.CLOSED_SHORT)
        self._claim("the server says so", bool(self._server(payment)["completed"]))
        _say("completed it 10.00 short, after typing what was received")

    async def see_one_vanish(self) -> None:
        """An unpaid payment expires, the server forgets it, the ledger does not."""
        session = self._session
        draft = PaymentDraft(
            amount=700,
            reference="INV-9002",
            expires_at=session.now() + timedelta(minutes=10),
            metadata={"sandboxPayer": "never"},
        )
        payment = str((await session.create_payment(draft)).payment_id)
        self._sandbox.advance(15 * 60)
        await self._until(
            "the vanished payment is noticed", lambda: self._row(payment).no_longer_at_server
        )
        self._claim("the server forgot it", bool(self._sandbox.state(payment)["gone"]))
        self._claim("it is kept", self._row(payment).state is State.EXPIRED_UNPAID)
        await self._sort_until_shown("INV-9002")
        await self._shows("EXPIRED UNPAID")
        _say("saw an unpaid payment expire and vanish, and kept it")

    async def look_up_outgoing(self, payment: str) -> None:
        """The outgoing payment behind the last part is read with the account holder's consent."""
        sent = self._last_sent
        sender = self._sandbox.sender.rpartition("/")[2]
        found = await self._dashboard.outgoing_payment(sent, first=sender)
        self._claim("it names its receiver", found.receiver == payment)
        await self._pilot.press("o")
        await self._shows("Paste the URL")
        await self._write(sent)
        await self._pilot.press("enter")
        await self._shows("SENT", "5.00")
        await self._pilot.press("escape")
        _say("read the outgoing payment behind it, with consent")

    async def choose_wallet(self) -> None:
        """Another wallet, in another asset, is chosen with the keyboard."""
        await self._pilot.press("w")
        await self._shows("Wallet addresses", "JPY", "EUR")
        await self._pilot.press("down", "down", "enter")
        await self._shows("JPY", "live")
        _say("changed to a wallet in another asset")

    # What is asked and looked at

    def _hear(self, event: Event) -> None:
        if isinstance(event, PaymentsChanged):
            self._arrivals += [
                change
                for change in event.changes
                if change.previous is not None
                and change.payment.received > change.previous.received
            ]

    @property
    def _session(self) -> WalletSession:
        return self._dashboard.session(self._dashboard.profiles[0].name)

    @property
    def _wallet(self) -> str:
        return self._sandbox.main_wallet

    def _known(self) -> int:
        return self._dashboard.reader.count(self._wallet)

    def _row(self, payment: str) -> PaymentRow:
        row = self._dashboard.reader.payment(self._wallet, payment)
        if row is None:
            raise CheckFailedError("The ledger does not know a payment that it must know.")
        return row

    def _has_received(self, payment: str, total: int) -> bool:
        return self._row(payment).received == total

    def _referring(self, reference: str) -> list[PaymentRow]:
        rows = self._dashboard.reader.window(self._wallet, limit=20)
        return [row for row in rows if row.reference == reference]

    def _server(self, payment: str) -> dict[str, Any]:
        found: dict[str, Any] = self._sandbox.state(payment)["payment"]
        return found

    def _screen(self) -> str:
        picture = re.sub(
            r"<style.*?</style>|<[^>]*>", "", self._app.export_screenshot(), flags=re.DOTALL
        )
        lines = unescape(picture).replace("\xa0", " ").splitlines()
        return "\n".join(line for line in lines if line.strip())

    def _is_shown(self, text: str) -> bool:
        return text in self._screen()

    async def _shows(self, *texts: str) -> None:
        for text in texts:
            await self._until(f"the screen shows “{text}”", partial(self._is_shown, text))

    async def _sort_until_shown(self, reference: str) -> None:
        """Sort by reference, one way or the other: the payer's payments push others away."""
        for _ in range(2):
            await self._pilot.press("4", "g")
            for _ in range(20):
                await self._pilot.pause(0.05)
                if self._is_shown(reference):
                    return
        await self._shows(reference)

    async def _write(self, text: str) -> None:
        await self._pilot.press(*(_KEYS.get(character, character) for character in text))

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        end = self._clock.monotonic() + _PATIENCE
        while not condition():
            if self._clock.monotonic() > end:
                sys.stderr.write(self._screen() + "\n")
                raise CheckFailedError(
                    f"It did not come about that {what}.", "The screen as it was stands above."
                )
            await self._pilot.pause(0.05)

    def _claim(self, what: str, holds: bool) -> None:
        if not holds:
            raise CheckFailedError(f"It is not so that {what}.")


def _say(text: str) -> None:
    sys.stdout.write(f"✓ {text}\n")
    sys.stdout.flush()
