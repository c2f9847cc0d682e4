"""Signing requests: against the general library for HTTP signatures, and the bare signature."""

from __future__ import annotations

from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from opdash.openpayments.canonical import canonical_json
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.signatures import content_digest, sign_request, signature_base
from tests.bench.figures import Bar, Figure, best_seconds

_CREATED = 1_795_147_804
_TOKEN = "GNAP AC6EE2D0905E398EB145"
_SERVER = "https://wallet.example/438fa74a-fa7d-4317-9ced-dde32ece1787/incoming-payments"
_LIST_URL = f"{_SERVER}?wallet-address=https%3A%2F%2Fwallet.example%2Frosa&first=100"
_BODY = canonical_json(
    {
        "walletAddress": "https://wallet.example/rosa",
        "incomingAmount": {"value": "2500", "assetCode": "EUR", "assetScale": 2},
        "metadata": {"description": "Order #123", "externalRef": "INV-2026-0412"},
    }
)
_PRIVATE = Ed25519PrivateKey.generate()
_KEY = ClientKey(_PRIVATE, "till-1")


class _Resolver(HTTPSignatureKeyResolver):
    """Hands out the loaded key, as the fastest use of the library does."""

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return _PRIVATE


_SIGNER = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Resolver())


def _sign_get() -> object:
    return sign_request(_KEY, "GET", _LIST_URL, created=_CREATED, authorization=_TOKEN)


def _sign_post() -> object:
    return sign_request(_KEY, "POST", _SERVER, created=_CREATED, authorization=_TOKEN, body=_BODY)


def _general_get() -> object:
    message = SimpleNamespace(method="GET", url=_LIST_URL, headers={"Authorization": _TOKEN})
    _SIGNER.sign(
        message,
        key_id="till-1",
        label="sig1",
        include_alg=False,
        covered_component_ids=("@method", "@target-uri", "authorization"),
    )
    return message


def _general_post() -> object:
    headers = {
        "Authorization": _TOKEN,
        "Content-Digest": content_digest(_BODY),
        "Content-Length": str(len(_BODY)),
        "Content-Type": "application/json",
    }
    message = SimpleNamespace(method="POST", url=_SERVER, headers=headers)
    _SIGNER.sign(
        message,
        key_id="till-1",
        label="sig1",
        include_alg=False,
        use_existing_digest=True,
        covered_component_ids=(
            "@method",
            "@target-uri",
            "authorization",
            "content-digest",
            "content-length",
            "content-type",
        ),
    )
    return message


def _times_faster_get() -> float:
    own, general = best_seconds(_sign_get, _general_get)
    return general / own


def _times_faster_post() -> float:
    own, general = best_seconds(_sign_post, _general_post)
    return general / own


def _overhead() -> float:
    """The costlier request, with a body, over a bare signature of the very same bytes."""
    headers = sign_request(
        _KEY, "POST", _SERVER, created=_CREATED, authorization=_TOKEN, body=_BODY
    )
    parameters = headers["Signature-Input"].removeprefix("sig1=")
    values = {
        "@method": "POST",
        "@target-uri": _SERVER,
        **{name.lower(): value for name, value in headers.items()},
    }
    names = [name.strip('"') for name in parameters[1 : parameters.index(")")].split(" ")]
    base = signature_base([(name, values[name]) for name in names], parameters)
    own, bare = best_seconds(_sign_post, lambda: _PRIVATE.sign(base))
    return own / bare


FIGURES = (
    Figure("sign_get", "× http-message-signatures", Bar.AT_LEAST, 6.0, _times_faster_get),
    Figure("sign_post", "× http-message-signatures", Bar.AT_LEAST, 8.0, _times_faster_post),
    Figure("sign_overhead", "× one bare Ed25519 signature", Bar.AT_MOST, 1.3, _overhead),
)
