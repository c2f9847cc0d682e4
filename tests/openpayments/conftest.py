"""What the protocol library's tests share."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import settings

from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.transport import Exchange
from tests.openpayments.rawserver import RawServer, running

settings.register_profile("opdash", deadline=None)
settings.load_profile("opdash")

KEY = ClientKey.generate("till-1")
PUBLIC_NAME = "wallet.example"


class StillClock:
    """A clock that moves only when told to, and sleeps without waiting."""

    def __init__(self, now: datetime = datetime(2026, 11, 20, 4, 10, 4, tzinfo=UTC)) -> None:
        self.instant = now
        self.slept = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def key() -> ClientKey:
    return KEY


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with running() as server:
        yield server


@pytest.fixture
def wallet(raw: RawServer) -> WalletAddress:
    return WalletAddress(
        id=f"{raw.origin}/rosa",
        asset_code="EUR",
        asset_scale=2,
        auth_server=f"{raw.origin}/auth/tenant",
        resource_server=f"{raw.origin}/tenant",
    )


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
async def client(
    raw: RawServer, key: ClientKey, clock: StillClock, exchanges: list[Exchange]
) -> AsyncIterator[OpenPaymentsClient]:
    async with OpenPaymentsClient(
        key=key,
        client_wallet_address=f"{raw.origin}/till",
        clock=clock,
        observer=exchanges.append,
    ) as made:
        yield made


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that signs itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(PUBLIC_NAME)]
            ),
            False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(private, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return folder


@pytest.fixture
async def secure(authority: Path) -> AsyncIterator[RawServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    async with running(tls) as server:
        yield server


@pytest.fixture
async def public(secure: RawServer, monkeypatch: pytest.MonkeyPatch) -> RawServer:
    """The secure server under a name that is not this machine's."""
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def look_up(host: Any, *place: Any, **options: Any) -> Any:
        known = "127.0.0.1" if host in (PUBLIC_NAME, PUBLIC_NAME.encode()) else host
        return await real(known, *place, **options)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    secure.origin = secure.origin.replace("127.0.0.1", PUBLIC_NAME)
    return secure
