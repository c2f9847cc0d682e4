"""Examinations of a sandbox, and of servers that err on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace

from opdash.clock import SystemClock
from opdash.errors import ConfigError, ExitCode
from opdash.openpayments.transport import Exchange
from opdash.sandbox.process import SandboxProcess
from opdash.service.doctor.examination import broken_configuration, examine
from opdash.service.doctor.steps import Step, StepName
from opdash.settings import Profile
from tests.openpayments.rawserver import RawServer, answer, running
from tests.openpayments.test_transport import free_port
from tests.service.conftest import profile_of


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with running() as server:
        yield server


async def found(profile: Profile, **options: Any) -> dict[StepName, Step]:
    async with aclosing(examine(profile, SystemClock(), **options)) as steps:
        return {step.name: step async for step in steps}


def described(raw: RawServer, **changes: Any) -> bytes:
    wallet: dict[str, Any] = {
        "id": f"{raw.origin}/rosa",
        "publicName": "Rosa",
        "assetCode": "EUR",
        "assetScale": 2,
        "authServer": f"{raw.origin}/auth",
        "resourceServer": f"{raw.origin}/tenant",
    }
    return answer(wallet | changes)


def unsaved(address: str) -> Profile:
    return Profile(name="", wallet_address=address)


# Which steps


async def test_only_what_is_wanted_and_needed_is_done(sandbox: SandboxProcess) -> None:
    profile = profile_of(sandbox, sandbox.main_wallet)
    wanted = (StepName.CLIENT, StepName.KEY, StepName.GRANT, StepName.LIST)
    steps = await found(profile, wanted=wanted)
    assert all(step.ok for step in steps.values())
    assert StepName.CLOCK not in steps
    assert StepName.SCOPE not in steps
    assert steps[StepName.GIVE_BACK].found.startswith("The grant was given back")


async def test_an_examination_that_is_left_gives_its_grant_back(sandbox: SandboxProcess) -> None:
    exchanges: list[Exchange] = []
    profile = profile_of(sandbox, sandbox.main_wallet)
    async with aclosing(examine(profile, SystemClock(), observer=exchanges.append)) as steps:
        async for step in steps:
            if step.name is StepName.GRANT:
                break
    ends = [(made.method, made.status) for made in exchanges[-3:]]
    assert ends == [("POST", 200), ("DELETE", 204), ("DELETE", 204)]
    assert all(made.url.endswith("/•••") for made in exchanges[-2:])


async def test_traces_come_with_the_step_that_they_belong_to(sandbox: SandboxProcess) -> None:
    steps = await found(profile_of(sandbox, sandbox.main_wallet))
    purposes = {name: [trace.purpose for trace in step.traces] for name, step in steps.items()}
    assert purposes[StepName.JWKS] == ["fetch the keys of a wallet address"]
    assert purposes[StepName.LIST] == ["list incoming payments"]
    assert purposes[StepName.KEY] == purposes[StepName.DNS] == []
    numbers = [trace.number for step in steps.values() for trace in step.traces]
    assert numbers == sorted(set(numbers))


def test_a_configuration_that_cannot_be_read_skips_all() -> None:
    steps = broken_configuration(ConfigError("It is broken.", "Mend it."))
    assert [step.ok for step in steps] == [False, *[None] * (len(StepName) - 1)]
    assert (steps[0].found, steps[0].advice) == ("It is broken.", "Mend it.")


async def test_a_key_without_an_id_is_a_mistake_of_the_configuration(
    sandbox: SandboxProcess,
) -> None:
    profile = replace(profile_of(sandbox, sandbox.main_wallet), key_id="")
    step = (await found(profile, place="x"))[StepName.CONFIGURATION]
    assert (step.ok, step.finding.code) == (False, ExitCode.USAGE)


# Servers that err


async def test_a_server_where_nothing_answers(tmp_path: object) -> None:
    steps = await found(unsaved(f"http://127.0.0.1:{free_port()}/rosa"))
    step = steps[StepName.CONNECTION]
    assert (step.ok, step.finding.code) == (False, ExitCode.UNREACHABLE)
    assert "Nothing answers at" in step.found
    assert steps[StepName.DISCOVERY].is_skipped


@pytest.mark.parametrize("name", ["authServer", "resourceServer"])
async def test_a_server_of_its_own_that_is_down(raw: RawServer, name: str) -> None:
    there = f"http://127.0.0.1:{free_port()}/x"
    raw.reply(described(raw, **{name: there}))
    step = (await found(unsaved(f"{raw.origin}/rosa")))[StepName.SERVERS]
    assert (step.ok, step.finding.code) == (False, ExitCode.UNREACHABLE)
    assert "Nothing answers at" in step.found
    assert any(there in line for line in step.finding.lines)


async def test_a_server_of_its_own_that_is_up(raw: RawServer, sandbox: SandboxProcess) -> None:
    raw.reply(described(raw, authServer=f"{sandbox.url}/auth"))
    step = (await found(unsaved(f"{raw.origin}/rosa")))[StepName.SERVERS]
    assert (step.ok, step.found) == (True, "All can be reached.")


async def test_an_address_that_calls_itself_otherwise(raw: RawServer) -> None:
    raw.reply(answer(b"", "302 Found", Location="/ROSA"), described(raw))
    step = (await found(unsaved(f"{raw.origin}/Rosa")))[StepName.DISCOVERY]
    assert step.ok
    assert f"It calls itself {raw.origin}/rosa." in step.found
    assert step.finding.lines == ("1 redirect was followed",)


async def test_an_answer_that_breaks_the_protocol(raw: RawServer) -> None:
    raw.reply(described(raw, assetScale="two"))
    step = (await found(unsaved(f"{raw.origin}/rosa")))[StepName.DISCOVERY]
    assert (step.ok, step.finding.code) == (False, ExitCode.FAILED)
    assert "assetScale" in step.found


async def test_servers_that_do_not_say_what_time_it_is(raw: RawServer) -> None:
    raw.reply(described(raw))
    step = (await found(unsaved(f"{raw.origin}/rosa")))[StepName.CLOCK]
    assert (step.ok, step.found) == (None, "The servers do not say what time it is.")


# Grants


@pytest.fixture
def granting(raw: RawServer, sandbox: SandboxProcess) -> Callable[..., Profile]:
    """Serve a wallet whose client is the sandbox's, and one answer to everything else."""

    def serve(*answers: bytes) -> Profile:
        raw.reply(described(raw), *answers)
        return replace(
            profile_of(sandbox, f"{raw.origin}/rosa"),
            client_wallet_address=sandbox.client.wallet_address,
        )

    return serve


