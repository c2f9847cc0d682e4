"""A private certificate authority, and a proxy with a certificate of its own before a sandbox."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from opdash.sandbox.process import SandboxProcess

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Authority:
    """An authority that nobody knows, and the server that it vouches for.

    Attributes:
        root: Its own certificate (PEM).
        certificate: The server's.
        key: The server's private key.
    """

    root: Path
    certificate: Path
    key: Path

    @classmethod
    def made(
        cls,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        ends_in: timedelta = timedelta(days=30),
        careless: bool = False,
    ) -> Self:
        """Make one that vouches for a server at a loopback address.

        Args:
            folder: Where the files go.
            host: The address that the certificate is for.
            ends_in: How long it is good.
            careless: Whether it leaves out what Python asks for from 3.13 on.
        """
        authority = ec.generate_private_key(ec.SECP256R1())
        server = ec.generate_private_key(ec.SECP256R1())
        issuer = _name("A private authority")
        root = _certificate(issuer, issuer, authority.public_key(), timedelta(days=60), ca=True)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        root = root.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), False
        ).add_extension(_SIGNS_CERTIFICATES, True)
        leaf = _certificate(
            _name("wallet.example"), issuer, server.public_key(), ends_in, ca=False
        ).add_extension(names, False)
        if not careless:
            leaf = leaf.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False
            )
        made = cls(folder / "root.pem", folder / "server.pem", folder / "key.pem")
        for path, builder in ((made.root, root), (made.certificate, leaf)):
            path.write_bytes(builder.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM))
        made.key.write_bytes(
            server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return made


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    ends_in: timedelta,
    *,
    ca: bool,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + ends_in + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
    )


@dataclass(frozen=True)
class Proxy:
    """A proxy that takes TLS off on the way to a sandbox, and does not say so.

    Attributes:
        url: Its origin.
        passed: What went through: method, path and the status of the answer.
    """

    url: str
    passed: list[tuple[str, str, int]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us hangs up."""


@contextmanager
def running(sandbox: SandboxProcess, authority: Authority) -> Iterator[Proxy]:
    """Run a proxy before a sandbox."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            behind = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=20)
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "accept-encoding":
                    behind.putheader(name, value)
            behind.endheaders(body)
            answer = behind.getresponse()
            content = answer.read().replace(sandbox.url.encode(), proxy.url.encode())
            behind.close()
            proxy.passed.append((self.command, self.path, answer.status))
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _pass_on  # noqa: N815 - as http.server has it

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.certificate, authority.key)
    with _Server(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        proxy = Proxy(f"https://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()
