"""Traces tell what went over the wire, byte for byte, but for what is secret."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.errors import OpenPaymentsError
from opdash.openpayments.grants import (
    Access,
    AccessToken,
    Continuation,
    InteractFinish,
    InteractRequest,
)
from opdash.openpayments.keys import ClientKey, public_key_from_jwk
from opdash.openpayments.resources import Jwk, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.openpayments.traces import LONGEST_BODY, Body, Headers, Sight, Trace
from tests.openpayments.conftest import StillClock
from tests.openpayments.rawserver import RawServer, Received, answer
from tests.openpayments.test_transport import free_port, reset

TOKEN = Secret("OS9nX3JY7Tk2f")
ACCESS = (Access("incoming-payment", ("list",)),)


@pytest.fixture
def traces() -> list[Trace]:
    return []


@pytest.fixture
async def traced(
    raw: RawServer, key: ClientKey, clock: StillClock, traces: list[Trace]
) -> AsyncIterator[OpenPaymentsClient]:
    async with OpenPaymentsClient(
        key=key,
        client_wallet_address=f"{raw.origin}/till",
        clock=clock,
        tracer=traces.append,
    ) as made:
        yield made


def sight(**given_: Any) -> Sight:
    usual: dict[str, Any] = {
        "number": 1,
        "at": datetime(2026, 11, 20, 4, 10, 4, tzinfo=UTC),
        "method": "GET",
        "url": "https://ilp.example/rosa",
        "url_is_secret": False,
        "purpose": "",
        "headers": (),
        "body": None,
        "status": 200,
        "answer_headers": (),
        "answer": b"{}",
        "seconds": 0.02,
        "problem": "",
    }
    return Sight(**(usual | given_))


def told(trace: Trace) -> str:
    """All that a trace can say."""
    return f"{trace} {trace!r} {trace.report()} {trace.signature_base} {trace.answer}"


# What is told


async def test_a_trace_tells_what_was_sent_and_what_came_back(
    traced: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, traces: list[Trace]
) -> None:
    raw.reply(answer({"result": [], "pagination": {}}, Date="Fri, 20 Nov 2026 04:10:04 GMT"))
    await traced.list_incoming_payments(wallet, TOKEN, first=5)
    (trace,) = traces
    received = raw.received[0]
    assert (trace.number, trace.method, trace.url) == (1, "GET", received.url)
    assert trace.purpose == "list incoming payments"
    assert {name.lower(): value for name, value in trace.headers} == {
        **received.headers,
        "authorization": "GNAP •••",
    }
    assert (trace.status, trace.header("DATE")) == (200, "Fri, 20 Nov 2026 04:10:04 GMT")
    assert trace.answer == '{"result": [], "pagination": {}}'
    assert (trace.body, trace.problem) == (None, "")


async def test_the_signature_base_is_what_was_signed(
    traced: OpenPaymentsClient, raw: RawServer, key: ClientKey, traces: list[Trace]
) -> None:
    raw.reply(answer({"continue": {"access_token": {"value": "C"}, "uri": f"{raw.origin}/c/1"}}))
    await traced.request_grant(f"{raw.origin}/auth", ACCESS)
    trace = traces[0]
    signature = base64.b64decode(trace.sent_header("signature").split(":")[1])
    assert trace.signature_base is not None
    jwk = Jwk(**key.public_jwk())
    public_key_from_jwk(jwk).verify(signature, trace.signature_base.encode())


async def test_the_signature_base_hides_the_token_that_was_signed(
    traced: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, traces: list[Trace]
) -> None:
    raw.reply(answer({"result": [], "pagination": {}}))
    await traced.list_incoming_payments(wallet, TOKEN)
    assert traces[0].signature_base == (
        '"@method": GET\n'
        f'"@target-uri": {raw.received[0].url}\n'
        '"authorization": GNAP •••\n'
        '"@signature-params": ("@method" "@target-uri" "authorization");'
        'created=1795147804;keyid="till-1"'
    )


async def test_what_is_not_signed_has_no_signature_base(
    traced: OpenPaymentsClient, raw: RawServer, traces: list[Trace]
) -> None:
    raw.reply(answer({"keys": []}))
    await traced.jwks(f"{raw.origin}/rosa")
    assert (traces[0].signature_base, traces[0].is_signed) == (None, False)
    assert traces[0].purpose == "fetch the keys of a wallet address"


async def test_a_packed_answer_is_told_unpacked(
    traced: OpenPaymentsClient, raw: RawServer, traces: list[Trace]
) -> None:
    raw.reply(answer(gzip.compress(b'{"keys": []}'), Content_Encoding="gzip"))
    await traced.jwks(f"{raw.origin}/rosa")
    assert traces[0].answer == '{"keys": []}'


async def test_no_answer_is_told_with_its_reason(
    traced: OpenPaymentsClient, traces: list[Trace]
) -> None:
    with pytest.raises(OpenPaymentsError) as caught:
        await traced.jwks(f"http://127.0.0.1:{free_port()}/rosa")
    assert traces[0].problem == caught.value.sentence
    assert (traces[0].status, traces[0].answer) == (None, None)
    assert traces[0].outcome == f"no answer ({caught.value.sentence})"
    assert traces[0].sent_header("accept") == "application/json"


async def test_an_answer_that_breaks_off_is_told_as_far_as_it_came(
    traced: OpenPaymentsClient, raw: RawServer, traces: list[Trace]
) -> None:
    async def half(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\nhalf")
        writer.close()

    raw.reply(half)
    with pytest.raises(OpenPaymentsError):
        await traced.jwks(f"{raw.origin}/rosa")
    assert (traces[0].status, traces[0].answer) == (404, "half")
    assert traces[0].problem


async def test_a_request_that_is_sent_again_is_told_once(
    traced: OpenPaymentsClient, raw: RawServer, traces: list[Trace]
) -> None:
    raw.reply(answer({"keys": []}), reset, answer({"keys": [], "again": 1}))
    await traced.jwks(f"{raw.origin}/rosa")
    await traced.jwks(f"{raw.origin}/rosa")
    assert [trace.answer for trace in traces] == ['{"keys": []}', '{"keys": [], "again": 1}']


def test_a_long_body_is_cut_and_says_so() -> None:
    trace = Trace.of(sight(answer=b'{"a": "' + b"x" * 500_000 + b'"}'))
    assert len(trace.answer or "") == LONGEST_BODY
    assert trace.answer_cut == 500_000 + 9 - LONGEST_BODY
    assert f"… and {trace.answer_cut} characters more" in trace.report()


# What is not


async def test_no_secret_of_a_grants_whole_life_is_in_a_trace(
    traced: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, traces: list[Trace]
) -> None:
    token = {"value": "TOKEN-A", "manage": f"{raw.origin}/token/HANDLE-A/", "access": []}
    going = {"access_token": {"value": "TOKEN-C"}, "uri": f"{raw.origin}/continue/HANDLE-C?x=/QQQ"}
    page = f"{raw.origin}/interact/id/NONCE-P?clientName=Till"
    raw.reply(
        answer({"interact": {"redirect": page, "finish": "NONCE-S"}, "continue": going}),
        answer({"access_token": token, "continue": going}, Set_Cookie="session=COOKIE"),
        answer({"access_token": {**token, "value": "TOKEN-B"}}),
        answer(b"", "204 No Content"),
    )
    server = f"{raw.origin}/auth"
    finish = InteractRequest(InteractFinish("http://127.0.0.1:9/PATH-L", "NONCE-O"))
    await traced.request_grant(server, ACCESS, interact=finish)
    continuation = Continuation(going["uri"], Secret("TOKEN-C"))  # type: ignore[arg-type]
    await traced.continue_grant(server, continuation, "REFERENCE-I")
    held = AccessToken(Secret("TOKEN-A"), f"{raw.origin}/token/HANDLE-A/")
    await traced.rotate_token(server, held)
    await traced.cancel_grant(server, continuation)
    everything = "".join(map(told, traces))
    for secret in ("TOKEN-", "HANDLE-", "NONCE-", "REFERENCE-", "PATH-", "COOKIE", "QQQ"):
        assert secret not in everything
    assert [trace.purpose for trace in traces] == [
        "ask for a grant",
        "learn what became of a grant",
        "renew a token",
        "give a grant back",
    ]
    assert traces[2].url == f"{raw.origin}/token/•••"
    assert f"{raw.origin}/interact/id/•••" in str(traces[0].answer)


async def test_a_shared_secret_is_in_no_trace(
    traced: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, traces: list[Trace]
) -> None:
    method = {"type": "ilp", "ilpAddress": "test.rosa", "sharedSecret": "SHARED=="}
    raw.reply(answer({"id": "x", "methods": [method]}, "201 Created"))
    with pytest.raises(OpenPaymentsError):
        await traced.create_incoming_payment(wallet, TOKEN, IncomingPaymentDraft())
    assert "SHARED" not in told(traces[0])
    assert '"ilpAddress": "test.rosa", "sharedSecret": "•••"' in str(traces[0].answer)


async def test_a_token_that_the_server_repeats_is_hidden_everywhere(
    traced: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, traces: list[Trace]
) -> None:
    words = f"the token {TOKEN.reveal()} is bad"
    raw.reply(answer(words.encode(), "401 Unauthorized", content_type="text/plain", X_Why=words))
    with pytest.raises(OpenPaymentsError):
        await traced.list_incoming_payments(wallet, TOKEN)
    assert TOKEN.reveal() not in told(traces[0])
    assert traces[0].answer == "the token ••• is bad"


_secrets = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="-._~+/="),
    min_size=12,
    max_size=60,
).map(lambda text: f"Zq{text}")
"""Long enough not to be in anything by chance."""


@given(
    token=_secrets,
    other=_secrets,
    words=st.text(max_size=40),
    escaped=st.booleans(),
    cut=st.integers(0, 400),
    is_url_secret=st.booleans(),
    header=st.sampled_from(["X-Debug", "Set-Cookie", "WWW-Authenticate", "Location"]),
)
def test_whatever_is_answered_no_secret_is_kept(
    token: str,
    other: str,
    words: str,
    escaped: bool,
    cut: int,
    is_url_secret: bool,
    header: str,
) -> None:
    body = json.dumps(
        {
            words: [token, {"deep": f"{words}{token}"}],
            "access_token": {
                "value": other,
                "manage": f"https://auth.example/token/{other}",
                "access": [{"limits": {"debitAmount": {"value": "12", "assetCode": "EUR"}}}],
            },
            "continue": {
                "access_token": [{"value": other}],
                "uri": f"https://a.example/c/{other}/",
            },
            "methods": [{"sharedSecret": other, "ilpAddress": words}],
            "interact": {"redirect": f"https://a.example/i/{other}?q={other}", "finish": other},
        },
        ensure_ascii=escaped,
    )
    headers: Headers = (("Authorization", f"GNAP {token}"), ("Signature", "sig1=:AAAA:"))
    trace = Trace.of(
        sight(
            method="POST",
            url=f"https://auth.example/token/{other}" if is_url_secret else "https://a.example/",
            url_is_secret=is_url_secret,
            headers=headers,
            body=json.dumps({"interact_ref": other}).encode(),
            answer=body[: len(body) - cut].encode(errors="replace"),
            answer_headers=((header, f"https://a.example/{token}"), ("Set-Cookie", other)),
        )
    )
    for secret in (token, other):
        assert secret not in told(trace)
        assert json.dumps(secret)[1:-1] not in told(trace)


@given(st.binary(max_size=300), st.text(max_size=80))
def test_any_answer_makes_a_report_that_is_safe_to_show(body: bytes, value: str) -> None:
    trace = Trace.of(sight(answer=body, answer_headers=(("X-Any", value),), url="https://x/\x1b["))
    assert all(line == "" or line.isprintable() for line in trace.report().splitlines())


def test_a_private_key_in_an_answer_is_hidden(key: ClientKey) -> None:
    pem = key.to_pem().decode()
    for body in (pem, json.dumps({"description": pem}), json.dumps({"jwk": {"d": "PRIVATE-D"}})):
        text = told(Trace.of(sight(answer=body.encode())))
        assert pem.splitlines()[1] not in text
        assert "PRIVATE-D" not in text


def test_amounts_and_metadata_stay_as_they_were_sent() -> None:
    body = (
        '{"incomingAmount": {"value": "1250", "assetCode": "EUR"}, "metadata": {"value":  "x", '
        '"uri": "https://shop.example/o/1", "continue": "yes"}, "access_token": '
        '{"access": [{"limits": {"debitAmount": {"value": "77"}}}]}}'
    )
    assert Trace.of(sight(answer=body.encode())).answer == body


def test_a_sight_shows_nothing_by_itself() -> None:
    assert "Zq1" not in repr(sight(headers=(("Authorization", "GNAP Zq1"),)))


# Bodies that wait


def page(about: str, size: int = 20_000) -> bytes:
    return json.dumps({"result": ["x" * size], "access_token": {"value": about}}).encode()


def test_a_long_body_is_masked_when_somebody_looks() -> None:
    body = Body.of(page("S3CRET-of-the-page"), frozenset())
    before = body.size
    assert body.text == page("•••").decode().replace("\\u2022", "•")
    assert abs(body.size - before) < 64
    assert "S3CRET" not in f"{body!r}"


def test_nothing_that_is_said_of_a_waiting_body_tells_a_secret() -> None:
    for tell in (repr, str, lambda trace: trace.report(), lambda trace: trace.shortened(9000).body):
        trace = Trace.of(sight(body=page("S3CRET"), answer=page("S3CRET")))
        assert "S3CRET" not in tell(trace)


def test_a_long_body_that_repeats_the_token_holds_it_no_moment() -> None:
    headers = (("Authorization", f"GNAP {TOKEN.reveal()}"),)
    raw = json.dumps({"note": f"you sent {TOKEN.reveal()}", "x": "y" * 20_000}).encode()
    trace = Trace.of(sight(headers=headers, answer=raw))
    held = [getattr(trace.answered, name) for name in Body.__slots__]
    assert TOKEN.reveal() not in str(held)
    assert "you sent •••" in str(trace.answer)


def test_a_very_long_body_is_cut_at_once() -> None:
    assert Body.of(page("S", 2_000_000), frozenset()).size <= LONGEST_BODY


@pytest.mark.parametrize("size", [10, 20_000, 300_000])
def test_a_shortened_body_counts_what_it_leaves_out(size: int) -> None:
    whole = Body.of(b"x" * size, frozenset())
    assert (whole.shortened(0).text, whole.shortened(0).cut) == (None, size)
    few = Body.of(b"x" * size, frozenset()).shortened(4)
    assert (few.text, few.cut) == ("xxxx", size - 4)
    assert few.shortened(100) == few == Body("xxxx", size - 4)
    assert Body(None).shortened(5) == Body(None)


def test_half_a_character_in_a_url_that_is_masked_breaks_nothing() -> None:
    raw = b'{"access_token": {"manage": "https://a.example/\\ud800/t"}}'
    assert (
        Body.of(raw, frozenset()).text
        == '{"access_token": {"manage": "https://a.example/\ud800/•••"}}'
    )
