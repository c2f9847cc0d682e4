"""The signature of a web hook: who sent it, when, and that nobody changed it.

It is the one of the Standard Webhooks convention, so that receivers find a library for it: HMAC
with SHA-256 over ``<webhook-id>.<webhook-timestamp>.<body>``, in base64 after ``v1,``. While a
secret is being replaced, two signatures stand in the header, divided by a blank.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from opdash.errors import InputError
from opdash.openpayments.secrets import Secret

PREFIX: Final = "whsec_"
"""What a secret begins with."""

_BYTES: Final = 32
_BOUNDS: Final = (24, 64)


def new_secret() -> Secret:
    """Return a secret that nobody else has."""
    return Secret(PREFIX + base64.b64encode(os.urandom(_BYTES)).decode())


def read_secret(text: str) -> Secret:
    """Read a secret from text, blanks around it left out.

    Raises:
        InputError: It is none; the sentence does not repeat it.
    """
    secret = Secret(text.strip())
    key = _key(secret)
    if key is None or not _BOUNDS[0] <= len(key) <= _BOUNDS[1]:
        raise InputError(
            f"This is no secret for web hooks: {PREFIX} and then 24 to 64 bytes in base64.",
            "Make one with “opdash hooks secret --new”.",
        )
    return secret


def headers(
    letter_id: str, body: bytes, at: datetime, secrets: Sequence[Secret]
) -> Mapping[str, str]:
    """Return the headers that vouch for a body.

    Args:
        letter_id: Names the event.
        body: Exactly the bytes that are sent.
        at: When they are sent.
        secrets: The secret, and the former one while that is being replaced.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((letter_id.encode(), timestamp.encode(), body))
    signatures = [
        base64.b64encode(hmac.new(_key(secret) or b"", signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": letter_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: Secret) -> bytes | None:
    text = secret.reveal()
    if not text.startswith(PREFIX):
        return None
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
