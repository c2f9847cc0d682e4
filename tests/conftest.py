"""What tests of all packages share: sandboxes, and clients that sign for them.

- ``sandbox``: one for all tests of a worker, with consent given by itself. Its payments and its
  clock are everybody's: create what you look at, and skip no more than seconds.
- ``fresh_sandbox``: one of the test's own, to skip days, count payments or stop.
- ``start_sandbox``: starts one with options of its own; it is stopped after the test.
- ``make_client``: makes an `OpenPaymentsClient` that signs as a client of a sandbox.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from opdash.sandbox.process import SandboxProcess
from tests.sandbox.support import open_client

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

    MakeClient = Callable[..., OpenPaymentsClient]
    StartSandbox = Callable[..., SandboxProcess]


settings.register_profile("quick", max_examples=20, deadline=None, derandomize=True)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start(auto_consent=True, continue_wait=1) as process:
        yield process


@pytest.fixture
def fresh_sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start(auto_consent=True, continue_wait=1) as process:
        yield process


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    with ExitStack() as stack:

        def start(**options: Any) -> SandboxProcess:
            return stack.enter_context(SandboxProcess.start(**options))

        yield start


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    """Clients are made with ``make_client(sandbox)``; ``other=True`` signs as the second client."""
    async with AsyncExitStack() as stack:

        def make(process: SandboxProcess, *, other: bool = False) -> OpenPaymentsClient:
            client = open_client(process, other=other)
            stack.push_async_callback(client.aclose)
            return client

        yield make
