"""Recorded: rotating, revoking, continuing and cancelling what was given."""

from __future__ import annotations

from typing import Any

import httpx

from tests.sandbox.grant_acts import BAD_HEADERS, BAD_TOKEN, UNKNOWN_CLIENT, is_grant, unsign
from tests.sandbox.recorded import GRANT, PAGE, Difference, Fact, challenged, no_grant, ok
from tests.sandbox.scene import NO_UUID, Scene
from tests.sandbox.support import Signing


def _manage(scene: Scene, method: str, token: dict[str, Any], **more: Any) -> httpx.Response:
    return scene.own.send(method, token["manage"], token=token["value"], **more)


def _rotate(scene: Scene, **more: Any) -> httpx.Response:
    return _manage(scene, "POST", scene.fresh_grant()["access_token"], **more)


def _rotate_twice(scene: Scene) -> httpx.Response:
    token = scene.fresh_grant()["access_token"]
    _manage(scene, "POST", token)
    return _manage(scene, "POST", token)


def _revoke_rotated(scene: Scene) -> httpx.Response:
    token = scene.fresh_grant()["access_token"]
    _manage(scene, "POST", token)
    return _manage(scene, "DELETE", token)


def _after_revoking(scene: Scene, method: str) -> httpx.Response:
    token = scene.fresh_grant()["access_token"]
    assert _manage(scene, "DELETE", token).status_code == 204
    return _manage(scene, method, token)


def _as_other(scene: Scene, method: str) -> httpx.Response:
    token = scene.fresh_grant()["access_token"]
    return scene.other.send(method, token["manage"], token=token["value"])


def _list_with(scene: Scene, token: dict[str, Any]) -> httpx.Response:
    return scene.own.list(scene.empty, token["value"])


def _list_rotated(scene: Scene, *, new: bool) -> httpx.Response:
    token = scene.fresh_grant()["access_token"]
    rotated = _manage(scene, "POST", token).json()["access_token"]
    return _list_with(scene, rotated if new else token)


def _list_revoked(scene: Scene) -> httpx.Response:
    token = scene.fresh_grant()["access_token"]
    _manage(scene, "DELETE", token)
    return _list_with(scene, token)


def _list_cancelled(scene: Scene) -> httpx.Response:
    grant = scene.fresh_grant()
    assert _cancel(scene, grant).status_code == 204
    return _list_with(scene, grant["access_token"])


def _expired(scene: Scene) -> dict[str, Any]:
    token: dict[str, Any] = scene.fresh_grant()["access_token"]
    scene.sandbox.advance(660)
    return token


def _cancel(scene: Scene, grant: dict[str, Any]) -> httpx.Response:
    continuation = grant["continue"]
    token = continuation["access_token"]["value"]
    return scene.own.send("DELETE", continuation["uri"], token=token)


def _is_new_token(scene: Scene, answer: httpx.Response) -> None:
    token = answer.json()["access_token"]
    assert set(token) == {"access", "value", "manage", "expires_in"}
    assert _list_with(scene, token).status_code == 200


TOKENS = (
    ok("rotate", _rotate, {"access_token"}, also=_is_new_token),
    challenged(
        "list with a rotated token",
        lambda s: _list_rotated(s, new=False),
        403,
        "Inactive Token",
    ),
    ok("list with the new token", lambda s: _list_rotated(s, new=True), PAGE),
    no_grant("rotate with the old management URL", _rotate_twice, *BAD_TOKEN),
    no_grant(
        "rotate unsigned",
        lambda s: _rotate(s, signing=Signing(change=unsign)),
        *BAD_HEADERS,
    ),
    no_grant("rotate as another client", lambda s: _as_other(s, "POST"), *UNKNOWN_CLIENT),
    ok(
        "rotate without Authorization",
        lambda s: s.own.send("POST", s.fresh_grant()["access_token"]["manage"]),
        {"access_token"},
        also=_is_new_token,
    ),
    no_grant("revoke as another client", lambda s: _as_other(s, "DELETE"), *UNKNOWN_CLIENT),
    Fact(
        "revoke",
        lambda s: _manage(s, "DELETE", s.fresh_grant()["access_token"]),
        204,
        "",
    ),
    no_grant("revoke again", lambda s: _after_revoking(s, "DELETE"), *BAD_TOKEN),
    challenged("list with a revoked token", _list_revoked, 403, "Inactive Token"),
    no_grant("rotate a revoked token", lambda s: _after_revoking(s, "POST"), *BAD_TOKEN),
    no_grant(
        "rotate what nobody knows",
        lambda s: s.own.send("POST", f"{s.sandbox.url}/auth/token/{NO_UUID}", token="F00C"),
        *BAD_TOKEN,
    ),
    challenged(
        "list with an expired token",
        lambda s: _list_with(s, _expired(s)),
        403,
        "Inactive Token",
    ),
    ok(
        "rotate an expired token",
        lambda s: _manage(s, "POST", _expired(s)),
        {"access_token"},
        also=_is_new_token,
    ),
    no_grant("revoke with the management URL before rotation", _revoke_rotated, *BAD_TOKEN),
    no_grant(
        "continue a given grant at once",
        lambda s: s.proceed(s.fresh_grant(), wait=0),
        400,
        "too_fast",
        'polled grant faster than "wait" period',
    ),
    ok(
        "continue a given grant later",
        lambda s: s.proceed(s.fresh_grant()),
        GRANT,
        also=is_grant,
    ),
    Fact("cancel", lambda s: _cancel(s, s.fresh_grant()), 204, ""),
    challenged("list with the token of a cancelled grant", _list_cancelled, 403, "Inactive Token"),
)


FACTS = TOKENS

DIFFERENCES: tuple[Difference, ...] = ()
