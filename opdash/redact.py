"""The one place where secrets are taken out of text before it is written anywhere.

Secrets have a type that prints as ``•••`` (`opdash.openpayments.secrets.Secret`); this is the
second line of defence, for text that was made elsewhere: a traceback, an error body, a header.
"""

from __future__ import annotations

import re

from opdash.openpayments.secrets import MASK

_NAMES = (
    "access_token|sharedSecret|shared_secret|interact_ref|nonce|hash|token|private_key|d|"
    "passphrase|password|secret"
)
_RULES = (
    re.compile(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"(?i)(\bGNAP\s+)(?!as_uri)[^\s\"',;]+()"),
    re.compile(r"(?i)(\bBearer\s+)[^\s\"',;]+()"),
    re.compile(r"(\bsig1=:)[^:]*(:?)"),
    re.compile(rf"([\"'](?:{_NAMES})[\"']\s*:\s*[\"'])(?:[^\"'\\]|\\.)*([\"']?)"),
    # a token's value is told from an amount's by not being a whole number
    re.compile(r"([\"']value[\"']\s*:\s*[\"'])(?![0-9]{1,20}[\"'])(?:[^\"'\\]|\\.)*([\"']?)"),
    re.compile(r"((?:^|[?&\s])(?:interact_ref|hash|nonce|token)=)[^&\s\"']+()"),
)


def redact(text: str) -> str:
    """Return a text with every token, signature, private key and shared secret masked."""
    for rule in _RULES:
        text = rule.sub(rf"\g<1>{MASK}\g<2>", text)
    return text
