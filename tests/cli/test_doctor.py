"""``opdash doctor`` on set-ups that are broken, each in its own way; its reports are golden files.

What differs from run to run (ports, keys, times, places) is written as a word in them. They are
written anew with ``OPDASH_WRITE_GOLDEN=1``: look at what changed before you keep it.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opdash.cli import doctor
from opdash.keyfiles import write_key
from opdash.ledger.records import Scope
from opdash.openpayments.keys import ClientKey
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Ran, Shell, shop_profile
from tests.cli.tls_proxy import Authority, Proxy, running

GOLDEN = Path(__file__).parent / "golden"

VOLATILE = (
    (r"(?<=127\.0\.0\.1:)\d+|(?<=127\.0\.0\.1%3A)\d+", "PORT"),
    (r"/[^ \n]*/authority\d+/", "AUTHORITY/"),
    (r"/[^ \n]*/opdash-[^ /]+/opdash\.pem", "SANDBOX/opdash.pem"),
    (r"(?<=^    public half  ).*", "X"),
    (r"(?<=\bx )[A-Za-z0-9_-]{8}…", "X…"),
    (r"(?<=its x is )[A-Za-z0-9_-]{8}…|(?<=key file is )[A-Za-z0-9_-]{8}…", "X…"),
    (r"(?<=sha-512=:)[^:]+", "DIGEST"),
    (r'(?<="content-length": )\d+', "LENGTH"),
    (r"(?<=;created=)\d+", "CREATED"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "DATE"),
    (r"(?<= in )\d+\.\d{3}(?= s)", "SECONDS"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}", "TENANT"),
)


@pytest.fixture(scope="module")
def ward() -> Iterator[SandboxProcess]:
    """A sandbox that may be broken; each test heals it again."""
    with SandboxProcess.start(continue_wait=1) as process:
        yield process


@pytest.fixture
def patient(shell: Shell, ward: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell with one wallet, “shop”, on that sandbox."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "WIDTH", 1000)  # lines do not break by how long a port is
    shell.set_up(shop_profile(ward))
    yield shell
    ward.take_down()
    ward.misdate(0)
    ward.hide_keys()
    ward.rename("opdash")


def normal(text: str, shell: Shell) -> str:
    text = text.replace(str(shell.config.parents[1]), "HOME")
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def check(name: str, shell: Shell, code: int, *words: str) -> Ran:
    """Hold a report to its golden file, and the JSON lines to the report."""
    ran = shell("doctor", *words)
    assert (ran.code, ran.err) == (code, "")
    assert not re.search(r"PRIVATE KEY|GNAP [^•]|\x1b", ran.out)
    told = normal(ran.out, shell)
    golden = GOLDEN / f"doctor-{name}.txt"
    if os.environ.get("OPDASH_WRITE_GOLDEN"):
        golden.write_text(told)
    assert told == golden.read_text()
    as_json = shell("doctor", *words, "--json")
    assert as_json.code == code
    assert [list(line) for line in as_json.lines] == [["step", "ok", "found", "advice"]] * 15
    signs = [{True: "✓", False: "✗", None: "–"}[line["ok"]] for line in as_json.lines]
    assert signs == re.findall(r"^[✓✗–]", told, re.MULTILINE)
    return ran


def test_everything_is_fine(patient: Shell, ward: SandboxProcess) -> None:
    check("fine", patient, 0)


def test_an_unknown_key_id(patient: Shell, ward: SandboxProcess, tmp_path: Path) -> None:
    path = tmp_path / "till.pem"
    write_key(path, ClientKey.generate("till-7"))
    patient.set_up(shop_profile(ward, key_id="till-7", key_file=path))
    check("unknown-key-id", patient, 4)


def test_the_right_key_under_another_id(patient: Shell, ward: SandboxProcess) -> None:
    patient.set_up(shop_profile(ward, key_id="till-7"))
    ran = patient("doctor")
    assert ran.code == 4
    assert "The client serves this key, but as “opdash-1” and not as “till-7”." in ran.out
    assert 'Set key_id = "opdash-1" for this wallet' in ran.out


def test_another_key_under_the_same_id(
    patient: Shell, ward: SandboxProcess, tmp_path: Path
) -> None:
    path = tmp_path / "other.pem"
    write_key(path, ClientKey.generate("opdash-1"))
    patient.set_up(shop_profile(ward, key_file=path))
    check("other-key", patient, 4)


def test_a_key_that_vanished(patient: Shell, ward: SandboxProcess) -> None:
    ward.hide_keys("opdash-1")
    check("vanished-key", patient, 4)


def test_the_command_in_the_advice_works_with_several_wallets(
    patient: Shell, ward: SandboxProcess
) -> None:
    other = shop_profile(ward, name="Corner shop", wallet_address=ward.wallet_addresses[1])
    patient.set_up(shop_profile(ward), other)
    assert patient("key", "show").code == 2
    ward.hide_keys("opdash-1")
    ran = patient("doctor", "Corner shop")
    advised = re.search("“opdash (key show [^”]*)”", " ".join(ran.out.split()))
    assert advised
    assert '"kid"' in patient.done(*shlex.split(advised[1])).out


def test_a_client_without_a_public_name(patient: Shell, ward: SandboxProcess) -> None:
    ward.rename(None)
    check("no-public-name", patient, 1)


def test_a_clock_that_is_an_hour_off(patient: Shell, ward: SandboxProcess) -> None:
    ward.misdate(3600)
    check("clock", patient, 1)


def test_an_authorization_server_that_is_down(patient: Shell, ward: SandboxProcess) -> None:
    ward.take_down("authorization")
    check("authorization-down", patient, 5)


def test_an_authorization_server_that_answers_a_page(patient: Shell, ward: SandboxProcess) -> None:
    ward.take_down("authorization", portal=True)
    check("page", patient, 5)


def test_a_name_that_cannot_be_found(
    patient: Shell, ward: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def unknown(host: Any, *place: Any, **options: Any) -> Any:
        if host == "wallet.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *place, **options)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    patient.set_up(shop_profile(ward, wallet_address="https://wallet.invalid/rosa"))
    check("unknown-name", patient, 5)


# Certificates and proxies


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def proxy(ward: SandboxProcess, authority: Authority) -> Iterator[Proxy]:
    with running(ward, authority) as proxy:
        yield proxy


def test_a_certificate_of_a_private_authority(
    patient: Shell, ward: SandboxProcess, proxy: Proxy
) -> None:
    patient.set_up(shop_profile(ward, wallet_address=f"{proxy.url}/rosa"))
    check("certificate", patient, 5)
    assert proxy.passed == []


def test_a_proxy_that_hides_the_scheme(
    patient: Shell, ward: SandboxProcess, proxy: Proxy, authority: Authority
) -> None:
    patient.set_up(shop_profile(ward, wallet_address=f"{proxy.url}/rosa", ca_file=authority.root))
    check("proxy", patient, 4)
    ends = [(method, status) for method, _, status in proxy.passed if method != "GET"]
    refused_then_taken_then_given_back = [
        ("POST", 401),
        ("POST", 200),
        ("DELETE", 204),
        ("DELETE", 204),
    ]
    assert ends == refused_then_taken_then_given_back * 2


def test_an_address_that_is_not_set_up_with_an_authority_of_its_own(
    patient: Shell, ward: SandboxProcess, proxy: Proxy, authority: Authority
) -> None:
    ran = patient("doctor", f"{proxy.url}/rosa", "--ca-file", str(authority.root), "--json")
    found = {line["step"]: line for line in ran.lines}
    assert ran.code == 0
    assert "its certificate is trusted" in found["connection"]["found"]
    assert [name for name, line in found.items() if line["ok"]] == [
        "configuration",
        "dns",
        "connection",
        "discovery",
        "servers",
        "client",
        "jwks",
        "clock",
    ]
    assert {line["ok"] for line in found.values()} == {True, None}


# What else there is to say


def test_verbose_gives_requests_and_answers_whole(patient: Shell, ward: SandboxProcess) -> None:
    ran = patient.done("doctor", "--verbose")
    assert "  Authorization: GNAP •••" in ran.out
    assert '"@signature-params": ("@method" "@target-uri" "authorization");created=' in ran.out
    assert '"sharedSecret"' not in ran.out
    assert re.search(r'"access_token":\{"access":\[.*"value":"•••","manage":"[^"]*/•••"', ran.out)
    assert "came back: 200 OK" in ran.out
    lines = patient.done("doctor", "--verbose", "--json").lines
    assert any("signed (the signature base)" in line for line in lines[10]["details"])


def test_lines_are_no_wider_than_a_page(
    patient: Shell, monkeypatch: pytest.MonkeyPatch, ward: SandboxProcess
) -> None:
    monkeypatch.setattr(doctor, "WIDTH", 72)
    ward.hide_keys("opdash-1")
    ran = patient("doctor")
    quoted = re.compile(r" {6}|    sent  |.*http://|.*/")
    too_wide = [line for line in ran.out.splitlines() if len(line) > 72 and not quoted.match(line)]
    assert too_wide == []


def test_everything_on_the_wallet_is_not_asked_for_unless_wanted(
    patient: Shell, ward: SandboxProcess
) -> None:
    patient.set_up(shop_profile(ward, scope=Scope.EVERYTHING))
    ran = patient.done("doctor", "--json")
    scope = next(line for line in ran.lines if line["step"] == "scope")
    assert (scope["ok"], "--ask" in scope["advice"]) == (None, True)
    assert "consent" in scope["found"]


def test_consent_is_asked_for_where_that_is_wanted(patient: Shell, ward: SandboxProcess) -> None:
    patient.set_up(shop_profile(ward, scope=Scope.EVERYTHING))
    ward.decide("allow")
    try:
        ran = patient("doctor", "--ask", "--json")
    finally:
        ward.decide("ask")
    scope = next(line for line in ran.lines if line["step"] == "scope")
    assert (ran.code, scope["ok"]) == (0, True)
    assert ran.lines[-1]["found"].startswith("The 2 grants were given back")


def test_a_key_file_open_to_others(patient: Shell, ward: SandboxProcess, tmp_path: Path) -> None:
    path = tmp_path / "open.pem"
    path.write_bytes(ward.client.private_key.read_bytes())
    path.chmod(0o644)
    patient.set_up(shop_profile(ward, key_file=path))
    ran = patient("doctor", "--json")
    found = {line["step"]: line for line in ran.lines}
    assert ran.code == 2
    assert f"chmod 600 {path}" in found["key-file"]["advice"]
    assert found["jwks"]["ok"] is True
    assert found["grant"]["found"] == "Skipped, because “Key file” came to no result."


def test_a_configuration_that_cannot_be_read(patient: Shell) -> None:
    patient.config.write_text(patient.config.read_text() + "page_size 20\n")
    ran = patient("doctor", "--json")
    assert ran.code == 2
    assert [line["ok"] for line in ran.lines] == [False, *[None] * 14]
    assert str(patient.config) in ran.lines[0]["found"]


def test_a_wallet_that_is_not_there(patient: Shell) -> None:
    ran = patient("doctor", "shap")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean “shop”?" in ran.err


def test_an_address_that_is_set_up_is_examined_with_its_key(
    patient: Shell, ward: SandboxProcess
) -> None:
    ran = patient.done("doctor", ward.main_wallet, "--json")
    assert all(line["ok"] for line in ran.lines)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_kept_tokens_are_left_alone(patient: Shell, ward: SandboxProcess) -> None:
    patient.done("list")
    kept = files(patient.data_dir)
    patient.done("doctor")
    assert patient.data_dir / "tokens" / "shop.json" in kept
    assert files(patient.data_dir) == kept
