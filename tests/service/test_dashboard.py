"""Profiles, keys and discovery, as the screens and the commands ask for them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.clock import SystemClock
from opdash.errors import ConfigError, LedgerError
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.store import Ledger
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.errors import NotFoundError, UnreachableError
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE, Dashboard
from opdash.service.status import Phase
from opdash.settings import NotifyWay, SettingsStore
from opdash.table_view import TableView, read_columns, read_sort
from tests.ledger import version_1
from tests.service.conftest import OpenDashboard, profile_of


async def test_what_is_known_is_read_before_anything_is_opened_for_writing(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_dashboard(sandbox).dashboard.stop()
    opened: list[Path] = []
    really = Ledger.open

    def note(path: Path) -> Ledger:
        opened.append(path)
        return really(path)

    monkeypatch.setattr(Ledger, "open", note)

    dashboard = open_dashboard(sandbox).dashboard
    assert dashboard.session(dashboard.profiles[0].name).wallet is None
    assert opened == []
    await dashboard.start()
    assert len(opened) == 1
    assert dashboard.session(dashboard.profiles[0].name).status.phase is Phase.CONNECTING


async def test_stopping_while_it_starts_leaves_nothing_open(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    await open_dashboard(sandbox).dashboard.stop()
    dashboard = open_dashboard(sandbox).dashboard
    starting = asyncio.create_task(dashboard.start())
    await asyncio.sleep(0)
    starting.cancel()
    await dashboard.stop()
    # The last connection that is closed takes the log with it.
    assert [path.name for path in dashboard.data_dir.glob(f"{LEDGER_FILE}*")] == [LEDGER_FILE]


async def test_a_wallet_address_describes_itself_unasked_for_a_key(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    wallet = await watched.dashboard.probe(sandbox.wallet_addresses[2] + "/")
    assert (wallet.id, wallet.asset_code, wallet.asset_scale) == (
        sandbox.wallet_addresses[2],
        "JPY",
        0,
    )
    assert [(made.method, made.url) for made in watched.exchanges] == [
        ("GET", sandbox.wallet_addresses[2])
    ]


@pytest.mark.parametrize("typed", ["", "alice", "ftp://ilp.example/a", "http://ilp.example/a"])
async def test_what_is_no_wallet_address_is_not_asked(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, typed: str
) -> None:
    watched = open_dashboard(sandbox)
    with pytest.raises(AddressError):
        await watched.dashboard.probe(typed)
    assert watched.exchanges == []


async def test_an_unknown_wallet_address_and_a_dead_server_are_told_apart(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    dashboard = open_dashboard(sandbox).dashboard
    with pytest.raises(NotFoundError):
        await dashboard.probe(f"{sandbox.url}/nobody")
    with pytest.raises(UnreachableError):
        await dashboard.probe("http://127.0.0.1:9/alice")


async def test_an_added_profile_is_saved_and_watched(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    watched = open_dashboard(sandbox)
    added = profile_of(sandbox, sandbox.wallet_addresses[1])
    session = await watched.dashboard.add_profile(added)
    for _ in range(100):
        if session.status.phase is Phase.LIVE:
            break
        await asyncio.sleep(0.05)
    assert session.status.phase is Phase.LIVE
    saved = SettingsStore(tmp_path / "data.toml").load()
    assert [profile.name for profile in saved.profiles] == ["rosa", "atelier"]
    with pytest.raises(ConfigError):
        await watched.dashboard.add_profile(replace(added, name="again"))


async def test_a_removed_profile_leaves_its_payments(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    wallet = watched.wallet
    await watched.dashboard.remove_profile("rosa")
    assert watched.dashboard.profiles == ()
    assert SettingsStore(tmp_path / "data.toml").load().profiles == ()
    assert watched.dashboard.reader.count(wallet) > 0


async def test_the_look_is_remembered(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    await open_dashboard(sandbox).dashboard.save_theme("light")
    assert SettingsStore(tmp_path / "data.toml").load().theme == "light"


async def test_how_payments_are_told_is_remembered(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    await open_dashboard(sandbox).dashboard.save_notify(NotifyWay.BOTH)
    assert SettingsStore(tmp_path / "data.toml").load().notify is NotifyWay.BOTH


async def test_a_table_is_left_without_disturbing_its_session(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    watched = open_dashboard(sandbox)
    view = TableView(columns=read_columns(["state", "id:20"]), page_size=20, filter="is:open")
    await watched.dashboard.save_view("rosa", view)
    assert SettingsStore(tmp_path / "data.toml").load().profile("rosa").view == view
    assert watched.dashboard.session("rosa") is watched.session
    with pytest.raises(ConfigError, match="no wallet"):
        await watched.dashboard.save_view("nobody", view)


async def test_what_is_saved_at_once_is_all_saved(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    dashboard = open_dashboard(sandbox).dashboard
    view = TableView(sort=read_sort("asked ascending"))
    await asyncio.gather(dashboard.save_theme("light"), dashboard.save_view("rosa", view))
    saved = SettingsStore(tmp_path / "data.toml").load()
    assert (saved.theme, saved.profile("rosa").view) == ("light", view)


async def test_searches_are_saved_beside_those_of_another_opdash(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    watched = open_dashboard(sandbox)
    dashboard = watched.dashboard
    theirs = SettingsStore(tmp_path / "data.toml")
    theirs.save(theirs.load().saving(SavedSearch("Theirs", "lamp")))
    tips = SavedSearch("Tips", "tip", fold=True)
    await dashboard.save_search(tips)
    assert {one.name for one in dashboard.settings.searches} == {"Theirs", "Tips"}
    await dashboard.save_search(SavedSearch("Gifts", "tip"), instead_of=tips)
    assert {one.name for one in SettingsStore(theirs.path).load().searches} == {"Theirs", "Gifts"}
    await dashboard.remove_search(SavedSearch("gifts", ""))
    assert [one.name for one in SettingsStore(theirs.path).load().searches] == ["Theirs"]


async def test_what_another_opdash_set_up_is_watched_too_and_what_it_removed_no_longer(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    watched = open_dashboard(sandbox)
    dashboard, rosa = watched.dashboard, watched.session
    await dashboard.start()
    store = SettingsStore(tmp_path / "data.toml")
    added = profile_of(sandbox, sandbox.wallet_addresses[1])
    store.save(store.load().without("rosa").adding(added))
    await dashboard.save_theme("light")
    assert rosa.status.phase is Phase.IDLE
    assert dashboard.session("atelier").status.phase is not Phase.IDLE


async def test_a_wallet_without_a_key_says_how_to_get_one(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, key_file=None, key_id="")
    with pytest.raises(ConfigError, match="no key"):
        await watched.session.poll_once()
    assert "opdash key new" in watched.session.status.advice


async def test_a_file_that_is_no_ledger_is_refused_untouched(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / LEDGER_FILE
    path.write_text("these are my notes, not a ledger" * 40)
    with pytest.raises(LedgerError):
        open_dashboard(sandbox)
    assert path.read_text().startswith("these are my notes")


async def test_texts_of_an_older_ledger_are_taken_into_the_index(tmp_path: Path) -> None:
    path = tmp_path / LEDGER_FILE
    version_1.load(path)
    with sqlite3.connect(path) as older:
        older.execute("""UPDATE payment SET metadata = '{"note": "lamp"}'""")
    older.close()
    dashboard = Dashboard(SettingsStore(tmp_path / "config.toml"), tmp_path, SystemClock())
    with sqlite3.connect(path) as beside:
        assert beside.execute("SELECT COUNT(*) FROM unindexed").fetchone() == (4,)
        await dashboard.start()
        async with asyncio.timeout(20):
            while beside.execute("SELECT 1 FROM unindexed").fetchone():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert beside.execute("SELECT COUNT(*) FROM document").fetchone() == (4,)
    beside.close()
    await dashboard.stop()
