"""Refreshing the payments that can still change: the planner's requests, carried out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from opdash.errors import OpdashError
from opdash.ledger.charting import Chart
from opdash.ledger.reader import LedgerReader
from opdash.openpayments.errors import (
    ConflictError,
    GrantError,
    NotFoundError,
    NotPermittedError,
    ServerError,
    TooManyRequestsError,
)
from opdash.openpayments.resources import WalletAddress
from opdash.service.asker import Asker
from opdash.service.covering import MAX_PAGE
from opdash.service.planner import Page, Plan, Request, Terms, due_payments, plan_poll
from opdash.service.singles import Singles
from opdash.service.study import Study

_MOST_DOUBTS = 500


@dataclass(slots=True)
class Refreshed:
    """What became of a plan.

    Attributes:
        requests: How many requests were made.
        gets: How many of them were for single payments.
        failures: Why some of those brought nothing, where that may be the payment's own fault.
    """

    requests: int = 0
    gets: int = 0
    failures: list[OpdashError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A plan, and what it was drawn from."""

    plan: Plan
    changeable: frozenset[str] = frozenset()
    cursors_are_ids: bool = False


class Refresher:
    """Keeps the payments of one wallet address that can still change up to date.

    Attributes:
        on_screen: Ids of the payments that a person sees.
    """

    def __init__(self, asker: Asker, singles: Singles, study: Study) -> None:
        self._asker = asker
        self._singles = singles
        self._study = study
        self._alone: set[str] = set()
        self._doubtful: set[str] = set()
        self.on_screen: frozenset[str] = frozenset()

    async def plan(self, wallet: WalletAddress, least: int, limit: int) -> Plan:
        """Return what a poll should ask: first at least so many rows of the list's head."""
        return (await self._draw(wallet, head=least, limit=limit, pages=True)).plan

    async def refresh(self, wallet: WalletAddress, limit: int, *, pages: bool) -> Refreshed:
        """Refresh what is due, with so many requests at the most.

        What a page did not show although it should is asked for at once, and by itself.

        Args:
            wallet: Whose payments.
            limit: The most requests.
            pages: Whether pages of the list may be read: the list is known without a gap.

        Raises:
            OpenPaymentsError: The server cannot be asked.
        """
        done = Refreshed()
        as_planned = False
        while not as_planned and done.requests < limit:
            drawn = await self._draw(wallet, head=0, limit=limit - done.requests, pages=pages)
            as_planned = True
            for request in drawn.plan.requests:
                done.requests += 1
                as_planned = await self._carry_out(wallet, request, drawn, done)
                if not as_planned:
                    break
        return done

    # Drawing up a plan

    async def _draw(self, wallet: WalletAddress, *, head: int, limit: int, pages: bool) -> _Drawn:
        asker, server = self._asker, self._asker.server
        now, interval, scope = asker.now(), asker.profile.poll_interval, asker.scope
        terms = Terms(
            cost=server.costs.cost,
            per_second=server.polling.per_second,
            limit=limit,
            takes_ids=server.takes_ids,
            longest=server.longest_page,
        )
        on_screen, tried = self.on_screen, dict(self._singles.tried)
        alone, doubtful = frozenset(self._alone), frozenset(self._doubtful)

        def draw(reader: LedgerReader) -> _Drawn:
            changeable = reader.changeable(wallet.id, scope)
            due = due_payments(
                changeable, now=now, interval=interval, on_screen=on_screen, tried=tried
            )[: limit * MAX_PAGE]
            chart = Chart()
            if due and pages:
                numbers = [one.number for one in due if one.id not in alone]
                chart = reader.chart(wallet.id, scope, numbers)
            plan = plan_poll(due, _without(chart, doubtful), terms, head=head, alone=alone)
            ids = frozenset(payment.id for payment in changeable)
            return _Drawn(plan, ids, chart.cursors_are_ids)

        drawn = await self._study.read(draw)
        self._singles.keep(drawn.changeable)
        self._alone &= drawn.changeable
        return drawn

    # Carrying it out

    async def _carry_out(
        self, wallet: WalletAddress, request: Request, drawn: _Drawn, done: Refreshed
    ) -> bool:
        """Make one request; return whether it showed what it was to show."""
        if isinstance(request, Page):
            return await self._read(wallet, request, drawn)
        done.gets += 1
        failure = await self._singles.look_for(wallet, request.payment_id)
        if failure is not None:
            done.failures.append(failure)
        return True

    async def _read(self, wallet: WalletAddress, page: Page, drawn: _Drawn) -> bool:
        try:
            answer, ticket = await self._asker.ticketed_page(
                wallet, page.rows, page.cursor, backwards=page.backwards
            )
        except ServerError as error:
            if not _may_be_the_cursors(error) or page.cursor is None:
                raise
            await self._lose(wallet, page, for_good=isinstance(error, _NOT_THERE))
            return False
        if not answer.result and page.cursor is not None:
            await self._lose(wallet, page, for_good=True)
            return False
        await self._asker.record_page(wallet, answer, page.cursor, ticket, backwards=page.backwards)
        if page.is_made_up or (page.cursor is not None and drawn.cursors_are_ids):
            self._asker.server.took_id(handed_out=not page.is_made_up)
        shown = {payment.id for payment in answer.result}
        self._alone -= shown
        missing = [payment_id for payment_id in page.shows if payment_id not in shown]
        self._alone.update(missing)
        return not missing

    async def _lose(self, wallet: WalletAddress, page: Page, *, for_good: bool) -> None:
        """Begin no page again at a cursor that the server does not know."""
        cursor = page.cursor or ""
        if page.is_made_up:
            self._asker.server.refused_id()
        elif for_good:
            await self._asker.forget_cursor(wallet, cursor)
        if len(self._doubtful) >= _MOST_DOUBTS:
            self._doubtful.clear()
        self._doubtful.add(cursor)


_NOT_THERE = (NotFoundError, ConflictError)
_OTHERS = (TooManyRequestsError, GrantError, NotPermittedError)


def _may_be_the_cursors(error: ServerError) -> bool:
    """Return whether a server may have refused a page because of its cursor only."""
    return not isinstance(error, _OTHERS) and error.retry_after is None


def _without(chart: Chart, doubtful: Collection[str]) -> Chart:
    """Return a chart without cursors that led nowhere."""
    if not doubtful:
        return chart
    return msgspec.structs.replace(
        chart,
        cursors=tuple(place for place in chart.cursors if place.name not in doubtful),
        neighbours=tuple(place for place in chart.neighbours if place.name not in doubtful),
    )
