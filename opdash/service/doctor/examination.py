"""The examination itself: one step after the other, each told as soon as it is done."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.errors import ConfigError, ExitCode, OpdashError
from opdash.openpayments.transport import Observer
from opdash.service.doctor import granting, identifying, local, reaching
from opdash.service.doctor.case import Asker, Case
from opdash.service.doctor.steps import NEEDS, Finding, Step, StepName, with_needs
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.keys import ClientKey

_STEPS: dict[StepName, Callable[[Case], Awaitable[Finding]]] = {
    StepName.CONFIGURATION: local.configuration,
    StepName.KEY_FILE: local.key_file,
    StepName.DNS: reaching.dns,
    StepName.CONNECTION: reaching.connection,
    StepName.DISCOVERY: identifying.discovery,
    StepName.SERVERS: reaching.servers,
    StepName.CLIENT: identifying.client,
    StepName.JWKS: identifying.jwks,
    StepName.KEY: identifying.key,
    StepName.CLOCK: identifying.clock,
    StepName.GRANT: granting.grant,
    StepName.TOKEN: granting.token,
    StepName.LIST: granting.signed_list,
    StepName.SCOPE: granting.scope,
    StepName.GIVE_BACK: granting.give_back,
}

_SHOW_KEY = "opdash key show"

EVERYTHING = tuple(StepName)
"""All steps, in their order."""


async def examine(
    profile: Profile,
    clock: Clock,
    *,
    place: str = "",
    wanted: Iterable[StepName] = EVERYTHING,
    asker: Asker | None = None,
    observer: Observer | None = None,
    patience: float = 10.0,
    key: ClientKey | None = None,
) -> AsyncGenerator[Step]:
    """Examine a wallet, and yield each step when it is done.

    The examination has a client of its own, and touches no session, no kept token and no ledger. A
    grant that it gets is given back at its end, also where it is left early: close the iterator
    (`contextlib.aclosing`) where it is not run to its end.

    Args:
        profile: The wallet; it need not be saved. Without a key file, what needs one is skipped.
        clock: The one clock.
        place: Where the profile is written down, in words; empty for one that is not saved.
        wanted: Which steps; those that they need are taken as well.
        asker: Asks the account holder where consent is needed; None to ask nobody.
        observer: Is told of every exchange.
        patience: Seconds for one answer.
        key: The profile's key where it has been read already, as one with a passphrase.
    """
    case = Case(profile, clock, place, asker, observer, patience)
    case.key = key
    leading: set[StepName] = set()
    try:
        for name in with_needs(wanted):
            missing = _missing(name, leading, case)
            step = await _done(name, case) if missing is None else _skipped(name, missing)
            if step.finding.leads_on:
                leading.add(name)
            yield step
    finally:
        if case.grants:
            with contextlib.suppress(OpdashError):
                await granting.give_back(case)
        if case.client is not None:
            await case.client.aclose()


def broken_configuration(error: ConfigError) -> tuple[Step, ...]:
    """Return the steps where the configuration cannot even be read."""
    failed = Finding(False, error.sentence, error.advice, code=error.exit_code)
    skipped = (_skipped(name, StepName.CONFIGURATION) for name in EVERYTHING[1:])
    return (Step(StepName.CONFIGURATION, failed), *skipped)


def _missing(name: StepName, leading: set[StepName], case: Case) -> StepName | None:
    """Return a step that should have come to a result before this one, and did not."""
    if name is StepName.GIVE_BACK:  # finding out by trying may have brought a grant, too
        return None if case.grants else StepName.GRANT
    return next((need for need in NEEDS[name] if need not in leading), None)


async def _done(name: StepName, case: Case) -> Step:
    case.traces.clear()
    try:
        finding = await _STEPS[name](case)
    except OpdashError as error:
        code = error.exit_code or ExitCode.FAILED
        finding = Finding(False, error.sentence, error.advice, code=code)
    case.is_dated |= any(trace.header("date") for trace in case.traces)
    finding = replace(finding, advice=_naming_the_wallet(finding.advice, case))
    return Step(name, finding, tuple(case.traces))


def _naming_the_wallet(advice: str, case: Case) -> str:
    """Return advice whose command works where several wallets are set up, too."""
    if not case.place or not case.profile.name or _SHOW_KEY not in advice:
        return advice
    import shlex

    return advice.replace(_SHOW_KEY, f"{_SHOW_KEY} --wallet {shlex.quote(case.profile.name)}")


def _skipped(name: StepName, missing: StepName) -> Step:
    why = f"Skipped, because “{missing.heading}” came to no result."
    return Step(name, Finding(None, why), is_skipped=True)
