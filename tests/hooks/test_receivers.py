"""Web hooks against a real receiver on loopback: every way in which one can fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from opdash.errors import InputError
from opdash.hooks.deliveries import DeliveryError, Postman, StoppedError
from opdash.hooks.letters import Letter
from opdash.hooks.receivers import Receiver, read_url
from opdash.hooks.signing import new_secret
from opdash.openpayments.secrets import Secret
from tests.hooks.doubles import Answering, QuickClock, receiving, record
from tests.hooks.test_signing import verified

SECRET = new_secret()


@pytest.fixture
def hook() -> Iterator[Answering]:
    with receiving() as state:
        yield state


def receiver(url: str, clock: QuickClock | None = None, **changes: Any) -> Receiver:
    options: dict[str, Any] = {"seconds": 10.0, "secrets": lambda _: (SECRET,), **changes}
    return Receiver(url, clock=clock or QuickClock(), **options)


async def delivered(
    hook: Answering, retries: int = 5, **changes: Any
) -> tuple[int, str, QuickClock, list[str]]:
    clock, told = QuickClock(), list[str]()
    target = receiver(hook.url + "?token=hush", clock, **changes)
    try:
        postman = Postman(clock, lambda: 1.0, retries, told.append)
        attempts, reason = await postman.deliver(target, Letter.of(record()))
    finally:
        await target.aclose()
    assert "hush" not in f"{told}{reason}{target.name}"
    assert SECRET.reveal() not in f"{told}{reason}{hook.got}"
    return attempts, reason, clock, told


async def test_an_event_is_posted_and_signed(hook: Answering) -> None:
    assert (await delivered(hook))[:2] == (1, "")
    ((headers, body),) = hook.got
    assert body == Letter.of(record()).body
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == record()["cursor"]
    assert verified(SECRET.reveal(), headers, body)
    assert not {"authorization", "signature", "signature-input", "cookie"} & headers.keys()


async def test_a_receiver_that_recovers_gets_the_event_once_more(hook: Answering) -> None:
    hook.answers = [(500, {}), (503, {}), (404, {}), (400, {})]
    attempts, reason, clock, _ = await delivered(hook)
    assert (attempts, reason) == (5, "")
    assert clock.slept == [1.0, 2.0, 4.0, 8.0]
    assert len(set(hook.bodies())) == 1
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1
    for headers, body in hook.got:  # each attempt is signed for its own time
        assert verified(SECRET.reveal(), headers, body)
    assert len({headers["webhook-timestamp"] for headers, _ in hook.got}) == 5


async def test_what_it_asks_to_wait_is_waited(hook: Answering) -> None:
    hook.answers = [
        (429, {"Retry-After": "30"}),
        (503, {"Retry-After": "Fri, 20 Nov 2026 12:01:00 GMT"}),
        (429, {"Retry-After": "soon"}),
    ]
    attempts, reason, clock, _ = await delivered(hook)
    assert (attempts, reason) == (4, "")
    assert clock.slept == [30.0, 30.0, 4.0]


async def test_one_that_is_gone_for_good_is_left_alone(hook: Answering) -> None:
    hook.answers = [(410, {})]
    with pytest.raises(StoppedError):
        await delivered(hook)
    assert len(hook.got) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(hook: Answering, status: int) -> None:
    with receiving() as elsewhere:
        hook.answers = [(status, {"Location": elsewhere.url})]
        attempts, reason, _, _ = await delivered(hook)
        assert (attempts, reason) == (1, f"answered {status}; redirects are not followed")
        assert elsewhere.got == []
    assert len(hook.got) == 1


async def test_one_that_hangs_is_given_up_in_time(hook: Answering) -> None:
    over = threading.Event()

    def hang() -> None:
        over.wait(60)

    hook.answers = [hang, hang]
    try:
        attempts, reason, _, _ = await delivered(hook, retries=1, seconds=0.3)
    finally:
        over.set()
    assert (attempts, reason) == (2, "gave no answer within 0.3 s")


async def test_one_that_hangs_up_is_tried_again(hook: Answering) -> None:
    hook.answers = [lambda: None, lambda: None]
    attempts, reason, _, told = await delivered(hook)
    assert (attempts, reason) == (3, "")
    assert "could not be reached" in told[0]


async def test_one_that_is_not_there_is_given_up() -> None:
    with receiving() as hook:
        pass
    attempts, reason, _, _ = await delivered(hook, retries=2)
    assert attempts == 3
    assert reason.startswith("could not be reached")


async def test_an_endless_answer_is_not_read(hook: Answering) -> None:
    hook.answers = [(200, {"X-Padding": "x" * 5000})]
    assert (await delivered(hook))[:2] == (1, "")


@pytest.mark.parametrize("broken", ["gone", "unreadable"])
async def test_without_its_secret_nothing_is_posted(hook: Answering, broken: str) -> None:
    def secrets(_: str) -> Sequence[Secret]:
        if broken == "gone":
            return ()
        raise InputError("Others can read it.")

    target = receiver(hook.url, secrets=secrets)
    with pytest.raises(DeliveryError, match="its secret"):
        await target.deliver(Letter.of(record()))
    assert hook.got == []


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/opdash?key=1",
        "https://shop.example:8443",
        "http://127.0.0.1:8000/",
        "http://localhost/x",
        "http://[::1]:80/x",
    ],
)
def test_safe_addresses_are_taken(url: str) -> None:
    assert read_url(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/opdash", "not secure"),
        ("http://127.0.0.1.example/", "not secure"),
        ("http://10.0.0.1/", "not secure"),
        ("https://rosa:hush@shop.example/", "user's name"),
        ("https://rosa@shop.example/", "user's name"),
        ("http://127.0.0.1@evil.example/", "user's name"),
        ("ftp://shop.example/", "no address"),
        ("shop.example/x", "no address"),
        ("https:///x", "no address"),
        ("https://shop.example/#x", "no address"),
        ("https://shop.example/\r\nx: y", "no URL"),
        ("https://shop.example/a b", "no URL"),
        ("https://shöp.example/", "no URL"),
        ("https://shop.example:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("", "no address"),
        ("https://shop.example/" + "x" * 3000, "no URL"),
    ],
)
def test_other_addresses_are_refused(url: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as error:
        read_url(url)
    assert "hush" not in str(error.value)


def test_its_name_gives_no_path_away() -> None:
    assert receiver("https://shop.example:8443/s3cret?k=1").name == "https://shop.example:8443"