def given(raw: RawServer, **changes: Any) -> bytes:
    access = {"type": "incoming-payment", "actions": ["create", "complete", "read", "list"]}
    token = {"value": "TOKEN", "manage": f"{raw.origin}/token/1", "access": [access]}
    return answer({"access_token": {**token, **changes}})


async def test_a_token_that_lacks_a_right(raw: RawServer, granting: Callable[..., Profile]) -> None:
    access = [{"type": "incoming-payment", "actions": ["list"]}]
    steps = await found(granting(given(raw, access=access), answer({"result": []})))
    step = steps[StepName.TOKEN]
    assert (step.ok, step.finding.code) == (False, ExitCode.NOT_PERMITTED)
    assert "complete, create, read" in step.found
    assert steps[StepName.LIST].ok  # it can be listed with all the same


async def test_a_token_that_is_renewed_elsewhere_goes_nowhere(
    raw: RawServer, granting: Callable[..., Profile]
) -> None:
    async with running() as elsewhere:
        elsewhere.reply(answer(b"", "204 No Content"))
        manage = f"{elsewhere.origin}/token/HANDLE"
        steps = await found(granting(given(raw, manage=manage), answer({"result": []})))
        assert elsewhere.received == []
    step = steps[StepName.TOKEN]
    assert step.ok is False
    assert elsewhere.origin in step.found
    assert "HANDLE" not in step.found
    assert steps[StepName.LIST].found == (
        "The server answers with an empty list: there is no payment yet."
    )


async def test_a_refusal_that_nothing_explains(
    raw: RawServer, granting: Callable[..., Profile]
) -> None:
    refusal = {"error": {"code": "invalid_client", "description": "invalid signature"}}
    steps = await found(granting(answer(refusal, "401 Unauthorized")))
    step = steps[StepName.GRANT]
    assert (step.ok, step.finding.code) == (False, ExitCode.NOT_PERMITTED)
    assert any("older copy of the client's keys" in line for line in step.finding.lines)
    assert "try again a little later" in step.advice
    guesses = [request for request in raw.received if request.method == "POST"][1:]
    assert guesses
    assert len(guesses) <= 7
    assert {request.url for request in guesses} == {f"{raw.origin}/auth"}


async def test_a_grant_that_needs_consent_is_not_asked_for(
    raw: RawServer, granting: Callable[..., Profile]
) -> None:
    needed = {"error": {"code": "invalid_request", "description": "missing required 'interact'"}}
    steps = await found(granting(answer(needed, "400 Bad Request")))
    step = steps[StepName.GRANT]
    assert (step.ok, "--ask" in step.advice) == (None, True)
    assert steps[StepName.TOKEN].is_skipped


async def test_a_grant_that_took_consent_says_so(
    raw: RawServer, granting: Callable[..., Profile]
) -> None:
    needed = {"error": {"code": "invalid_request", "description": "missing required 'interact'"}}
    replies = [given(raw), answer({"result": []}), answer(b"", "204 No Content")]

    async def asker(client: Any, auth_server: str, access: Any) -> Any:
        return await client.request_grant(auth_server, access)

    steps = await found(granting(answer(needed, "400 Bad Request"), *replies), asker=asker)
    assert steps[StepName.GRANT].found == (
        "The server gave a grant with the account holder's consent."
    )


async def test_a_grant_that_cannot_be_given_back(
    raw: RawServer, granting: Callable[..., Profile]
) -> None:
    broken = answer(b"", "500 Internal Server Error")
    steps = await found(granting(given(raw), answer({"result": []}), broken))
    step = steps[StepName.GIVE_BACK]
    assert (step.ok, step.finding.code) == (False, ExitCode.UNREACHABLE)
    assert step.found.startswith("A grant could not be given back:")
