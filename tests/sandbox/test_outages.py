"""Servers that are down, as recorded in front of a real provider's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from opdash.sandbox.process import SandboxError, SandboxProcess
from tests.sandbox.scene import Scene
from tests.sandbox.support import OWN_ACTIONS, RawClient

OWN = {"type": "incoming-payment", "actions": list(OWN_ACTIONS)}


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene(SandboxProcess.start())
    yield scene
    scene.close()


def test_a_good_token_seems_invalid_while_the_authorization_server_is_down(scene: Scene) -> None:
    token = scene.own.token()
    scene.sandbox.take_down("authorization")
    answer = scene.own.list(scene.wallet, token)
    assert (answer.status_code, answer.json()["error"]) == (
        401,
        {"code": "401", "description": "Invalid Token"},
    )
    assert answer.headers["www-authenticate"].startswith("GNAP as_uri=")
    scene.sandbox.take_down()
    assert scene.own.list(scene.wallet, token).status_code == 200


@pytest.mark.parametrize("server", ["authorization", "resource", "wallet-address"])
def test_the_proxy_in_front_answers_for_a_server_that_is_down(scene: Scene, server: str) -> None:
    asked: dict[str, Callable[[], httpx.Response]] = {
        "authorization": lambda: scene.own.grant(OWN),
        "resource": lambda: scene.own.list(scene.wallet, "T"),
        "wallet-address": lambda: scene.get(scene.wallet),
    }
    scene.sandbox.take_down(server)
    for name, ask in asked.items():
        answer = ask()
        if name == server:
            assert answer.status_code == 502
            assert answer.headers["content-type"].startswith("text/html")
            assert "502 Bad Gateway" in answer.text
        else:
            assert answer.status_code != 502


def test_no_grant_is_given_while_the_clients_wallet_address_is_down(scene: Scene) -> None:
    scene.sandbox.take_down("wallet-address")
    answer = scene.own.grant(OWN)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        {"code": "invalid_client", "description": "could not determine client"},
    )


def test_a_server_that_does_not_exist_cannot_be_taken_down(scene: Scene) -> None:
    with pytest.raises(SandboxError, match="authorization"):
        scene.sandbox.take_down("coffee")


def test_every_request_of_the_protocol_is_counted(fresh_sandbox: SandboxProcess) -> None:
    client = RawClient(fresh_sandbox)
    before = fresh_sandbox.requests()
    client.plain("GET", fresh_sandbox.main_wallet)
    fresh_sandbox.take_down("resource")
    client.plain("GET", f"{fresh_sandbox.url}/nowhere/at/all")
    fresh_sandbox.state()
    assert fresh_sandbox.requests() == before + 2
    client.close()
