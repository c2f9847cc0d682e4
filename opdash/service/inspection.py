"""The last requests of all sessions, kept in memory for whoever wants to look at them."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from opdash.openpayments.traces import Trace, Tracer

MOST_BYTES = 4 * 1024 * 1024
"""How much memory bodies and headers may take together."""


Witness: TypeAlias = "Callable[[str, Trace], None]"
"""Is handed the name of a profile and the trace of a request of it; it must not raise."""


class Inspected(msgspec.Struct, frozen=True):
    """One request of a session.

    Attributes:
        number: Counts the requests of all sessions from 1, in the order of their ends.
        profile: The name of the profile that it was made for; empty where there is none yet.
        trace: What went over the wire, without secrets.
    """

    number: int
    profile: str
    trace: Trace


class RequestLog:
    """The last requests and their answers, the newest kept whole.

    Where bodies take too much memory, those of the oldest requests go first; their lines,
    headers and signature bases stay. Belongs to one event loop.
    """

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        """Begin without any.

        Args:
            most: How many requests are kept; nothing is collected where it is 0.
            most_bytes: How much memory they may take, but for the newest, which is always whole.
        """
        self._most = most
        self._most_bytes = most_bytes
        self._kept: deque[Inspected] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._stripped = 0
        self._count = 0

    @property
    def most(self) -> int:
        """How many requests are kept at most; 0 where nothing is collected."""
        return self._most

    @property
    def count(self) -> int:
        """How many there have ever been; rises with every one."""
        return self._count

    @property
    def size(self) -> int:
        """About how many bytes of memory bodies and headers take."""
        return self._bytes

    def newest_first(self) -> tuple[Inspected, ...]:
        """Return all that are kept."""
        return tuple(reversed(self._kept))

    def tracer(self, profile: str) -> Tracer | None:
        """Return what takes the traces of a profile's requests; None if nothing is collected."""
        if not self._most:
            return None
        return lambda trace: self.add(profile, trace)

    def add(self, profile: str, trace: Trace) -> None:
        """Keep one more, and let go of what is beyond the bounds."""
        self._count += 1
        self._kept.append(Inspected(self._count, profile, trace))
        self._sizes.append(_size(trace))
        self._bytes += self._sizes[-1]
        if len(self._kept) > self._most:
            self._drop_oldest()
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            if self._stripped < len(self._kept) - 1:
                self._strip_next()
            else:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._kept.popleft()
        self._bytes -= self._sizes.popleft()
        self._stripped = max(self._stripped - 1, 0)

    def _strip_next(self) -> None:
        """Take the bodies out of the oldest that still has them."""
        former = self._kept[self._stripped]
        bare = former.trace.shortened(0)
        self._kept[self._stripped] = msgspec.structs.replace(former, trace=bare)
        self._bytes += _size(bare) - self._sizes[self._stripped]
        self._sizes[self._stripped] = _size(bare)
        self._stripped += 1


def both(first: Tracer | None, second: Tracer | None) -> Tracer | None:
    """Return what hands a trace to two tracers, either of which may be missing."""
    if first is None or second is None:
        return first or second

    def hand_on(trace: Trace) -> None:
        first(trace)
        second(trace)

    return hand_on


def _size(trace: Trace) -> int:
    """Return about how much memory a trace takes."""
    headers = (*trace.headers, *trace.answer_headers)
    held = sum(sys.getsizeof(name) + sys.getsizeof(value) for name, value in headers)
    held += sys.getsizeof(trace.url) + sys.getsizeof(trace.signature_base)
    return held + trace.sent.size + trace.answered.size
