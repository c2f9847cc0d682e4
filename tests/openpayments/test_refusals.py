from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.errors import ExitCode
from opdash.openpayments import errors
from opdash.openpayments.judgements import Server
from opdash.openpayments.refusals import refusal_error, retry_after
from tests.openpayments.bodies import AUTH, PAYMENT

NOW = datetime(2026, 11, 20, 4, 10, 4, tzinfo=UTC)
GONE = {"id": "9db5967c-0a68-4b2f-a09e-e7e38d941a4f", "description": "Failed to get wallet address"}
KEYS = {"client": {"walletAddress": "https://c"}, "keyIdInSignature": "nope", "clientKeys": []}
INVALID = "Signature validation error: provided signature is invalid"
OPENAPI = "Received error validating OpenAPI request: "
GNAP = {"www-authenticate": f"GNAP as_uri={AUTH}"}


def refused(
    status: int,
    body: object,
    *,
    server: Server = Server.RESOURCE,
    headers: dict[str, str] | None = None,
    url: str = PAYMENT,
    with_token: bool = True,
) -> errors.ServerError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json; charset=utf-8"} | (headers or {})
    return refusal_error(server, url, status, fields, content, with_token=with_token, now=NOW)


def rs(status: int, description: str, /, **details: object) -> dict[str, object]:
    error: dict[str, object] = {"code": str(status), "description": description}
    return {"error": error | ({"details": details} if details else {})}


def auth(code: str | None, description: str) -> dict[str, object]:
    return {"error": ({"code": code} if code else {}) | {"description": description}}


# What a real resource server answered, and what it means


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, rs(403, "Inactive Token"), errors.InactiveTokenError),
        (403, rs(403, "Insufficient Grant"), errors.InsufficientGrantError),
        (401, rs(401, "Invalid Token"), errors.InvalidTokenError),
        (401, rs(401, "Missing or invalid authorization header value"), errors.InvalidTokenError),
        (401, rs(401, INVALID, keyIdInSignature="k"), errors.SignatureRefusedError),
        (
            401,
            rs(
                401, "Signature validation error: could not find key in list of client keys", **KEYS
            ),
            errors.SignatureRefusedError,
        ),
        (
            401,
            rs(401, "Signature validation error: could not retrieve client keys", **KEYS),
            errors.SignatureRefusedError,
        ),
        (
            401,
            rs(401, "Signature validation error: missing keyId in signature input"),
            errors.SignatureRefusedError,
        ),
        (
            400,
            rs(400, OPENAPI + "must have required property 'signature-input'"),
            errors.SignatureRefusedError,
        ),
        (
            400,
            rs(400, OPENAPI + "must have required property 'signature'"),
            errors.SignatureRefusedError,
        ),
        (401, rs(401, "Unauthorized", **GONE), errors.GoneError),
        (404, rs(404, "Incoming payment does not exist", **GONE), errors.NotFoundError),
        (404, rs(404, "unknown wallet address"), errors.NotFoundError),
        (404, b"Not Found", errors.NotFoundError),
        (409, rs(409, "wrong state"), errors.ConflictError),
        (400, rs(400, "invalid expiresAt"), errors.ServerError),
        (400, rs(400, "invalid amount"), errors.ServerError),
        (400, rs(400, "Could not get wallet address"), errors.ServerError),
        (400, rs(400, OPENAPI + "first must be <= 100"), errors.ServerError),
        (406, rs(406, OPENAPI + "Must accept application/json"), errors.ServerError),
        (413, b"<html><head><title>413 Request Entity Too Large", errors.ServerError),
        (429, b"", errors.TooManyRequestsError),
        (500, b"Internal Server Error", errors.ServerFaultError),
        (502, b"<html>\n<head><title>502 Bad Gateway</title></head>", errors.ServerFaultError),
        (599, b"", errors.ServerFaultError),
        (301, b"", errors.ServerError),
        (418, b"", errors.ServerError),
        (600, b"", errors.ServerFaultError),
    ],
)
def test_what_a_resource_server_means(
    status: int, body: object, kind: type[errors.ServerError]
) -> None:
    error = refused(status, body)
    assert type(error) is kind
    assert error.status == status
    assert error.sentence.endswith(".")
    assert error.advice.endswith(".")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, auth("invalid_client", "could not determine client"), errors.InvalidClientError),
        (401, auth("invalid_client", "invalid signature"), errors.SignatureRefusedError),
        (401, auth("invalid_client", "invalid signature headers"), errors.SignatureRefusedError),
        (401, auth("invalid_client", "invalid access token"), errors.ContinuationError),
        (
            400,
            auth("invalid_request", "missing required request field 'interact'"),
            errors.InteractionNeededError,
        ),
        (400, auth("invalid_request", "access identifier required"), errors.GrantError),
        (400, auth("invalid_request", "subject or access_token required"), errors.GrantError),
        (
            400,
            auth(None, OPENAPI + "body.access_token.access.0.type must be equal to one of"),
            errors.GrantError,
        ),
        (
            400,
            auth(None, OPENAPI + "body.interact.start.0 must be equal to one of the allowed"),
            errors.GrantError,
        ),
        (400, auth("too_fast", 'polled grant faster than "wait" period'), errors.TooFastError),
        (401, auth("request_denied", "grant cannot be polled"), errors.GrantDeniedError),
        (400, auth("user_denied", ""), errors.GrantDeniedError),
        (404, auth("invalid_continuation", "grant not found"), errors.ContinuationError),
        (400, auth("invalid_rotation", "x"), errors.ContinuationError),
        (404, auth("invalid_request", "Not Found"), errors.NotFoundError),
        (404, b"Not Found", errors.NotFoundError),
        (400, {"error": "invalid_client"}, errors.InvalidClientError),
        (400, {"error": "too_fast", "error_description": "slow"}, errors.TooFastError),
        (403, b"", errors.GrantError),
        (429, b"", errors.TooManyRequestsError),
        (502, b"<html>", errors.ServerFaultError),
    ],
)
def test_what_an_authorization_server_means(
    status: int, body: object, kind: type[errors.ServerError]
) -> None:
    error = refused(status, body, server=Server.AUTHORIZATION, url=AUTH)
    assert type(error) is kind
    assert error.sentence.endswith(".")
    assert error.advice.endswith(".")


