"""Who the wallet and the client are, by what anyone may ask: addresses, keys, clock."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from opdash.errors import ExitCode
from opdash.openpayments.resources import Jwk, Jwks
from opdash.safetext import safe_text
from opdash.service.doctor.case import Case
from opdash.service.doctor.steps import Finding

TOLERANCE = timedelta(seconds=30)
"""By how much clocks may differ before it is worth a word."""

_MOST_KEYS = 12


async def discovery(case: Case) -> Finding:
    """Ask the wallet address who it is."""
    asked = case.profile.wallet_address
    wallet = case.wallet = await case.asking.wallet_address(asked)
    name = f"“{safe_text(wallet.public_name, limit=60)}”, " if wallet.public_name else ""
    found = f"{name}in {safe_text(wallet.asset_code, limit=20)}, scale {wallet.asset_scale}."
    redirects = sum(300 <= (trace.status or 0) < 400 for trace in case.traces)
    followed = "1 redirect was" if redirects == 1 else f"{redirects} redirects were"
    lines = (f"{followed} followed",) if redirects else ()
    if wallet.id == asked:
        return Finding(True, found, lines=lines)
    return Finding(
        True,
        f"{found} It calls itself {safe_text(wallet.id, limit=160)}.",
        "Servers know it by that id alone: use it as wallet_address." if case.place else "",
        lines,
    )


async def client(case: Case) -> Finding:
    """Ask the client's wallet address who it is; grants are asked for in its name."""
    wallet, address = case.wallet, case.client_address
    assert wallet is not None  # noqa: S101 - DISCOVERY came before
    found = wallet if address == wallet.id else await case.asking.wallet_address(address)
    case.client_wallet = found
    whose = "The wallet address itself" if found is wallet else safe_text(found.id, limit=160)
    if found.public_name:
        name = safe_text(found.public_name, limit=60)
        if not case.has_key:
            return Finding(True, f"It could ask for grants, as “{name}”.")
        return Finding(True, f"{whose} asks for grants, as “{name}”.")
    if not case.has_key:
        return Finding(True, "It has no public name, which a client needs and a wallet does not.")
    return Finding(
        False,
        f"{whose} asks for grants, and has no public name.",
        "Give it one at its provider: without it servers refuse to identify the client, at the "
        "latest when the account holder has to consent.",
        code=ExitCode.FAILED,
        is_usable=True,
    )


async def jwks(case: Case) -> Finding:
    """Fetch the client's keys."""
    client_wallet = case.client_wallet
    assert client_wallet is not None  # noqa: S101 - CLIENT came before
    served = case.jwks = await case.asking.jwks(client_wallet.id)
    if not served.keys and not case.has_key:
        return Finding(True, "It serves no key, and needs none unless it is to sign requests.")
    if not served.keys:
        return Finding(
            False,
            "The client's jwks.json lists no key at all.",
            "Register the key with the provider of the client's wallet address "
            "(“opdash key show” prints it).",
            code=ExitCode.NOT_PERMITTED,
            is_usable=True,
        )
    count = "1 key" if len(served.keys) == 1 else f"{len(served.keys)} keys"
    shown = [key_in_words(key) for key in served.keys[:_MOST_KEYS]]
    more = [f"… and {len(served.keys) - _MOST_KEYS} more"] if served.keys[_MOST_KEYS:] else []
    return Finding(True, f"It serves {count}.", lines=(*shown, *more))


async def key(case: Case) -> Finding:
    """Look whether our key is among them."""
    own, served = case.key, case.jwks
    assert own is not None  # noqa: S101 - KEY_FILE came before
    assert served is not None  # noqa: S101 - JWKS came before
    wrong = key_mismatch(own.public_jwk(), served)
    if wrong is None:
        return Finding(True, f"The key “{own.key_id}” is served, and is the one in the key file.")
    return Finding(False, wrong.found, wrong.advice, code=ExitCode.NOT_PERMITTED)


