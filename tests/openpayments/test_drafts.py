from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from opdash.openpayments.amounts import MAX_CREATE_VALUE, Amount, AmountError
from opdash.openpayments.canonical import MetadataError
from opdash.openpayments.drafts import IncomingPaymentDraft, wire_instant
from opdash.openpayments.resources import WalletAddress

WALLET = WalletAddress("https://w.example/rosa", "EUR", 2, "https://a.example", "https://r.example")


def test_the_body_is_what_a_real_server_was_sent() -> None:
    draft = IncomingPaymentDraft(
        amount=Amount("2500", "EUR", 2),
        expires_at=datetime(2026, 11, 21, 4, 10, 44, tzinfo=UTC),
        metadata={"description": "Café ☕", "2": "b", "1": "a"},
    )
    assert draft.body(WALLET).decode() == (
        '{"walletAddress":"https://w.example/rosa",'
        '"incomingAmount":{"value":"2500","assetCode":"EUR","assetScale":2},'
        '"expiresAt":"2026-11-21T04:10:44.000Z",'
        '"metadata":{"1":"a","2":"b","description":"Café ☕"}}'
    )
    assert json.loads(draft.body(WALLET)) == draft.as_object(WALLET)


def test_what_is_left_open_is_not_sent() -> None:
    assert IncomingPaymentDraft().body(WALLET) == b'{"walletAddress":"https://w.example/rosa"}'


def test_an_instant_is_sent_in_utc_with_milliseconds() -> None:
    here = timezone(timedelta(hours=2))
    assert wire_instant(datetime(2026, 1, 2, 1, 4, 5, 678901, here)) == "2026-01-01T23:04:05.678Z"


@pytest.mark.parametrize(
    "amount",
    [
        Amount("2500", "USD", 2),
        Amount("2500", "EUR", 9),
        Amount("0", "EUR", 2),
        Amount(str(MAX_CREATE_VALUE + 1), "EUR", 2),
    ],
)
def test_an_amount_that_a_server_would_refuse_is_not_sent(amount: Amount) -> None:
    with pytest.raises(AmountError):
        IncomingPaymentDraft(amount=amount).body(WALLET)


def test_the_largest_amount_is_sent() -> None:
    draft = IncomingPaymentDraft(amount=Amount(str(MAX_CREATE_VALUE), "EUR", 2))
    assert b'"value":"9223372036854775807"' in draft.body(WALLET)


def test_metadata_that_would_break_the_signature_is_not_sent() -> None:
    with pytest.raises(MetadataError):
        IncomingPaymentDraft(metadata={"price": 12.5}).body(WALLET)
