"""Recorded: creating incoming payments."""

from __future__ import annotations

from tests.sandbox.acts import (
    AMOUNT,
    METADATA,
    NO_WALLET,
    WITH_METHODS,
    asking,
    asks_for,
    create,
    create_from,
    expires_in_30_days,
    is_full,
)
from tests.sandbox.recorded import (
    BARE_PAYMENT,
    HTML,
    Difference,
    Fact,
    challenged,
    invalid,
    ok,
    plain,
    refused,
)
from tests.sandbox.scene import NO_UUID, usd

CREATING = (
    ok(
        "least",
        lambda s: create(s),
        BARE_PAYMENT | {"methods"},
        201,
        also=expires_in_30_days,
    ),
    ok(
        "amount, expiry and metadata",
        lambda s: create(
            s, incomingAmount=usd("2500"), expiresAt=s.later(days=1), metadata=METADATA
        ),
        WITH_METHODS,
        201,
        also=is_full,
    ),
    refused(
        "expiry in the past",
        lambda s: create(s, expiresAt=s.later(minutes=-1)),
        400,
        "invalid expiresAt",
    ),
    ok(
        "expiry in 2 s",
        lambda s: create(s, expiresAt=s.later(seconds=2)),
        BARE_PAYMENT | {"methods"},
        201,
    ),
    refused(
        "expiry in 31 days",
        lambda s: create(s, expiresAt=s.later(days=31)),
        400,
        "invalid expiresAt",
    ),
    refused(
        "expiry in a year",
        lambda s: create(s, expiresAt=s.later(days=365)),
        400,
        "invalid expiresAt",
    ),
    ok(
        "expiry with an offset",
        lambda s: create(s, expiresAt=s.later(hours=2).replace(".000Z", "+00:00")),
        BARE_PAYMENT | {"methods"},
        201,
    ),
    refused(
        "expiry with microseconds, by its offset past",
        lambda s: create(s, expiresAt=s.later(minutes=119).replace(".000Z", ".123456+02:00")),
        400,
        "invalid expiresAt",
    ),
    ok(
        "expiry without a zone",
        lambda s: create(s, expiresAt=s.later(hours=2).replace(".000Z", "")),
        BARE_PAYMENT | {"methods"},
        201,
    ),
    invalid(
        "expiry is a date",
        lambda s: create(s, expiresAt="2030-01-01"),
        'body.expiresAt must match format "date-time"',
    ),
    refused("another currency", asking("100", "EUR"), 400, "invalid amount"),
    refused("another scale", asking("100", "USD", 9), 400, "invalid amount"),
    refused("amount 0", asking("0"), 400, "invalid amount"),
    invalid("negative amount", asking("-5"), f'{AMOUNT}.value must match format "uint64"'),
    invalid("decimal amount", asking("1.50"), f'{AMOUNT}.value must match format "uint64"'),
    invalid("amount as a number", asking(100), f"{AMOUNT}.value must be string"),
    plain("uint64 at most", asking(str(2**64 - 1)), 500, "Internal Server Error"),
    ok(
        "int64 at most",
        asking(str(2**63 - 1)),
        BARE_PAYMENT | {"methods", "incomingAmount"},
        201,
        also=asks_for(str(2**63 - 1)),
    ),
    plain("more than uint64", asking(str(2**64)), 500, "Internal Server Error"),
    ok(
        "leading zeros",
        asking("0007"),
        BARE_PAYMENT | {"methods", "incomingAmount"},
        201,
        also=asks_for("7"),
    ),
    invalid("metadata null", lambda s: create(s, metadata=None), "body.metadata must be object"),
    invalid(
        "metadata a string", lambda s: create(s, metadata="text"), "body.metadata must be object"
    ),
    ok(
        "metadata empty",
        lambda s: create(s, metadata={}),
        BARE_PAYMENT | {"methods", "metadata"},
        201,
    ),
    ok(
        "metadata of 20 kB",
        lambda s: create(s, metadata={"big": "x" * 20_000}),
        BARE_PAYMENT | {"methods", "metadata"},
        201,
    ),
    ok(
        "metadata of 900 kB",
        lambda s: create(s, metadata={"big": "x" * 900_000}),
        BARE_PAYMENT | {"methods", "metadata"},
        201,
    ),
    Fact(
        "metadata of 1.5 MB",
        lambda s: create(s, metadata={"big": "x" * 1_500_000}),
        413,
        f"{HTML}; charset=utf-8",
    ),
    invalid(
        "amount null",
        lambda s: create(s, expiresAt=None, incomingAmount=None),
        f"{AMOUNT} must be object",
    ),
    invalid(
        "unknown property",
        lambda s: create(s, bogus=1),
        "body must NOT have additional properties: bogus",
    ),
    invalid(
        "no wallet address",
        lambda s: create_from(s, {"incomingAmount": usd("1")}),
        "body must have required property 'walletAddress'",
    ),
    refused(
        "wallet address with a slash at the end",
        lambda s: create(s, wallet=s.wallet + "/"),
        400,
        NO_WALLET,
    ),
    refused(
        "unknown wallet address",
        lambda s: create(s, wallet=s.sandbox.url + "/nobody"),
        400,
        NO_WALLET,
    ),
    refused(
        "wallet address of another server",
        lambda s: create(s, wallet="https://happy-life.example/pfry"),
        400,
        NO_WALLET,
    ),
    invalid(
        "payment pointer",
        lambda s: create(s, wallet="$cloud-nine.example/wbdc"),
        'body.walletAddress must match format "uri"',
    ),
    plain(
        "resource server without its tenant",
        lambda s: create_from(s, {"walletAddress": s.wallet}, "/incoming-payments"),
        404,
        "Not Found",
    ),
    refused(
        "another tenant",
        lambda s: create_from(s, {"walletAddress": s.wallet}, f"/{NO_UUID}/incoming-payments"),
        404,
        "unknown wallet address",
    ),
    plain(
        "below the wallet address",
        lambda s: create_from(s, {"walletAddress": s.wallet}, "/rosa/incoming-payments"),
        404,
        "Not Found",
    ),
    challenged(
        "token for another wallet address",
        lambda s: create(s, token=s.own.token(identifier=s.empty)),
        403,
        "Insufficient Grant",
    ),
    challenged(
        "token that may only read",
        lambda s: create(s, token=s.own.token("read")),
        403,
        "Insufficient Grant",
    ),
    ok(
        "on the client's own wallet address",
        lambda s: create(s, wallet=s.sandbox.client.wallet_address),
        BARE_PAYMENT | {"methods"},
        201,
    ),
)


FACTS = CREATING

DIFFERENCES: tuple[Difference, ...] = ()
