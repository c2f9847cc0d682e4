"""Tokens and consent over time: expiry, races, sessions, and consent that gives itself."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from opdash.openpayments.canonical import canonical_json
from opdash.sandbox.process import SandboxProcess
from tests.sandbox.scene import Scene
from tests.sandbox.support import RawClient


@pytest.fixture
def asked() -> Any:
    """A sandbox that leaves consent to the test."""
    scene = Scene(SandboxProcess.start())
    yield scene
    scene.close()


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_token_lives_ten_minutes(fresh_sandbox: SandboxProcess) -> None:
    client = RawClient(fresh_sandbox)
    token = client.token()

    fresh_sandbox.advance(595)
    assert client.list(fresh_sandbox.main_wallet, token).status_code == 200
    fresh_sandbox.advance(10)
    assert client.list(fresh_sandbox.main_wallet, token).status_code == 403
    client.close()


def test_of_two_rotations_at_once_one_wins(raw: RawClient) -> None:
    access = {"type": "incoming-payment", "actions": ["list"]}
    token = raw.grant(access).json()["access_token"]

    def rotate(_: int) -> httpx.Response:
        return raw.send("POST", token["manage"], token=token["value"])

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(rotate, range(8)))

    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(lost) == 7
    assert {answer.status_code for answer in lost} <= {401, 404}
    assert {answer.json()["error"]["description"] for answer in lost} == {"invalid access token"}


def test_rotation_leaves_the_other_tokens_of_a_grant_alone(fresh_sandbox: SandboxProcess) -> None:
    client = RawClient(fresh_sandbox)
    grant = client.grant({"type": "incoming-payment", "actions": ["list"]}).json()
    first, continuation = grant["access_token"], grant["continue"]
    fresh_sandbox.advance(6)
    answer = client.send(
        "POST", continuation["uri"], token=continuation["access_token"]["value"]
    ).json()
    second = answer["access_token"]

    client.send("POST", first["manage"], token=first["value"])

    assert second["value"] != first["value"]
    assert client.list(fresh_sandbox.main_wallet, second["value"]).status_code == 200
    client.close()


def test_a_given_grant_is_continued_once(asked: Scene) -> None:
    grant = asked.fresh_grant()

    assert asked.proceed(grant).status_code == 200
    again = asked.proceed(grant)

    assert (again.status_code, again.json()["error"]["code"]) == (401, "request_denied")


def test_polling_ends_with_refusal(asked: Scene) -> None:
    pending = asked.pending()
    asked.visit(pending, "reject")

    answer = asked.proceed(pending)

    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "request_denied",
        "description": "grant cannot be continued",
    }


def test_each_poll_starts_the_wait_anew(asked: Scene) -> None:
    pending = asked.pending()

    assert asked.proceed(pending, wait=6).status_code == 200
    assert asked.proceed(pending, wait=1).json()["error"]["code"] == "too_fast"
    assert asked.proceed(pending, wait=6).status_code == 200


def test_consent_comes_too_late_after_ten_minutes(asked: Scene) -> None:
    pending = asked.pending()
    asked.sandbox.advance(601)

    answer = asked.decide(pending, "accept")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_interaction")
    assert asked.proceed(pending).json().keys() == {"continue"}


def test_returning_after_ten_minutes_tells_the_client(asked: Scene) -> None:
    pending = asked.pending(finish=True)
    asked.decide(pending, "accept")
    asked.sandbox.advance(601)

    answer = asked.own.plain("GET", asked.interaction(pending, "/finish"))

    assert _query(answer.headers["location"]) == {
        "result": "invalid_interaction",
        "message": "interaction expired",
    }


def test_another_browser_cannot_finish(asked: Scene) -> None:
    pending = asked.pending(finish=True)
    asked.own.plain("GET", pending["interact"]["redirect"])
    asked.decide(pending, "accept")
    stranger = httpx.get(asked.interaction(pending, "/finish"))

    assert stranger.status_code == 401
    assert stranger.json()["error"]["description"] == "invalid session"


def test_the_hash_proves_who_sent_the_browser_back(asked: Scene) -> None:
    pending = asked.pending(finish=True)
    query = _query(asked.visit(pending, "accept").headers["location"])

    text = "\n".join(
        (
            "ae4885cce2ceffeb",
            pending["interact"]["finish"],
            query["interact_ref"],
            asked.own.auth_server,
        )
    )
    expected = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert query["hash"] == expected


def test_one_reference_opens_no_other_grant(asked: Scene) -> None:
    mine, yours = asked.pending(finish=True), asked.pending(finish=True)
    reference = _query(asked.visit(mine, "accept").headers["location"])["interact_ref"]
    asked.visit(yours, "accept")

    answer = asked.proceed(yours, body=canonical_json({"interact_ref": reference}))

    assert answer.status_code == 404


def test_a_cancelled_grant_cannot_be_continued(asked: Scene) -> None:
    pending = asked.pending()
    continuation = pending["continue"]
    token = continuation["access_token"]["value"]
    assert asked.own.send("DELETE", continuation["uri"], token=token).status_code == 204

    answer = asked.proceed(pending)

    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "invalid_continuation",
        "description": "invalid grant",
    }


def test_without_a_public_name_there_is_no_consent(asked: Scene) -> None:
    body = {
        "access_token": {
            "access": [
                {"type": "incoming-payment", "actions": ["list-all"], "identifier": asked.wallet}
            ]
        },
        "client": asked.sandbox.url + "/nameless",
        "interact": {"start": ["redirect"]},
    }

    answer = asked.own.send("POST", asked.own.auth_server, body=canonical_json(body))

    assert answer.json()["error"]["code"] == "invalid_client"


def test_auto_consent_lets_a_client_poll(fresh_sandbox: SandboxProcess) -> None:
    client = RawClient(fresh_sandbox)
    token = client.consented_token(
        {
            "type": "incoming-payment",
            "actions": ["list-all"],
            "identifier": fresh_sandbox.main_wallet,
        }
    )

    everything = client.list(fresh_sandbox.main_wallet, token, "&first=100").json()["result"]
    own = client.list(fresh_sandbox.main_wallet, client.token(), "&first=100").json()["result"]

    assert len(everything) > len(own)
    client.close()


def test_auto_consent_sends_the_browser_through(fresh_sandbox: SandboxProcess) -> None:
    client = RawClient(fresh_sandbox)
    pending = client.grant(
        {
            "type": "incoming-payment",
            "actions": ["list-all"],
            "identifier": fresh_sandbox.main_wallet,
        },
        interact={
            "start": ["redirect"],
            "finish": {"method": "redirect", "uri": "http://127.0.0.1:9/back?a=b", "nonce": "n"},
        },
    ).json()

    with httpx.Client(trust_env=False) as browser:
        answer = browser.get(pending["interact"]["redirect"])
        while answer.headers["location"].startswith(fresh_sandbox.url):
            answer = browser.get(answer.headers["location"])

    assert _query(answer.headers["location"]).keys() == {"a", "hash", "interact_ref"}
    client.close()
