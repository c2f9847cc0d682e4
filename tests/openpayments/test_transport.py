from __future__ import annotations

import asyncio
import datetime
import gzip
import socket
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opdash.errors import ConfigError
from opdash.openpayments.errors import (
    AnswerTooLargeError,
    ProtocolError,
    UnansweredError,
    UnreachableError,
)
from opdash.openpayments.transport import MAX_ANSWER, Exchange, Transport
from tests.openpayments.conftest import StillClock
from tests.openpayments.rawserver import RawServer, Received, Reply, answer


@pytest.fixture
async def transport(clock: StillClock, exchanges: list[Exchange]) -> AsyncIterator[Transport]:
    made = Transport(clock, observer=exchanges.append, timeout=5.0)
    yield made
    await made.aclose()


async def failure(
    transport: Transport, url: str, method: str = "GET", body: bytes | None = None
) -> UnreachableError:
    with pytest.raises(UnreachableError) as caught:
        await transport.send(method, url, {}, body)
    return caught.value


# Byte for byte


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/tenant/incoming-payments?wallet-address=https%3A%2F%2Fw.example%2Frosa&first=20",
        "/%7Erosa/%2f%2F?a=%c3%a9&b=a+b&c=~!$'()*,;:@",
        "/a//b/?",
        '/x?q={}|^`"<>[]\\',
        "/x?%",
        "/x?a=1&a=2&&=",
    ],
)
async def test_a_url_goes_over_the_wire_as_it_was_signed(
    transport: Transport, raw: RawServer, target: str
) -> None:
    raw.reply(answer())
    await transport.send("GET", raw.origin + target, {})
    assert raw.received[0].target == target
    assert raw.received[0].url == raw.origin + target


async def test_headers_and_body_go_over_the_wire_as_given(
    transport: Transport, raw: RawServer
) -> None:
    raw.reply(answer())
    body = '{"a":"é"}'.encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "X-Own": "1"}
    await transport.send("POST", f"{raw.origin}/x", headers, body)
    request = raw.received[0]
    assert (request.method, request.body) == ("POST", body)
    assert {name.lower(): value for name, value in headers.items()}.items() <= (
        request.headers.items()
    )
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("opdash/")


async def test_a_post_without_a_body_says_so(transport: Transport, raw: RawServer) -> None:
    raw.reply(answer())
    await transport.send("POST", f"{raw.origin}/x", {})
    assert raw.received[0].headers["content-length"] == "0"
    assert "content-type" not in raw.received[0].headers


async def test_an_answer_is_handed_over_whole(transport: Transport, raw: RawServer) -> None:
    raw.reply(answer(b"body", "404 Not Found", WWW_Authenticate="GNAP as_uri=https://a.example"))
    got = await transport.send("GET", f"{raw.origin}/x", {})
    assert (got.status, got.body, got.url) == (404, b"body", f"{raw.origin}/x")
    assert got.headers["www-authenticate"] == "GNAP as_uri=https://a.example"


async def test_cookies_are_not_kept(transport: Transport, raw: RawServer) -> None:
    raw.reply(answer(Set_Cookie="session=1; Path=/"), answer())
    for _ in range(2):
        await transport.send("GET", f"{raw.origin}/x", {})
    assert "cookie" not in raw.received[1].headers


async def test_a_redirect_is_handed_over_and_not_followed(
    transport: Transport, raw: RawServer
) -> None:
    raw.reply(answer(b"", "302 Found", Location="/elsewhere"))
    assert (await transport.send("GET", f"{raw.origin}/x", {})).status == 302
    assert len(raw.received) == 1


async def test_connections_are_kept(transport: Transport, raw: RawServer) -> None:
    raw.reply(answer())
    for _ in range(3):
        await transport.send("GET", f"{raw.origin}/x", {})
    assert raw.connections == 1


