"""The screens over two real providers, one of which is taken down and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from opdash.clock import SystemClock
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.status import Phase
from opdash.settings import Settings, SettingsStore
from opdash.tui.app import OpdashApp
from opdash.tui.screens.all_wallets import AllWalletsScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.outgoing import OutgoingScreen
from opdash.tui.screens.outgoing_list import OutgoingListScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.line_list import LineList
from opdash.tui.widgets.merged_list import MergedList
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.sheet import SheetView
from opdash.tui.widgets.span_lines import SpanLines
from tests.service.conftest import profile_of

ALL = ("authorization", "resource", "wallet-address")


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await pilot.pause(0.05)


def dashboard_over(path: Path, near: SandboxProcess, far: SandboxProcess) -> Dashboard:
    store = SettingsStore(path / "config.toml")
    store.load()
    profiles = (
        profile_of(near, near.main_wallet, name="near", poll_interval=1.0),
        profile_of(far, far.main_wallet, name="far", poll_interval=1.0),
        profile_of(far, far.sender, name="payer", poll_interval=5.0),
    )
    store.save(Settings(profiles, default_profile="near"))
    return Dashboard(store, path / "data", SystemClock(), jitter=lambda: 0.5)


async def test_all_wallets_while_one_provider_is_down(
    sandbox: SandboxProcess, fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    dashboard = dashboard_over(tmp_path, sandbox, fresh_sandbox)
    app = OpdashApp(dashboard)
    async with app.run_test(size=(120, 40)) as pilot:
        sessions = [dashboard.session(name) for name in ("near", "far", "payer")]
        await until(pilot, lambda: {one.status.phase for one in sessions} == {Phase.LIVE})
        fresh_sandbox.take_down(*ALL)
        await until(pilot, lambda: sessions[1].status.phase is Phase.OFFLINE)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, AllWalletsScreen))
        shown = app.screen.query_one("#figures", SpanLines)
        await until(pilot, lambda: "received" in shown.text)
        assert "far    USD  ▲ offline" in shown.text
        assert "near   USD  ●" in shown.text
        table = app.screen.query_one(MergedList)
        await until(pilot, lambda: table.selected is not None)
        names = {table.render_line(y).text[21:33].strip() for y in range(table.size.height)}
        assert {"near", "far"} <= names
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PaymentsScreen))
        await pilot.press("full_stop")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, PaymentsScreen) and app.screen.session.profile.name == "far"
            ),
        )
        await until(pilot, lambda: bool(app.screen.query(PaymentTable)))
        fresh_sandbox.take_down()
        sessions[1].poll_soon()
        await until(pilot, lambda: sessions[1].status.phase is Phase.LIVE)


async def test_from_the_list_to_the_payment_and_back_and_offline(
    sandbox: SandboxProcess, fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    dashboard = dashboard_over(tmp_path, sandbox, fresh_sandbox)
    app = OpdashApp(dashboard)
    async with app.run_test(size=(120, 40)) as pilot:
        far, payer = dashboard.session("far"), dashboard.session("payer")
        await until(pilot, lambda: {far.status.phase, payer.status.phase} == {Phase.LIVE})
        creation = await far.create_payment(PaymentDraft(amount=6400))
        assert creation.payment_id is not None
        url = fresh_sandbox.pay(creation.payment_id, packets=1)
        fresh_sandbox.advance(1)
        await far.refresh_payment(creation.payment_id)
        await pilot.press("comma", "O")
        await until(pilot, lambda: isinstance(app.screen, OutgoingListScreen) or at_consent(app))
        await until(pilot, lambda: dashboard.reader.outgoing(url) is not None)
        await until(pilot, lambda: isinstance(app.screen, OutgoingListScreen))
        lines = app.screen.query_one(LineList)
        await until(pilot, lambda: lines.selected == url)
        fresh_sandbox.take_down(*ALL)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, OutgoingScreen))
        await until(pilot, lambda: "the server does not show it" in sheet_of(app))
        assert "64.00 USD" in sheet_of(app)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, DetailScreen))
        await until(pilot, lambda: "Paid by" in sheets_of(app))
        await pilot.press("escape", "escape", "r")
        await until(pilot, lambda: isinstance(app.screen, OutgoingListScreen))
        await until(pilot, lambda: bool(str(app.screen.query_one(Notices).content)))
        assert app.screen.query_one(LineList).texts


def at_consent(app: OpdashApp) -> bool:
    return type(app.screen).__name__ == "ConsentScreen"


def sheet_of(app: OpdashApp) -> str:
    return app.screen.query_one(SheetView).text


def sheets_of(app: OpdashApp) -> str:
    return "\n".join(view.text for view in app.screen.query(SheetView))
