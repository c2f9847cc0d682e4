"""What a server may have made of a URL, guessed."""

from __future__ import annotations

from datetime import UTC, datetime

from opdash.openpayments.traces import Body, Trace
from opdash.service.doctor.trying import guesses

NOW = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)


def guessed(url: str, *, wallet: str = "", authenticate: str = "") -> dict[str, str]:
    headers = (("WWW-Authenticate", authenticate),) if authenticate else ()
    trace = Trace(1, NOW, "POST", url, "", (), Body(None), None, 401, headers, Body(None), 0.1)
    return {guess.words: guess.change(url) for guess in guesses(trace, wallet)}


def test_the_usual_changes_of_a_proxy_are_guessed() -> None:
    assert guessed("https://auth.example/tenant/grants") == {
        "with http instead of https": "http://auth.example/tenant/grants",
        "with another slash at its end": "https://auth.example/tenant/grants/",
        "without the first part of its path": "https://auth.example/grants",
    }


def test_hosts_that_the_servers_name_are_guessed() -> None:
    found = guessed(
        "https://proxy.example/tenant",
        wallet="https://wallet.example/rosa",
        authenticate='GNAP as_uri="https://auth.example/"',
    )
    assert found["with the host of the wallet address"] == "https://wallet.example/tenant"
    assert found["with the host that its own words name"] == "https://auth.example/tenant"


def test_a_port_and_percent_encoding_are_guessed() -> None:
    found = guessed("http://127.0.0.1:4100/t/?wallet-address=https%3A%2F%2Fw.example%2Frosa")
    assert found["without the port"].startswith("http://127.0.0.1/t/?")
    assert found["with percent-encoding undone"].endswith("?wallet-address=https://w.example/rosa")
    assert found["with another slash at its end"].startswith("http://127.0.0.1:4100/t?")
    assert found["without the first part of its path"].startswith("http://127.0.0.1:4100/?")


def test_nothing_is_guessed_twice_and_nothing_that_cannot_be_signed() -> None:
    url = "https://auth.example/x%0A?a=%C3%A9"
    found = guessed(url, wallet="https://auth.example/rosa")
    assert url not in found.values()
    assert len(set(found.values())) == len(found)
    assert all(guess.isascii() and guess.isprintable() for guess in found.values())
