"""Makes the pictures of this directory from the real app on the sandbox.

    python screenshots/make.py [DIRECTORY [SCENE …]]

Each picture is an SVG that the app itself draws while it is driven by keys, at 120 × 40 and where
that differs at 80 × 24. Amounts and names follow from the sandbox's seed, times from the run.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from opdash.cli.demo_home import DemoHome, demo_home
from opdash.clock import SystemClock
from opdash.keyfiles import write_key
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow, Scope
from opdash.ledger.states import State
from opdash.openpayments.keys import ClientKey
from opdash.service.dashboard import LEDGER_FILE, Dashboard
from opdash.settings import ConsentWay
from opdash.tui.app import OpdashApp
from opdash.tui.screens.doctor import DoctorScreen

if TYPE_CHECKING:
    from textual.pilot import Pilot

LARGE, SMALL = (120, 40), (80, 24)

_HOME = re.escape(tempfile.gettempdir()) + r"/opdash-demo-\w{8}"

Scene = Callable[["Pilot[Any]", DemoHome], Awaitable[None]]


async def wallets(pilot: Pilot[Any], _: DemoHome) -> None:
    """The choice of wallet addresses."""
    await pilot.press("w")
    await pilot.pause(1.5)


async def payments(pilot: Pilot[Any], _: DemoHome) -> None:
    """The table of incoming payments, and the pane where it fits."""
    await pilot.press("down", "down", "down", "down")
    await pilot.pause(0.5)


async def detail(pilot: Pilot[Any], _: DemoHome) -> None:
    """One incoming payment by itself."""
    await pilot.press("down", "down", "down", "enter")
    await pilot.pause(0.8)


async def create(pilot: Pilot[Any], _: DemoHome) -> None:
    """The form for a new payment, filled in."""
    await pilot.press("n")
    await pilot.pause(0.5)
    for text in ("250.00", "Two hand grinders", "INV-2026-0413"):
        await pilot.press(*(_KEYS.get(character, character) for character in text))
        await pilot.press("tab")
    await pilot.pause(0.5)


async def complete(pilot: Pilot[Any], home: DemoHome) -> None:
    """The question before a payment is completed short."""
    await create(pilot, home)
    await pilot.press("ctrl+s")
    await pilot.pause(1.5)
    newest = await asyncio.to_thread(_newest, home)
    await asyncio.to_thread(home.sandbox.pay, newest, 12000)
    await pilot.pause(2.5)
    await pilot.press("c")
    await pilot.pause(1.0)


async def outgoing(pilot: Pilot[Any], home: DemoHome) -> None:
    """An outgoing payment, looked up by its URL."""
    newest = await asyncio.to_thread(_payable, home)
    sent = await asyncio.to_thread(home.sandbox.pay, newest, 500)
    sender = home.sandbox.sender.rpartition("/")[2]
    await pilot.app.dashboard.outgoing_payment(sent, first=sender)  # type: ignore[attr-defined]
    await pilot.press("o")
    await pilot.pause(0.5)
    await pilot.press(*(_KEYS.get(character, character) for character in sent), "enter")
    await pilot.pause(1.0)


async def outgoing_list(pilot: Pilot[Any], home: DemoHome) -> None:
    """The outgoing payments of the wallet that pays, linked to what they pay."""
    app: Any = pilot.app
    for payable in (await asyncio.to_thread(_payables, home))[:5]:
        await asyncio.to_thread(home.sandbox.pay, payable, 250)
    app.show_payments(home.sandbox.sender.rpartition("/")[2])
    await pilot.pause(1.5)
    await pilot.press("O")
    await pilot.pause(8.0)  # until what was told has gone


async def all_wallets(pilot: Pilot[Any], _: DemoHome) -> None:
    """The payments of all wallets in one table."""
    await pilot.pause(2.0)
    await pilot.press("A")
    await pilot.pause(1.0)


async def consent(pilot: Pilot[Any], home: DemoHome) -> None:
    """The question for the account holder's consent, with a code for a phone."""
    await asyncio.to_thread(home.sandbox.decide, "ask")
    newest = await asyncio.to_thread(_payable, home)
    sent = await asyncio.to_thread(home.sandbox.pay, newest, 500)
    sender = home.sandbox.sender.rpartition("/")[2]
    app: Any = pilot.app
    app.background(lambda: app.dashboard.outgoing_payment(sent, first=sender), "consent")
    await pilot.pause(2.0)


async def grants(pilot: Pilot[Any], home: DemoHome) -> None:
    """The grants and tokens, one of them by consent."""
    app: Any = pilot.app
    name = home.sandbox.main_wallet.rpartition("/")[2]
    await app.dashboard.grants.change_scope(name, Scope.EVERYTHING)
    await pilot.pause(8.0)  # until what was told about it has gone
    await pilot.press("T")
    await pilot.pause(1.0)


async def doctor(pilot: Pilot[Any], home: DemoHome) -> None:
    """The doctor on a wallet whose client serves another key under the same id."""
    app: Any = pilot.app
    known = app.dashboard.profiles[0]
    path = home.data_dir / "keys" / "older.pem"
    write_key(path, ClientKey.generate(known.key_id))
    await app.push_screen(DoctorScreen(replace(known, key_file=path)))
    await app.workers.wait_for_complete()
    await pilot.press("down", "down")
    await pilot.pause(0.5)


