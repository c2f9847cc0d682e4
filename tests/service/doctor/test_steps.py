"""Which steps there are, what they need, how all of them are summed up."""

from __future__ import annotations

from opdash.errors import ExitCode
from opdash.service.doctor.steps import (
    NEEDS,
    Finding,
    Step,
    StepName,
    exit_code,
    summary,
    with_needs,
)

FINE = Step(StepName.DNS, Finding(True, "x"))
SKIPPED = Step(StepName.LIST, Finding(None, "x"), is_skipped=True)
REFUSED = Step(StepName.GRANT, Finding(False, "x", code=ExitCode.NOT_PERMITTED))
OFF = Step(StepName.CLOCK, Finding(False, "x", code=ExitCode.FAILED))


def test_every_step_needs_only_earlier_ones() -> None:
    order = list(StepName)
    assert set(NEEDS) == set(order)
    for name, needed in NEEDS.items():
        assert all(order.index(one) < order.index(name) for one in needed)


def test_steps_come_with_what_they_need_and_grants_are_given_back() -> None:
    assert with_needs([StepName.DNS]) == (StepName.CONFIGURATION, StepName.DNS)
    chosen = with_needs([StepName.LIST])
    assert chosen == tuple(
        name for name in StepName if name not in (StepName.KEY, StepName.CLOCK, StepName.SCOPE)
    )


def test_the_first_failure_decides_how_a_command_ends() -> None:
    assert exit_code([FINE, SKIPPED]) == ExitCode.DONE
    assert exit_code([FINE, OFF, REFUSED]) == ExitCode.FAILED
    assert exit_code([FINE, REFUSED, OFF]) == ExitCode.NOT_PERMITTED


def test_all_steps_are_summed_up_in_a_sentence() -> None:
    assert summary([FINE]) == "Nothing is wrong."
    assert summary([FINE, SKIPPED]) == "Nothing is wrong, as far as could be examined."
    assert summary([FINE, REFUSED, SKIPPED]) == (
        "1 of 3 steps failed, 1 could not be tried. Begin with: Grant."
    )