class Mismatch(NamedTuple):
    """Why the key that a client serves is not ours, and what to do."""

    found: str
    advice: str


def key_mismatch(own: dict[str, str], served: Jwks) -> Mismatch | None:
    """Return what is wrong with a key as its client serves it, and what to do; None if nothing is.

    Args:
        own: The public half of our key, as a JWK.
        served: What the client's ``jwks.json`` lists.
    """
    same_id = [one for one in served.keys if one.kid == own["kid"]]
    same_key = [one for one in served.keys if one.x.rstrip("=") == own["x"]]
    if not same_id:
        return _unknown_id(own["kid"], same_key, served)
    (found, *_others) = same_id
    if found.x.rstrip("=") != own["x"]:
        return Mismatch(
            f"Under the key id “{own['kid']}” the client serves another key: its x is "
            f"{_short(found.x)}, that of the key file is {_short(own['x'])}.",
            "Register the key of the key file anew (“opdash key show” prints it), or name the file "
            "that belongs to the served key with key_file.",
        )
    for name, right in (("kty", "OKP"), ("crv", "Ed25519"), ("alg", "EdDSA")):
        given = getattr(found, name)
        if given != right and not (name == "alg" and given in ("", "Ed25519")):
            return Mismatch(
                f"The client serves the key with {name} “{safe_text(given, limit=20)}”; it must be "
                f"“{right}”.",
                "Register the key anew, exactly as “opdash key show” prints it.",
            )
    if len(same_id) > 1:
        return Mismatch(
            f"The client serves {len(same_id)} keys under the id “{own['kid']}”.",
            "Remove the one that is not used any more: servers take whichever they like.",
        )
    return None


def _unknown_id(key_id: str, same_key: list[Jwk], served: Jwks) -> Mismatch:
    if same_key:
        other = safe_text(same_key[0].kid, limit=80)
        return Mismatch(
            f"The client serves this key, but as “{other}” and not as “{key_id}”.",
            f'Set key_id = "{other}" for this wallet in the configuration file.',
        )
    names = ", ".join(f"“{safe_text(one.kid, limit=60)}”" for one in served.keys[:_MOST_KEYS])
    return Mismatch(
        f"The client serves no key “{key_id}”"
        + (f", but {names}." if names else ": it serves none at all."),
        "Register the key with the provider of the client's wallet address "
        "(“opdash key show” prints it), or name the one that is served with key_id and key_file.",
    )


def key_in_words(found: Jwk) -> str:
    """Return a served key on one line, safe to show."""
    kind = " ".join(part for part in (found.kty, found.crv, found.alg) if part) or "of no kind"
    return safe_text(f"“{found.kid}”  {kind}  x {_short(found.x)}", limit=160)


def _short(x: str) -> str:
    return safe_text(f"{x[:8]}…" if len(x) > 8 else x or "empty", limit=20)


async def clock(case: Case) -> Finding:
    """Compare this machine's clock with the server's."""
    if not case.is_dated:
        return Finding(None, "The servers do not say what time it is.")
    offset = case.asking.server_offset
    if abs(offset) <= TOLERANCE:
        return Finding(True, "It agrees with the server's to within half a minute.")
    ahead = "ahead of" if offset > timedelta(0) else "behind"
    return Finding(
        False,
        f"The server's clock is {_length(abs(offset))} {ahead} this machine's.",
        "Check this machine's date and time zone, and let it be set by the network "
        "(“timedatectl set-ntp true”); if it is right, tell the wallet's provider. opdash dates "
        "its signatures by the server's clock, so that they are accepted meanwhile.",
        (
            f"this machine  {case.clock.now():%Y-%m-%d %H:%M:%S} UTC",
            f"the server    {case.clock.now() + offset:%Y-%m-%d %H:%M:%S} UTC",
        ),
        ExitCode.FAILED,
    )


def _length(offset: timedelta) -> str:
    """Return about how long it is: people need no seconds of an hour."""
    seconds = round(offset.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"about {count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
