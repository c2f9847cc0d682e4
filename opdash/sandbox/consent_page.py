"""The pages that the account holder's browser shows: plain HTML, without scripts.

All that clients and wallets named is escaped, and the pages load nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from starlette.responses import Response

_DEEDS = {
    "create": "create {}s",
    "complete": "complete {}s",
    "read": "read the {}s that it created",
    "read-all": "read every {}",
    "list": "list the {}s that it created",
    "list-all": "list every {}, whoever created it",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 8vh auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; }}
dt {{ font-weight: 600; margin-top: .8rem; }}
dd {{ margin-left: 0; overflow-wrap: anywhere; }}
button {{ font: inherit; padding: .6rem 1.4rem; margin: 1.2rem .8rem 0 0; border: 1px solid;
  border-radius: .4rem; cursor: pointer; }}
.play {{ border-left: .3rem solid #c80; padding-left: .7rem; }}
</style>
</head>
<body>
<p class="play">This is a sandbox: no money here is real.</p>
<h1>{title}</h1>
{body}
</body>
</html>
"""  # noqa: E501 - the page as it is sent

_FORM = """<form method="post" action="{action}">
<input type="hidden" name="interactId" value="{interaction}">
<input type="hidden" name="nonce" value="{nonce}">
<button type="submit" name="choice" value="accept">Allow</button>
<button type="submit" name="choice" value="reject">Deny</button>
</form>
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a consent page shows.

    Attributes:
        client_name: The client's public name.
        client_url: Its wallet address.
        access: The rights that it asks for.
        action: Where the form is sent.
        interaction: The interaction's id.
        nonce: Its nonce.
    """

    client_name: str
    client_url: str
    access: Sequence[Mapping[str, Any]]
    action: str
    interaction: str
    nonce: str


def question_page(asked: Asked) -> Response:
    """Return the page that asks."""
    parts = ["<dl>", f"<dt>It is</dt><dd>{escape(asked.client_url)}</dd>"]
    for item in asked.access:
        parts += _facts(item)
    parts.append("</dl>")
    parts.append(
        _FORM.format(
            action=escape(asked.action),
            interaction=escape(asked.interaction),
            nonce=escape(asked.nonce),
        )
    )
    return _page(f"{asked.client_name} asks for your consent", "\n".join(parts))


def told_page(title: str, text: str, status: int = 200) -> Response:
    """Return a page that only says something."""
    return _page(title, f"<p>{escape(text)}</p>", status)


def _facts(item: Mapping[str, Any]) -> Iterable[str]:
    kind = str(item["type"]).replace("-", " ")
    deeds = [_DEEDS.get(action, action + " {}s").format(kind) for action in item["actions"]]
    yield from _term("It wants to", deeds)
    yield from _term("On the wallet address", [item.get("identifier") or "the one it names"])
    yield from _term("At the most", [_limit(*pair) for pair in (item.get("limits") or {}).items()])


def _term(name: str, values: Sequence[str]) -> Iterable[str]:
    if values:
        yield f"<dt>{escape(name)}</dt>"
        yield from (f"<dd>{escape(value)}</dd>" for value in values)


def _limit(name: str, value: object) -> str:
    if isinstance(value, dict) and {"value", "assetCode", "assetScale"} <= value.keys():
        return f"{name}: {_decimal(value)} {value['assetCode']}"
    return f"{name}: {value}"


def _decimal(amount: Mapping[str, Any]) -> str:
    digits, scale = str(amount["value"]), amount["assetScale"]
    if not (isinstance(scale, int) and 0 < scale <= 255 and digits.isdecimal()):
        return digits
    digits = digits.rjust(scale + 1, "0")
    return f"{digits[:-scale]}.{digits[-scale:]}"


def _page(title: str, body: str, status: int = 200) -> Response:
    return Response(
        _PAGE.format(title=escape(title), body=body),
        status,
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "base-uri 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
        },
        media_type="text/html; charset=utf-8",
    )
