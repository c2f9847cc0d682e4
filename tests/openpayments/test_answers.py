from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.amounts import MAX_VALUE, Amount, Asset
from opdash.openpayments.answers import (
    decode_incoming_payment,
    decode_incoming_payment_page,
    decode_jwks,
    decode_outgoing_payment,
    decode_outgoing_payment_page,
    decode_public_incoming_payment,
    decode_wallet_address,
)
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.resources import utc
from opdash.openpayments.secrets import Secret
from tests.openpayments.bodies import (
    PAYMENT,
    WALLET,
    amount,
    incoming_payment,
    methods,
    outgoing_payment,
    page,
    wallet_address,
)

DECODERS: list[tuple[Callable[[bytes], object], dict[str, Any]]] = [
    (decode_wallet_address, wallet_address()),
    (decode_jwks, {"keys": [{"kid": "k", "x": "A", "alg": "EdDSA", "kty": "OKP"}]}),
    (decode_incoming_payment, incoming_payment(methods=methods())),
    (decode_public_incoming_payment, {"authServer": "https://a.example"}),
    (decode_incoming_payment_page, page(incoming_payment())),
    (decode_outgoing_payment, outgoing_payment()),
    (decode_outgoing_payment_page, page(outgoing_payment())),
]


def as_json(body: object) -> bytes:
    return json.dumps(body).encode()


def culprit(decode: Callable[[bytes], object], body: object) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode(body if isinstance(body, bytes) else as_json(body))
    return caught.value


# What real servers send


def test_an_incoming_payment_of_todays_servers() -> None:
    payment = decode_incoming_payment(as_json(incoming_payment(methods=methods())))
    assert payment.id == PAYMENT
    assert payment.wallet_address == WALLET
    assert payment.incoming_amount == Amount("2500", "USD", 2)
    assert payment.received_amount.minor_units == 0
    assert payment.completed is False
    assert payment.created_at == datetime(2026, 11, 20, 4, 10, 44, 726000, UTC)
    assert payment.expires_at == datetime(2026, 11, 21, 4, 10, 44, tzinfo=UTC)
    assert payment.updated_at is None
    assert payment.metadata["nested"] == {"a": [1, 2, {"b": None}], "t": True}
    assert payment.methods is not None
    assert payment.methods[0].ilp_address == methods()[0]["ilpAddress"]
    assert payment.methods[0].shared_secret == Secret(methods()[0]["sharedSecret"])


def test_the_shared_secret_is_not_shown() -> None:
    payment = decode_incoming_payment(as_json(incoming_payment(methods=methods())))
    assert methods()[0]["sharedSecret"] not in repr(payment)


def test_an_incoming_payment_of_older_servers_has_been_updated() -> None:
    payment = decode_incoming_payment(as_json(incoming_payment(updatedAt="2026-11-20T05:00:00Z")))
    assert payment.updated_at == datetime(2026, 11, 20, 5, tzinfo=UTC)


def test_the_least_an_incoming_payment_may_have() -> None:
    least = incoming_payment()
    for name in ("incomingAmount", "metadata", "expiresAt"):
        del least[name]
    payment = decode_incoming_payment(as_json(least))
    assert (payment.incoming_amount, payment.expires_at, payment.methods) == (None, None, None)
    assert (payment.metadata_json, payment.metadata) == ("", {})


def test_null_means_absent() -> None:
    names = ("incomingAmount", "metadata", "expiresAt", "updatedAt", "methods")
    payment = decode_incoming_payment(as_json(incoming_payment(**dict.fromkeys(names))))
    assert (payment.incoming_amount, payment.metadata) == (None, {})


def test_unknown_fields_and_unknown_methods_are_let_be() -> None:
    unknown = [{"type": "card", "network": {"brand": "x"}}, {"type": "ilp"}, *methods()]
    payment = decode_incoming_payment(
        as_json(incoming_payment(methods=unknown, tomorrow={"x": [1]}, clientId=None))
    )
    assert payment.methods is not None
    assert [method.type for method in payment.methods] == ["card", "ilp", "ilp"]


def test_a_closed_payment_has_no_methods_left() -> None:
    assert decode_incoming_payment(as_json(incoming_payment(methods=[]))).methods == ()


