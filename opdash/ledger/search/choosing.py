"""What a command line asks for: a query of its own, or a saved one."""

from __future__ import annotations

from collections.abc import Sequence

from opdash.ledger.search.reading import read_query
from opdash.ledger.search.saved import SavedSearch, find_search, searches_for
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment


def chosen_query(
    line: str, saved: str, own: Sequence[SavedSearch], profile: str, moment: Moment
) -> Query | None:
    """Return the query of a line or of a saved search, or None where nothing is asked.

    Args:
        line: A query as typed, or empty.
        saved: The name of a saved search, or empty.
        own: A person's own searches.
        profile: The name of the profile whose payments are asked for.
        moment: When and where the query is read.

    Raises:
        SearchError: A term is wrong, or there is no such search.
    """
    if saved:
        line = find_search(searches_for(own, profile), saved).query
    query = read_query(line, moment)
    return None if query.is_empty else query
