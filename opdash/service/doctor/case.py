"""What is known of a wallet while it is examined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from opdash.clock import Clock
from opdash.openpayments.addresses import AddressError, origin
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.grants import Access, AccessToken, Grant
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import Jwks, WalletAddress
from opdash.openpayments.traces import Trace
from opdash.openpayments.transport import Observer
from opdash.settings import Profile

Asker: TypeAlias = Callable[[OpenPaymentsClient, str, Sequence[Access]], Awaitable[Grant]]
"""Asks the account holder for a grant at an authorization server, and waits for the answer."""


@dataclass(slots=True)
class Case:
    """One wallet under examination; each step fills in what the next ones need.

    Attributes:
        profile: The wallet; it need not be saved, and without a key file less can be examined.
        clock: The one clock.
        place: Where the profile is written down, in words, or an empty string.
        asker: Asks the account holder; None to ask nobody.
        observer: Is told of every exchange.
        patience: Seconds for one answer.
        client: Asks the servers; made anew once there is a key.
        key: The client's key.
        wallet: What the wallet address says of itself.
        client_wallet: The same of the client.
        jwks: The client's keys.
        grants: What was given and has to be given back.
        token: The token to list with.
        traces: What went over the wire since the step began.
        is_dated: Whether a server said what time it is.
    """

    profile: Profile
    clock: Clock
    place: str = ""
    asker: Asker | None = None
    observer: Observer | None = None
    patience: float = 10.0
    client: OpenPaymentsClient | None = None
    key: ClientKey | None = None
    wallet: WalletAddress | None = None
    client_wallet: WalletAddress | None = None
    jwks: Jwks | None = None
    grants: list[Grant] = field(default_factory=list)
    token: AccessToken | None = None
    traces: list[Trace] = field(default_factory=list)
    is_dated: bool = False

    @property
    def asking(self) -> OpenPaymentsClient:
        """The client; it signs as soon as the key is known."""
        if self.client is None:
            profile = self.profile
            self.client = OpenPaymentsClient(
                key=self.key,
                client_wallet_address=profile.client_wallet_address or profile.wallet_address,
                clock=self.clock,
                ca_file=profile.ca_file,
                observer=self.observer,
                tracer=self.traces.append,
                timeout=self.patience,
            )
        return self.client

    @property
    def has_key(self) -> bool:
        """Whether the profile names a key, so that more than what anyone may ask is examined."""
        return self.profile.key_file is not None

    @property
    def client_address(self) -> str:
        """The address of the client: the wallet's own unless the profile names another."""
        profile = self.profile
        address = profile.client_wallet_address or profile.wallet_address
        if self.wallet is not None and address == profile.wallet_address:
            return self.wallet.id
        return address

    def is_at_auth_server(self, url: str) -> bool:
        """Return whether a token may be sent to a URL: to where the wallet address says."""
        if self.wallet is None:
            return False
        try:
            return origin(url) == origin(self.wallet.auth_server)
        except AddressError:
            return False
