"""What may be sent, and how it is shown beforehand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from opdash.openpayments.amounts import MAX_CREATE_VALUE, AmountError
from opdash.openpayments.drafts import wire_instant
from opdash.openpayments.resources import WalletAddress
from opdash.service.drafts import (
    REQUEST_ID_KEY,
    DraftMetadataError,
    ExpiryError,
    PaymentDraft,
    check_draft,
    draft_json,
    draft_metadata,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WALLET = WalletAddress(
    id="https://ilp.example/rosa",
    asset_code="USD",
    asset_scale=2,
    auth_server="https://auth.example",
    resource_server="https://ilp.example",
)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_than_nothing_are_refused(amount: int) -> None:
    with pytest.raises(AmountError, match="greater than zero"):
        check_draft(PaymentDraft(amount=amount), NOW)


def test_the_largest_amount_that_servers_store_is_the_limit() -> None:
    check_draft(PaymentDraft(amount=MAX_CREATE_VALUE), NOW)
    with pytest.raises(AmountError, match="too large"):
        check_draft(PaymentDraft(amount=MAX_CREATE_VALUE + 1), NOW)


def test_an_expiry_lies_between_now_and_thirty_days() -> None:
    check_draft(PaymentDraft(expires_at=NOW + timedelta(days=30)), NOW)
    check_draft(PaymentDraft(expires_at=NOW + timedelta(seconds=1)), NOW)
    with pytest.raises(ExpiryError, match="past"):
        check_draft(PaymentDraft(expires_at=NOW), NOW)
    with pytest.raises(ExpiryError, match="30 days"):
        check_draft(PaymentDraft(expires_at=NOW + timedelta(days=30, seconds=1)), NOW)


def test_a_key_that_a_field_fills_cannot_be_given_again() -> None:
    for key in ("description", "externalRef"):
        draft = PaymentDraft(description="tea", reference="INV-1", metadata={key: "other"})
        with pytest.raises(DraftMetadataError, match="given twice"):
            check_draft(draft, NOW)


def test_the_request_id_is_opdashs_own() -> None:
    with pytest.raises(DraftMetadataError, match="opdash's own"):
        check_draft(PaymentDraft(metadata={REQUEST_ID_KEY: "mine"}), NOW)


@pytest.mark.parametrize("key", ["", "  "])
def test_a_key_has_a_name(key: str) -> None:
    with pytest.raises(DraftMetadataError, match="empty"):
        check_draft(PaymentDraft(metadata={key: "value"}), NOW)


def test_metadata_that_proxies_would_refuse_is_refused_here() -> None:
    with pytest.raises(DraftMetadataError, match="64 kB"):
        check_draft(PaymentDraft(metadata={"note": "x" * 70_000}), NOW)


def test_the_preview_is_the_request() -> None:
    draft = PaymentDraft(
        amount=1250,
        description="Tea",
        reference="INV-1",
        expires_at=datetime(2026, 11, 21, 14, 0, tzinfo=timezone(timedelta(hours=2))),
        metadata={"orderId": 7},
    )
    assert json.loads(draft_json(draft, WALLET, "id-1")) == {
        "walletAddress": "https://ilp.example/rosa",
        "incomingAmount": {"value": "1250", "assetCode": "USD", "assetScale": 2},
        "expiresAt": "2026-11-21T12:00:00.000Z",
        "metadata": {
            "description": "Tea",
            "externalRef": "INV-1",
            "orderId": 7,
            REQUEST_ID_KEY: "id-1",
        },
    }


def test_an_open_amount_and_no_expiry_are_left_out() -> None:
    assert set(json.loads(draft_json(PaymentDraft(), WALLET))) == {"walletAddress", "metadata"}
    assert draft_metadata(PaymentDraft(), "id-1") == {REQUEST_ID_KEY: "id-1"}


def test_instants_travel_in_utc_with_milliseconds() -> None:
    assert wire_instant(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)) == (
        "2026-01-02T03:04:05.678Z"
    )