async def onboarding(pilot: Pilot[Any], home: DemoHome) -> None:
    """A wallet that is added: how its key is registered, and what is missing until then."""
    app: Any = pilot.app
    name = home.sandbox.wallet_addresses[-1].rpartition("/")[2]
    known = next(one for one in app.dashboard.profiles if one.name == name)
    await app.dashboard.remove_profile(name)
    await pilot.press("w")
    await pilot.pause(0.5)
    await pilot.press("a")
    await pilot.pause(0.5)
    await pilot.press(*(_KEYS.get(character, character) for character in known.wallet_address))
    await pilot.press("f3")
    await pilot.pause(2.0)
    await pilot.press("ctrl+s")
    await pilot.pause(2.0)


async def review(pilot: Pilot[Any], _: DemoHome) -> None:
    """The invoices beside the payments."""
    await pilot.press("B")
    await pilot.pause(1.5)
    await pilot.press("enter")
    await pilot.pause(1.5)
    await pilot.press("down", "down")
    await pilot.pause(0.5)


async def till(pilot: Pilot[Any], home: DemoHome) -> None:
    """A sale at the counter, half paid."""
    await pilot.press("P")
    await pilot.pause(0.5)
    await pilot.press("2", "4", "full_stop", "5", "0", "enter")
    await pilot.press(*"TABLE", "minus", "7", "enter")
    await pilot.pause(2.0)
    newest = await asyncio.to_thread(_newest, home)
    await asyncio.to_thread(home.sandbox.pay, newest, 1000)
    await pilot.pause(3.0)


async def paid(pilot: Pilot[Any], home: DemoHome) -> None:
    """The end of a sale."""
    await till(pilot, home)
    newest = await asyncio.to_thread(_newest, home)
    await asyncio.to_thread(home.sandbox.pay, newest, 1450)
    await pilot.pause(4.0)


async def statement(pilot: Pilot[Any], _: DemoHome) -> None:
    """What arrived this month."""
    await pilot.press("M")
    await pilot.pause(2.0)


async def note(pilot: Pilot[Any], _: DemoHome) -> None:
    """Labels, a note and how a payment was settled."""
    await pilot.press("f", "enter")
    await pilot.pause(0.5)
    await pilot.press("N")
    await pilot.pause(0.5)
    await pilot.press(*"claim")
    await pilot.pause(0.5)


async def inspector(pilot: Pilot[Any], home: DemoHome) -> None:
    """The last requests, and what the signature covers of the one that created a payment."""
    await create(pilot, home)
    await pilot.press("ctrl+s")
    await pilot.pause(1.5)
    await pilot.press("I", "p", "2")
    screen: Any = pilot.app.screen
    for _ in range(40):
        if screen.selected.trace.method == "POST":
            break
        await pilot.press("down")
    await pilot.pause(7.0)  # until what was told about it has gone
    if pilot.app.size.width == SMALL[0]:
        await pilot.press("enter")
        await pilot.pause(0.5)


SCENES: dict[str, Scene] = {
    "wallets": wallets,
    "onboarding": onboarding,
    "payments": payments,
    "detail": detail,
    "create": create,
    "complete": complete,
    "outgoing": outgoing,
    "outgoing-list": outgoing_list,
    "all-wallets": all_wallets,
    "consent": consent,
    "review": review,
    "till": till,
    "paid": paid,
    "statement": statement,
    "note": note,
    "grants": grants,
    "inspector": inspector,
    "doctor": doctor,
}

_KEYS = {" ": "space", ".": "full_stop", "-": "minus", ":": "colon", "/": "slash"}


def _rows(home: DemoHome) -> tuple[PaymentRow, ...]:
    with LedgerReader.open(home.data_dir / LEDGER_FILE) as reader:
        return reader.window(home.sandbox.main_wallet, limit=20)


def _newest(home: DemoHome) -> str:
    return _rows(home)[0].id


def _payable(home: DemoHome) -> str:
    return _payables(home)[0]


def _payables(home: DemoHome) -> list[str]:
    return [row.id for row in _rows(home) if row.state in (State.UNPAID, State.PARTIAL)]


async def picture(
    name: str, size: tuple[int, int], target: Path, *, theme: str = "dark", payer: bool = False
) -> None:
    """Draw one scene into a file."""
    with demo_home(payer=payer) as home:
        store = home.store
        dashboard = Dashboard(store, home.data_dir, SystemClock(), usual_consent=ConsentWay.POLLING)
        app = OpdashApp(dashboard, demo=True, invoices=home.invoices)
        async with app.run_test(size=size) as pilot:
            for _ in range(100):
                if dashboard.reader.count(home.sandbox.main_wallet):
                    break
                await pilot.pause(0.1)
            await pilot.pause(1.2)
            if theme == "light":
                await pilot.press("t")
            await SCENES[name](pilot, home)
            drawn = app.export_screenshot(title="opdash")
    _write(target, drawn)
    sys.stdout.write(f"{target}\n")


def _write(target: Path, drawn: str) -> None:
    """Write a picture; the demo's directory has another name in each run, of the same length."""
    target.write_text(re.sub(_HOME, "/home/rosa/.opdash/demo-1", drawn), encoding="utf-8")


def main() -> int:
    """Draw all scenes, or those that are named."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    directory.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or SCENES:
        for size in (LARGE, SMALL):
            target = directory / f"{name}-{size[0]}x{size[1]}.svg"
            asyncio.run(picture(name, size, target))
        if name == "payments":
            target = directory / "payments-light.svg"
            asyncio.run(picture(name, LARGE, target, theme="light"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
