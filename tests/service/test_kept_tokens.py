"""A start with a kept token: one request to the first row, and all that must stand against it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opdash.clock import SystemClock
from opdash.openpayments.errors import OpenPaymentsError
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from opdash.service import connection as connection_module
from opdash.service.dashboard import LEDGER_FILE
from opdash.service.rights import Right
from tests.service.conftest import OpenDashboard, Watched


async def met(open_dashboard: OpenDashboard, sandbox: SandboxProcess, **changes: Any) -> Watched:
    """Return a dashboard that was at this sandbox in an earlier run."""
    earlier = open_dashboard(sandbox, **changes)
    await earlier.session.poll_once()
    await earlier.dashboard.stop()
    return open_dashboard(sandbox, **changes)


def asked(watched: Watched) -> list[str]:
    return [f"{made.method} {made.url.partition('?')[0]}" for made in watched.exchanges]


async def until(seen: Callable[[], bool]) -> None:
    for _ in range(400):
        if seen():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def contents_of(directory: Path) -> dict[Path, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if "tokens" not in path.parts}


async def first_row(watched: Watched) -> None:
    await watched.session.connection.authorised(
        Right.INCOMING,
        lambda client, wallet, token: client.list_incoming_payments(wallet, token, first=5),
    )


async def test_nothing_cached_takes_three_requests(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await first_row(watched)
    wallet, grant, listing = asked(watched)
    assert wallet == f"GET {sandbox.main_wallet}"
    assert grant.startswith(f"POST {sandbox.url}/auth/")
    assert listing.endswith("/incoming-payments")


async def test_a_kept_token_takes_one_request(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = await met(open_dashboard, sandbox)
    await first_row(watched)
    (only,) = asked(watched)
    assert only.endswith("/incoming-payments")


async def test_the_wallet_address_is_asked_a_moment_later(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_CONFIRM_AFTER", 0.0)
    watched = await met(open_dashboard, sandbox)
    await first_row(watched)
    await until(lambda: len(watched.exchanges) == 2)
    await first_row(watched)
    assert asked(watched)[1] == f"GET {sandbox.main_wallet}"
    assert len(watched.exchanges) == 3


async def test_other_servers_than_remembered_get_other_grants(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens are kept for what the address named; what it names now gets none of them."""
    monkeypatch.setattr(connection_module, "_CONFIRM_AFTER", 0.0)
    watched = await met(open_dashboard, sandbox)
    connection = watched.session.connection
    remembered = watched.session.wallet
    assert remembered is not None
    kept = connection.shelf.get(Right.INCOMING)
    assert kept is not None
    path = token_path(watched.dashboard.data_dir, "rosa")
    # the ledger and the file say the same, and another thing than the address does by now
    moved = f"{remembered.auth_server}/"
    path.write_text(path.read_text().replace(f'"{remembered.auth_server}"', f'"{moved}"'))
    shelf = connection.shelf
    shelf._is_loaded, shelf._held, shelf._last = False, {}, {}
    shelf.load()
    import msgspec

    connection._remembered = lambda: msgspec.structs.replace(remembered, auth_server=moved)
    await first_row(watched)
    assert (await connection.wallet()).auth_server == moved
    await until(lambda: len(watched.exchanges) == 2)
    await asyncio.sleep(0.05)
    assert (await connection.wallet()).auth_server == remembered.auth_server
    await first_row(watched)
    now = connection.shelf.get(Right.INCOMING)
    assert now is not None
    assert now.token.value != kept.token.value
    assert now.binding.auth_server == remembered.auth_server


async def test_after_a_failure_the_wallet_address_is_asked_instead_of_the_ledger(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = await met(open_dashboard, fresh_sandbox)
    fresh_sandbox.take_down("resource")
    with pytest.raises(OpenPaymentsError):
        await first_row(watched)
    fresh_sandbox.take_down()
    await first_row(watched)
    assert asked(watched)[1] == f"GET {fresh_sandbox.main_wallet}"
    assert not any(line.startswith("POST") for line in asked(watched))


async def test_an_ended_token_vouches_for_nothing(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = await met(open_dashboard, sandbox)
    path = token_path(watched.dashboard.data_dir, "rosa")
    content = json.loads(path.read_text())
    content["grants"]["incoming"]["renewed_at"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(content))
    await first_row(watched)
    assert asked(watched)[0] == f"GET {sandbox.main_wallet}"
    assert "/token/" in asked(watched)[1]


async def test_what_is_not_to_be_kept_is_not(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = await met(open_dashboard, sandbox, keep_tokens=False)
    assert not token_path(watched.dashboard.data_dir, "rosa").exists()
    await first_row(watched)
    assert len(watched.exchanges) == 3


async def test_a_kept_file_goes_when_it_is_no_longer_wanted(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = await met(open_dashboard, sandbox)
    path = token_path(watched.dashboard.data_dir, "rosa")
    assert path.exists()
    await watched.dashboard.grants.set_keeping("rosa", False)
    assert not path.exists()
    assert not watched.dashboard.grants.views("rosa")[0].is_kept
    await watched.dashboard.grants.set_keeping("rosa", True)
    assert path.exists()
    assert watched.dashboard.grants.views("rosa")[0].is_kept


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 100])
async def test_a_damaged_file_costs_only_a_new_grant(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, damage: bytes
) -> None:
    watched = await met(open_dashboard, sandbox)
    token_path(watched.dashboard.data_dir, "rosa").write_bytes(damage)
    await watched.session.poll_once()
    assert watched.asked("POST", "/auth/") == 1


async def test_no_token_is_in_the_ledger_or_the_settings(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    held = watched.session.connection.shelf.get(Right.INCOMING)
    assert held is not None
    assert held.continuation is not None
    secrets = [held.token.value.reveal().encode(), held.continuation.token.reveal().encode()]
    await watched.dashboard.stop()
    contents = contents_of(tmp_path)
    assert any(path.name == LEDGER_FILE for path in contents)
    for path, content in contents.items():
        assert not any(secret in content for secret in secrets), path


async def test_the_clock_of_this_machine_may_have_been_put_back(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = await met(open_dashboard, sandbox)
    path = token_path(watched.dashboard.data_dir, "rosa")
    content = json.loads(path.read_text())
    later = SystemClock().now().replace(year=SystemClock().now().year + 3)
    content["grants"]["incoming"]["renewed_at"] = later.isoformat()
    path.write_text(json.dumps(content))
    await first_row(watched)
    assert asked(watched)[0] == f"GET {sandbox.main_wallet}"
