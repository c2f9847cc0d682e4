"""Replays every kind of recorded exchange with a real server, and compares the answers.

What is not compared: the time an answer took (a real server thinks 1.4 s about a wallet address it
does not know), host names, tokens and ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.sandbox import (
    recorded_addresses,
    recorded_consent,
    recorded_creating,
    recorded_grants,
    recorded_lists,
    recorded_outgoing,
    recorded_payments,
    recorded_signatures,
    recorded_tokens,
)
from tests.sandbox.recorded import (
    BARE_PAYMENT,
    PAGE,
    Difference,
    Fact,
    bad_signature,
    check,
    no_grant,
    ok,
)
from tests.sandbox.scene import ForeignClient, Scene

_MODULES = (
    recorded_addresses,
    recorded_grants,
    recorded_tokens,
    recorded_consent,
    recorded_signatures,
    recorded_creating,
    recorded_payments,
    recorded_outgoing,
    recorded_lists,
)
_FACTS = [
    pytest.param(fact, id=f"{module.__name__.rpartition('_')[2]}: {fact.name}")
    for module in _MODULES
    for fact in module.FACTS
]
_DIFFERENCES = [
    pytest.param(difference, id=difference.fact.name)
    for module in _MODULES
    for difference in module.DIFFERENCES
]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    shelf = recorded_lists.Shelf(SandboxProcess.start())
    yield shelf
    shelf.close()


@pytest.fixture
def foreign(scene: Scene, tmp_path: Path) -> Iterator[ForeignClient]:
    client = ForeignClient(scene.sandbox, tmp_path)
    yield client
    client.close()


@pytest.mark.parametrize("fact", _FACTS)
def test_the_sandbox_answers_as_recorded(fact: Fact, scene: Scene) -> None:
    check(fact, scene)


@pytest.mark.parametrize("difference", _DIFFERENCES)
def test_wanted_differences_are_as_told(difference: Difference, scene: Scene) -> None:
    assert difference.real
    assert difference.reason
    check(difference.fact, scene)


def test_a_client_elsewhere_may_serve_its_own_key(scene: Scene, foreign: ForeignClient) -> None:
    token = foreign.raw.token()

    check(
        ok(
            "create", lambda s: foreign.raw.create(s.wallet, token), BARE_PAYMENT | {"methods"}, 201
        ),
        scene,
    )


def test_a_withdrawn_key_ends_all(scene: Scene, foreign: ForeignClient) -> None:
    token = foreign.raw.token()
    foreign.keys = []

    check(
        bad_signature(
            "list",
            lambda s: foreign.raw.list(s.wallet, token),
            "could not find key in list of client keys",
            "keyIdInSignature",
            "clientKeys",
        ),
        scene,
    )
    check(
        no_grant(
            "grant",
            lambda _: foreign.raw.grant({"type": "incoming-payment", "actions": ["read"]}),
            400,
            "invalid_client",
            "could not determine client",
        ),
        scene,
    )


def test_a_deactivated_client_loses_its_tokens(scene: Scene, foreign: ForeignClient) -> None:
    token = foreign.raw.token()
    check(ok("list", lambda s: foreign.raw.list(s.wallet, token), PAGE), scene)
    foreign.description = None

    check(
        bad_signature(
            "list",
            lambda s: foreign.raw.list(s.wallet, token),
            "could not retrieve client keys",
            "keyIdInSignature",
            "requestedRoute",
        ),
        scene,
    )