def test_the_metadata_is_kept_as_it_was_sent() -> None:
    sent = b'{"z":1, "a":\t"\\u00e9\\/", "price": 1.10}'
    body = as_json(incoming_payment(metadata="HERE")).replace(b'"HERE"', sent)
    payment = decode_incoming_payment(body)
    assert payment.metadata_json == sent.decode()
    assert payment.metadata == {"z": 1, "a": "é/", "price": Decimal("1.10")}


def test_a_wallet_address() -> None:
    wallet = decode_wallet_address(as_json(wallet_address(extra=1)))
    assert wallet.asset == Asset("USD", 2)
    assert wallet.public_name == "Grace Franklin"
    without_name = wallet_address()
    del without_name["publicName"]
    assert decode_wallet_address(as_json(without_name)).public_name is None


def test_an_outgoing_payment() -> None:
    payment = decode_outgoing_payment(as_json(outgoing_payment()))
    assert payment.debit_amount.minor_units == 1132
    assert payment.metadata == {"description": "paying invoice 42"}
    least = outgoing_payment()
    for name in ("quoteId", "failed", "metadata"):
        del least[name]
    payment = decode_outgoing_payment(as_json(least))
    assert (payment.quote_id, payment.failed, payment.metadata) == (None, False, {})
    spent = outgoing_payment(grantSpentDebitAmount=amount("1132"), updatedAt="2026-11-20T05:00:00Z")
    payment = decode_outgoing_payment(as_json(spent))
    assert payment.grant_spent_debit_amount == Amount("1132", "USD", 2)


def test_what_anyone_may_see() -> None:
    body = {"receivedAmount": amount("15889"), "authServer": "https://auth.example/t"}
    payment = decode_public_incoming_payment(as_json(body))
    assert payment.received_amount == Amount("15889", "USD", 2)
    del body["receivedAmount"]
    assert decode_public_incoming_payment(as_json(body)).received_amount is None


def test_keys_of_any_kind() -> None:
    keys = decode_jwks(b'{"keys":[{"kid":"a","kty":"RSA","n":"x"},{"kid":"b"}]}').keys
    assert [key.kid for key in keys] == ["a", "b"]
    assert decode_jwks(b'{"keys":[]}').keys == ()


def test_pages() -> None:
    body = page(incoming_payment(), hasNextPage=True, startCursor="a", endCursor="b")
    found = decode_incoming_payment_page(as_json(body))
    assert found.pagination.end_cursor == "b"
    assert found.result[0].id == PAYMENT


def test_everything_about_a_page_is_optional() -> None:
    for body in (b"{}", b'{"result":[]}', b'{"pagination":{}}'):
        found = decode_incoming_payment_page(body)
        assert (found.result, found.pagination.has_next_page) == ((), False)


# Values and instants


@given(st.integers(0, MAX_VALUE))
def test_the_whole_range_of_a_value(value: int) -> None:
    payment = decode_incoming_payment(as_json(incoming_payment(receivedAmount=amount(str(value)))))
    assert payment.received_amount.minor_units == value


@given(st.text(max_size=24).filter(lambda text: not (text.isascii() and text.isdecimal())))
def test_a_value_that_is_no_uint64_is_named(text: str) -> None:
    error = culprit(decode_incoming_payment, incoming_payment(incomingAmount=amount(text)))
    assert error.field == "incomingAmount.value"


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1\n", "+1", "-1", "1.0", "1,2", "1,", "1e3", "0x1", "١", "1_0", str(2**64),
     "9" * 20, "9" * 5000],
)  # fmt: skip
def test_bad_values_are_found_in_a_page(value: str) -> None:
    good, bad = incoming_payment(), incoming_payment(receivedAmount=amount(value))
    error = culprit(decode_incoming_payment_page, page(good, bad, good))
    assert error.field == "result[1].receivedAmount.value"
    assert "whole number" in error.sentence


@pytest.mark.parametrize(
    ("instant", "utc_text"),
    [
        ("2026-11-20T04:10:44.672Z", "2026-11-20T04:10:44.672000+00:00"),
        ("2026-11-20T06:10:44+02:00", "2026-11-20T04:10:44+00:00"),
        ("2026-11-20T04:10:44.123456789Z", "2026-11-20T04:10:44.123457+00:00"),
        ("2026-11-20t04:10:44z", "2026-11-20T04:10:44+00:00"),
    ],
)
def test_instants(instant: str, utc_text: str) -> None:
    payment = decode_incoming_payment(as_json(incoming_payment(createdAt=instant)))
    assert utc(payment.created_at).isoformat() == utc_text


