"""The authorization server: grants, their continuation, and the management of tokens (GNAP)."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from opdash.sandbox.access import AccessControl
from opdash.sandbox.checks import check_grant_body, is_uri
from opdash.sandbox.clients import Clients
from opdash.sandbox.clock import SandboxClock
from opdash.sandbox.errors import InvalidRequestError, grant_error, plain_error
from opdash.sandbox.exchange import Exchange, Handler, empty_answer, endpoint, json_answer
from opdash.sandbox.grants import (
    TOKEN_LIFE,
    GrantRow,
    Grants,
    GrantState,
    InteractionState,
    TokenRow,
)
from opdash.sandbox.holder import AccountHolder, Decision
from opdash.sandbox.payments import is_uuid
from opdash.sandbox.wallets import WalletDirectory

_UNKNOWN_CLIENT = (400, "invalid_client", "could not determine client")
_UNKNOWN_TOKEN = (401, "invalid_client", "invalid access token")
_UNKNOWN_GRANT = (401, "invalid_continuation", "invalid grant")


class AuthServer:
    """Answers the requests that clients sign; what browsers ask is in `interactions`."""

    def __init__(
        self,
        tenant: str,
        wallets: WalletDirectory,
        grants: Grants,
        clients: Clients,
        access: AccessControl,
        clock: SandboxClock,
        holder: AccountHolder,
    ) -> None:
        self._tenant = tenant
        self._wallets = wallets
        self._grants = grants
        self._clients = clients
        self._access = access
        self._clock = clock
        self._origin = f"{wallets.base_url}/auth"
        self._holder = holder

    def routes(self) -> list[Route]:
        """Return the routes, all below ``/auth``."""

        def route(path: str, method: str, handler: Handler) -> Route:
            return Route("/auth" + path, endpoint(_validated(handler)), methods=[method])

        return [
            route("/discovery", "GET", self.discover),
            route("/token/{id}", "POST", self.rotate),
            route("/token/{id}", "DELETE", self.revoke),
            route("/continue/{id}", "POST", self.continue_grant),
            route("/continue/{id}", "DELETE", self.cancel_grant),
            route("/{tenant}", "POST", self.create_grant),
        ]

    async def discover(self, exchange: Exchange) -> Response:  # noqa: ARG002
        """Say what the server offers."""
        return json_answer(
            {
                "grant_request_endpoint": "/",
                "interaction_start_modes_supported": ["redirect"],
                "interaction_finish_modes_supported": ["redirect"],
            }
        )

    async def create_grant(self, exchange: Exchange) -> Response:
        """Give a token at once, or ask for the account holder's consent."""
        if not is_uuid(exchange.parameters["tenant"]):
            raise plain_error(404)
        body = exchange.json_body()
        check_grant_body(body)
        url = body["client"] if isinstance(body["client"], str) else body["client"]["walletAddress"]
        client = self._wallets.key_of(url) if is_uri(url) else None
        unknown = grant_error(*_UNKNOWN_CLIENT)
        await self._access.check_grant_signature(exchange, client, unknown)
        if client is None:
            raise unknown
        if exchange.parameters["tenant"] != self._tenant:
            raise grant_error(404, "invalid_request", "Not Found")
        access = tuple(_as_granted(item) for item in body.get("access_token", {}).get("access", ()))
        if not access:
            raise grant_error(400, "invalid_request", "subject or access_token required")
        if not _needs_consent(access, free_lists=self._holder.free_lists):
            now = self._clock.now()
            grant = self._grants.create(client, access, GrantState.APPROVED, None, now)
            return self._issue(grant)
        return await self._ask_for_consent(client, access, body.get("interact"))

    async def continue_grant(self, exchange: Exchange) -> Response:
        """Fetch the token of a grant that was consented to, or say that it is still pending."""
        body = exchange.json_body()
        grant = await self._signed_grant(exchange)
        if not body:
            return self._poll(grant)
        reference = body.get("interact_ref") if isinstance(body, dict) else None
        if not reference:
            raise grant_error(401, "invalid_request", "missing interaction reference")
        interaction = self._grants.by_reference(str(reference))
        if (
            interaction is None
            or interaction.grant_id != grant.id
            or grant.state is GrantState.REJECTED
        ):
            raise grant_error(404, "invalid_continuation", "grant not found")
        if self._grants.too_early(grant, self._clock.now()):
            raise grant_error(400, "too_fast", 'continued grant faster than "wait" period')
        if grant.state is not GrantState.APPROVED:
            raise grant_error(401, "request_denied", "grant interaction not approved")
        self._grants.set_state(grant.id, GrantState.ISSUED)
        return self._issue(grant)

    async def cancel_grant(self, exchange: Exchange) -> Response:
        """Cancel a grant and its tokens."""
        grant = await self._signed_grant(exchange)
        self._grants.cancel(grant.id)
        return empty_answer()

    async def rotate(self, exchange: Exchange) -> Response:
        """Replace a token by a new one with a new management URL."""
        token = await self._signed_token(exchange)
        await asyncio.sleep(0)  # as on a real server, another rotation may come between
        if not self._grants.revoke_token(token):
            raise grant_error(404, "invalid_rotation", "invalid access token")
        grant = self._grants.get(token.grant_id)
        new = self._grants.issue_token(token.grant_id, self._clock.now())
        return json_answer({"access_token": self._shown_token(new, grant)})

    async def revoke(self, exchange: Exchange) -> Response:
        """Revoke a token."""
        self._grants.revoke_token(await self._signed_token(exchange))
        return empty_answer()

    async def _ask_for_consent(
        self, client: str, access: tuple[dict[str, Any], ...], interact: dict[str, Any] | None
    ) -> Response:
        if interact is None:
            raise grant_error(400, "invalid_request", "missing required request field 'interact'")
        name = await self._clients.public_name(client)
        if name is None:
            raise grant_error(400, "invalid_client", "missing required request field 'client'")
        finish = interact.get("finish")
        approved = self._holder.decides is Decision.ALLOW and finish is None
        rejected = self._holder.decides is Decision.DENY and finish is None
        grant = self._grants.create(
            client,
            access,
            _state(approved=approved, rejected=rejected),
            None if finish is None else (finish["uri"], finish["nonce"]),
            self._clock.now(),
        )
        state = InteractionState.PENDING
        if approved or rejected:
            state = InteractionState.APPROVED if approved else InteractionState.DENIED
        interaction = self._grants.begin_interaction(grant.id, state, self._clock.now())
        shown = urlencode({"clientName": name, "clientUri": self._wallets.url(client)})
        redirect = f"{self._origin}/interact/{interaction.id}/{interaction.nonce}?{shown}"
        return json_answer(
            {
                "interact": {"redirect": redirect, "finish": interaction.nonce},
                "continue": self._continuation(grant, wait=True),
            }
        )

    def _poll(self, grant: GrantRow) -> Response:
        now = self._clock.now()
        if self._grants.too_early(grant, now):
            raise grant_error(400, "too_fast", 'polled grant faster than "wait" period')
        if grant.finish_uri is not None:
            raise grant_error(401, "request_denied", "grant cannot be polled")
        if grant.state is GrantState.PENDING:
            self._grants.note_poll(grant.id, now)
            return json_answer({"continue": self._continuation(grant, wait=True)})
        if grant.state is not GrantState.APPROVED:
            raise grant_error(401, "request_denied", "grant cannot be continued")
        self._grants.set_state(grant.id, GrantState.ISSUED)
        return self._issue(grant)

    def _issue(self, grant: GrantRow) -> Response:
        token = self._grants.issue_token(grant.id, self._clock.now())
        return json_answer(
            {
                "access_token": self._shown_token(token, grant),
                "continue": self._continuation(grant, wait=False),
            }
        )

    def _shown_token(self, token: TokenRow, grant: GrantRow) -> dict[str, Any]:
        return {
            "access": grant.access,
            "value": token.value,
            "manage": f"{self._origin}/token/{token.manage_id}",
            "expires_in": TOKEN_LIFE,
        }

    def _continuation(self, grant: GrantRow, *, wait: bool) -> dict[str, Any]:
        return {
            "access_token": {"value": grant.continue_token},
            "uri": f"{self._origin}/continue/{grant.continue_id}",
            **({"wait": self._grants.wait} if wait else {}),
        }

    async def _signed_token(self, exchange: Exchange) -> TokenRow:
        token = self._grants.token_by_manage_id(exchange.parameters["id"])
        client = None if token is None else self._grants.get(token.grant_id).client
        unknown = grant_error(*_UNKNOWN_TOKEN)
        await self._access.check_grant_signature(exchange, client, unknown)
        if token is None:
            raise unknown
        return token

    async def _signed_grant(self, exchange: Exchange) -> GrantRow:
        authorization = exchange.headers.get("authorization")
        if authorization is None:
            raise grant_error(401, "invalid_client", "invalid signature headers")
        value = authorization.removeprefix("GNAP ")
        grant = self._grants.by_continuation(exchange.parameters["id"], value)
        unknown = grant_error(*_UNKNOWN_GRANT)
        client = None if grant is None else grant.client
        await self._access.check_grant_signature(exchange, client, unknown)
        if grant is None:
            raise unknown
        return grant


def _validated(handler: Handler) -> Handler:
    """Wrap a handler with what comes before it, and spell its schema faults."""

    async def call(exchange: Exchange) -> Response:
        try:
            exchange.check_accepts_json()
            return await handler(exchange)
        except InvalidRequestError as error:
            raise grant_error(error.status, "", error.message) from None

    return call


def _state(*, approved: bool, rejected: bool) -> GrantState:
    if approved or rejected:
        return GrantState.APPROVED if approved else GrantState.REJECTED
    return GrantState.PENDING


def _needs_consent(access: tuple[dict[str, Any], ...], *, free_lists: bool) -> bool:
    needs = False
    for item in access:
        if item["type"] == "outgoing-payment" or "list-all" in item["actions"]:
            needs |= item["type"] == "outgoing-payment" or not free_lists
            if not item.get("identifier"):
                raise grant_error(400, "invalid_request", "access identifier required")
    return needs


def _as_granted(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: item[name] for name in ("actions", "identifier", "type", "limits") if name in item
    }
