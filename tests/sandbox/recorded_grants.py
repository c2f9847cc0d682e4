"""Recorded: asking for grants."""

from __future__ import annotations

from typing import Any

from opdash.openpayments.canonical import canonical_json
from tests.sandbox.grant_acts import (
    BAD_HEADERS,
    BAD_SIGNATURE,
    ITEM,
    NOT_ALLOWED,
    STRANGER,
    UNKNOWN_CLIENT,
    incoming,
    is_grant,
    is_pending,
    tamper,
    unsign,
)
from tests.sandbox.recorded import (
    GRANT,
    PENDING_GRANT,
    Difference,
    Fact,
    invalid_grant,
    no_grant,
    ok,
    plain,
)
from tests.sandbox.scene import NO_UUID, Scene
from tests.sandbox.support import Signing


def _body(scene: Scene, **change: Any) -> bytes:
    body = {
        "access_token": {"access": [incoming()]},
        "client": scene.own.client.wallet_address,
        **change,
    }
    return canonical_json({name: value for name, value in body.items() if value is not None})


def _ask(scene: Scene, url: str = "", signing: Signing | None = None, **change: Any) -> Any:
    return scene.own.send(
        "POST",
        url or scene.own.auth_server,
        body=_body(scene, **change),
        signing=signing or Signing(),
    )


def _given(name: str, *access: dict[str, Any], **more: Any) -> Fact:
    return ok(name, lambda s: s.own.grant(*access, **more), GRANT, also=is_grant)


CREATION = (
    _given("grant", incoming()),
    ok(
        "client as an object",
        lambda s: _ask(s, client={"walletAddress": s.own.client.wallet_address}),
        GRANT,
        also=is_grant,
    ),
    _given("read-all without list-all", incoming("create", "read-all", "complete")),
    ok("with identifier", lambda s: s.own.grant(incoming(identifier=s.wallet)), GRANT),
    _given("two kinds at once", incoming(), {"type": "quote", "actions": ["create", "read"]}),
    ok("authorization server with a slash", lambda s: _ask(s, s.own.auth_server + "/"), GRANT),
    no_grant(
        "list-all without identifier",
        lambda s: s.own.grant(incoming("read-all", "list-all")),
        400,
        "invalid_request",
        "access identifier required",
    ),
    no_grant(
        "list-all without interact",
        lambda s: s.own.grant(incoming("read-all", "list-all", identifier=s.wallet)),
        400,
        "invalid_request",
        "missing required request field 'interact'",
    ),
    invalid_grant(
        "unknown action",
        lambda s: s.own.grant(incoming("create", "bogus")),
        f"{ITEM}.actions.1 {NOT_ALLOWED}",
    ),
    invalid_grant(
        "unknown type",
        lambda s: s.own.grant({"type": "bogus", "actions": ["read"]}),
        f"{ITEM}.type {NOT_ALLOWED}",
    ),
    invalid_grant(
        "outgoing payments without identifier",
        lambda s: s.own.grant(
            {"type": "outgoing-payment", "actions": ["read", "list"]},
            interact={"start": ["redirect"]},
        ),
        f"{ITEM}.type {NOT_ALLOWED}",
    ),
    no_grant(
        "nothing asked for",
        lambda s: s.own.grant(),
        400,
        "invalid_request",
        "subject or access_token required",
    ),
    invalid_grant(
        "no client",
        lambda s: _ask(s, client=None),
        "body must have required property 'client'",
    ),
    no_grant(
        "unknown client",
        lambda s: _ask(s, client=s.sandbox.url + "/nobody"),
        *UNKNOWN_CLIENT,
    ),
    no_grant(
        "client with a slash at the end",
        lambda s: _ask(s, client=s.own.client.wallet_address + "/"),
        *UNKNOWN_CLIENT,
    ),
    no_grant(
        "unknown key",
        lambda s: _ask(s, signing=Signing(key_id="nokey")),
        *UNKNOWN_CLIENT,
    ),
    no_grant("wrong key", lambda s: _ask(s, signing=Signing(key=STRANGER)), *BAD_SIGNATURE),
    no_grant(
        "tampered signature",
        lambda s: _ask(s, signing=Signing(change=tamper)),
        *BAD_SIGNATURE,
    ),
    no_grant("unsigned", lambda s: _ask(s, signing=Signing(change=unsign)), *BAD_HEADERS),
    plain(
        "authorization server without its tenant",
        lambda s: _ask(s, s.sandbox.url + "/"),
        404,
        "Not Found",
    ),
    no_grant(
        "unknown tenant",
        lambda s: _ask(s, f"{s.sandbox.url}/auth/{NO_UUID}"),
        404,
        "invalid_request",
        "Not Found",
    ),
    no_grant(
        "body with blanks between",
        lambda s: s.own.send(
            "POST", s.own.auth_server, body=_body(s).replace(b'":', b'": ').replace(b",", b", ")
        ),
        *BAD_HEADERS,
    ),
    ok(
        "components in another order",
        lambda s: _ask(
            s,
            signing=Signing(
                components=(
                    "content-type",
                    "content-length",
                    "content-digest",
                    "@target-uri",
                    "@method",
                )
            ),
        ),
        GRANT,
    ),
    ok(
        "no digest",
        lambda s: _ask(s, signing=Signing(components=("@method", "@target-uri"), digest=None)),
        GRANT,
    ),
    no_grant("another label", lambda s: _ask(s, signing=Signing(label="sig2")), *BAD_HEADERS),
    ok("signed an hour ago", lambda s: _ask(s, signing=Signing(age=3600)), GRANT),
    ok(
        "over several wallet addresses",
        lambda s: s.own.grant(
            {
                "type": "outgoing-payment",
                "actions": ["read-all", "list-all"],
                "identifier": s.sender,
            },
            incoming("read-all", "list-all", identifier=s.wallet),
            interact={"start": ["redirect"]},
        ),
        PENDING_GRANT,
        also=is_pending,
    ),
    invalid_grant(
        "finish by push",
        lambda s: s.own.grant(
            incoming("list-all", identifier=s.wallet),
            interact={
                "start": ["redirect"],
                "finish": {"method": "push", "uri": "http://x.test/", "nonce": "n"},
            },
        ),
        f"body.interact.finish.method {NOT_ALLOWED}",
    ),
    invalid_grant(
        "start by app",
        lambda s: s.own.grant(
            incoming("list-all", identifier=s.wallet), interact={"start": ["app"]}
        ),
        f"body.interact.start.0 {NOT_ALLOWED}",
    ),
)


FACTS = CREATION

DIFFERENCES = (
    Difference(
        no_grant(
            "list-all at a server that asks for no consent",
            lambda s: s.own.grant(incoming("list-all")),
            400,
            "invalid_request",
            "access identifier required",
        ),
        real="200 with a token, at the one of two servers that was set up so",
        reason="the usual setting asks the account holder; --auto-consent answers for them",
    ),
)