# What breaks the protocol


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"incomingAmount": amount(100)}, "incomingAmount.value"),
        ({"incomingAmount": amount(1.0)}, "incomingAmount.value"),
        ({"incomingAmount": amount(None)}, "incomingAmount.value"),
        ({"incomingAmount": amount(scale=300)}, "incomingAmount.assetScale"),
        ({"incomingAmount": amount(scale=-1)}, "incomingAmount.assetScale"),
        ({"incomingAmount": amount(scale=2.5)}, "incomingAmount.assetScale"),
        ({"incomingAmount": amount(scale="2")}, "incomingAmount.assetScale"),
        ({"incomingAmount": amount(scale=True)}, "incomingAmount.assetScale"),
        ({"incomingAmount": "25.00"}, "incomingAmount"),
        ({"receivedAmount": None}, "receivedAmount"),
        ({"completed": "false"}, "completed"),
        ({"completed": 0}, "completed"),
        ({"createdAt": "yesterday"}, "createdAt"),
        ({"createdAt": "2026-11-20T04:10:44"}, "createdAt"),
        ({"createdAt": "2026-13-20T04:10:44Z"}, "createdAt"),
        ({"createdAt": 1795147804}, "createdAt"),
        ({"expiresAt": ""}, "expiresAt"),
        ({"id": 7}, "id"),
        ({"metadata": "text"}, "metadata"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": 5}, "metadata"),
        ({"methods": [{"ilpAddress": "x"}]}, "methods[0]"),
        ({"methods": [{"type": "ilp", "sharedSecret": 5}]}, "methods[0].sharedSecret"),
    ],
)
def test_the_field_that_breaks_the_protocol_is_named(changed: dict[str, Any], field: str) -> None:
    error = culprit(decode_incoming_payment, incoming_payment(**changed))
    assert error.field == field
    assert field in error.sentence
    in_a_page = culprit(
        decode_incoming_payment_page, page(incoming_payment(), incoming_payment(**changed))
    )
    assert in_a_page.field == f"result[1].{field}"


@pytest.mark.parametrize(
    "name", ["id", "walletAddress", "completed", "receivedAmount", "createdAt"]
)
def test_a_missing_field_is_named(name: str) -> None:
    body = incoming_payment()
    del body[name]
    assert f"`{name}`" in culprit(decode_incoming_payment, body).sentence


def test_a_next_page_needs_a_cursor() -> None:
    for pagination in ({"hasNextPage": True}, {"hasNextPage": True, "endCursor": ""}):
        error = culprit(decode_incoming_payment_page, page(incoming_payment(), **pagination))
        assert error.field == "pagination.endCursor"


@pytest.mark.parametrize(
    "changed",
    [
        {"authServer": "http://auth.example"},
        {"authServer": "https://user@auth.example"},
        {"resourceServer": "https://rs.example/?tenant=1"},
        {"resourceServer": "not a url"},
        {"resourceServer": "https://rs.example/a b"},
    ],
)
def test_a_wallet_address_names_only_servers_that_may_be_asked(changed: dict[str, str]) -> None:
    error = culprit(decode_wallet_address, wallet_address(**changed))
    assert error.field in changed


def test_the_amounts_of_an_outgoing_payment_are_checked() -> None:
    for name in ("receiveAmount", "debitAmount", "sentAmount", "grantSpentDebitAmount"):
        error = culprit(decode_outgoing_payment, outgoing_payment(**{name: amount("1.0")}))
        assert error.field == f"{name}.value"


@pytest.mark.parametrize("decode", [decode for decode, _ in DECODERS])
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe{}", b"[" * 100_000, b"{}" * 2]
)
def test_what_is_no_answer_at_all(decode: Callable[[bytes], object], body: bytes) -> None:
    assert culprit(decode, body).sentence


def test_a_web_page_is_called_one() -> None:
    error = culprit(decode_wallet_address, b"\n<!doctype html><title>Sign in</title>")
    assert "web page" in error.sentence
    assert "sign in" in error.advice