# What is kept, and what is shown


def test_everything_is_kept_for_diagnosis() -> None:
    error = refused(401, rs(401, "Invalid Token", more=[1]), headers=GNAP)
    assert (error.code, error.description) == ("401", "Invalid Token")
    assert error.details == {"more": [1]}
    assert error.www_authenticate == f"GNAP as_uri={AUTH}"


@pytest.mark.parametrize(
    ("server", "status", "kind"),
    [
        (Server.AUTHORIZATION, 403, errors.GrantError),
        (Server.AUTHORIZATION, 404, errors.NotFoundError),
        (Server.RESOURCE, 403, errors.NotPermittedError),
        (Server.RESOURCE, 404, errors.NotFoundError),
        (Server.RESOURCE, 400, errors.ServerError),
    ],
)
def test_a_web_page_is_told_as_one(
    server: Server, status: int, kind: type[errors.ServerError]
) -> None:
    for body, content_type in ((b"<!doctype html>", "text/plain"), (b"Blocked", "text/html")):
        headers = {"content-type": content_type}
        error = refused(status, body, server=server, headers=headers, with_token=False)
        assert type(error) is kind
        assert error.sentence.startswith(f"Instead of the {server.value} a web page answered (4")
        assert "network" in error.advice
        assert error.code == ""


def test_the_servers_words_are_made_harmless() -> None:
    error = refused(400, rs(400, "\x1b[2J[bold]" + "x" * 5000))
    assert error.description.startswith("\x1b[2J[bold]")
    assert len(error.description) <= 2000
    assert "\x1b" not in str(error)
    assert len(str(error)) < 400


