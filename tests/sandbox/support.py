"""Clients for a sandbox: the real one, and a raw one that can also do things wrong."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from opdash.clock import SystemClock
from opdash.openpayments.canonical import canonical_json
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.signatures import content_digest, signature_base
from opdash.sandbox.process import SandboxClient, SandboxProcess

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

OWN_ACTIONS = ("create", "read", "list", "complete")
"""What a client may ask for without consent."""


def read_key(client: SandboxClient) -> ClientKey:
    """Return the private key of a sandbox's client."""
    return ClientKey.from_pem(client.private_key.read_bytes(), client.key_id)


def open_client(sandbox: SandboxProcess, *, other: bool = False) -> OpenPaymentsClient:
    """Return a client that signs as one of a sandbox's two clients; close it after use."""
    from opdash.openpayments.client import OpenPaymentsClient

    chosen = sandbox.other_client if other else sandbox.client
    return OpenPaymentsClient(
        key=read_key(chosen), client_wallet_address=chosen.wallet_address, clock=SystemClock()
    )


@dataclass(frozen=True)
class Signing:
    """How a raw request is signed; the defaults are what a good client does.

    Attributes:
        components: What is covered; None covers what must be.
        label: The signature's label.
        parameters: The parameters after the components, with ``{created}`` and ``{key_id}``.
        key_id: Another key id than the key's own.
        key: Another key than the client's.
        url: Another URL than the one asked for.
        digest: What makes the ``Content-Digest`` of a body; None leaves the header out.
        age: Seconds between signing and sending.
        change: Changes the headers at last.
    """

    components: tuple[str, ...] | None = None
    label: str = "sig1"
    parameters: str = ';keyid="{key_id}";created={created}'
    key_id: str = ""
    key: ClientKey | None = None
    url: str = ""
    digest: Callable[[bytes], str] | None = content_digest
    age: int = 0
    change: Callable[[dict[str, str]], None] = field(default=lambda _: None)


GOOD = Signing()


class RawClient:
    """Sends requests as bare as they are, signed by its own few lines.

    Args:
        sandbox: Whom to ask.
        client: Who signs; the sandbox's first client if None.
        key: Its key, if the sandbox does not know it.
    """

    def __init__(
        self,
        sandbox: SandboxProcess,
        client: SandboxClient | None = None,
        key: ClientKey | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.client = client or sandbox.client
        self.key = key or read_key(self.client)
        self.http = httpx.Client(trust_env=False)
        description = self.http.get(sandbox.main_wallet).json()
        self.resource_server: str = description["resourceServer"]
        self.auth_server: str = description["authServer"]

    def close(self) -> None:
        self.http.close()

    def plain(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request without a signature."""
        return self.http.request(method, url, **options)

    def send(
        self,
        method: str,
        url: str,
        *,
        token: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        signing: Signing = GOOD,
    ) -> httpx.Response:
        """Send a signed request."""
        fields = {"accept": "application/json", "host": httpx.URL(url).netloc.decode()}
        if token:
            fields["authorization"] = token if " " in token else f"GNAP {token}"
        if body is not None:
            fields |= {"content-type": "application/json", "content-length": str(len(body))}
            if signing.digest is not None:
                fields["content-digest"] = signing.digest(body)
        fields |= headers or {}
        self._sign(fields, method, signing.url or url, signing)
        signing.change(fields)
        request = httpx.Request(method, url, headers=fields, content=body)
        for name in ("accept", "user-agent", "accept-encoding", "connection"):
            if name not in fields and name in request.headers:
                del request.headers[name]
        return self.http.send(request)

    def grant(self, *access: Mapping[str, Any], **more: Any) -> httpx.Response:
        """Ask for a grant."""
        body = {"access_token": {"access": list(access)}, "client": self.client.wallet_address}
        return self.send("POST", self.auth_server, body=canonical_json({**body, **more}))

    def token(self, *actions: str, **more: Any) -> str:
        """Return a token for incoming payments; by default all that needs no consent."""
        access = {"type": "incoming-payment", "actions": list(actions or OWN_ACTIONS), **more}
        answer = self.grant(access)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"]["value"])

    def consented_token(self, *access: Mapping[str, Any]) -> str:
        """Return a token that needs consent, given by the sandbox itself."""
        pending = self.grant(*access, interact={"start": ["redirect"]}).json()["continue"]
        self.sandbox.advance(6)
        answer = self.send("POST", pending["uri"], token=pending["access_token"]["value"])
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"]["value"])

    def list_url(self, wallet: str, query: str = "") -> str:
        """Return the URL of a wallet address's list."""
        return f"{self.resource_server}/incoming-payments?wallet-address={quote(wallet, '')}{query}"

    def list(self, wallet: str, token: str, query: str = "", **options: Any) -> httpx.Response:
        """List a wallet address's incoming payments."""
        return self.send("GET", self.list_url(wallet, query), token=token, **options)

    def create(self, wallet: str, token: str, **more: Any) -> httpx.Response:
        """Create an incoming payment."""
        body = canonical_json({"walletAddress": wallet, **more})
        url = f"{self.resource_server}/incoming-payments"
        return self.send("POST", url, token=token, body=body)

    def create_raw(self, token: str, body: bytes, **options: Any) -> httpx.Response:
        """Create an incoming payment from a body as it is."""
        url = f"{self.resource_server}/incoming-payments"
        return self.send("POST", url, token=token, body=body, **options)

    def _sign(self, fields: dict[str, str], method: str, url: str, signing: Signing) -> None:
        names = signing.components
        if names is None:
            names = ("@method", "@target-uri")
            names += tuple(
                name
                for name in ("authorization", "content-digest", "content-length", "content-type")
                if name in fields
            )
        created = int(time.time()) - signing.age
        key_id = signing.key_id or self.key.key_id
        covered = " ".join(f'"{name}"' for name in names)
        parameters = f"({covered})" + signing.parameters.format(created=created, key_id=key_id)
        values = {**fields, "@method": method, "@target-uri": url}
        base = signature_base([(name, values[name]) for name in names], parameters)
        signature = base64.b64encode((signing.key or self.key).sign(base)).decode()
        fields["signature-input"] = f"{signing.label}={parameters}"
        fields["signature"] = f"{signing.label}=:{signature}:"
