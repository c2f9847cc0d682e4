"""Kept tokens: whole or not at all, for their owner only."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.clock import SystemClock
from opdash.openpayments.grants import Access, AccessToken, Continuation
from opdash.openpayments.secrets import Secret
from opdash.service.held_grants import Binding, HeldGrant
from opdash.service.rights import Right
from opdash.service.token_file import Kept, TokenFile, TokenFileError
from tests.openpayments.conftest import StillClock

NOW = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
BINDING = Binding(
    "https://ilp.example/rosa",
    "https://auth.example",
    "https://ilp.example/rs",
    "https://ilp.example/rosa",
    "key-1",
)
ACCESS = (Access("incoming-payment", ("read", "list")),)


def grant(number: int = 1, *, life: int | None = 600, at: datetime = NOW) -> HeldGrant:
    return HeldGrant(
        binding=BINDING,
        asked=ACCESS,
        token=AccessToken(Secret(f"T{number}"), f"https://auth.example/token/{number}", life),
        continuation=Continuation(f"https://auth.example/continue/{number}", Secret(f"C{number}")),
        given_at=at,
        renewed_at=at,
    )


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens" / "shop.json", SystemClock())


async def write(file: TokenFile, *grants: HeldGrant) -> None:
    async with file.locked():
        file.write(Kept(dict(zip(Right, grants, strict=False))))


def read(file: TokenFile) -> Kept:
    kept = file.read()
    assert kept is not None
    return kept


async def test_what_is_written_is_read(file: TokenFile) -> None:
    assert file.read() is None
    await write(file, grant(1), grant(2, life=None))
    assert read(file) == Kept({Right.INCOMING: grant(1), Right.OUTGOING: grant(2, life=None)})
    async with file.locked():
        file.write(Kept(given_up={Right.OUTGOING: NOW}))
    assert read(file) == Kept(given_up={Right.OUTGOING: NOW})
    assert b'"T1"' not in file.path.read_bytes()
    file.delete()
    assert file.read() is None


async def test_an_empty_one_is_a_file_all_the_same(file: TokenFile) -> None:
    await write(file)
    assert read(file) == Kept()


async def test_one_of_an_earlier_opdash_is_read(file: TokenFile) -> None:
    await write(file, grant(1))
    content = json.loads(file.path.read_text())
    del content["given_up"]
    file.path.write_text(json.dumps(content))
    assert read(file) == Kept({Right.INCOMING: grant(1)})


async def test_only_the_owner_can_read_it(file: TokenFile) -> None:
    file.path.parent.mkdir(mode=0o755)
    await write(file, grant())
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in file.path.parent.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o601])
async def test_one_that_others_can_read_is_refused(file: TokenFile, mode: int) -> None:
    await write(file, grant())
    file.path.chmod(mode)
    with pytest.raises(TokenFileError, match="others can read") as caught:
        file.read()
    assert f"chmod 600 {file.path}" in caught.value.advice
    assert "T1" not in str(caught.value)


async def test_one_in_a_directory_of_everybodys_is_refused(file: TokenFile) -> None:
    await write(file, grant())
    file.path.parent.chmod(0o777)
    with pytest.raises(TokenFileError, match="others can write"):
        file.read()


async def test_a_link_is_refused(file: TokenFile, tmp_path: Path) -> None:
    await write(file, grant())
    file.path.rename(tmp_path / "elsewhere.json")
    file.path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(TokenFileError):
        file.read()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version":1,"grants":{"incoming":{}}}',
        b'{"version":2,"grants":{}}',
        b"[" * 5000,
    ],
)
async def test_a_damaged_one_is_not_used_and_not_fatal(file: TokenFile, content: bytes) -> None:
    await write(file, grant())
    file.path.write_bytes(content)
    with pytest.raises(TokenFileError, match="are not used"):
        file.read()


@given(st.integers(min_value=0), st.data())
def test_no_part_of_a_file_is_taken_for_a_whole(number: int, data: st.DataObject) -> None:
    from opdash.service import token_file

    whole = msgspec.json.encode(
        token_file._Content(1, {"incoming": grant(number)}), enc_hook=token_file._revealed
    )
    cut = data.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    with pytest.raises(msgspec.DecodeError):
        token_file._CONTENT.decode(whole[:cut])


async def test_a_full_disk_is_told_and_the_old_file_stays(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(file, grant(1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TokenFileError, match="No space left"):
        await write(file, grant(2))
    assert read(file).grants[Right.INCOMING] == grant(1)


WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from opdash.clock import SystemClock
from opdash.service.rights import Right
from opdash.service.token_file import Kept, TokenFile
from tests.service.test_token_file import grant

async def main():
    file = TokenFile(Path(sys.argv[1]), SystemClock())
    for number in itertools.count(1):
        async with file.locked():
            file.write(Kept({Right.INCOMING: grant(number)}))
        if number == 3:
            print("writing", flush=True)

asyncio.run(main())
"""


def test_a_process_that_is_killed_leaves_a_whole_file(file: TokenFile) -> None:
    for delay in (0.0, 0.003, 0.011):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file.path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        kept = read(file).grants[Right.INCOMING]
        number = kept.token.value.reveal().removeprefix("T")
        assert kept == grant(int(number))
    asyncio.run(write(file, grant(1)))
    assert {path.name for path in file.path.parent.iterdir()} == {"shop.json", ".shop.json.lock"}


async def test_one_at_a_time_holds_the_lock(file: TokenFile) -> None:
    order: list[str] = []
    first_in = asyncio.Event()

    async def first() -> None:
        async with file.locked():
            order.append("first in")
            first_in.set()
            await asyncio.sleep(0.2)
            order.append("first out")

    async def second() -> None:
        await first_in.wait()
        async with file.locked():
            order.append("second in")

    await asyncio.gather(first(), second())
    assert order == ["first in", "first out", "second in"]


async def test_a_process_that_hangs_with_the_lock_does_not_hang_others(tmp_path: Path) -> None:
    path = tmp_path / "tokens" / "shop.json"
    clock = StillClock()
    async with TokenFile(path, clock).locked():
        before = clock.instant
        async with TokenFile(path, clock).locked():
            assert timedelta(seconds=20) < clock.instant - before < timedelta(seconds=40)
