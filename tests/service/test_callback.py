"""The listener to which a browser comes back: what it takes, and what it leaves alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.service import callback
from opdash.service.callback import CallbackListener, Return, Returned

GOOD = {"hash": "good", "interact_ref": "R1"}


class Open:
    """A listener that waits for `GOOD`, and what happened to it."""

    def __init__(self) -> None:
        self.strays = 0
        self.listener = CallbackListener(self._stray)

    def _stray(self) -> None:
        self.strays += 1

    @property
    def port(self) -> int:
        return urlsplit(self.listener.uri).port or 0

    async def get(self, url: str = "", **options: object) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.request("GET", url or self.listener.uri, **options)  # type: ignore[arg-type]

    async def send(self, raw: bytes, *, finish: bool = False) -> bytes:
        """Send bytes as they are, and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        if finish:
            writer.write_eof()
        answer = await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return answer

    async def request(self, target: str, *fields: str, method: str = "GET") -> bytes:
        head = [f"{method} {target} HTTP/1.1", *(fields or (f"Host: 127.0.0.1:{self.port}",))]
        return await self.send("\r\n".join([*head, "", ""]).encode())


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    opened = Open()
    async with opened.listener:
        opened.listener.expect(lambda given, reference: (given, reference) == ("good", "R1"))
        yield opened


async def is_waiting(opened: Open) -> bool:
    """Return whether nothing was taken for the answer yet."""
    returning = asyncio.ensure_future(opened.listener.returned())
    await asyncio.sleep(0)
    returning.cancel()
    return not opened.listener._returned.done()


async def test_it_is_on_loopback_only_at_an_address_that_nobody_can_guess(opened: Open) -> None:
    parts = urlsplit(opened.listener.uri)
    assert (parts.scheme, parts.hostname) == ("http", "127.0.0.1")
    assert len(parts.path.rpartition("/")[2]) >= 32
    assert len(opened.listener.nonce) >= 32
    async with CallbackListener(lambda: None) as other:
        assert other.uri.rpartition("/")[2] != opened.listener.uri.rpartition("/")[2]
        assert other.nonce != opened.listener.nonce


async def test_the_right_return_is_taken_and_sends_the_person_back(opened: Open) -> None:
    answer = await opened.get(params=GOOD)
    assert answer.status_code == 200
    assert "return to opdash" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert await opened.listener.returned() == Returned(Return.GRANTED, "R1")
    assert opened.strays == 0


async def test_after_its_end_nobody_answers() -> None:
    opened = Open()
    async with opened.listener:
        opened.listener.expect(lambda *_: True)
        await opened.get(params=GOOD)
    with pytest.raises(httpx.ConnectError):
        await opened.get(params=GOOD)


async def test_the_answer_is_whole_even_when_the_wait_ends_with_it() -> None:
    opened = Open()
    async with opened.listener:
        opened.listener.expect(lambda *_: True)
        getting = asyncio.create_task(opened.get(params=GOOD))
        await opened.listener.returned()
    assert "return to opdash" in (await getting).text


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/callback", "/consentx"])
async def test_other_paths_are_not_found_and_the_wait_goes_on(opened: Open, path: str) -> None:
    answer = await opened.get(f"http://127.0.0.1:{opened.port}{path}", params=GOOD)
    assert answer.status_code == 404
    assert opened.strays == 0
    assert await is_waiting(opened)


async def test_a_return_for_another_request_is_told_and_the_wait_goes_on(opened: Open) -> None:
    async with CallbackListener(lambda: None) as other:
        state = urlsplit(other.uri).path
    answer = await opened.get(f"http://127.0.0.1:{opened.port}{state}", params=GOOD)
    assert answer.status_code == 404
    assert "another request" in answer.text
    assert opened.strays == 1
    assert await is_waiting(opened)
    await opened.get(params=GOOD)
    assert (await opened.listener.returned()).how is Return.GRANTED


