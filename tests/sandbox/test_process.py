"""A sandbox as a process: how it starts, what it says, what it leaves behind."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from opdash.openpayments.keys import ClientKey
from opdash.sandbox.process import SandboxError, SandboxProcess
from tests.sandbox.support import RawClient, read_key

StartSandbox = Callable[..., SandboxProcess]


def _spawn(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "opdash", "sandbox", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ids(sandbox: SandboxProcess, wallet: int = 0) -> list[str]:
    client = RawClient(sandbox)
    url = sandbox.wallet_addresses[wallet]
    listed = client.list(url, client.token(), "&first=100").json()["result"]
    client.close()
    return [payment["id"].rpartition("/")[2] for payment in listed]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with _spawn() as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        key_file = Path(ready["client"]["private_key"])
        assert key_file.exists()

        process.send_signal(number)
        rest, talk = process.communicate(timeout=10)

    assert (process.returncode, rest, talk) == (0, "", "")
    assert not key_file.parent.exists()


def test_a_signal_ends_it_while_an_answer_is_held_back() -> None:
    with _spawn("--latency", "300") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with httpx.Client(trust_env=False) as client:
            assert client.get(ready["url"] + "/rosa").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_it_ends_with_the_parent_where_asked() -> None:
    with _spawn("--until-stdin-closes") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(10) == 0


def test_the_ready_line_says_all_that_a_client_needs(sandbox: SandboxProcess) -> None:
    keys = httpx.get(sandbox.client.wallet_address + "/jwks.json").json()["keys"]
    public = read_key(sandbox.client).public_jwk()

    assert [key["x"] for key in keys] == [public["x"]]
    assert [key["kid"] for key in keys] == [sandbox.client.key_id]
    assert stat.S_IMODE(sandbox.client.private_key.stat().st_mode) == 0o600
    assert len(sandbox.wallet_addresses) == 5
    assets = [httpx.get(url).json() for url in sandbox.wallet_addresses]
    assert [(found["assetCode"], found["assetScale"]) for found in assets] == [
        ("USD", 2),
        ("EUR", 2),
        ("JPY", 0),
        ("XRP", 9),
        ("USD", 2),
    ]


def test_the_last_wallet_address_has_no_payments(sandbox: SandboxProcess) -> None:
    assert sandbox.state()["walletAddresses"][-1]["payments"] == 0


def test_a_key_file_is_made_and_kept(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "client.pem"

    first = read_key(start_sandbox(key_file=file).client)
    second = read_key(start_sandbox(key_file=file).client)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.public_jwk() == second.public_jwk()


def test_without_a_key_file_the_key_is_new_each_time(start_sandbox: StartSandbox) -> None:
    keys = [read_key(start_sandbox().client).public_jwk()["x"] for _ in range(2)]

    assert keys[0] != keys[1]


def test_a_key_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("no key")

    with pytest.raises(SandboxError, match="PEM"):
        SandboxProcess.start(key_file=file)


def test_data_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sandbox.sqlite3").write_text("no database " * 100)

    with pytest.raises(SandboxError, match="cannot keep its data"):
        SandboxProcess.start(data=tmp_path)


def test_a_taken_port_is_refused(sandbox: SandboxProcess) -> None:
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(SandboxError, match=f"Port {port} cannot be used"):
        SandboxProcess.start(port=port)


@pytest.mark.parametrize(
    "arguments", [("--port", "65536"), ("--payments", "-1"), ("--latency", "-5"), ("--no-such",)]
)
def test_bad_options_are_refused(arguments: tuple[str, ...]) -> None:
    with _spawn(*arguments) as process:
        said, talk = process.communicate(timeout=10)

    assert (process.returncode, said) == (2, "")
    assert talk.startswith("opdash: ")


def test_data_is_kept_from_one_start_to_the_next(
    start_sandbox: StartSandbox, tmp_path: Path
) -> None:
    first = start_sandbox(data=tmp_path)
    client = RawClient(first)
    made = client.create(first.main_wallet, client.token()).json()["id"].rpartition("/")[2]
    client.close()
    first.advance(86_400)
    day = first.state()["now"][:10]
    first.stop()

    second = start_sandbox(data=tmp_path)

    assert second.url != first.url
    assert made in _ids(second)
    assert second.state()["now"][:10] >= day
    assert stat.S_IMODE((tmp_path / "opdash.pem").stat().st_mode) == 0o600


def test_the_seed_decides_what_is_made_up(start_sandbox: StartSandbox) -> None:
    one, same, other = (start_sandbox(seed=seed) for seed in (7, 7, 8))

    assert _ids(one) == _ids(same)
    assert _ids(one, 3) == _ids(same, 3)
    assert set(_ids(one)).isdisjoint(_ids(other))


@pytest.mark.parametrize("count", [0, 3, 64, 250])
def test_so_many_payments_as_asked_for(start_sandbox: StartSandbox, count: int) -> None:
    sandbox = start_sandbox(payments=count)
    client = RawClient(sandbox)
    token, found, query = client.token(), 0, "&first=100"
    while True:
        page = client.list(sandbox.main_wallet, token, query).json()
        found += len(page["result"])
        if not page["pagination"]["hasNextPage"]:
            break
        query = f"&first=100&cursor={page['pagination']['endCursor']}"
    client.close()

    assert found == count


def test_stop_returns_the_exit_code() -> None:
    process = SandboxProcess.start()

    assert process.stop() == 0
    assert process.stop() == 0


def test_the_key_signs() -> None:
    with SandboxProcess.start() as process:
        key = read_key(process.other_client)

    assert isinstance(key, ClientKey)
    assert key.key_id == "till-1"
