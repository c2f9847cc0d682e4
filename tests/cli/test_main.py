"""The command that is meant is found, and whatever goes wrong ends in a sentence and a code."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from opdash import __version__
from opdash.cli import main
from opdash.cli.main import COMMANDS, HELP, entry_point, split_command
from opdash.errors import OpdashError
from opdash.openpayments.errors import NotPermittedError, UnreachableError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A command “probe” that notes its arguments and does what the test says."""
    module = types.ModuleType("opdash_probe")
    module.given = []  # type: ignore[attr-defined]
    module.error = None  # type: ignore[attr-defined]

    def run(arguments: list[str]) -> int:
        module.given.append(arguments)
        if module.error is not None:
            raise module.error
        return 0

    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opdash_probe", module)
    monkeypatch.setitem(COMMANDS, "probe", "opdash_probe")
    return module


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["--debug", "--help"]])
def test_the_help_names_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry_point(words) == 0

    out = capsys.readouterr().out
    assert out == HELP
    for name in COMMANDS:
        assert f"  {name} " in out
    assert max(len(line) for line in out.splitlines()) <= 100


@pytest.mark.parametrize("command", [*COMMANDS, "wallet add", "key new"])
def test_the_help_of_a_command_fits_a_narrow_terminal(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with suppress(SystemExit):
        assert entry_point([*command.split(), "--help"]) == 0

    described = capsys.readouterr().out.partition("examples:")[0].partition("the payer\n")[0]
    assert described
    assert max(len(line) for line in described.splitlines()) <= 80


@pytest.mark.parametrize("words", [["--version"], ["-V"]])
def test_the_version_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry_point(words) == 0
    assert capsys.readouterr().out == f"opdash {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("lst", "Did you mean “opdash list”?"),
        ("walet", "Did you mean “opdash wallet”?"),
        ("zzzzzz", "See “opdash --help”."),
        ("\x1b[2J", "See “opdash --help”."),
    ],
)
def test_an_unknown_command_gets_the_nearest_one(
    typed: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry_point([typed]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert advice in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], ([], None, [])),
        (["list"], ([], "list", [])),
        (["--debug", "list", "--json"], (["--debug"], "list", ["--json"])),
        (["--config", "list", "show", "x"], (["--config", "list"], "show", ["x"])),
        (["--config=list", "show"], (["--config=list"], "show", [])),
        (
            ["--data-dir", "d", "--wallet", "w", "list"],
            (["--data-dir", "d", "--wallet", "w"], "list", []),
        ),
        (["--config"], (["--config"], None, [])),
        (["--config", "file"], (["--config", "file"], None, [])),
    ],
)
def test_the_first_word_that_is_no_option_is_the_command(
    words: list[str], parts: tuple[list[str], str | None, list[str]]
) -> None:
    assert split_command(words) == parts


def test_options_before_the_command_reach_it(command: types.ModuleType) -> None:
    assert entry_point(["--config", "file", "probe", "x", "--debug"]) == 0
    assert command.given == [["--config", "file", "x", "--debug"]]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OpdashError("It broke.", "Mend it."), 1, "opdash: It broke.\n  Mend it.\n"),
        (OpdashError("It broke."), 1, "opdash: It broke.\n"),
        (OpdashError("a\nb\x1b[31m"), 1, "opdash: a␊b␛[31m\n"),
        (NotPermittedError("No.", status=403), 4, "opdash: No.\n"),
        (UnreachableError("Nobody there."), 5, "opdash: Nobody there.\n"),
        (OSError(28, "No space left", "/x"), 1, "opdash: The system refused: No space left.\n"),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("GNAP abc"), 1, "opdash: opdash failed through a mistake of its own"),
    ],
)
def test_a_failure_is_a_sentence_and_a_code(
    command: types.ModuleType,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    command.error = error  # type: ignore[attr-defined]

    assert entry_point(["probe"]) == code

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert "Traceback" not in err
    assert "abc" not in err


def test_a_mistake_of_opdash_itself_is_traced_only_for_debugging_and_masked(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.error = ZeroDivisionError("GNAP abc123")  # type: ignore[attr-defined]

    assert entry_point(["probe", "--debug"]) == 1

    err = capsys.readouterr().err
    assert "test_main.py" in err
    assert "abc123" not in err


def test_a_reader_that_went_away_is_no_complaint() -> None:
    program = "import sys; from opdash.cli.main import entry_point; sys.exit(entry_point(['-h']))"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    assert process.wait(timeout=30) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_full_disk_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = opdash("--help", stdout=full)

    assert done.returncode == 1
    assert done.stderr == "opdash: The system refused: No space left on device.\n"


def test_a_closed_standard_output_is_a_sentence() -> None:
    done = opdash("--help", preexec_fn=lambda: os.close(1))

    assert done.returncode == 1
    assert done.stderr == "opdash: The system refused: standard output is closed.\n"


def test_a_terminal_that_knows_only_ascii_is_served(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[wallet]]\nname = "Café"\nwallet_address = "$ilp.example"\n')
    places = ["--config", str(config), "--data-dir", str(tmp_path)]
    done = opdash("wallet", "list", *places, env={**os.environ, "PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0
    assert "Caf\\xe9" in done.stdout


def opdash(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run opdash as a process of its own."""
    given = {"stdout": subprocess.PIPE, "cwd": Path(main.__file__).parents[2], **options}
    command = [sys.executable, "-m", "opdash", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, **given)


def test_the_package_runs_as_a_module() -> None:
    assert opdash("--version").stdout == f"opdash {__version__}\n"


def test_the_screen_wants_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry_point(["--data-dir", str(tmp_path)]) == 2

    err = capsys.readouterr().err
    assert "needs a terminal" in err
    assert "opdash list" in err
