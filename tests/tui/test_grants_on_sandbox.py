"""Scope and grants in the real app, over a real ledger, against the sandbox by HTTP."""

from __future__ import annotations

import json
from pathlib import Path

from opdash.ledger.records import Scope
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.grants import Access
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.rights import Right
from opdash.service.status import Phase
from opdash.settings import ConsentWay, Profile, Settings, SettingsStore
from opdash.tui.app import OpdashApp
from opdash.tui.screens.give_back import GiveBackScreen
from opdash.tui.screens.grants import GrantsScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.scope import ScopeScreen
from opdash.tui.widgets.header import HeaderLine
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.status_line import StatusLine
from tests.sandbox.support import open_client
from tests.tui.test_forms_on_sandbox import HurriedClock, Person

LARGE = (120, 40)


def dashboard_of(sandbox: SandboxProcess, home: Path) -> Dashboard:
    store = SettingsStore(home / "config.toml")
    if not store.load().profiles:
        profile = Profile(
            "shop",
            sandbox.main_wallet,
            client_wallet_address=sandbox.client.wallet_address,
            key_id=sandbox.client.key_id,
            key_file=sandbox.client.private_key,
            poll_interval=0.2,
            consent=ConsentWay.POLLING,
        )
        store.save(Settings((profile,)))
    return Dashboard(store, home / "data", HurriedClock())


async def somebody_elses_payment(sandbox: SandboxProcess) -> str:
    """Let another application create a payment at the shop; returns its URL."""
    async with open_client(sandbox, other=True) as client:
        wallet = await client.wallet_address(sandbox.main_wallet)
        access = Access("incoming-payment", ("create",))
        grant = await client.request_grant(wallet.auth_server, [access])
        assert grant.token is not None
        draft = IncomingPaymentDraft(metadata={"externalRef": "THEIRS"})
        return (await client.create_incoming_payment(wallet, grant.token.value, draft)).id


def lines(person: Person) -> list[str]:
    """What the table shows, a text for each line."""
    tables = person.app.screen.query(PaymentTable)
    if not tables:
        return []
    table = tables.first()
    return ["".join(one.text for one in table.render_line(y)) for y in range(table.size.height)]


def theirs(person: Person) -> str:
    return next((line for line in lines(person) if "THEIRS" in line), "")


def scope_said(person: Person) -> str:
    """What the lines of the screen say; nothing while it is built anew."""
    screen = person.app.screen
    found = [*screen.query(HeaderLine), *screen.query(StatusLine)]
    return "".join(line.text for line in found)


async def change_scope(person: Person, words: str) -> None:
    await person.on(PaymentsScreen)
    await person.press("S")
    await person.on(ScopeScreen)
    await person.press("ctrl+y")
    await person.until(
        lambda: isinstance(person.app.screen, PaymentsScreen) and words in scope_said(person)
    )


async def test_more_is_seen_and_less_again_and_nothing_is_taken_for_gone(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    payment = await somebody_elses_payment(fresh_sandbox)
    dashboard = dashboard_of(fresh_sandbox, tmp_path)
    app = OpdashApp(dashboard)
    async with app.run_test(size=LARGE) as pilot:
        person = Person(dashboard, app, pilot)
        await person.until(lambda: len([line for line in lines(person) if line.strip()]) > 5)
        assert theirs(person) == ""
        await change_scope(person, "S everything on this wallet")
        await person.until(lambda: theirs(person) != "")
        assert "‡" not in theirs(person)
        await change_scope(person, "S created by opdash only")
        await person.until(lambda: dashboard.session("shop").status.phase is Phase.LIVE)
        await person.until(lambda: "‡" in theirs(person))
        await dashboard.session("shop").read_all()
        await person.until(lambda: "‡" in theirs(person))
        wallet = dashboard.session("shop").wallet_id
        assert wallet is not None
        row = dashboard.reader.payment(wallet, payment)
        assert row is not None
        assert not row.no_longer_at_server
        assert row.gone_at is None
    assert SettingsStore(tmp_path / "config.toml").load().profile("shop").scope is Scope.OWN


async def test_a_grant_is_given_back_and_asked_for_again(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    dashboard = dashboard_of(fresh_sandbox, tmp_path)
    path = token_path(tmp_path / "data", "shop")
    app = OpdashApp(dashboard)
    async with app.run_test(size=LARGE) as pilot:
        person = Person(dashboard, app, pilot)
        session = dashboard.session("shop")
        await person.until(lambda: session.status.phase is Phase.LIVE and path.exists())
        await person.press("T")
        await person.on(GrantsScreen)
        await person.until(lambda: "left, until" in person.text)
        await person.press("o")
        await person.on(GiveBackScreen)
        await person.press("ctrl+y")
        await person.on(GrantsScreen)
        assert json.loads(path.read_bytes())["grants"] == {}
        await person.until(lambda: "You gave this right back" in person.text)
        await person.until(lambda: session.status.phase is Phase.REFUSED)
        assert "gave back the right" in session.status.problem
        await person.press("r")
        await person.until(lambda: "left, until" in person.text)
        await person.until(lambda: session.status.phase is Phase.LIVE)
        assert dashboard.grants.views("shop")[0].right is Right.INCOMING
        assert json.loads(path.read_bytes())["grants"] != {}
