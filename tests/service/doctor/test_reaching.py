"""Names, connections and certificates, and what to do where one of them is wrong."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opdash.clock import SystemClock
from opdash.errors import ExitCode
from opdash.service.doctor.examination import examine
from opdash.service.doctor.steps import Step, StepName
from opdash.settings import Profile
from tests.cli.tls_proxy import Authority
from tests.openpayments.rawserver import RawServer, running


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def secured(authority: Authority) -> AsyncIterator[RawServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.certificate, authority.key)
    async with running(tls) as server:
        yield server


async def examined(url: str, *wanted: StepName, **changes: Any) -> dict[StepName, Step]:
    profile = replace(Profile(name="", wallet_address=url), **changes)
    async with aclosing(examine(profile, SystemClock(), wanted=wanted, patience=5.0)) as steps:
        return {step.name: step async for step in steps}


async def connection(authority: Authority, ca_file: Path | None = None) -> Step:
    async with secured(authority) as server:
        url = f"{server.origin}/rosa"
        steps = await examined(url, StepName.CONNECTION, ca_file=ca_file)
        assert server.received == []
    return steps[StepName.CONNECTION]


async def test_a_certificate_that_is_trusted_is_described(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path)
    step = await connection(authority, authority.root)
    assert step.ok
    assert step.found.endswith("answers with TLS 1.3; its certificate is trusted.")
    assert step.finding.lines[0] == "certificate   CN=wallet.example"
    assert step.finding.lines[1] == "issued by     CN=A private authority"
    assert step.finding.lines[2] == "good for      127.0.0.1"
    assert step.finding.lines[3].endswith("UTC (30 days left)")
    assert (
        step.finding.lines[4]
        == f"trusted by    the certificates in {authority.root} alone (ca_file)"
    )


async def test_the_environment_may_say_whom_to_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.made(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    step = await connection(authority)
    assert step.ok
    assert f"{authority.root} (SSL_CERT_FILE)" in step.finding.lines[-1]


async def test_a_file_of_certificates_that_does_not_exist_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    step = await connection(Authority.made(tmp_path))
    assert step.ok is False
    assert "none.pem (SSL_CERT_FILE, which does not exist)" in step.finding.lines[-1]


async def test_an_authority_that_nobody_knows(tmp_path: Path) -> None:
    step = await connection(Authority.made(tmp_path))
    assert (step.ok, step.finding.code) == (False, ExitCode.UNREACHABLE)
    assert "is not trusted" in step.found
    assert step.advice.startswith("Its issuer is unknown.")
    assert "issued by     CN=A private authority" in step.finding.lines


async def test_a_certificate_that_has_expired(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path, ends_in=timedelta(days=-3))
    step = await connection(authority, authority.root)
    assert step.ok is False
    assert "expired" in step.found
    assert step.advice.startswith("It has expired: its operator must renew it.")
    assert any("expired 3 days ago" in line for line in step.finding.lines)


async def test_a_certificate_of_another_host(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path, host="127.0.0.7")
    step = await connection(authority, authority.root)
    assert step.ok is False
    assert step.advice.startswith("It is for other hosts than 127.0.0.1:")


@pytest.mark.skipif(sys.version_info < (3, 13), reason="Python asks for more from 3.13 on")
async def test_a_certificate_that_was_made_carelessly(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path, careless=True)
    step = await connection(authority, authority.root)
    assert step.ok is False
    assert step.advice.startswith("It is not made as certificates must be:")


async def test_a_server_that_speaks_no_tls(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running())
        server.reply(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        url = server.origin.replace("http://", "https://") + "/rosa"
        step = (await examined(url, StepName.CONNECTION))[StepName.CONNECTION]
    assert (step.ok, step.finding.code) == (False, ExitCode.UNREACHABLE)


async def test_a_file_of_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    steps = await examined("https://127.0.0.1/rosa", StepName.CONNECTION, ca_file=path)
    step = steps[StepName.CONFIGURATION]
    assert (step.ok, step.finding.code) == (False, ExitCode.USAGE)
    assert steps[StepName.CONNECTION].is_skipped


async def test_a_proxy_on_the_way_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://rosa:SECRET@proxy.example:3128")
    steps = await examined("https://wallet.example/rosa", StepName.CONNECTION)
    for name in (StepName.DNS, StepName.CONNECTION):
        assert steps[name].ok
        assert "proxy.example:3128" in steps[name].found
        assert "SECRET" not in str(steps[name])


async def test_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(*_: object, **__: object) -> object:
        return [(2, 1, 6, "", ("192.0.2.7", 443)), (10, 1, 6, "", ("2001:db8::7", 443, 0, 0))] * 2

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    step = (await examined("https://wallet.example/rosa", StepName.DNS))[StepName.DNS]
    assert (step.ok, step.found) == (True, "wallet.example is 192.0.2.7, 2001:db8::7.")
