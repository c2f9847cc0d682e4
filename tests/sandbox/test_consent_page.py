"""The page on which an account holder decides: what it shows, and what its buttons do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.sandbox.browser import Browser
from tests.sandbox.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    scene = Scene(SandboxProcess.start())
    yield scene
    scene.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def outgoing(scene: Scene, **more: Any) -> dict[str, Any]:
    """Ask to read outgoing payments, by polling."""
    access = {"type": "outgoing-payment", "actions": ["read-all"], "identifier": scene.sender}
    answer: dict[str, Any] = scene.own.grant(access | more, interact={"start": ["redirect"]}).json()
    return answer


def test_the_page_says_who_asks_for_what(scene: Scene, browser: Browser) -> None:
    limits = {
        "debitAmount": {"value": "1205", "assetCode": "USD", "assetScale": 2},
        "receiver": "https://ilp.example/<b>rosa</b>",
    }
    page = browser.open(outgoing(scene, limits=limits)["interact"]["redirect"])
    assert page.status == 200
    assert "opdash asks for your consent" in page.text
    assert scene.sandbox.client.wallet_address in page.text
    assert "read every outgoing payment" in page.text
    assert scene.sender in page.text
    assert "12.05 USD" in page.text
    assert "<b>rosa</b>" in page.text
    assert "no money here is real" in page.text
    assert sorted(page.buttons) == ["Allow", "Deny"]
    assert page.scripts == 0


def test_a_name_cannot_write_the_page(scene: Scene, browser: Browser) -> None:
    scene.sandbox.rename("<script>alert(1)</script><form action='//evil.example'>")
    page = browser.open(outgoing(scene)["interact"]["redirect"])
    scene.sandbox.rename("opdash")
    assert page.scripts == 0
    assert page.action == f"{scene.sandbox.url}/auth/consent"
    assert "<script>alert(1)</script>" in page.text


def test_a_name_in_the_address_is_not_believed(scene: Scene, browser: Browser) -> None:
    url = outgoing(scene)["interact"]["redirect"].partition("?")[0]
    page = browser.open(f"{url}?clientName=Your+Bank&clientUri=https%3A%2F%2Fbank.example")
    assert "Your Bank" not in page.text
    assert "opdash asks" in page.text


@pytest.mark.parametrize(
    ("button", "status", "words"), [("Allow", 200, "allowed"), ("Deny", 401, "denied")]
)
def test_a_polling_client_learns_what_was_pressed(
    scene: Scene, browser: Browser, button: str, status: int, words: str
) -> None:
    pending = outgoing(scene)
    done = browser.press(browser.open(pending["interact"]["redirect"]), button)
    assert words in done.text
    assert "return to the client" in done.text
    assert scene.proceed(pending).status_code == status


def test_a_client_that_waits_for_the_browser_gets_it_back(scene: Scene, browser: Browser) -> None:
    allowed, denied = scene.pending(finish=True), scene.pending(finish=True)
    back = browser.way_back(browser.open(allowed["interact"]["redirect"]), "Allow")
    assert back.startswith("http://127.0.0.1:12345/callback?hash=")
    back = browser.way_back(browser.open(denied["interact"]["redirect"]), "Deny")
    assert back == "http://127.0.0.1:12345/callback?result=grant_rejected"


def test_nothing_is_decided_twice(scene: Scene, browser: Browser) -> None:
    pending = outgoing(scene)
    page = browser.open(pending["interact"]["redirect"])
    browser.press(page, "Deny")
    again = browser.press(page, "Allow")
    assert again.status == 410
    assert "decided before" in again.text
    assert scene.proceed(pending).status_code == 401


def test_another_browser_cannot_decide(scene: Scene, browser: Browser) -> None:
    pending = outgoing(scene)
    page = browser.open(pending["interact"]["redirect"])
    with Browser() as other:
        refused = other.press(page, "Allow")
    assert refused.status == 401
    assert scene.proceed(pending).json()["continue"]


def test_a_form_from_nowhere_decides_nothing(scene: Scene, browser: Browser) -> None:
    url = f"{scene.sandbox.url}/auth/consent"
    assert browser.http.post(url, data={"choice": "accept"}).status_code == 404
    assert browser.http.post(url, json={"choice": "accept"}).status_code == 415
    assert browser.http.get(url).status_code == 404


def test_the_page_closes_after_ten_minutes(scene: Scene, browser: Browser) -> None:
    pending = outgoing(scene)
    page = browser.open(pending["interact"]["redirect"])
    scene.sandbox.advance(601)
    late = browser.press(page, "Allow")
    assert late.status == 410
    assert "ten minutes" in late.text
    assert "ten minutes" in browser.open(pending["interact"]["redirect"]).text


def test_a_withdrawn_request_cannot_be_allowed(scene: Scene, browser: Browser) -> None:
    pending = outgoing(scene)
    page = browser.open(pending["interact"]["redirect"])
    continuation = pending["continue"]
    token = continuation["access_token"]["value"]
    scene.own.send("DELETE", continuation["uri"], token=token)
    assert "withdrawn" in browser.press(page, "Allow").text
