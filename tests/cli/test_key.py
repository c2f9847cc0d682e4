"""``opdash key``: the private half stays in its file, the public half is printed."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opdash.cli.main import entry_point
from opdash.keyfiles import is_encrypted, read_key
from opdash.openpayments.keys import ClientKey
from opdash.settings import Profile, Settings, SettingsStore
from tests.cli.conftest import Shell


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    return ["--data-dir", str(tmp_path / "data"), "--config", str(tmp_path / "config.toml")]


def test_a_new_key_is_written_and_its_public_half_printed(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry_point(["key", "new", "--key-id", "shop key", *places]) == 0

    out, err = capsys.readouterr()
    jwk = json.loads(out)
    path = tmp_path / "data" / "keys" / "shop key.pem"
    assert read_key(path, "shop key").public_jwk() == jwk
    assert jwk["kid"] == "shop key"
    assert "d" not in jwk
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"opdash wallet add ADDRESS --key-id 'shop key' --key-file '{path}'" in err
    assert "PRIVATE" not in out + err


def test_a_key_without_a_name_gets_a_random_one(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert entry_point(["key", "new", "--json", *places]) == 0

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["keyId"] != second["keyId"]
    assert first["jwk"]["kid"] == first["keyId"]
    assert Path(first["keyFile"]).name == f"{first['keyId']}.pem"


def test_an_id_that_is_no_file_name_survives_it(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    key_id = "../a/b%41"
    assert entry_point(["key", "new", "--key-id", key_id, "--json", *places]) == 0
    made = json.loads(capsys.readouterr().out)

    assert Path(made["keyFile"]).parent == tmp_path / "data" / "keys"
    assert entry_point(["key", "show", made["keyFile"], "--json", *places]) == 0
    assert json.loads(capsys.readouterr().out) == made


def test_a_key_is_not_overwritten(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my.pem"
    arguments = ["key", "new", "--key-id", "k", "--out", str(out), *places]
    assert entry_point(arguments) == 0
    before = out.read_bytes()

    assert entry_point(arguments) == 2

    assert out.read_bytes() == before
    assert "--out" in capsys.readouterr().err


def test_the_key_of_a_wallet_is_shown(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.pem"
    entry_point(["key", "new", "--key-id", "registered", "--out", str(path), *places])
    jwk = json.loads(capsys.readouterr().out)
    profile = Profile("shop", "https://ilp.example/rosa", key_id="registered", key_file=path)
    SettingsStore(tmp_path / "config.toml").save(Settings((profile,)))

    for words in (["--wallet", "shop"], [], [str(path)]):
        assert entry_point(["key", "show", *words, *places]) == 0
        assert json.loads(capsys.readouterr().out) == jwk


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show"], "No wallet is set up yet"),
        (["show", "x.pem", "--wallet", "shop"], "not both"),
        (["show", "/nowhere.pem"], "There is no key file at /nowhere.pem"),
        (["show", "--wallet", "shop"], "There is no wallet “shop”"),
        (["new", "--key-id", 'a"b'], "plain ASCII without quotes"),
        (["new", "--key-id", "ü"], "plain ASCII without quotes"),
        (["new", "--out", "/proc/nowhere/key.pem"], "cannot be written"),
        (["new", "--colour"], "“--colour” is not an option of “opdash key new”"),
        (["new", "extra"], "“extra” is one word too many"),
        (["nw"], "Did you mean “opdash key new”?"),
        ([], "See “opdash key --help”"),
    ],
)
def test_bad_input_gets_a_sentence(
    words: list[str], said: str, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry_point(["key", *words, *places]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_a_key_file_open_to_others_is_refused_with_the_way_to_close_it(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.pem"
    entry_point(["key", "new", "--out", str(path), *places])
    path.chmod(0o644)
    capsys.readouterr()

    assert entry_point(["key", "show", str(path), *places]) == 2

    err = capsys.readouterr().err
    assert "Others can read the private key" in err
    assert f"chmod 600 {path}" in err


@pytest.mark.parametrize("words", [["--help"], ["help"], ["-h"]])
def test_the_help_of_a_group_names_its_commands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry_point(["key", *words]) == 0

    out = capsys.readouterr().out
    assert "new [--key-id ID]" in out
    assert "show PATH" in out


def test_the_help_of_a_command_names_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry_point(["key", "help", "new"])

    assert ended.value.code == 0
    out = capsys.readouterr().out
    for option in ("--key-id", "--out", "--json", "--config", "--data-dir", "--debug"):
        assert option in out


def test_a_new_key_can_be_encrypted(shell: Shell) -> None:
    ran = shell("key", "new", "--encrypt")
    assert ran.code == 2
    assert "only at a terminal" in ran.err

    ran = shell.at_terminal(
        "key", "new", "--encrypt", "--json", typed="horse\nhorse\n", prompt=": "
    )
    made = json.loads(ran.out)
    assert ran.code == 0, ran.err
    assert "horse" not in ran.err
    assert is_encrypted(Path(made["keyFile"]))

    ran = shell.at_terminal("key", "show", made["keyFile"], "--json", typed="horse\n", prompt=": ")
    assert json.loads(ran.out) == made
    ran = shell.at_terminal("key", "show", made["keyFile"], typed="\n")
    assert ran.code == 2
    ran = shell.at_terminal("key", "new", "--encrypt", typed="horse\nhose\n", prompt=": ")
    assert ran.code == 2
    assert "two different ones" in ran.err


@pytest.mark.parametrize("encode", [bytes, base64.b64encode])
def test_a_key_made_elsewhere_is_taken_in(
    shell: Shell, tmp_path: Path, encode: Callable[[bytes], bytes]
) -> None:
    key = ClientKey.generate("theirs")
    text = encode(key.to_pem())
    path = tmp_path / "download"
    path.touch(mode=0o600)
    path.write_bytes(text)

    made = shell.done("key", "import", str(path), "--key-id", "theirs", "--json").line
    assert made["jwk"] == key.public_jwk()
    assert Path(made["keyFile"]).parent == shell.data_dir / "keys"

    pasted = text.decode().strip().replace("\n", "\r") + "\n"  # a terminal sends CR for Enter
    ran = shell.at_terminal("key", "import", "--json", typed=pasted, prompt="press Enter: ")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["keyId"].startswith("imported-")
    assert text.decode().splitlines()[0] not in ran.err

    with subprocess.Popen(
        [sys.executable, "-m", "opdash", "key", "import", "--key-id", "piped", *shell.places],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        out, _ = process.communicate(text, timeout=60)
    assert json.loads(out)["x"] == key.public_jwk()["x"]


def test_what_is_no_key_is_not_taken_in(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "download"
    path.write_text("hello")
    path.chmod(0o600)

    ran = shell("key", "import", str(path))

    assert ran.code == 2
    assert "no key" in ran.err
    assert not (shell.data_dir / "keys").exists()
