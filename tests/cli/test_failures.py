"""Everything that can be wrong around a command: one sentence, the next step, the right code."""

from __future__ import annotations

import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from opdash.keyfiles import write_key
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.keys import ClientKey
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Answer, Ran, Shell, shop_profile

HTML = b"<html><body><script>alert(1)</script><h1>Please log in</h1></body></html>"


def check(ran: Ran, code: int, *said: str) -> None:
    """One or two sentences on standard error, nothing else, and no secret."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    for words in said:
        assert words in ran.err
    assert ran.err.startswith("opdash: ")
    assert len(ran.err.splitlines()) <= 2
    assert not re.search(r"PRIVATE KEY|GNAP [^•]|sig1=:[^•]|<html", ran.err)
    assert not set(ran.err) & {"\x1b", "\r"}


# Configuration and keys


@pytest.mark.parametrize("command", ["list", "watch", "create", "wallet list"])
def test_a_broken_configuration_names_its_line(shop: Shell, command: str) -> None:
    good = shop.config.read_text()
    shop.config.write_text(good + "page_size 20\n")
    line = len(good.splitlines()) + 1

    check(shop(*command.split()), 2, str(shop.config), f"line {line}:", "Correct that line")


def test_a_misspelt_key_gets_the_nearest(shop: Shell) -> None:
    shop.config.write_text(shop.config.read_text().replace("poll_interval", "pol_interval"))

    check(shop("list"), 2, str(shop.config), "wallet “shop”", "Did you mean “poll_interval”?")


def test_no_configuration_says_how_to_begin(shell: Shell) -> None:
    check(shell("list"), 2, str(shell.config), "opdash wallet add", "opdash demo")


def test_a_missing_key_file_is_named(shop: Shell, sandbox: SandboxProcess) -> None:
    shop.set_up(shop_profile(sandbox, key_file=Path("/nowhere/k.pem")))

    check(shop("list"), 2, "There is no key file at /nowhere/k.pem", "opdash key new")


def test_a_key_file_open_to_others_is_refused(
    shop: Shell, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    path = tmp_path / "open.pem"
    path.write_bytes(sandbox.client.private_key.read_bytes())
    path.chmod(0o644)
    shop.set_up(shop_profile(sandbox, key_file=path))

    check(shop("create", "--amount", "1"), 2, "Others can read", f"chmod 600 {path}")


def test_a_wallet_without_a_key_says_how_to_get_one(shop: Shell, sandbox: SandboxProcess) -> None:
    shop.set_up(shop_profile(sandbox, key_id="", key_file=None))

    check(shop("list"), 2, "has no key", "opdash key new")


def test_a_data_directory_that_cannot_be_written_is_named(shop: Shell, tmp_path: Path) -> None:
    shop.data_dir = tmp_path / "file" / "data"
    (tmp_path / "file").write_text("")

    check(shop("list"), 1, str(tmp_path / "file"))


# Servers


def test_a_key_that_the_client_does_not_serve_is_not_permitted(
    shop: Shell, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    path = tmp_path / "other.pem"
    write_key(path, ClientKey.generate("other"))
    shop.set_up(shop_profile(sandbox, key_id="other", key_file=path))

    check(shop("list"), 4)


def test_a_client_wallet_address_that_does_not_exist_is_not_permitted(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    shop.set_up(shop_profile(sandbox, client_wallet_address=sandbox.url + "/nobody"))

    check(shop("list"), 4)


def test_a_server_that_is_down_is_unreachable(shop: Shell, sandbox: SandboxProcess) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/rosa"
    shop.set_up(shop_profile(sandbox, wallet_address=url))

    check(shop("list"), 5)
    check(shop("create", "--amount", "1"), 5)


def test_a_server_that_never_answers_is_unreachable(
    shop: Shell, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = OpenPaymentsClient.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "timeout", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/rosa"
        shop.set_up(shop_profile(sandbox, wallet_address=url))

        check(shop("list"), 5)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, "text/html", HTML), 5),
        ((502, "text/html", HTML), 5),
        ((500, "text/plain", b"Internal \x1b[31mServer Error"), 5),
        ((200, "application/json", b""), 5),
        ((200, "application/json", b"[" * 100_000), 1),
        ((200, "application/json", b'"' + b"x" * 10_000_000 + b'"'), 1),
        ((404, "application/json", b'{"error":{"code":"404","description":"x"}}'), 1),
        ((429, "text/plain", b"slow down"), 5),
    ],
    ids=["html", "bad-gateway", "plain", "empty", "nested", "10-megabytes", "404", "429"],
)
@pytest.mark.parametrize("command", ["list", "add"])
def test_an_answer_that_is_no_answer_is_a_sentence(
    shop: Shell,
    sandbox: SandboxProcess,
    serve: Callable[[Answer], str],
    answer: Answer,
    code: int,
    command: str,
) -> None:
    url = serve(answer) + "/rosa"
    if command == "add":
        key_file = str(sandbox.client.private_key)
        check(shop("wallet", "add", url, "--key-file", key_file), code)
        assert [profile.name for profile in shop.settings.profiles] == ["shop"]
    else:
        shop.set_up(shop_profile(sandbox, wallet_address=url))
        check(shop("list"), code)


# The debug log


def test_debug_writes_every_exchange_to_a_private_file_and_says_where(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    ran = shop.done("--debug", "create", "--amount", "1", "--json")

    log = shop.data_dir / "debug.log"
    assert f"the debug log is {log}" in ran.err
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert f"GET {sandbox.main_wallet} → 200" in text
    assert "POST" in text
    assert "→ 201" in text
    assert "GNAP" not in text
    assert "PRIVATE" not in text


def test_debug_notes_where_a_failure_came_from(shop: Shell, sandbox: SandboxProcess) -> None:
    shop.set_up(shop_profile(sandbox, client_wallet_address=sandbox.url + "/nobody"))

    ran = shop("list", "--debug")

    assert ran.code == 4
    assert "Error" in (shop.data_dir / "debug.log").read_text()


def test_without_debug_there_is_no_log(shop: Shell) -> None:
    shop.done("list")

    assert not (shop.data_dir / "debug.log").exists()
