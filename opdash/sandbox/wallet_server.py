"""The wallet address server: descriptions and keys, unsigned and without a token."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from opdash.sandbox.bodies import Bodies
from opdash.sandbox.errors import InvalidRequestError, plain_error, resource_error
from opdash.sandbox.exchange import Exchange, endpoint, json_answer
from opdash.sandbox.wallets import Wallet, WalletDirectory

_JWKS = "/jwks.json"


class WalletServer:
    """Answers requests for wallet addresses: every path that nobody else answers."""

    def __init__(self, wallets: WalletDirectory, bodies: Bodies) -> None:
        self._wallets = wallets
        self._bodies = bodies

    def routes(self) -> list[Route]:
        """Return the routes; they come last."""
        return [Route("/{path:path}", endpoint(self.describe), methods=["GET"])]

    async def describe(self, exchange: Exchange) -> Response:
        """Answer with a wallet address's description, or its keys."""
        path = exchange.path
        if path == "/" or "//" in path:
            raise plain_error(404)
        try:
            exchange.check_accepts_json()
        except InvalidRequestError as error:
            raise resource_error(error.status, error.message) from None
        if path.endswith(_JWKS):
            return json_answer(self._wallets.jwks(self._find(path.removesuffix(_JWKS))))
        return json_answer(self._bodies.wallet(self._find(path)))

    def _find(self, path: str) -> Wallet:
        wallet = self._wallets.by_typed_path(path)
        if wallet is None:
            asked = {"walletAddressUrl": self._wallets.base_url + path}
            raise resource_error(404, "Could not get wallet address", asked)
        return wallet
