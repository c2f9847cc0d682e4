"""``--trace``: every request of a command in a file, and no secret in it."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile


def test_a_commands_requests_are_written_down_without_secrets(
    shop: Shell, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    path = tmp_path / "requests.txt"
    ran = shop.done("list", "--trace", str(path))
    text = path.read_text(encoding="utf-8")
    assert f"requests are written to {path}" in ran.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "to ask for a grant" in text
    assert "to list incoming payments" in text
    assert '"@signature-params": (' in text
    assert "wallet: shop" in text
    kept = json.loads(token_path(shop.data_dir, "shop").read_text(encoding="utf-8"))
    secrets = set(re.findall(r'"(?:value|access_token|token)": ?"([^"]{8,})"', json.dumps(kept)))
    assert secrets
    assert not [secret for secret in secrets if secret in text]


def test_it_may_stand_before_the_command(shop: Shell, tmp_path: Path) -> None:
    path = tmp_path / "requests.txt"
    shop.done("--trace", str(path), "list")
    assert "/incoming-payments?" in path.read_text(encoding="utf-8")


def test_the_doctors_requests_are_written_down_once(
    shell: Shell, fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    path = tmp_path / "requests.txt"
    shell.set_up(shop_profile(fresh_sandbox))
    shell.done("doctor", "--trace", str(path))
    heads = re.findall(r"(?m)^#\d+ .*$", path.read_text(encoding="utf-8"))
    assert any("/incoming-payments?" in head for head in heads)
    assert len(heads) == len(set(heads))


def test_a_file_that_cannot_be_written_ends_the_command(shop: Shell, tmp_path: Path) -> None:
    ran = shop("list", "--trace", str(tmp_path / "no" / "r.txt"))
    assert ran.code != 0
    assert "Requests cannot be written to" in ran.err
