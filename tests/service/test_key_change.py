"""A key is replaced: the next one made, registered, switched to; the one before put away."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opdash.clock import SystemClock
from opdash.errors import ConfigError, ExitCode, KeyFileError
from opdash.keyfiles import is_encrypted, read_key, write_key
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.secrets import Secret
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from opdash.service.client_keys import make_key
from opdash.service.dashboard import Dashboard
from opdash.service.key_change import KeyChange, KeyChangeError, NotReadyError, Stage
from opdash.service.onboarding import Readiness, unchecked
from opdash.settings import SettingsStore
from tests.kept_tokens import kept_in
from tests.service.client_server import ClientServer, client_server
from tests.service.conftest import OpenDashboard, Watched

OPENER = Secret("correct horse")


@pytest.fixture
def provider() -> Iterator[ClientServer]:
    with client_server() as server:
        yield server


@pytest.fixture
async def shop(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess, provider: ClientServer, tmp_path: Path
) -> Watched:
    """A dashboard whose client lives at the provider, with a key that is registered there."""
    key = await make_key(tmp_path / "data")
    provider.register(key.jwk_json)
    changes: dict[str, Any] = {
        "client_wallet_address": provider.address,
        "key_id": key.key_id,
        "key_file": key.file,
    }
    return open_dashboard(sandbox, **changes)


def change_of(shop: Watched) -> KeyChange:
    return shop.dashboard.key_change(shop.dashboard.profiles[0].name)


def stage_of(change: KeyChange) -> Stage:
    return change.stage


async def checked(shop: Watched) -> Readiness:
    return await shop.dashboard.readiness(change_of(shop).candidate).check()


async def test_a_key_is_replaced_from_end_to_end(shop: Watched, provider: ClientServer) -> None:
    await shop.session.poll_once()
    before = shop.dashboard.profiles[0]
    change = change_of(shop)
    assert stage_of(change) is Stage.NOTHING

    made = await change.begin()
    assert stage_of(change) is Stage.NEXT
    assert change.profile.key_id == before.key_id
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600

    with pytest.raises(NotReadyError, match="serves no key") as caught:
        await change.switch(await checked(shop))
    assert caught.value.exit_code is ExitCode.NOT_PERMITTED
    assert change.profile.key_id == before.key_id
    await shop.session.poll_once()

    provider.register(made.jwk_json)
    shop.exchanges.clear()
    switched = await change.switch(await checked(shop))

    assert (switched.profile.key_id, switched.profile.key_file) == (made.key_id, made.file)
    assert change.profile == switched.profile
    assert stage_of(change) is Stage.FORMER
    (given_back,) = switched.given_back
    assert given_back.failure is None
    assert await change.former_is_served() is True
    provider.deregister(before.key_id)
    assert await change.former_is_served() is False
    await shop.session.poll_once()

    retired = await change.retire()

    assert retired.file is not None
    assert before.key_file is not None
    assert not before.key_file.exists()
    assert read_key(retired.file, before.key_id).key_id == before.key_id
    assert retired.file.parent.name == "retired"
    assert stage_of(change) is Stage.NOTHING
    assert change.profile == replace(before, key_id=made.key_id, key_file=made.file)


async def test_the_former_key_gives_its_grants_back(shop: Watched, provider: ClientServer) -> None:
    before = shop.dashboard.profiles[0]
    await shop.session.poll_once()
    change = change_of(shop)
    made = await change.begin()
    provider.register(made.jwk_json)
    seen = await checked(shop)
    provider.deregister(made.key_id)  # only the former key can be signed with now

    switched = await change.switch(seen)

    assert [told.failure for told in switched.given_back] == [None]
    assert kept_in(token_path(shop.dashboard.data_dir, before.name)) == {}


async def test_another_opdash_goes_on_where_one_stopped(
    shop: Watched, provider: ClientServer, tmp_path: Path
) -> None:
    made = await change_of(shop).begin()
    provider.register(made.jwk_json)
    store = SettingsStore(tmp_path / "data.toml")
    other = Dashboard(store, tmp_path / "data", SystemClock())
    try:
        change = other.key_change(other.profiles[0].name)
        assert stage_of(change) is Stage.NEXT
        assert await change.begin() == made
        await change.switch(await other.readiness(change.candidate).check())
        assert stage_of(change) is Stage.FORMER
    finally:
        await other.stop()


async def test_what_was_seen_of_another_key_is_no_proof(
    shop: Watched, provider: ClientServer
) -> None:
    seen = await shop.dashboard.readiness(shop.dashboard.profiles[0]).check()
    assert seen.key_works
    change = change_of(shop)
    await change.begin()

    with pytest.raises(NotReadyError):
        await change.switch(seen)


async def test_steps_out_of_turn_are_refused(shop: Watched, provider: ClientServer) -> None:
    change = change_of(shop)
    for step in (change.cancel, change.retire):
        with pytest.raises(KeyChangeError):
            await step()
    with pytest.raises(KeyChangeError, match="no next key"):
        await change.switch(unchecked("k"))

    provider.register((await change.begin()).jwk_json)
    with pytest.raises(KeyChangeError, match="no former key"):
        await change.retire()
    await change.switch(await checked(shop))
    with pytest.raises(KeyChangeError, match="not been retired"):
        await change.begin()


async def test_a_next_key_can_be_given_up(shop: Watched) -> None:
    before = shop.dashboard.profiles[0]
    change = change_of(shop)
    made = await change.begin()

    gone = await change.cancel()

    assert gone.key_id == made.key_id
    assert gone.file is not None
    assert not made.file.exists()
    assert change.profile == before


async def test_a_former_key_can_be_deleted(shop: Watched, provider: ClientServer) -> None:
    before = shop.dashboard.profiles[0]
    change = change_of(shop)
    provider.register((await change.begin()).jwk_json)
    await change.switch(await checked(shop))

    retired = await change.retire(delete=True)

    assert retired.file is None
    assert before.key_file is not None
    assert not before.key_file.exists()
    assert not (shop.dashboard.data_dir / "keys" / "retired").exists()


async def test_a_key_that_another_wallet_signs_with_is_left_alone(
    shop: Watched, provider: ClientServer
) -> None:
    before = shop.dashboard.profiles[0]
    twin = replace(before, name="twin", wallet_address="https://ilp.example/twin")
    await shop.dashboard.add_profile(twin)
    change = change_of(shop)
    provider.register((await change.begin()).jwk_json)
    await change.switch(await checked(shop))

    retired = await change.retire(delete=True)

    assert (retired.used_by, retired.file) == ("twin", before.key_file)
    assert before.key_file is not None
    assert before.key_file.exists()
    assert stage_of(change) is Stage.NOTHING


async def test_where_the_configuration_cannot_be_written_the_old_key_goes_on(
    shop: Watched, provider: ClientServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.dashboard.profiles[0]
    await shop.session.poll_once()
    change = change_of(shop)
    provider.register((await change.begin()).jwk_json)
    seen = await checked(shop)

    def refuse(_: object) -> None:
        raise ConfigError("The file cannot be written.")

    monkeypatch.setattr(SettingsStore, "save", lambda *_: refuse(None))
    with pytest.raises(ConfigError):
        await change.switch(seen)
    monkeypatch.undo()

    assert change.profile.key_id == before.key_id
    await shop.session.poll_once()


async def test_the_key_after_an_encrypted_one_is_encrypted_too(
    shop: Watched, tmp_path: Path
) -> None:
    path = tmp_path / "locked.pem"
    write_key(path, ClientKey.generate("locked"), OPENER)
    before = shop.dashboard.profiles[0]
    await shop.dashboard.save_profile(replace(before, key_id="locked", key_file=path))

    async def give(_: Path, remark: str) -> Secret:
        return OPENER

    shop.dashboard.keyring.asker = give
    made = await change_of(shop).begin()

    assert is_encrypted(made.file)
    assert read_key(made.file, made.key_id, OPENER).key_id == made.key_id
    assert await change_of(shop).begin() == made  # asks for no passphrase again


async def test_a_lost_key_can_be_replaced(shop: Watched, provider: ClientServer) -> None:
    before = shop.dashboard.profiles[0]
    assert before.key_file is not None
    before.key_file.unlink()
    change = change_of(shop)
    provider.register((await change.begin()).jwk_json)

    await change.switch(await checked(shop))

    assert (await change.retire()).file is None
    await shop.session.poll_once()


async def test_a_next_key_whose_file_is_gone_is_told(shop: Watched) -> None:
    change = change_of(shop)
    (await change.begin()).file.unlink()

    with pytest.raises(KeyFileError, match="no key file"):
        await change.begin()
    await change.cancel()
    assert stage_of(change) is Stage.NOTHING