async def test_a_proxy_is_not_asked_for_this_machine_itself(
    transport: Transport, raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    raw.reply(answer(b"direct"))
    assert (await transport.send("GET", f"{raw.origin}/x", {})).body == b"direct"


async def test_a_proxy_that_refuses_was_told_no_more_than_the_name(
    transport: Transport, raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", raw.origin)
    monkeypatch.delenv("NO_PROXY", raising=False)
    raw.reply(answer(b"", "403 Forbidden"))
    error = await failure(transport, "https://wallet.example/x", "POST", b"{}")
    assert not isinstance(error, UnansweredError)
    assert "proxy" in error.sentence
    assert (raw.received[0].method, raw.received[0].target) == ("CONNECT", "wallet.example:443")
    assert "authorization" not in raw.received[0].headers


async def test_a_server_may_be_kept_from_the_proxy(
    transport: Transport,
    public: RawServer,
    raw: RawServer,
    authority: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    monkeypatch.setenv("HTTPS_PROXY", raw.origin)
    monkeypatch.setenv("NO_PROXY", "wallet.example")
    public.reply(answer(b"direct"))
    assert (await transport.send("GET", f"{public.origin}/x", {})).body == b"direct"
    assert raw.connections == 0


async def test_a_proxy_of_a_kind_that_nobody_knows(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:70")
    with pytest.raises(ConfigError, match="proxy"):
        await transport.send("GET", "https://wallet.example/x", {})


# How much is read


async def test_an_answer_of_the_largest_size_is_read(transport: Transport, raw: RawServer) -> None:
    raw.reply(answer(b"x" * MAX_ANSWER))
    assert len((await transport.send("GET", f"{raw.origin}/x", {})).body) == MAX_ANSWER


async def test_a_larger_answer_is_not_read_to_its_end(transport: Transport, raw: RawServer) -> None:
    sent = 0

    async def endless(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    raw.reply(endless)
    with pytest.raises(AnswerTooLargeError, match="2048 KiB"):
        await transport.send("GET", f"{raw.origin}/x", {})
    assert sent < 8 * MAX_ANSWER


async def test_packed_answers_are_unpacked(transport: Transport, raw: RawServer) -> None:
    raw.reply(answer(gzip.compress(b"packed" * 1000), Content_Encoding="gzip"))
    assert (await transport.send("GET", f"{raw.origin}/x", {})).body == b"packed" * 1000
    raw.reply(answer(b"", "204 No Content", Content_Encoding="gzip"))
    assert (await transport.send("GET", f"{raw.origin}/x", {})).body == b""


async def test_a_bomb_is_unpacked_only_to_the_cap(
    transport: Transport, raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[int] = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self, wbits: int) -> None:
            self._inner = real(wbits=wbits)

        @property
        def eof(self) -> bool:
            return self._inner.eof

        def decompress(self, data: bytes, most: int) -> bytes:
            chunk = self._inner.decompress(data, most)
            unpacked.append(len(chunk))
            return chunk

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    raw.reply(answer(gzip.compress(b"\0" * 100_000_000), Content_Encoding="gzip"))
    with pytest.raises(AnswerTooLargeError):
        await transport.send("GET", f"{raw.origin}/x", {})
    assert sum(unpacked) <= MAX_ANSWER + 1


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"not packed at all"),
        ("gzip", gzip.compress(b"x" * 1000)[:-12]),
        ("br", b"xx"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x"))),
    ],
    ids=["rubbish", "cut", "unknown", "twice"],
)
async def test_what_cannot_be_unpacked_is_a_protocol_error(
    transport: Transport, raw: RawServer, encoding: str, body: bytes
) -> None:
    raw.reply(answer(body, Content_Encoding=encoding))
    with pytest.raises(ProtocolError, match="packed"):
        await transport.send("GET", f"{raw.origin}/x", {})


# No answer: was it sent?


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def test_where_nothing_answers_nothing_was_sent(transport: Transport) -> None:
    error = await failure(transport, f"http://127.0.0.1:{free_port()}/x", "POST", b"{}")
    assert not isinstance(error, UnansweredError)
    assert "Nothing answers" in error.sentence


async def test_a_name_that_does_not_exist(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    error = await failure(transport, "https://nowhere.invalid/x", "POST", b"{}")
    assert not isinstance(error, UnansweredError)
    assert error.sentence == "The name nowhere.invalid cannot be found."


async def hang_up(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def stop_in_the_head(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200")
    writer.close()


async def stop_in_the_body(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.close()


@pytest.mark.parametrize("reply", [hang_up, reset, stop_in_the_head, stop_in_the_body])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_breaks_leaves_it_open(
    raw: RawServer, transport: Transport, reply: Reply, method: str
) -> None:
    raw.reply(reply)
    error = await failure(transport, f"{raw.origin}/x", method)
    assert isinstance(error, UnansweredError)
    assert ("look before you repeat" in error.advice) == (method == "POST")
    assert len(raw.received) == 1


@pytest.mark.parametrize(
    "rubbish", [b"220 smtp ready\r\n\r\n", b"\x16\x03\x01\x00", b"HTTP/9 x\r\n"]
)
async def test_an_answer_that_is_no_http_leaves_it_open(
    raw: RawServer, transport: Transport, rubbish: bytes
) -> None:
    async def talk(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(rubbish)
        writer.close()

    raw.reply(talk)
    assert isinstance(await failure(transport, f"{raw.origin}/x", "POST"), UnansweredError)


async def test_silence_ends_at_the_deadline(raw: RawServer, clock: StillClock) -> None:
    async def silence(_: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    raw.reply(silence)
    quick = Transport(clock, timeout=0.2)
    error = await failure(quick, f"{raw.origin}/x", "POST", b"{}")
    assert isinstance(error, UnansweredError)
    assert "within 0.2 seconds" in error.sentence
    await quick.aclose()


async def test_dripping_ends_at_the_deadline_too(raw: RawServer, clock: StillClock) -> None:
    async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    raw.reply(drip)
    quick = Transport(clock, timeout=0.3)
    assert isinstance(await failure(quick, f"{raw.origin}/x"), UnansweredError)
    await quick.aclose()


async def test_a_server_that_never_accepts_was_sent_nothing(
    clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> object:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    quick = Transport(clock, timeout=0.2)
    error = await failure(quick, "https://slow.invalid/x", "POST", b"{}")
    assert not isinstance(error, UnansweredError)
    assert "could not be reached in time" in error.sentence
    await quick.aclose()


async def test_a_get_on_a_connection_just_closed_is_sent_again(
    raw: RawServer, transport: Transport, exchanges: list[Exchange]
) -> None:
    raw.reply(answer(b"first"), reset, answer(b"again"))
    await transport.send("GET", f"{raw.origin}/x", {})
    again = await transport.send("GET", f"{raw.origin}/x", {})
    assert again.body == b"again"
    assert raw.connections == 2
    assert [exchange.status for exchange in exchanges] == [200, 200]


async def test_a_post_on_a_connection_just_closed_is_not(
    raw: RawServer, transport: Transport
) -> None:
    raw.reply(answer(b"first"), reset, answer(b"again"))
    await transport.send("GET", f"{raw.origin}/x", {})
    assert isinstance(await failure(transport, f"{raw.origin}/x", "POST"), UnansweredError)
    assert len(raw.received) == 2


async def test_a_get_is_sent_again_only_once(raw: RawServer, transport: Transport) -> None:
    raw.reply(answer(b"first"), reset)
    await transport.send("GET", f"{raw.origin}/x", {})
    assert isinstance(await failure(transport, f"{raw.origin}/x"), UnansweredError)
    assert len(raw.received) == 3


async def test_a_header_that_cannot_be_sent_is_not(raw: RawServer, transport: Transport) -> None:
    raw.reply(answer())
    with pytest.raises(ProtocolError):
        await transport.send("GET", f"{raw.origin}/x", {"X-Bad": "a\r\nX-Evil: 1"})
    assert raw.received == []


async def test_being_cancelled_is_no_failure_of_the_server(
    raw: RawServer, transport: Transport, exchanges: list[Exchange]
) -> None:
    arrived = asyncio.Event()

    async def silence(_: Received, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.sleep(60)

    raw.reply(silence)
    asking = asyncio.ensure_future(transport.send("GET", f"{raw.origin}/x", {}))
    await arrived.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (exchanges[0].status, exchanges[0].problem) == (None, "cancelled")


# What is told about an exchange


async def test_an_exchange_is_told_without_what_is_secret(
    raw: RawServer, transport: Transport, exchanges: list[Exchange]
) -> None:
    raw.reply(answer())
    headers = {"Authorization": "GNAP TOKEN5", "Signature": "sig1=:SIGN5:"}
    await transport.send("POST", f"{raw.origin}/token/HANDLE5", headers, b"BODY5", masked=True)
    await transport.send("GET", f"{raw.origin}/rosa", headers)
    await failure(transport, f"http://127.0.0.1:{free_port()}/x")
    first, second, third = exchanges
    assert (first.method, first.url, first.status) == ("POST", f"{raw.origin}/token/•••", 200)
    assert (second.request_id, second.url) == (2, f"{raw.origin}/rosa")
    assert (third.status, third.problem) == (None, "UnreachableError")
    told = " ".join(f"{exchange} {exchange!r}" for exchange in exchanges)
    assert not [secret for secret in ("TOKEN5", "SIGN5", "HANDLE5", "BODY5") if secret in told]
    assert str(second) == f"#2 GET {raw.origin}/rosa → 200 in 0.000 s"


async def test_the_servers_time_is_learnt(
    raw: RawServer, transport: Transport, clock: StillClock
) -> None:
    raw.reply(answer(Date="Fri, 20 Nov 2026 05:10:04 GMT"))
    await transport.send("GET", f"{raw.origin}/x", {})
    assert transport.server_offset == datetime.timedelta(hours=1, seconds=0.5)


# TLS


async def test_a_certificate_of_nobody_known_is_refused(
    secure: RawServer, transport: Transport
) -> None:
    error = await failure(transport, f"{secure.origin}/x", "POST", b"{}")
    assert not isinstance(error, UnansweredError)
    assert "certificate" in error.sentence
    assert "not trusted" in error.sentence
    assert "ca_file" in error.advice
    assert secure.received == []


async def test_a_certificate_that_the_profile_names_is_trusted(
    secure: RawServer, clock: StillClock, authority: Path
) -> None:
    secure.reply(answer(b"secure"))
    trusting = Transport(clock, ca_file=authority / "ca.pem")
    assert (await trusting.send("GET", f"{secure.origin}/x", {})).body == b"secure"
    await trusting.aclose()


async def test_a_certificate_that_the_environment_names_is_trusted(
    secure: RawServer, transport: Transport, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.reply(answer(b"secure"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    assert (await transport.send("GET", f"{secure.origin}/x", {})).body == b"secure"


async def test_a_server_without_tls_was_sent_nothing(raw: RawServer, clock: StillClock) -> None:
    raw.reply(answer())
    quick = Transport(clock, timeout=0.5)
    error = await failure(quick, raw.origin.replace("http:", "https:") + "/x", "POST", b"{}")
    assert not isinstance(error, UnansweredError)
    assert raw.received == []
    await quick.aclose()


def test_a_file_of_certificates_that_cannot_be_used(clock: StillClock, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.pem cannot be used: No such file"):
        Transport(clock, ca_file=tmp_path / "missing.pem")
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigError, match="no certificate"):
        Transport(clock, ca_file=tmp_path / "empty.pem")
