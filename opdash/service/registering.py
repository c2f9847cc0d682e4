"""How a public key is registered with a wallet's provider: steps for a person to take."""

from __future__ import annotations

from urllib.parse import urlsplit


def registering_steps(client: str, copying: str) -> tuple[str, ...]:
    """Return what to do so that a client wallet address serves a key, a step each.

    Args:
        client: The client's wallet address.
        copying: How the public key is copied from where these steps are shown, a sentence.
    """
    host = urlsplit(client).netloc
    return (
        f"Log in to the wallet at {host} that {client} belongs to.",
        (
            "Look for “Developer keys”, “API keys” or “Keys”, mostly among its settings. "
            "(Interledger Test Wallet: Settings, Developer keys. A Rafiki of your own: "
            "createWalletAddressKey in its admin API.)"
        ),
        f"Add a public key there. {copying}",
        (
            "A wallet that makes the key itself gives you the private half: use that one instead. "
            "No such page? Ask the provider to serve this key at the address's jwks.json."
        ),
    )
