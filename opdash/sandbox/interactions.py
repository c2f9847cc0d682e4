"""What the account holder's browser asks of the authorization server, and the consent behind it.

The account holder decides on a page with a form (``/auth/consent``). A program that stands for them
decides as a wallet's login page does: ``POST /auth/grant/<id>/<nonce>/accept`` or ``reject``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.responses import Response
from starlette.routing import Route

from opdash.sandbox.clients import Clients
from opdash.sandbox.clock import SandboxClock, http_date
from opdash.sandbox.consent_page import Asked, question_page, told_page
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
from opdash.sandbox.holder import AccountHolder, Decision

_COOKIE = "sessionId"
_FORM_TYPE = "application/x-www-form-urlencoded"
_LATE = "The chance to decide is over: it lasts ten minutes."
_DECIDED = "This was decided before."


class Interactions:
    """Answers browsers and the consent page.

    Args:
        grants: The grants and interactions.
        clients: Tells the clients' names.
        clock: Tells when an interaction has expired.
        auth_origin: The authorization server's URL without the tenant.
        tenant: The tenant's id.
        holder: How consent is given.
    """

    def __init__(
        self,
        grants: Grants,
        clients: Clients,
        clock: SandboxClock,
        auth_origin: str,
        tenant: str,
        holder: AccountHolder,
    ) -> None:
        self._grants = grants
        self._clients = clients
        self._clock = clock
        self._origin = auth_origin
        self._tenant = tenant
        self._holder = holder

    def routes(self) -> list[Route]:
        """Return the routes, all below ``/auth``."""

        def route(path: str, method: str, handler: Handler) -> Route:
            return Route("/auth" + path, endpoint(handler), methods=[method])

        return [
            route("/interact/{id}/{nonce}", "GET", self.start),
            route("/interact/{id}/{nonce}/finish", "GET", self.finish),
            route("/consent", "GET", self.consent),
            route("/consent", "POST", self.decide),
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
        """Show the page that asks for consent, or decide where nobody is asked."""
        interaction = self._named(exchange.query)
        if interaction is None:
            return told_page("Nothing to decide", "This page is unknown here.", 404)
        if self._holder.decides is not Decision.ASK:
            allows = self._holder.decides is Decision.ALLOW
            state = InteractionState.APPROVED if allows else InteractionState.DENIED
            self._decide(interaction, state)
            return _redirect(self._finish_url(interaction))
        grant = self._grants.get(interaction.grant_id)
        problem = self._why_closed(interaction, grant)
        if problem:
            return told_page("Nothing to decide", problem, 410)
        return question_page(
            Asked(
                client_name=await self._clients.public_name(grant.client) or "A client",
                client_url=self._clients.url(grant.client),
                access=grant.access,
                action=f"{self._origin}/consent",
                interaction=interaction.id,
                nonce=interaction.nonce,
            )
        )

    async def decide(self, exchange: Exchange) -> Response:
        """Take what the account holder chose on the page, and send the browser on."""
        if not exchange.headers.get("content-type", "").startswith(_FORM_TYPE):
            raise grant_error(415, "invalid_request", "a form is expected")
        form = dict(parse_qsl(exchange.body.decode(errors="replace")))
        interaction = self._named(form)
        if interaction is None or form.get("choice") not in ("accept", "reject"):
            return told_page("Nothing to decide", "This page is unknown here.", 404)
        if _session(exchange) != interaction.session:
            return told_page(
                "Nothing was decided", "Open the address anew that the client gave you.", 401
            )
        grant = self._grants.get(interaction.grant_id)
        problem = self._why_closed(interaction, grant)
        if problem:
            return told_page("Nothing was decided", problem, 410)
        allows = form["choice"] == "accept"
        self._decide(interaction, InteractionState.APPROVED if allows else InteractionState.DENIED)
        if grant.finish_uri is not None:
            return _redirect(self._finish_url(interaction), 303)
        self._grants.set_state(grant.id, GrantState.APPROVED if allows else GrantState.REJECTED)
        return told_page(
            "You allowed it" if allows else "You denied it",
            "You can close this window and return to the client, which will find out by itself.",
        )

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

    def _why_closed(self, interaction: InteractionRow, grant: GrantRow) -> str:
        """Return why nothing can be decided any more; empty where it can."""
        if grant.state is GrantState.REVOKED:
            return "The client has withdrawn its request."
        if interaction.state is not InteractionState.PENDING:
            return _DECIDED
        return _LATE if interaction.is_expired(self._clock.now()) else ""

    def _named(self, fields: Mapping[str, str]) -> InteractionRow | None:
        return self._grants.interaction(fields.get("interactId", ""), fields.get("nonce", ""))

    def _finish_url(self, interaction: InteractionRow) -> str:
        return f"{self._origin}/interact/{interaction.id}/{interaction.nonce}/finish"

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


def _redirect(url: str, status: int = 302) -> Response:
    body = f"Redirecting to {escape(url)}."
    return Response(body, status, {"Location": url}, media_type="text/html; charset=utf-8")


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
