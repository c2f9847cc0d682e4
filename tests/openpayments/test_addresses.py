from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.addresses import (
    AddressError,
    check_server_url,
    is_loopback,
    is_on_loopback,
    join,
    lies_below,
    origin,
    parse_resource_url,
    parse_wallet_address,
    wire_url,
    with_query,
)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://wallet.example/rosa", "https://wallet.example/rosa"),
        ("  https://wallet.example/rosa/ \n", "https://wallet.example/rosa"),
        ("HTTPS://Wallet.Example/Rosa", "https://wallet.example/Rosa"),
        ("https://wallet.example:443/rosa", "https://wallet.example/rosa"),
        ("https://wallet.example", "https://wallet.example"),
        ("$wallet.example/rosa", "https://wallet.example/rosa"),
        ("$wallet.example", "https://wallet.example/.well-known/pay"),
        ("$wallet.example/", "https://wallet.example/.well-known/pay"),
        ("https://bücher.example/rosa", "https://xn--bcher-kva.example/rosa"),
        ("http://127.0.0.1:4010/rosa", "http://127.0.0.1:4010/rosa"),
        ("http://localhost:4010/rosa", "http://localhost:4010/rosa"),
        ("http://[::1]:4010/rosa", "http://[::1]:4010/rosa"),
        ("https://wallet.example/a%20b", "https://wallet.example/a%20b"),
    ],
)
def test_wallet_addresses_and_pointers(typed: str, url: str) -> None:
    assert parse_wallet_address(typed) == url


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "empty"),
        ("rosa", "no wallet address"),
        ("wallet.example/rosa", "no wallet address"),
        ("ftp://wallet.example/rosa", "begin with https"),
        ("javascript://wallet.example/rosa", "begin with https"),
        ("http://wallet.example/rosa", "http is only used on this machine"),
        ("https://wallet.example:8443/rosa", "no port"),
        ("$wallet.example:8443/rosa", "no port"),
        ("https://rosa:pw@wallet.example/", "user name"),
        ("https://@wallet.example/", "user name"),
        ("$rosa@wallet.example", "user name"),
        ("https://wallet.example/rosa?x=1", "no query"),
        ("https://wallet.example/rosa?", "no query"),
        ("https://wallet.example/rosa#x", "no fragment|no query"),
        ("https:///rosa", "no valid host"),
        ("$", "no valid host"),
        ("https://wallet..example/", "no valid host|no valid address"),
        ("https://-wallet.example/", "no valid host"),
        ("https://wallet.example:99999/", "no valid address"),
        ("https://[::1/rosa", "no valid address"),
        ("https://wallet.example/ro sa", "blank or a control"),
        ("https://wallet.example/ro\nsa", "blank or a control"),
        ("https://wallet.example/ro\x1bsa", "blank or a control"),
        ("https://wallet.example/rosä", "percent-encoded"),
        ("https://wallet.example\\rosa", "percent-encoded|no valid"),
        ("https://wallet.example/../rosa", "relative step"),
        ("https://wallet.example/%2e%2E/rosa", "relative step"),
        ("https://wallet.example/" + "x" * 2100, "too long"),
    ],
)
def test_what_is_no_wallet_address_is_told_why(typed: str, words: str) -> None:
    with pytest.raises(AddressError, match=words) as caught:
        parse_wallet_address(typed)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60) | st.text(max_size=60).map("https://".__add__))
def test_typing_never_breaks_it(typed: str) -> None:
    try:
        url = parse_wallet_address(typed)
    except AddressError:
        return
    assert parse_wallet_address(url) == url
    assert origin(url)


def test_a_payment_is_named_by_its_whole_url() -> None:
    url = "https://wallet.example/tenant/incoming-payments/2f1b"
    assert parse_resource_url(f" {url} ") == url
    assert parse_resource_url(url + "?x=1") == url + "?x=1"
    for wrong in ("https://wallet.example", "https://wallet.example/", url + "#x", "2f1b"):
        with pytest.raises(AddressError) as refused:
            parse_resource_url(wrong)
        assert "the payment's whole URL" in refused.value.advice


def test_a_server_url_may_have_a_path_and_nothing_more() -> None:
    for url in ("https://auth.example/tenant", "https://auth.example", "http://127.0.0.1:3006/x"):
        assert check_server_url(url) == url
    for url in ("http://auth.example", "https://a.example?x", "https://a.example#x", "file:///x"):
        with pytest.raises(AddressError):
            check_server_url(url)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://w.example/rosa", "https://w.example/rosa/jwks.json"),
        ("https://w.example/rosa/", "https://w.example/rosa/jwks.json"),
        ("https://w.example", "https://w.example/jwks.json"),
    ],
)
def test_joining_never_doubles_a_slash(base: str, url: str) -> None:
    assert join(base, "jwks.json") == join(base, "/jwks.json") == url


def test_a_query_is_percent_encoded_whole() -> None:
    query = {"wallet-address": "https://w.example/a b", "cursor": "ü&=+%"}
    assert with_query("https://w.example/x", query) == (
        "https://w.example/x?wallet-address=https%3A%2F%2Fw.example%2Fa%20b"
        "&cursor=%C3%BC%26%3D%2B%25"
    )
    assert with_query("https://w.example/x", {}) == "https://w.example/x"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://W.example/a", "https://w.example:443"),
        ("https://w.example:443/a", "https://w.example:443"),
        ("https://w.example:8443/a?x#y", "https://w.example:8443"),
        ("http://[::1]/a", "http://[::1]:80"),
    ],
)
def test_an_origin_writes_its_port_out(url: str, found: str) -> None:
    assert origin(url) == found


@pytest.mark.parametrize(
    "url",
    [
        "https://wallet.example@evil.example/",
        "https://wallet.example:x/",
        "https://evil.example\\@wallet.example/",
        "//wallet.example/",
        "",
        "https://wal\tlet.example/",
        " https://wallet.example/",
    ],
)
def test_an_origin_is_never_guessed(url: str) -> None:
    with pytest.raises(AddressError):
        origin(url)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://w.example", "https://w.example/"),
        ("HTTPS://W.Example:443/A?b=C%2f#", "https://w.example/A?b=C%2f"),
        ("https://w.example:8443/%7Erosa//x;y=1", "https://w.example:8443/%7Erosa//x;y=1"),
        ("https://w.example?x=1", "https://w.example/?x=1"),
        ("http://[::1]:80/a", "http://[::1]/a"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
    ],
)
def test_only_scheme_host_and_port_are_written_anew_for_the_wire(url: str, sent: str) -> None:
    assert wire_url(url) == sent
    assert wire_url(sent) == sent


def test_a_fragment_is_not_sent() -> None:
    with pytest.raises(AddressError):
        wire_url("https://w.example/a#b")


def test_what_lies_below_a_server() -> None:
    base = "https://w.example/tenant"
    assert lies_below("https://w.example/tenant/incoming-payments/1", base)
    assert lies_below("https://W.example:443/tenant/x", base + "/")
    for url in (
        "https://w.example/tenant",
        "https://w.example/tenant2/x",
        "https://w.example/tenant/../other",
        "https://w.example/tenant/%2e%2e/other",
        "https://w.example:444/tenant/x",
        "https://evil.example/tenant/x",
        "nonsense",
    ):
        assert not lies_below(url, base)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_itself(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "10.0.0.1", "0.0.0.0", "::2", ""])
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


def test_a_url_on_this_machine() -> None:
    assert is_on_loopback("http://127.0.0.1:3000/x")
    assert not is_on_loopback("https://wallet.example/x")
