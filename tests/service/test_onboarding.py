"""Whether a wallet is ready: told line by line, until it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.errors import ExitCode
from opdash.sandbox.process import SandboxProcess
from opdash.service import onboarding
from opdash.service.client_keys import make_key
from opdash.service.doctor.steps import Finding, Step, StepName
from opdash.service.onboarding import (
    Check,
    Mark,
    Readiness,
    ReadinessWatch,
    after_step,
    unchecked,
)
from opdash.settings import Profile
from tests.service.client_server import ClientServer, client_server
from tests.service.conftest import OpenDashboard, Watched, profile_of
from tests.service.consent_people import until


@pytest.fixture
def provider() -> Iterator[ClientServer]:
    with client_server() as server:
        yield server


def marks(now: Readiness) -> dict[Check, Mark]:
    return {line.check: line.mark for line in now.lines}


def watch_of(watched: Watched, profile: Profile) -> tuple[ReadinessWatch, list[Readiness]]:
    told: list[Readiness] = []
    return watched.dashboard.readiness(profile, told.append), told


async def test_a_wallet_that_is_set_up_rightly_is_ready_at_once(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess
) -> None:
    watched = open_dashboard(sandbox)
    watch, told = watch_of(watched, watched.session.profile)

    now = await watch.run()

    assert set(marks(now).values()) == {Mark.DONE}
    assert (now.code, now.pause, now.is_looking) == (ExitCode.DONE, None, False)
    assert told[-1] == now
    order = [check for step in told for check in Check if step.line(check).mark is Mark.DONE]
    assert list(dict.fromkeys(order)) == [Check.ADDRESS, Check.NAME, Check.KEY, *list(Check)[3:]]
    assert watched.asked("DELETE", "/") >= 1  # the grant was given back


async def test_a_key_is_waited_for_and_no_grant_is_asked_for_before(
    open_dashboard: OpenDashboard,
    sandbox: SandboxProcess,
    provider: ClientServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onboarding, "FIRST_PAUSE", 0.01)
    key = await make_key(tmp_path)
    profile = profile_of(
        sandbox,
        sandbox.main_wallet,
        client_wallet_address=provider.address,
        key_id=key.key_id,
        key_file=key.file,
    )
    watched = open_dashboard(sandbox)
    watch, told = watch_of(watched, profile)
    waiting = asyncio.create_task(watch.run())
    await until(lambda: provider.asked > 2)

    now = told[-1]
    assert now.line(Check.ADDRESS).mark is Mark.DONE
    assert now.line(Check.KEY).mark is Mark.TO_DO
    assert "serves no key" in now.line(Check.KEY).sentence
    assert now.line(Check.KEY).asks_to_register
    assert now.line(Check.GRANT).mark is Mark.WAITING
    assert now.line(Check.GRANT).sentence == "waits for the key"
    assert watched.asked("POST", "/") == 0

    provider.register(key.jwk_json)
    now = await waiting
    assert now.is_ready
    assert now.key_works


async def test_a_client_without_a_name_is_told_what_to_do(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess, provider: ClientServer, tmp_path: Path
) -> None:
    provider.public_name = None
    key = await make_key(tmp_path)
    provider.register(key.jwk_json)
    profile = profile_of(
        sandbox,
        sandbox.main_wallet,
        client_wallet_address=provider.address,
        key_id=key.key_id,
        key_file=key.file,
    )
    watch, _ = watch_of(open_dashboard(sandbox), profile)

    now = await watch.check()

    line = now.line(Check.NAME)
    assert (line.mark, now.first_to_do) == (Mark.TO_DO, line)
    assert "no public name" in line.sentence
    assert "Give it one" in line.advice
    assert not now.is_ready


async def test_a_server_out_of_reach_leaves_the_rest_waiting(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess
) -> None:
    watched = open_dashboard(sandbox)
    nowhere = "http://127.0.0.1:1/rosa"
    profile = replace(watched.session.profile, wallet_address=nowhere)
    watch, _ = watch_of(watched, profile)

    now = await watch.check()

    assert now.line(Check.ADDRESS).mark is Mark.TO_DO
    assert now.code is ExitCode.UNREACHABLE
    assert marks(now)[Check.LIST] is Mark.WAITING


async def test_a_person_need_not_wait_for_the_next_look(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess, provider: ClientServer, tmp_path: Path
) -> None:
    key = await make_key(tmp_path)
    profile = profile_of(
        sandbox,
        sandbox.main_wallet,
        client_wallet_address=provider.address,
        key_id=key.key_id,
        key_file=key.file,
    )
    watch, told = watch_of(open_dashboard(sandbox), profile)
    waiting = asyncio.create_task(watch.run())
    await until(lambda: bool(told) and told[-1].pause is not None)
    provider.register(key.jwk_json)

    watch.again()

    assert (await waiting).is_ready


async def test_pauses_grow_to_half_a_minute(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    watch, told = watch_of(watched, watched.session.profile)
    looks = 0

    async def never_ready() -> Readiness:
        nonlocal looks
        looks += 1
        return replace(watch.now, lines=unchecked("k").lines) if looks < 9 else ready()

    async def no_time(pause: float) -> bool:
        return False

    monkeypatch.setattr(watch, "check", never_ready)
    monkeypatch.setattr(watch, "_asked_within", no_time)
    await watch.run()

    pauses = [now.pause for now in told if now.pause is not None]
    assert pauses[:3] == [3.0, 4.5, 6.75]
    assert pauses[-1] == 30.0


def ready() -> Readiness:
    lines = tuple(replace(line, mark=Mark.DONE) for line in unchecked("k").lines)
    return Readiness("k", lines)


def test_where_the_holder_has_to_consent_the_rest_comes_later() -> None:
    now = replace(ready(), lines=(*ready().lines[:3], *unchecked("k").lines[3:]))

    now = after_step(now, Step(StepName.GRANT, Finding(None, "No grant without consent.", "…")))

    assert [line.mark for line in now.lines[3:]] == [Mark.LATER, Mark.LATER]
    assert "once the wallet is saved" in now.line(Check.GRANT).advice
    assert now.is_ready


def test_what_was_skipped_says_nothing() -> None:
    skipped = Step(StepName.GRANT, Finding(None, "Skipped."), is_skipped=True)

    assert after_step(unchecked("k"), skipped) == unchecked("k")
