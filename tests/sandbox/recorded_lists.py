"""Recorded: pages, cursors, and whose payments a list shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.sandbox.recorded import (
    BARE_PAYMENT,
    PAGE,
    Difference,
    Fact,
    challenged,
    invalid,
    ok,
    plain,
    refused,
)
from tests.sandbox.scene import NO_UUID, Scene, usd

_COUNT = 25
_NO_WALLET = "Could not get wallet address"
_QUERY = {"queryParams"}


class Shelf(Scene):
    """A scene whose empty wallet address gets 25 payments, numbered from 0, oldest first."""

    def fill(self) -> list[str]:
        """Return the ids of the 25 payments, newest first."""
        token = self.own.token()
        existing = self.own.list(self.empty, token, "&first=100").json()["result"]
        if not existing:
            for number in range(_COUNT):
                self.own.create(
                    self.empty,
                    token,
                    incomingAmount=usd(str(100 + number)),
                    metadata={"n": number},
                )
            existing = self.own.list(self.empty, token, "&first=100").json()["result"]
        return [payment["id"].rpartition("/")[2] for payment in existing]


def _list(
    query: str, *, cursor: int | str | None = None, wallet: Callable[[Scene], str] | None = None
) -> Any:
    """Return what lists the 25; a number as cursor is the payment of that number."""

    def ask(scene: Scene) -> httpx.Response:
        assert isinstance(scene, Shelf)
        ids = scene.fill()
        where = query
        if isinstance(cursor, int):
            where += f"&cursor={ids[_COUNT - 1 - cursor]}"
        elif cursor is not None:
            where += f"&cursor={cursor}"
        address = wallet(scene) if wallet else scene.empty
        return scene.own.list(address, scene.own.token(), where)

    return ask


def _shows(newest: int, oldest: int, *, following: bool, preceding: bool) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        page = answer.json()
        numbers = [item["metadata"]["n"] for item in page["result"]]
        assert numbers == list(range(newest, oldest - 1, -1))
        assert all(
            set(item) == BARE_PAYMENT | {"incomingAmount", "metadata"} for item in page["result"]
        )
        assert page["pagination"] == {
            "startCursor": page["result"][0]["id"].rpartition("/")[2],
            "endCursor": page["result"][-1]["id"].rpartition("/")[2],
            "hasNextPage": following,
            "hasPreviousPage": preceding,
        }

    return look


def _is_empty(_: Scene, answer: httpx.Response) -> None:
    assert answer.json() == {
        "pagination": {"hasNextPage": False, "hasPreviousPage": False},
        "result": [],
    }


def _page(name: str, ask: Any, span: tuple[int, int], *, following: bool, preceding: bool) -> Fact:
    return ok(name, ask, PAGE, also=_shows(*span, following=following, preceding=preceding))


def _nothing(name: str, ask: Any) -> Fact:
    return ok(name, ask, PAGE, also=_is_empty)


def _names_the_query(*names: str) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        query = answer.json()["error"]["details"]["queryParams"]
        assert set(query) == {"wallet-address", *names}
        assert all(query[name] == 5 for name in names if name != "cursor")

    return look


def _without_wallet(query: str) -> Any:
    return lambda s: s.own.send(
        "GET", f"{s.own.resource_server}/incoming-payments{query}", token=s.own.token()
    )


PAGES = (
    _nothing(
        "of a wallet address without payments",
        lambda s: s.own.list(s.sandbox.sender, s.own.token()),
    ),
    _page("no size given", _list(""), (24, 5), following=True, preceding=False),
    _page("first=5", _list("&first=5"), (24, 20), following=True, preceding=False),
    _page("second page", _list("&first=5", cursor=20), (19, 15), following=True, preceding=True),
    _page("third page", _list("&first=5", cursor=15), (14, 10), following=True, preceding=True),
    _page("backwards", _list("&last=5", cursor=14), (19, 15), following=True, preceding=True),
    _page("backwards by 3", _list("&last=3", cursor=14), (17, 15), following=True, preceding=True),
    _nothing("before the first", _list("&last=5", cursor=24)),
    _page("only a cursor", _list("", cursor=20), (19, 0), following=False, preceding=True),
    _page("near the end", _list("&first=20", cursor=10), (9, 0), following=False, preceding=True),
    _nothing("after the last", _list("&first=5", cursor=0)),
    _page("first=100", _list("&first=100"), (24, 0), following=False, preceding=False),
    invalid("first=101", _list("&first=101"), "first must be <= 100"),
    invalid("first=0", _list("&first=0"), "first must be >= 1"),
    invalid("first=-1", _list("&first=-1"), "first must be >= 1"),
    invalid("first=abc", _list("&first=abc"), "first must be integer"),
    _page("first=1.5", _list("&first=1.5"), (24, 24), following=True, preceding=False),
    refused(
        "last without cursor",
        _list("&last=5"),
        400,
        "last requires cursor",
        details=_QUERY,
        also=_names_the_query("last"),
    ),
    invalid("last=101", _list("&last=101", cursor=14), "last must be <= 100"),
    refused(
        "first and last",
        _list("&first=5&last=5", cursor=20),
        400,
        "first and last are mutually exclusive",
        details=_QUERY,
        also=_names_the_query("first", "last", "cursor"),
    ),
    plain("cursor is no UUID", _list("&first=5", cursor="nope"), 500, "Internal Server Error"),
    _nothing("unknown cursor", _list("&first=5", cursor=NO_UUID)),
    plain(
        "cursor is a whole id",
        _list("&first=5", cursor=f"https%3A%2F%2Fcloud-nine.example%2F{NO_UUID}"),
        500,
        "Internal Server Error",
    ),
    _page(
        "unknown parameter", _list("&first=5&foo=bar"), (24, 20), following=True, preceding=False
    ),
    invalid(
        "no wallet address",
        _without_wallet(""),
        "must have required property 'wallet-address'",
    ),
    invalid(
        "no wallet address, but a size",
        _without_wallet("?first=5"),
        "must have required property 'wallet-address'",
    ),
    refused(
        "wallet address with a slash at the end",
        _list("", wallet=lambda s: s.empty + "/"),
        400,
        _NO_WALLET,
    ),
    refused(
        "unknown wallet address",
        _list("", wallet=lambda s: s.sandbox.url + "/nobody"),
        400,
        _NO_WALLET,
    ),
    refused(
        "wallet address of another server",
        _list("", wallet=lambda _: "https://happy-life.example/pfry"),
        400,
        _NO_WALLET,
    ),
    refused(
        "wallet address with another scheme",
        _list("", wallet=lambda s: s.empty.replace("http:", "https:")),
        400,
        _NO_WALLET,
    ),
    challenged(
        "payment pointer",
        _list("", wallet=lambda _: "$cloud-nine.example/empty"),
        401,
        "Invalid Token",
    ),
    challenged(
        "token without list",
        lambda s: s.own.list(s.empty, s.own.token("create", "read")),
        403,
        "Insufficient Grant",
    ),
)


def _consented(scene: Scene, identifier: str) -> str:
    access = {
        "type": "incoming-payment",
        "actions": ["read-all", "list-all"],
        "identifier": identifier,
    }
    pending = scene.own.grant(access, interact={"start": ["redirect"]}).json()
    scene.visit(pending, "accept")
    return str(scene.proceed(pending).json()["access_token"]["value"])


def _list_both(scene: Scene, *, everything: bool) -> httpx.Response:
    wallet = scene.sandbox.wallet_addresses[1]
    for who in (scene.own, scene.own, scene.other, scene.other):
        who.create(wallet, who.token(), metadata={"by": who.client.key_id})
    token = _consented(scene, wallet) if everything else scene.own.token()
    return scene.own.list(wallet, token, "&first=4")


def _made_by(*clients: str) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        found = [item.get("metadata", {}).get("by") for item in answer.json()["result"]]
        assert tuple(found[: len(clients)]) == clients

    return look


SCOPES = (
    ok(
        "list",
        lambda s: _list_both(s, everything=False),
        PAGE,
        also=_made_by("opdash-1", "opdash-1"),
    ),
    ok(
        "list-all",
        lambda s: _list_both(s, everything=True),
        PAGE,
        also=_made_by("till-1", "till-1", "opdash-1", "opdash-1"),
    ),
    challenged(
        "list-all for another wallet address",
        lambda s: s.own.list(s.wallet, _consented(s, s.empty)),
        403,
        "Insufficient Grant",
    ),
    challenged(
        "list-all for the wallet address with a slash",
        lambda s: s.own.list(s.wallet, _consented(s, s.wallet + "/")),
        403,
        "Insufficient Grant",
    ),
    challenged(
        "token of another authorization server",
        lambda s: s.own.list(s.wallet, "EFFE65EA9E1ABAAE6129"),
        403,
        "Inactive Token",
    ),
)

FACTS = (*PAGES, *SCOPES)

DIFFERENCES: tuple[Difference, ...] = ()
