"""Recorded: reading, completing and losing incoming payments."""

from __future__ import annotations

from tests.sandbox.acts import (
    GONE,
    OF_ANOTHER,
    WITH_METHODS,
    complete,
    has_no_method,
    is_full,
    make_completed,
    make_expired_with_money,
    make_full,
    make_paid_in_part,
    make_vanished,
    read,
    received,
    stands_at,
    unsign,
)
from tests.sandbox.recorded import (
    BARE_PAYMENT,
    PAYMENT,
    PUBLIC_PAYMENT,
    Difference,
    challenged,
    invalid,
    ok,
    plain,
    refused,
)
from tests.sandbox.scene import NO_UUID
from tests.sandbox.support import Signing

READING = (
    ok("public", lambda s: s.get(make_full(s)), PUBLIC_PAYMENT, also=received("0")),
    ok("authenticated", lambda s: read(s, make_full(s)), WITH_METHODS, also=is_full),
    ok("signed without a token", lambda s: s.own.send("GET", make_full(s)), PUBLIC_PAYMENT),
    refused(
        "token without a signature",
        lambda s: read(s, make_full(s), signing=Signing(change=unsign)),
        401,
        "Signature validation error: missing keyId in signature input",
        details={"client"},
    ),
    refused(
        "another client's",
        lambda s: s.other.send("GET", make_full(s), token=s.other.token()),
        404,
        "Incoming payment does not exist",
        details=OF_ANOTHER,
    ),
    ok(
        "another client's with read-all",
        lambda s: s.other.send("GET", make_full(s), token=s.other.token("read-all")),
        WITH_METHODS,
    ),
    challenged(
        "token that may only create",
        lambda s: read(s, make_full(s), token=s.own.token("create")),
        403,
        "Insufficient Grant",
    ),
    refused(
        "unknown",
        lambda s: read(s, f"{s.own.resource_server}/incoming-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=GONE,
    ),
    refused(
        "unknown, public",
        lambda s: s.get(f"{s.own.resource_server}/incoming-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=GONE,
    ),
    plain(
        "no UUID",
        lambda s: read(s, f"{s.own.resource_server}/incoming-payments/not-a-uuid"),
        500,
        "Internal Server Error",
    ),
    plain(
        "no UUID, public",
        lambda s: s.get(f"{s.own.resource_server}/incoming-payments/not-a-uuid"),
        500,
        "Internal Server Error",
    ),
    refused(
        "under another tenant",
        lambda s: s.get(make_full(s).replace(s.own.resource_server, f"{s.sandbox.url}/{NO_UUID}")),
        401,
        "Unauthorized",
        details=GONE,
    ),
    ok("with a slash at the end", lambda s: s.get(make_full(s) + "/"), PUBLIC_PAYMENT),
    plain(
        "DELETE",
        lambda s: s.own.send("DELETE", make_full(s), token=s.own.token()),
        404,
        "Not Found",
    ),
    plain(
        "PATCH",
        lambda s: s.own.send("PATCH", make_full(s), token=s.own.token(), body=b"{}"),
        404,
        "Not Found",
    ),
    invalid(
        "hal+json wanted",
        lambda s: read(s, s.own.list_url(s.wallet), headers={"accept": "application/hal+json"}),
        "Must accept application/json",
        406,
    ),
)

COMPLETING = (
    ok(
        "by another client",
        lambda s: s.other.send("POST", f"{make_full(s)}/complete", token=s.other.token()),
        PAYMENT,
        also=stands_at("0", completed=True),
    ),
    refused("again", lambda s: complete(s, make_completed(s)), 409, "wrong state"),
    ok("read afterwards", lambda s: read(s, make_completed(s)), WITH_METHODS, also=has_no_method),
    ok("public afterwards", lambda s: s.get(make_completed(s)), PUBLIC_PAYMENT),
    challenged(
        "token that may only read",
        lambda s: complete(s, make_full(s), token=s.own.token("read")),
        403,
        "Insufficient Grant",
    ),
    refused(
        "unknown",
        lambda s: complete(s, f"{s.own.resource_server}/incoming-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=GONE,
    ),
    ok(
        "paid in part",
        lambda s: complete(s, make_paid_in_part(s)),
        BARE_PAYMENT | {"incomingAmount"},
        also=stands_at("1000", completed=True),
    ),
)

EXPIRING = (
    refused("read", lambda s: read(s, make_vanished(s)), 401, "Unauthorized", details=GONE),
    refused("public", lambda s: s.get(make_vanished(s)), 401, "Unauthorized", details=GONE),
    refused("complete", lambda s: complete(s, make_vanished(s)), 401, "Unauthorized", details=GONE),
    ok(
        "with money: read",
        lambda s: read(s, make_expired_with_money(s)),
        WITH_METHODS,
        also=stands_at("15889", completed=False),
    ),
    ok(
        "with money: no methods",
        lambda s: read(s, make_expired_with_money(s)),
        WITH_METHODS,
        also=has_no_method,
    ),
    ok(
        "with money: public",
        lambda s: s.get(make_expired_with_money(s)),
        PUBLIC_PAYMENT,
        also=received("15889"),
    ),
    refused(
        "with money: complete",
        lambda s: complete(s, make_expired_with_money(s)),
        409,
        "wrong state",
    ),
)


FACTS = (*READING, *COMPLETING, *EXPIRING)

DIFFERENCES: tuple[Difference, ...] = ()
