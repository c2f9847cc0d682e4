"""``opdash key``: the private half stays in its file, the public half is printed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from opdash.cli.main import entry_point
from opdash.keyfiles import read_key
from opdash.settings import Profile, Settings, SettingsStore


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
