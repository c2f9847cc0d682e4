"""A raw client of the shared sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.sandbox.support import RawClient


@pytest.fixture
def raw(sandbox: SandboxProcess) -> Iterator[RawClient]:
    client = RawClient(sandbox)
    yield client
    client.close()


@pytest.fixture
def other(sandbox: SandboxProcess) -> Iterator[RawClient]:
    client = RawClient(sandbox, sandbox.other_client)
    yield client
    client.close()
