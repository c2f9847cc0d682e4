"""One request on its way: what is asked, how far it got, and what there is to tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import httpx

from opdash import __version__
from opdash.openpayments.outages import Progress
from opdash.openpayments.traces import Headers, Sight

COMMON_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"opdash/{__version__}",
    }
)
"""What every request says besides its own headers."""


@dataclass(slots=True, repr=False)
class Flight:
    """One request, and what is known of its answer so far.

    Attributes:
        number: Counts the requests of one client from 1.
        at: When it was begun, by this machine's clock.
        method: In capitals.
        url: What is asked for.
        headers: The request's own headers.
        body: The body, or None.
        masked: Whether the URL itself gives access to something.
        purpose: What it is for, as the end of "opdash wants to …".
        progress: How far it got.
        request: As it is sent, once it is put together.
        response: The answer's head, once it is there.
        chunks: What was read of the answer's body, unpacked.
    """

    number: int
    at: datetime
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    masked: bool
    purpose: str
    progress: Progress = field(default_factory=Progress)
    request: httpx.Request | None = None
    response: httpx.Response | None = None
    chunks: list[bytes] = field(default_factory=list)

    def begin_anew(self) -> None:
        """Forget how far it got: it is sent once more."""
        self.progress = Progress()
        self.response = None
        self.chunks = []

    def sight(self, seconds: float, problem: str) -> Sight:
        """Return all that can be told of it.

        Args:
            seconds: How long it took.
            problem: Why there is no whole answer, or an empty string.
        """
        response = self.response
        return Sight(
            number=self.number,
            at=self.at,
            method=self.method,
            url=self.url,
            url_is_secret=self.masked,
            purpose=self.purpose,
            headers=self._sent(),
            body=self.body,
            status=None if response is None else response.status_code,
            answer_headers=() if response is None else _readable(response.headers),
            answer=None if response is None else b"".join(self.chunks),
            seconds=seconds,
            problem=problem,
        )

    def _sent(self) -> Headers:
        if self.request is None:
            return tuple({**COMMON_HEADERS, **self.headers}.items())
        return _readable(self.request.headers)


def _readable(headers: httpx.Headers) -> Headers:
    """Return headers as they are spelt on the wire."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)
