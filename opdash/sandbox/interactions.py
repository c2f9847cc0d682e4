"""What the account holder's browser asks of the authorization server, and the consent behind it.

The consent itself is a request of its own (``POST /auth/grant/<id>/<nonce>/accept`` or ``reject``),
as the wallet's login page would send it.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.responses import Response
from starlette.routing import Route

from opdash.sandbox.clock import SandboxClock, http_date
from opdash.sandbox.errors import grant_error
from opdash.sandbox.exchange import Exchange, Handler, endpoint, json_answer, text_answer
from opdash.sandbox.grants import (
    INTERACTION_LIFE,
    GrantRow,
    Grants,
    GrantState,
    InteractionRow,
    InteractionState,
)

_COOKIE = "sessionId"
_NO_PAGE = (
    "This sandbox asks nobody for consent. Start it with --auto-consent, or decide with\n"
    "POST /auth/grant/<interactId>/<nonce>/accept or .../reject.\n"
)


class Interactions:
    """Answers browsers and the consent page.

    Args:
        grants: The grants and interactions.
        clock: Tells when an interaction has expired.
        auth_origin: The authorization server's URL without the tenant.
        tenant: The tenant's id.
        auto_consent: Whether nobody is asked.
    """

    def __init__(
        self,
        grants: Grants,
        clock: SandboxClock,
        auth_origin: str,
        tenant: str,
        *,
        auto_consent: bool,
    ) -> None:
        self._grants = grants
        self._clock = clock
        self._origin = auth_origin
        self._tenant = tenant
        self._auto_consent = auto_consent

    def routes(self) -> list[Route]:
        """Return the routes, all below ``/auth``."""

        def route(path: str, method: str, handler: Handler) -> Route:
            return Route("/auth" + path, endpoint(handler), methods=[method])

        return [
            route("/interact/{id}/{nonce}", "GET", self.start),
            route("/interact/{id}/{nonce}/finish", "GET", self.finish),
            route("/consent", "GET", self.consent),
            route("/grant/{id}/{nonce}", "GET", self.details),
            route("/grant/{id}/{nonce}/{choice}", "POST", self.choose),
        ]

    async def start(self, exchange: Exchange) -> Response:
        """Send the browser on to the page that asks for consent."""
        interaction = self._find(exchange, 400)
        grant = self._grants.get(interaction.grant_id)
        if interaction.state is not InteractionState.PENDING or grant.state is GrantState.REVOKED:
            if grant.finish_uri is None:
                raise grant_error(403, "invalid_interaction", "invalid interaction")
            result = {"result": "invalid_interaction", "message": "invalid interaction"}
            return _redirect(_with_query(grant.finish_uri, result))
        query = {
            "interactId": interaction.id,
            "nonce": interaction.nonce,
            "clientName": exchange.query.get("clientName", ""),
            "clientUri": exchange.query.get("clientUri", ""),
        }
        answer = _redirect(f"{self._origin}/consent?{urlencode(query)}")
        expires = http_date(self._clock.now() + INTERACTION_LIFE)
        answer.headers["set-cookie"] = (
            f"{_COOKIE}={interaction.session}; path=/; expires={expires}; httponly"
        )
        return answer

    async def consent(self, exchange: Exchange) -> Response:
        """Stand in for the page that asks for consent."""
        if not self._auto_consent:
            return text_answer(_NO_PAGE, 501)
        identifier, nonce = exchange.query.get("interactId", ""), exchange.query.get("nonce", "")
        interaction = self._grants.interaction(identifier, nonce)
        if interaction is None:
            raise grant_error(404, "unknown_interaction", "unknown interaction")
        self._decide(interaction, InteractionState.APPROVED)
        return _redirect(f"{self._origin}/interact/{identifier}/{nonce}/finish")

    async def details(self, exchange: Exchange) -> Response:
        """Tell the consent page what is asked for."""
        interaction = self._find(exchange, 404)
        grant = self._grants.get(interaction.grant_id)
        if grant.state is GrantState.REVOKED:
            raise grant_error(404, "unknown_interaction", "unknown interaction")
        return json_answer(
            {"grantId": grant.id, "access": grant.access, "state": interaction.state.value}
        )

    async def choose(self, exchange: Exchange) -> Response:
        """Note what the account holder chose."""
        interaction = self._find(exchange, 404)
        match exchange.parameters["choice"]:
            case "accept":
                self._decide(interaction, InteractionState.APPROVED)
            case "reject":
                self._decide(interaction, InteractionState.DENIED)
            case _:
                raise grant_error(400, "invalid_request", "invalid interaction choice")
        return text_answer("Accepted", 202)

    async def finish(self, exchange: Exchange) -> Response:
        """Carry the choice over to the grant, and send the browser back to the client."""
        interaction = self._find(exchange, 404)
        grant = self._grants.get(interaction.grant_id)
        if interaction.is_expired(self._clock.now()):
            if grant.finish_uri is None:
                raise grant_error(401, "invalid_interaction", "interaction expired")
            result = {"result": "invalid_interaction", "message": "interaction expired"}
            return _redirect(_with_query(grant.finish_uri, result))
        if _session(exchange) != interaction.session:
            raise grant_error(401, "invalid_request", "invalid session")
        if interaction.state is InteractionState.APPROVED:
            self._grants.set_state(grant.id, GrantState.APPROVED)
        elif interaction.state is InteractionState.DENIED:
            self._grants.set_state(grant.id, GrantState.REJECTED)
        elif grant.finish_uri is None:
            raise grant_error(401, "invalid_interaction", "interaction is not active")
        if grant.finish_uri is None:
            return text_answer("Accepted", 202)
        return _redirect(_with_query(grant.finish_uri, self._result(grant, interaction)))

    def _result(self, grant: GrantRow, interaction: InteractionRow) -> dict[str, str]:
        match interaction.state:
            case InteractionState.APPROVED:
                nonce = grant.finish_nonce or ""
                url = f"{self._origin}/{self._tenant}"
                return {
                    "hash": interaction_hash(nonce, interaction.nonce, interaction.reference, url),
                    "interact_ref": interaction.reference,
                }
            case InteractionState.DENIED:
                return {"result": "grant_rejected"}
            case InteractionState.PENDING:
                return {"result": "grant_invalid"}

    def _decide(self, interaction: InteractionRow, state: InteractionState) -> None:
        if self._grants.get(interaction.grant_id).state in (
            GrantState.REJECTED,
            GrantState.REVOKED,
        ):
            raise grant_error(401, "user_denied", "user denied interaction")
        expired = interaction.is_expired(self._clock.now())
        if interaction.state is not InteractionState.PENDING or expired:
            raise grant_error(400, "invalid_interaction", "invalid interaction")
        self._grants.choose(interaction.id, state)

    def _find(self, exchange: Exchange, status: int) -> InteractionRow:
        parameters = exchange.parameters
        interaction = self._grants.interaction(parameters["id"], parameters["nonce"])
        if interaction is None:
            raise grant_error(status, "unknown_interaction", "unknown interaction")
        return interaction


def interaction_hash(
    client_nonce: str, server_nonce: str, reference: str, grant_endpoint: str
) -> str:
    """Return the hash that proves to the client who sent the browser back (GNAP, 4.2.3)."""
    text = f"{client_nonce}\n{server_nonce}\n{reference}\n{grant_endpoint}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _redirect(url: str) -> Response:
    body = f"Redirecting to {escape(url)}."
    return Response(body, 302, {"Location": url}, media_type="text/html; charset=utf-8")


def _with_query(uri: str, parameters: dict[str, str]) -> str:
    parts = urlsplit(uri)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _session(exchange: Exchange) -> str:
    for part in exchange.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == _COOKIE:
            return value
    return ""
