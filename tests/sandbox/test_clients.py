"""Where clients' keys are looked for, and where never."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from opdash.openpayments.keys import ClientKey
from opdash.sandbox.clients import Clients, ClientUnreachableError
from opdash.sandbox.outages import Outages
from opdash.sandbox.process import SandboxProcess
from opdash.sandbox.wallets import CLIENT, WALLETS, WalletDirectory
from tests.sandbox.scene import ForeignClient

BASE = "http://127.0.0.1:4100"


def _clients() -> Clients:
    key = ClientKey.generate("opdash-1").public_jwk()
    return Clients(WalletDirectory(BASE, WALLETS, {CLIENT: (key,)}), Outages("tenant"))


@pytest.mark.parametrize(
    "client",
    [
        "http://192.0.2.7/alice",
        "https://wallet.example/alice",
        "http://127.0.0.1.wallet.example/alice",
        "http://foo.localhost/alice",
        "http://127.0.0.1@wallet.example/alice",
        "file:///etc/passwd",
        "http://[::ffff:192.0.2.7]/alice",
        "http://0.0.0.0/alice",
        "nonsense",
    ],
)
async def test_nobody_beyond_this_machine_is_asked(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(httpx, "AsyncClient", fail)
    clients = _clients()

    with pytest.raises(ClientUnreachableError):
        await clients.keys(client)
    assert await clients.public_name(client) is None


async def test_own_wallet_addresses_are_looked_up() -> None:
    clients = _clients()

    assert (await clients.keys(CLIENT)).has("opdash-1")
    assert await clients.public_name(CLIENT) == "opdash"
    assert not (await clients.keys("/rosa")).as_sent
    with pytest.raises(ClientUnreachableError):
        await clients.keys("/closed")
    with pytest.raises(ClientUnreachableError):
        await clients.keys("/nobody")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":1}', b"<html>", b"\xff", b"{" + b" " * 70_000 + b"}"]
)
async def test_answers_that_are_no_keys(body: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        clients = _clients()
        with pytest.raises(ClientUnreachableError):
            await clients.keys(f"http://127.0.0.1:{port}/alice")
        await clients.close()


def test_keys_of_other_kinds_are_passed_over(sandbox: SandboxProcess, tmp_path: Path) -> None:
    foreign = ForeignClient(sandbox, tmp_path)
    try:
        foreign.keys = [{"kid": "rsa", "kty": "RSA"}, {"kid": "tmp-1", "kty": "EC"}, *foreign.keys]
        assert foreign.raw.token()
    finally:
        foreign.close()


def test_a_foreign_client_needs_a_name_for_consent(sandbox: SandboxProcess, tmp_path: Path) -> None:
    foreign = ForeignClient(sandbox, tmp_path)
    access = {
        "type": "incoming-payment",
        "actions": ["list-all"],
        "identifier": sandbox.main_wallet,
    }
    try:
        interact = {"start": ["redirect"]}
        assert foreign.raw.grant(access, interact=interact).status_code == 400
        foreign.description = {"publicName": "Alice’s App"}
        answer = foreign.raw.grant(access, interact=interact)
        assert answer.status_code == 200
        assert "clientName=Alice" in answer.json()["interact"]["redirect"]
    finally:
        foreign.close()
