"""What a person wants to be paid: checked before anything is sent, and shown as it will be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opdash.errors import InputError
from opdash.openpayments.amounts import MAX_CREATE_VALUE, Amount, AmountError, format_minor
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.resources import WalletAddress, utc

REQUEST_ID_KEY = "opdashRequestId"
"""The metadata key under which opdash recognises a payment that it asked for itself."""

MAX_EXPIRY = timedelta(days=30)
"""Real servers refuse an expiry further ahead."""

MAX_METADATA_BYTES = 64 * 1024
"""Proxies in front of real servers refuse much larger bodies."""

_RESERVED = (REQUEST_ID_KEY,)


class ExpiryError(InputError):
    """An expiry lies in the past or too far ahead."""


class DraftMetadataError(InputError):
    """A metadata key is empty, given twice or taken; or there is too much of it."""


@dataclass(frozen=True, slots=True)
class PaymentDraft:
    """An incoming payment that a person wants to create.

    Attributes:
        amount: Minor units in the wallet address's asset; None to leave the amount open.
        description: What the payer reads, or empty.
        reference: The merchant's own reference (``externalRef``), or empty.
        expires_at: An aware instant, or None for the server's own limit (30 days).
        metadata: Further keys; ``description``, ``externalRef`` and opdash's own are taken.
    """

    amount: int | None = None
    description: str = ""
    reference: str = ""
    expires_at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


def check_draft(draft: PaymentDraft, now: datetime) -> None:
    """Check everything about a draft that can be checked before the server is asked.

    Args:
        draft: What is to be created.
        now: The server's present instant, UTC.

    Raises:
        AmountError: The amount is zero, negative or beyond 2^63−1 minor units.
        ExpiryError: The expiry is past or more than 30 days ahead.
        DraftMetadataError: A key is empty, reserved or given twice.
    """
    if draft.amount is not None:
        _check_amount(draft.amount)
    if draft.expires_at is not None:
        check_expiry(draft.expires_at, now)
    _check_metadata(draft)


def check_expiry(expires_at: datetime, now: datetime) -> None:
    """Raise `ExpiryError` unless an expiry lies between now and 30 days ahead."""
    if utc(expires_at) <= now:
        raise ExpiryError("The expiry lies in the past.", "Choose a later date or time.")
    if utc(expires_at) > now + MAX_EXPIRY:
        raise ExpiryError(
            "The expiry is more than 30 days ahead; servers refuse that.",
            "Choose an earlier date, or leave it empty for the server's own limit.",
        )


def draft_metadata(draft: PaymentDraft, request_id: str) -> dict[str, object]:
    """Return the whole metadata object that a draft is sent with."""
    metadata: dict[str, object] = {}
    if draft.description:
        metadata["description"] = draft.description
    if draft.reference:
        metadata["externalRef"] = draft.reference
    metadata.update(draft.metadata)
    metadata[REQUEST_ID_KEY] = request_id
    return metadata


def wire_draft(draft: PaymentDraft, wallet: WalletAddress, request_id: str) -> IncomingPaymentDraft:
    """Return a draft as the protocol sends it."""
    return IncomingPaymentDraft(
        amount=None if draft.amount is None else Amount.of(draft.amount, wallet.asset),
        expires_at=draft.expires_at,
        metadata=draft_metadata(draft, request_id),
    )


def draft_json(draft: PaymentDraft, wallet: WalletAddress, request_id: str = "…") -> str:
    """Return the JSON object that creating a draft sends, indented for reading."""
    shown = wire_draft(draft, wallet, request_id).as_object(wallet)
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _check_amount(amount: int) -> None:
    if amount <= 0:
        raise AmountError(
            "The amount must be greater than zero.", "Leave it empty to let the payer choose."
        )
    if amount > MAX_CREATE_VALUE:
        raise AmountError(
            "The amount is too large.",
            f"Servers store at most {format_minor(MAX_CREATE_VALUE, 0, grouped=True)} minor units.",
        )


def _check_metadata(draft: PaymentDraft) -> None:
    for key in draft.metadata:
        if not key.strip():
            raise DraftMetadataError("A metadata key is empty.", "Name it, or remove the row.")
        if key in _RESERVED:
            raise DraftMetadataError(
                f"The metadata key “{key}” is opdash's own.", "Choose another."
            )
        taken = (key == "description" and draft.description) or (
            key == "externalRef" and draft.reference
        )
        if taken:
            raise DraftMetadataError(
                f"The metadata key “{key}” is given twice.", "Remove the row, or empty the field."
            )
    size = len(json.dumps(draft_metadata(draft, ""), ensure_ascii=False).encode("utf-8", "replace"))
    if size > MAX_METADATA_BYTES:
        raise DraftMetadataError(
            "The metadata is larger than 64 kB, which servers refuse.", "Shorten it."
        )
