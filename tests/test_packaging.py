"""What an installation gets: the wheel's files, its entry point and its metadata."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import opdash

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without a network: hatchling comes with the extra ``dev``."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", str(place)]
    done = subprocess.run(
        [*command, str(ROOT)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(files: dict[str, bytes]) -> Message:
    return Parser().parsestr(files[f"{dist_info()}/METADATA"].decode())


def dist_info() -> str:
    return f"opdash-{opdash.__version__}.dist-info"


def test_the_wheel_has_every_module_and_style_sheet(files: dict[str, bytes]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in ROOT.glob("opdash/**/*.py")}
    sheets = {f"opdash/styles/{path.name}" for path in ROOT.glob("styles/*.tcss")}
    assert len(modules) > 10
    assert sheets
    assert modules | sheets <= files.keys()


def test_the_installed_package_finds_its_style_sheets(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    names = sorted(path.stem for path in ROOT.glob("styles/*.tcss"))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from opdash.tui.stylesheets import sheets\n"
        "print(*sheets(*sys.argv[2:]), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path / "site"), *names],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=True,
    )
    found = [str(tmp_path / "site" / "opdash" / "styles" / f"{name}.tcss") for name in names]
    assert done.stdout.splitlines() == found


def test_the_wheel_has_nothing_that_does_not_belong(files: dict[str, bytes]) -> None:
    allowed = re.compile(rf"opdash/.*\.(py|tcss)|opdash/py\.typed|{re.escape(dist_info())}/[\w/.]+")
    assert [name for name in files if not allowed.fullmatch(name)] == []


def test_the_wheel_is_typed_and_licensed(files: dict[str, bytes]) -> None:
    assert "opdash/py.typed" in files
    licence = files[f"{dist_info()}/licenses/LICENSE"].decode()
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_the_command_leads_to_the_entry_point(files: dict[str, bytes]) -> None:
    entry_points = files[f"{dist_info()}/entry_points.txt"].decode().split("\n")
    assert entry_points[:2] == ["[console_scripts]", "opdash = opdash.cli.main:entry_point"]
    from opdash.cli.main import entry_point

    assert callable(entry_point)


def test_the_metadata_says_what_the_project_is(metadata: Message, project: dict[str, Any]) -> None:
    assert metadata["Name"] == "opdash"
    assert metadata["Version"] == opdash.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Summary"] == project["description"]
    assert str(metadata.get_payload()).strip() == (ROOT / "README.md").read_text().strip()


def test_the_python_versions_agree(metadata: Message) -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [c for c in metadata.get_all("Classifier", []) if c.startswith(prefix)]
    minors = sorted(int(classifier.removeprefix(prefix)) for classifier in named)
    assert metadata["Requires-Python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_the_extra_dev_does_not_leak_into_an_installation(metadata: Message) -> None:
    plain = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in plain}
    assert names.isdisjoint({"pytest", "hypothesis", "mypy", "ruff", "hatchling", "cairosvg"})
    assert {"textual", "httpx", "cryptography", "msgspec"} <= names


def test_the_lock_of_the_official_libraries_holds_no_address() -> None:
    text = (ROOT / "tests/interop/package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    wanted = {"@interledger/http-signature-utils": "2.0.3", "@interledger/open-payments": "7.4.0"}
    assert packages.pop("")["dependencies"] == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
