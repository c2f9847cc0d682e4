"""Why a signed request was refused: what was signed, what the server saw, which rule is broken.

The signature is verified here as the server should do it, with the key that it should use. Where it
fits, the server saw another request than the one that was sent, or goes by an older key: the same
request is signed for what it may have seen, one guess after the other, until the server takes one.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature

from opdash.openpayments.canonical import reserialised
from opdash.openpayments.errors import InvalidClientError, OpenPaymentsError, ServerError
from opdash.openpayments.keys import ClientKey, public_key_from_jwk
from opdash.openpayments.resources import Jwk, Jwks, utc
from opdash.openpayments.secrets import MASK, Secret
from opdash.openpayments.signatures import content_digest
from opdash.openpayments.traces import Trace
from opdash.openpayments.transport import Transport
from opdash.safetext import safe_text
from opdash.service.doctor.case import Case
from opdash.service.doctor.identifying import TOLERANCE, key_in_words, key_mismatch
from opdash.service.doctor.steps import Finding
from opdash.service.doctor.trying import Attempt, guesses

_SAME = "the same request"


class Verdict(NamedTuple):
    """What is broken.

    Attributes:
        rule: Which rule, and how.
        seen: What the server most likely saw, a line each.
        advice: What to do.
    """

    rule: str
    seen: tuple[str, ...]
    advice: str


async def explained(case: Case, error: ServerError, token: Secret | None = None) -> Finding:
    """Return what is to be told about a signed request that was refused.

    Args:
        case: Who asked; the request is the last one of its traces.
        error: How the server refused.
        token: The token that was sent along.
    """
    trace, key, served = case.traces[-1], case.key, case.jwks
    assert key is not None  # noqa: S101 - nothing was signed without it
    assert served is not None  # noqa: S101 - JWKS came before
    verdict = (
        judged(trace, key, served, token)
        or _nameless(case, error)
        or await _guessed(case, trace, token)
        or _unexplained(key.key_id)
    )
    signed = (trace.signature_base or "").splitlines()
    lines = (
        "opdash signed (the signature base):",
        *(f"  {safe_text(line)}" for line in signed),
        "The server most likely saw:",
        *(f"  {safe_text(line, limit=300)}" for line in verdict.seen),
        f"Broken rule: {verdict.rule}",
    )
    return Finding(False, error.sentence, verdict.advice, lines, error.exit_code)


def judged(trace: Trace, key: ClientKey, served: Jwks, token: Secret | None) -> Verdict | None:
    """Return which rule our own request breaks, as far as that can be seen from here.

    Args:
        trace: The request.
        key: What it was signed with.
        served: What the client's ``jwks.json`` lists.
        token: The token that was sent along.
    """
    wrong = key_mismatch(key.public_jwk(), served)
    if wrong is not None:
        listed = tuple(f"  {key_in_words(one)}" for one in served.keys) or ("  no key at all",)
        return Verdict(
            "“keyid” must name a key that the client's jwks.json serves, and the signature must "
            f"fit that key. {wrong.found}",
            (f"{_SAME}, signed as “{key.key_id}”, and these keys of the client:", *listed),
            wrong.advice,
        )
    if not signature_fits(trace, Jwk(**key.public_jwk()), token):
        return Verdict(
            "the signature must fit the signature base, and opdash's own does not.",
            (_SAME,),
            "This is a mistake of opdash: report it together with what --verbose prints.",
        )
    return _digest(trace) or _created(trace)


def signature_fits(trace: Trace, jwk: Jwk, token: Secret | None) -> bool:
    """Return whether the signature of a request fits it, by a public key."""
    base = trace.signature_base or ""
    if token is not None:
        base = base.replace(f"GNAP {MASK}", f"GNAP {token.reveal()}", 1)
    try:
        signature = base64.b64decode(trace.sent_header("signature").split(":")[1])
        public_key_from_jwk(jwk).verify(signature, base.encode())
    except (InvalidSignature, OpenPaymentsError, ValueError, IndexError):
        return False
    return True


def _digest(trace: Trace) -> Verdict | None:
    if trace.body is None or MASK in trace.body or trace.body_cut:
        return None
    body = trace.body.encode()
    canonical = reserialised(body)
    sent = trace.sent_header("content-digest")
    if canonical is not None and content_digest(canonical) == sent:
        return None
    return Verdict(
        "“content-digest” must be that of the body as JSON.stringify(JSON.parse(body)) writes it.",
        (f'"content-digest": {content_digest(canonical or b"")}',),
        "This is a mistake of opdash: report it together with what --verbose prints.",
    )


def _created(trace: Trace) -> Verdict | None:
    created, server = _created_at(trace), _date(trace.header("date"))
    if created is None or server is None or abs(created - server) <= TOLERANCE:
        return None
    return Verdict(
        "“created” must be close to the server's own time; some servers refuse what is not.",
        (f"{_SAME}, created {created:%H:%M:%S} UTC, at {server:%H:%M:%S} UTC by its own clock",),
        "Let this machine's clock be set by the network, and tell the provider if it is right.",
    )


def _created_at(trace: Trace) -> datetime | None:
    value = trace.sent_header("signature-input").partition(";created=")[2].partition(";")[0]
    return datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else None


def _date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return utc(date) if date.tzinfo is not None else None


def _nameless(case: Case, error: ServerError) -> Verdict | None:
    client = case.client_wallet
    if client is None or client.public_name or not isinstance(error, InvalidClientError):
        return None
    return Verdict(
        "a client must have a public name (publicName) at its wallet address.",
        (f"{_SAME}, of a client without a name: {client.id}",),
        "Give the client's wallet address a public name at its provider.",
    )


async def _guessed(case: Case, trace: Trace, token: Secret | None) -> Verdict | None:
    """Sign the same request for what the server may have seen, until it takes one."""
    transport = Transport(
        case.clock, ca_file=case.profile.ca_file, observer=case.observer, timeout=case.patience
    )
    try:
        attempt = Attempt(case, transport)
        for guess in guesses(trace, "" if case.wallet is None else case.wallet.id):
            if await attempt.is_taken(trace, guess, token):
                return Verdict(
                    "“@target-uri” must be the URL that the server sees, and it sees it "
                    f"{guess.words}: signed so, the same request was taken.",
                    (f'"@target-uri": {guess.change(trace.url)}',),
                    "Something between opdash and the server, such as a proxy, changes the URL. "
                    "Whoever runs it must pass scheme, host and path on as they came "
                    "(Host, X-Forwarded-Proto): tell the wallet's provider.",
                )
    finally:
        await transport.aclose()
    return None


def _unexplained(key_id: str) -> Verdict:
    older = "the same request, with an older copy of the client's keys, if the key is new: "
    changed = "or a request that something on the way has changed, in none of the usual ways"
    return Verdict(
        "none that can be seen from here: the signature fits what opdash sent, by the key that "
        "jwks.json serves.",
        (f"{older}“{safe_text(key_id, limit=60)}”;", changed),
        "If the key was registered or replaced minutes ago, try again a little later: servers keep "
        "keys for a while. Otherwise give this report to the wallet's provider.",
    )