@pytest.mark.parametrize(("decode", "sound"), DECODERS)
@given(data=st.data())
def test_answers_that_are_slightly_wrong_never_break_it(
    decode: Callable[[bytes], object], sound: dict[str, Any], data: st.DataObject
) -> None:
    body = bytearray(as_json(sound))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(ProtocolError):
        decode(bytes(body))


# Metadata that somebody wrote with malice


def page_with(metadata: bytes) -> bytes:
    return as_json(
        page(incoming_payment(metadata="HERE"), incoming_payment(id="https://x/2"))
    ).replace(b'"HERE"', metadata, 1)


@pytest.mark.parametrize(
    "metadata",
    [
        b'{"a":"\\ud800"}',
        b'{"a":"\\udfff\\ud800x"}',
        b'{"\\uDBFF":1}',
        b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' + b'{"b":' * 3000 + b"1" + b"}" * 3000 + b"}",
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1e999999999999999999999}',
        b'{"a":"\\u0000\\u202e\\u001b[2J"}',
    ],
    ids=["lone", "swapped", "key", "arrays", "objects", "inf", "digits", "exponent", "control"],
)
def test_one_payments_metadata_does_not_hide_the_page(metadata: bytes) -> None:
    found = decode_incoming_payment_page(page_with(metadata))
    assert [payment.id for payment in found.result] == [PAYMENT, "https://x/2"]
    assert found.result[0].metadata
    found.result[0].metadata_json.encode()


def test_half_a_character_is_replaced_and_whole_ones_stay() -> None:
    metadata = b'{"a":"\\ud800 \\ud83d\\ude00 \\\\ud800 \\n \\u00e9"}'
    assert decode_incoming_payment_page(page_with(metadata)).result[0].metadata == {
        "a": "\ufffd 😀 \\ud800 \n é"
    }


@pytest.mark.parametrize("levels", [250, 900, 5000])
def test_what_nests_too_deeply_is_cut_and_the_rest_stays(levels: int) -> None:
    opened, closed = b'[{"x":' * (levels // 2), b"}]" * (levels // 2)
    metadata = b'{"before":1,"deep":' + opened + b"7" + closed + b',"after":"]["}'
    found = decode_incoming_payment_page(page_with(metadata)).result[0]
    single = decode_incoming_payment(
        as_json(incoming_payment(metadata=0)).replace(b'"metadata": 0', b'"metadata": ' + metadata)
    )
    for payment in (found, single):
        assert (payment.metadata["before"], payment.metadata["after"]) == (1, "][")
        assert "…" in str(payment.metadata["deep"])
        assert json.loads(payment.metadata_json) == payment.metadata


def test_wide_metadata_is_not_cut() -> None:
    wide = {"rows": [{"n": [number]} for number in range(500)], "text": "[" * 1000}
    sent = json.dumps(wide).encode()
    found = decode_incoming_payment_page(page_with(sent)).result[0]
    assert found.metadata == wide
    assert found.metadata_json == sent.decode()


def test_bytes_that_are_no_text_are_refused() -> None:
    assert culprit(decode_incoming_payment_page, page_with(b'{"a":"\xff"}')).sentence


def test_a_page_of_outgoing_payments_is_checked_row_by_row() -> None:
    found = decode_outgoing_payment_page(as_json(page(outgoing_payment(), outgoing_payment())))
    assert [payment.failed for payment in found.result] == [False, False]
    broken = page(outgoing_payment(), outgoing_payment(sentAmount=amount("-1")))
    assert culprit(decode_outgoing_payment_page, broken).field == "result[1].sentAmount.value"
    broken = page(outgoing_payment(), outgoing_payment(receiver=7))
    assert culprit(decode_outgoing_payment_page, broken).field == "result[1].receiver"
    lost = page(outgoing_payment()) | {"pagination": {"hasNextPage": True}}
    assert culprit(decode_outgoing_payment_page, lost).field == "pagination.endCursor"


def test_one_outgoing_payment_that_nests_too_deeply_does_not_hide_its_page() -> None:
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    body = as_json(page(outgoing_payment(metadata={"x": "DEEP"}), outgoing_payment()))
    found = decode_outgoing_payment_page(body.replace(b'"DEEP"', deep))
    assert len(found.result) == 2
    assert "x" in found.result[0].metadata
