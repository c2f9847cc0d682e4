"""What can be examined on this machine alone: the configuration and the key file."""

from __future__ import annotations

import asyncio

from opdash.errors import ConfigError, ExitCode, KeyFileError
from opdash.keyfiles import read_key
from opdash.ledger.records import Scope
from opdash.openpayments.addresses import parse_wallet_address
from opdash.openpayments.pools import trusting
from opdash.service.doctor.case import Case
from opdash.service.doctor.steps import Finding

_SCOPES = {Scope.OWN: "what opdash created", Scope.EVERYTHING: "everything on the wallet"}


async def configuration(case: Case) -> Finding:
    """Look at what the profile says."""
    profile = case.profile
    address = parse_wallet_address(profile.wallet_address)
    if profile.client_wallet_address:
        parse_wallet_address(profile.client_wallet_address)
    if profile.ca_file is not None:
        await asyncio.to_thread(trusting, profile.ca_file)
    if not case.place and profile.key_file is None:
        return Finding(True, f"{address} is not set up: only what anyone may ask is examined.")
    if profile.key_file is not None and not profile.key_id:
        raise ConfigError(
            "The wallet has a key file, and no key id.",
            "Name the key with key_id: the “kid” that the provider shows for it.",
        )
    lines = (
        f"wallet address  {address}",
        f"client          {profile.client_wallet_address or address}",
        f"scope           {_SCOPES[profile.scope]}; access: {profile.access.value}",
    )
    where = f"in {case.place}" if case.place else "not saved yet"
    return Finding(True, f"“{profile.name}”, {where}.", lines=lines)


async def key_file(case: Case) -> Finding:
    """Read the key."""
    path, key_id = case.profile.key_file, case.profile.key_id
    if path is None:
        if not case.place:
            return Finding(None, "No key is known for this address.", is_usable=False)
        return Finding(
            False,
            f"The wallet “{case.profile.name}” has no key.",
            "Make one with “opdash key new”, register it, and name it in the profile.",
            code=ExitCode.USAGE,
        )
    try:
        if case.key is None:
            case.key = await asyncio.to_thread(read_key, path, key_id)
    except KeyFileError as error:
        return Finding(False, error.sentence, error.advice, code=error.exit_code)
    return Finding(
        True,
        f"An Ed25519 key that you alone can read: {path}.",
        lines=(f"key id       {key_id}", f"public half  {case.key.public_jwk()['x']}"),
    )