@pytest.mark.parametrize(
    "query",
    [
        {"hash": "bad", "interact_ref": "R1"},
        {"hash": "good", "interact_ref": "R2"},
        {"interact_ref": "R1"},
        {"hash": "good"},
        {"hash": "", "interact_ref": "R1"},
        {"hash": ["good", "good"], "interact_ref": "R1"},
        {"hash": "good", "interact_ref": ["R1", "R2"]},
        {"hash": "bad", "interact_ref": "R1", "result": "grant_rejected"},
    ],
    ids=str,
)
async def test_a_hash_that_does_not_fit_is_forged(opened: Open, query: dict[str, str]) -> None:
    answer = await opened.get(params=query)
    assert answer.status_code == 400
    assert "does not fit" in answer.text
    assert (await opened.listener.returned()).how is Return.FORGED


@pytest.mark.parametrize(
    ("result", "how"),
    [
        ("grant_rejected", Return.REFUSED),
        ("invalid_interaction", Return.INVALID),
        ("grant_invalid", Return.INVALID),
    ],
)
async def test_a_refusal_is_a_hint(opened: Open, result: str, how: Return) -> None:
    answer = await opened.get(params={"result": result})
    assert "eturn to opdash" in answer.text
    assert "reports" in answer.text, "anybody can send a browser here with that"
    assert "opdash asks the server" in answer.text
    assert await opened.listener.returned() == Returned(how)
    opened.listener.forget()
    await opened.get(params=GOOD)
    assert (await opened.listener.returned()).how is Return.GRANTED


async def test_nothing_is_taken_before_it_is_known_what_fits() -> None:
    opened = Open()
    async with opened.listener:
        assert (await opened.get(params=GOOD)).status_code == 404
        assert await is_waiting(opened)


async def test_a_bare_address_is_no_return(opened: Open) -> None:
    assert (await opened.get()).status_code == 404
    assert await is_waiting(opened)


@pytest.mark.parametrize(
    "fields",
    [
        ["Host: evil.example"],
        ["X: y"],
        ["Host: 127.0.0.1"],
        ["Host: 127.0.0.1:{port}", "Host: 127.0.0.1:{port}"],
    ],
)
async def test_a_page_under_another_name_is_turned_away(opened: Open, fields: list[str]) -> None:
    target = urlsplit(opened.listener.uri).path + "?hash=good&interact_ref=R1"
    answer = await opened.request(target, *(field.format(port=opened.port) for field in fields))
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert await is_waiting(opened)


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
async def test_only_browsers_that_follow_a_redirect_are_answered(opened: Open, method: str) -> None:
    target = urlsplit(opened.listener.uri).path + "?hash=good&interact_ref=R1"
    assert (await opened.request(target, method=method)).startswith(b"HTTP/1.1 405 ")
    assert await is_waiting(opened)


@pytest.mark.parametrize(
    "raw",
    [b"", b"GET", b"GET / FTP/9", b"\xff\x00", b"GET x HTTP/1.1"],
)
async def test_what_is_no_request_is_refused(opened: Open, raw: bytes) -> None:
    assert (await opened.send(raw + b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert await is_waiting(opened)


async def test_a_request_has_an_end(opened: Open) -> None:
    long = b"GET / HTTP/1.1\r\nCookie: " + b"x" * (callback.MAX_HEAD + 1000)
    assert (await opened.send(long)).startswith(b"HTTP/1.1 431 ")
    assert (await opened.send(b"GET / HTTP/1.1\r\n", finish=True)).startswith(b"HTTP/1.1 400 ")
    assert await opened.send(b"", finish=True) == b""
    assert await is_waiting(opened)


async def test_who_says_nothing_is_not_waited_for(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback, "PATIENCE", 0.05)
    assert await opened.send(b"GET / HT") == b""
    assert await is_waiting(opened)


async def test_many_who_say_nothing_do_not_keep_the_browser_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callback, "PATIENCE", 0.5)
    opened = Open()
    async with opened.listener:
        opened.listener.expect(lambda *_: True)
        idle = [await asyncio.open_connection("127.0.0.1", opened.port) for _ in range(40)]
        for reader, _ in idle:
            await reader.read()
        await opened.get(params=GOOD)
        assert (await opened.listener.returned()).how is Return.GRANTED
        for _, writer in idle:
            writer.close()


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=300))
def test_no_bytes_upset_it(raw: bytes) -> None:
    async def send() -> None:
        opened = Open()
        async with opened.listener:
            opened.listener.expect(lambda *_: True)
            answer = await opened.send(raw + b"\r\n\r\n", finish=True)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
            assert not opened.listener._returned.done()

    asyncio.run(send())
