"""Two providers at once: each wallet for itself, and one of them taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from opdash.clock import SystemClock
from opdash.ledger.records import NEWEST_FIRST, Scope
from opdash.openpayments.errors import UnreachableError
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.rights import Right
from opdash.service.status import Phase
from opdash.settings import Profile, Settings, SettingsStore
from tests.cli.tls_proxy import Authority, running
from tests.service.conftest import profile_of

ALL = ("authorization", "resource", "wallet-address")

Open = Callable[..., Dashboard]


@pytest.fixture
async def open_profiles(tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        def start(*profiles: Profile) -> Dashboard:
            store = SettingsStore(tmp_path / "config.toml")
            store.load()
            store.save(Settings(profiles))
            dashboard = Dashboard(store, tmp_path / "data", SystemClock(), jitter=lambda: 0.5)
            stack.push_async_callback(dashboard.stop)
            return dashboard

        yield start


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for is another process's doing
            await asyncio.sleep(0.05)


async def test_each_wallet_has_its_own_client_key_scope_and_interval(
    sandbox: SandboxProcess, fresh_sandbox: SandboxProcess, open_profiles: Open
) -> None:
    other = fresh_sandbox.other_client
    dashboard = open_profiles(
        profile_of(sandbox, sandbox.main_wallet, name="near", poll_interval=2.0),
        profile_of(
            fresh_sandbox,
            fresh_sandbox.main_wallet,
            name="far",
            client_wallet_address=other.wallet_address,
            key_id=other.key_id,
            key_file=other.private_key,
            scope=Scope.EVERYTHING,
            poll_interval=120.0,
        ),
    )
    await dashboard.start()
    near, far = dashboard.session("near"), dashboard.session("far")
    await until(lambda: {near.status.phase, far.status.phase} == {Phase.LIVE})
    await until(lambda: None not in (near.status.next_poll_at, far.status.next_poll_at))
    assert near.status.next_poll_at is not None
    assert far.status.next_poll_at is not None
    assert near.status.next_poll_at - near.now() <= timedelta(seconds=2)
    assert far.status.next_poll_at - far.now() > timedelta(seconds=60)
    held = {view.profile: view for view in dashboard.grants.views() if view.right is Right.INCOMING}
    assert "list-all" in held["far"].actions
    assert "list-all" not in held["near"].actions
    creation = await far.create_payment(PaymentDraft(amount=700))
    assert creation.payment_id is not None
    assert creation.payment_id.startswith(fresh_sandbox.url)
    truth = fresh_sandbox.state(creation.payment_id)
    assert other.wallet_address.rpartition("/")[2] in str(truth)


async def test_a_key_of_one_provider_is_of_no_use_at_the_other(
    sandbox: SandboxProcess, fresh_sandbox: SandboxProcess, open_profiles: Open
) -> None:
    wrong = profile_of(
        fresh_sandbox,
        fresh_sandbox.main_wallet,
        name="far",
        key_file=sandbox.other_client.private_key,
    )
    dashboard = open_profiles(profile_of(sandbox, sandbox.main_wallet, name="near"), wrong)
    await dashboard.session("near").poll_once()
    with pytest.raises(Exception, match=r"signature|key|client"):
        await dashboard.session("far").poll_once()
    assert dashboard.session("near").status.phase is Phase.LIVE
    assert dashboard.session("far").status.phase is not Phase.LIVE


async def test_each_wallet_trusts_its_own_authority_only(
    sandbox: SandboxProcess, open_profiles: Open, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = map(Authority.made, folders)
    with running(sandbox, one) as first, running(sandbox, two) as second:
        dashboard = open_profiles(
            profile_of(sandbox, f"{first.url}/rosa", name="right", ca_file=one.root),
            profile_of(sandbox, f"{second.url}/rosa", name="wrong", ca_file=one.root),
            profile_of(sandbox, f"{second.url}/atelier", name="own", ca_file=two.root),
        )
        assert (await dashboard.session("right").discover()).id == f"{first.url}/rosa"
        assert (await dashboard.session("own").discover()).id == f"{second.url}/atelier"
        with pytest.raises(UnreachableError):
            await dashboard.session("wrong").discover()


async def test_one_provider_down_takes_nothing_from_the_other(
    sandbox: SandboxProcess, fresh_sandbox: SandboxProcess, open_profiles: Open
) -> None:
    dashboard = open_profiles(
        profile_of(sandbox, sandbox.main_wallet, name="near", poll_interval=1.0),
        profile_of(fresh_sandbox, fresh_sandbox.main_wallet, name="far", poll_interval=1.0),
    )
    near, far = dashboard.session("near"), dashboard.session("far")
    await dashboard.start()
    await until(lambda: {near.status.phase, far.status.phase} == {Phase.LIVE})
    assert far.wallet_id is not None
    assert near.wallet_id is not None
    known = dashboard.reader.count(far.wallet_id)
    totals = dashboard.reader.totals(far.wallet_id)
    fresh_sandbox.take_down(*ALL)
    await until(lambda: far.status.phase is Phase.OFFLINE)
    creation = await near.create_payment(PaymentDraft(amount=4200))
    assert creation.payment_id is not None
    sandbox.pay(creation.payment_id)
    sandbox.advance(1)
    row = await near.refresh_payment(creation.payment_id)
    assert row is not None
    assert row.received == 4200
    assert near.status.phase is Phase.LIVE
    assert dashboard.reader.count(far.wallet_id) == known > 0
    assert dashboard.reader.totals(far.wallet_id) == totals
    assert dashboard.reader.window(far.wallet_id, NEWEST_FIRST, 0, 1)
    fresh_sandbox.take_down()
    far.poll_soon()
    await until(lambda: far.status.phase is Phase.LIVE)
