"""What a plan of polling costs."""

from __future__ import annotations

from opdash.service.costs import RequestCost
from opdash.service.planner import Page, Plan


def cost_of(plan: Plan, cost: RequestCost) -> float:
    """Return the milliseconds that the requests of a plan take, one after the other."""
    return sum(
        cost.of_page(request.rows) if isinstance(request, Page) else cost.of_get()
        for request in plan.requests
    )
