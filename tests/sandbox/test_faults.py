"""What the sandbox can be told to do wrong, and what it then answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from opdash.clock import SystemClock
from opdash.sandbox.process import SandboxError, SandboxProcess
from tests.sandbox.browser import Browser
from tests.sandbox.scene import Scene

if TYPE_CHECKING:
    from tests.conftest import StartSandbox


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene(SandboxProcess.start())
    yield scene
    scene.close()


def date_of(scene: Scene) -> timedelta:
    """Return how far the ``Date`` header is ahead of this machine's clock."""
    date = parsedate_to_datetime(scene.get(scene.wallet).headers["date"])
    return date - SystemClock().now()


def test_a_key_vanishes_from_the_jwks_and_comes_back(scene: Scene) -> None:
    url = f"{scene.sandbox.client.wallet_address}/jwks.json"
    token = scene.own.token()
    scene.sandbox.hide_keys(scene.sandbox.client.key_id)
    assert scene.get(url).json() == {"keys": []}
    answer = scene.own.list(scene.wallet, token)
    assert answer.status_code == 401
    assert "Signature validation error" in answer.json()["error"]["description"]
    scene.sandbox.hide_keys()
    assert len(scene.get(url).json()["keys"]) == 1
    assert scene.own.list(scene.wallet, token).status_code == 200


def test_a_client_loses_its_name(scene: Scene) -> None:
    scene.sandbox.rename(None)
    assert "publicName" not in scene.get(scene.sandbox.client.wallet_address).json()
    refused = scene.pending()
    assert refused["error"]["code"] == "invalid_client"


@pytest.mark.parametrize(("decision", "status"), [("allow", 200), ("deny", 401)])
def test_the_account_holder_can_be_told_what_to_decide(
    scene: Scene, decision: str, status: int
) -> None:
    scene.sandbox.decide(decision)
    assert scene.proceed(scene.pending()).status_code == status
    with Browser() as browser:
        answer = browser.http.get(scene.pending(finish=True)["interact"]["redirect"])
        while answer.is_redirect and answer.headers["location"].startswith(scene.sandbox.url):
            answer = browser.http.get(answer.headers["location"])
    assert ("interact_ref" in answer.headers["location"]) == (decision == "allow")
    scene.sandbox.decide("ask")
    assert "continue" in scene.proceed(scene.pending()).json()


def test_lists_can_be_free(start_sandbox: StartSandbox) -> None:
    scene = Scene(start_sandbox(free_lists=True))
    token = scene.own.token("list-all", "read-all", identifier=scene.wallet)
    assert scene.own.list(scene.wallet, token).status_code == 200
    without = scene.own.grant({"type": "incoming-payment", "actions": ["list-all"]})
    assert without.status_code == 400
    access = {"type": "outgoing-payment", "actions": ["read"], "identifier": scene.sender}
    assert scene.own.grant(access).status_code == 400
    scene.close()


def test_a_grant_may_be_continued_sooner_or_later(start_sandbox: StartSandbox) -> None:
    scene = Scene(start_sandbox(continue_wait=60))
    pending = scene.pending()
    assert pending["continue"]["wait"] == 60
    assert scene.proceed(pending, wait=50).json()["error"]["code"] == "too_fast"
    assert scene.proceed(pending, wait=11).status_code == 200
    scene.close()


def test_the_date_header_alone_is_wrong(scene: Scene) -> None:
    token = scene.own.token()
    scene.sandbox.misdate(-7200)
    assert timedelta(seconds=-7210) < date_of(scene) < timedelta(seconds=-7190)
    assert scene.own.list(scene.wallet, token).status_code == 200
    scene.sandbox.misdate(0)
    assert abs(date_of(scene)) < timedelta(seconds=10)


def test_the_date_header_is_wrong_from_the_start(start_sandbox: StartSandbox) -> None:
    scene = Scene(start_sandbox(date_offset=3600))
    assert date_of(scene) > timedelta(seconds=3590)
    scene.close()


def test_a_portal_answers_with_a_page_instead(scene: Scene) -> None:
    scene.sandbox.take_down("authorization", portal=True)
    answer = scene.own.grant({"type": "incoming-payment", "actions": ["read"]})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("consent", {"decide": "perhaps"}),
        ("client", {"client": "https://ilp.example/alice"}),
        ("client", {}),
        ("date", {"offset": 10**10}),
        ("date", {"offset": 1.5}),
        ("outage", {"down": ["moon"]}),
    ],
)
def test_orders_that_cannot_be_meant_are_refused(
    sandbox: SandboxProcess, path: str, order: dict[str, object]
) -> None:
    answer = httpx.post(f"{sandbox.url}/sandbox/{path}", json=order, trust_env=False)
    assert answer.status_code in (400, 404)
    with pytest.raises(SandboxError):
        sandbox._ask(f"/sandbox/{path}", order)