def test_plain_text_is_quoted_and_a_web_page_is_not() -> None:
    plain = refused(400, b"Bad Request\nmore", headers={"content-type": "text/plain"})
    assert plain.description == "Bad Request"
    assert "“Bad Request”" in plain.sentence
    for content_type in ("text/html", "application/json"):
        page = refused(404, b"<html><b>Sign in", headers={"content-type": content_type})
        assert page.description == ""
        assert "<" not in str(page)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"5", b'{"error":5}', b'{"error":null}',
                                  b'{"error":{"code":null,"description":{}}}', b"\xff\xfe",
                                  b'{"error":{"details":"x"}}', b"[" * 100_000])  # fmt: skip
def test_odd_bodies(body: bytes) -> None:
    for server in Server:
        error = refused(400, body, server=server)
        assert error.details == {}
        assert error.sentence


def test_a_problem_document_and_a_gateways_message() -> None:
    assert refused(400, {"title": "Bad", "detail": "worse"}).description == "worse"
    assert refused(400, {"message": "forbidden here"}).description == "forbidden here"
    assert refused(400, {"error": {"code": 17, "message": "x"}}).code == "17"


@given(
    st.integers(300, 599),
    st.binary(max_size=80) | st.text(max_size=80).map(str.encode),
    st.sampled_from(Server),
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["content-type", "retry-after", "www-authenticate"]), st.text(max_size=20)
    ),
)
def test_no_answer_breaks_it(
    status: int, body: bytes, server: Server, with_token: bool, headers: dict[str, str]
) -> None:
    error = refused(status, body, server=server, with_token=with_token, headers=headers)
    assert str(error).isprintable()


# A payment that is gone


def test_a_401_is_about_this_payment_only_if_it_names_it() -> None:
    body = rs(401, "Unauthorized", **GONE)
    assert type(refused(401, body, url=PAYMENT + "/complete")) is errors.GoneError
    assert type(refused(401, body, url=PAYMENT + "?x=1")) is errors.GoneError
    assert type(refused(401, body, with_token=False)) is errors.GoneError
    whole = rs(401, "Unauthorized", id=PAYMENT)
    assert type(refused(401, whole, url=PAYMENT)) is errors.GoneError
    assert type(refused(401, whole, url=PAYMENT + "/complete")) is errors.GoneError
    other = PAYMENT.replace("9db5967c", "00000000")
    assert type(refused(401, body, url=other)) is errors.InvalidTokenError
    assert type(refused(403, body)) is errors.NotPermittedError
    for odd in ("", 5, None, "4a4f"):
        assert type(refused(401, rs(401, "Unauthorized", id=odd))) is errors.InvalidTokenError


def test_a_401_without_a_token_is_a_matter_of_permission() -> None:
    assert type(refused(401, b"", with_token=False)) is errors.NotPermittedError


def test_a_token_is_called_inactive_under_any_of_both_statuses() -> None:
    assert type(refused(401, rs(401, "inactive token"))) is errors.InactiveTokenError
    scope = {"error": {"code": "insufficient_scope", "description": "no"}}
    assert type(refused(403, scope)) is errors.InsufficientGrantError


# Waiting


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("Fri, 20 Nov 2026 04:12:04 GMT", 120.0),
        ("Fri, 20 Nov 2026 04:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 30, None),
        ("١", None),
        ("Fri, 20 Nov 2026 04:12:04 -0000", None),
        ("Fri, 99 Nov 99999 04:10:04 GMT", None),
    ],
)
def test_how_long_to_wait(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds
    error = refused(429, b"", headers={"retry-after": value})
    assert error.retry_after == seconds
    assert ("30 seconds" in error.advice) == (seconds == 30.0)


def test_exit_codes() -> None:
    permitted = refused(403, rs(403, "Inactive Token")), refused(401, rs(401, INVALID))
    assert {error.exit_code for error in permitted} == {ExitCode.NOT_PERMITTED}
    denied = refused(401, auth("request_denied", ""), server=Server.AUTHORIZATION)
    assert denied.exit_code is ExitCode.NOT_PERMITTED
    assert refused(503, b"").exit_code is ExitCode.UNREACHABLE
    assert refused(409, b"").exit_code is ExitCode.FAILED
