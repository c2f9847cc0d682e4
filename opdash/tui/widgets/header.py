"""The first line of a screen: whose payments these are, and how fresh."""

from __future__ import annotations

from collections.abc import Sequence

from opdash.ledger.records import Scope
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.settings import Profile
from opdash.tui import format as fmt
from opdash.tui.actions import Place, key_of
from opdash.tui.widgets.line import Line, Span, cut, join, spread, width_of

SCOPE_WORDS = {
    Scope.OWN: "created by opdash only",
    Scope.EVERYTHING: "everything on this wallet",
}
"""What each scope shows, in words."""

SHORT_SCOPE_WORDS = {Scope.OWN: "own only", Scope.EVERYTHING: "everything"}
"""The same where there is little room."""

OUTGOING_WORDS = {
    True: ("outgoing, by your consent", "by consent"),
    False: ("outgoing, as last seen", "as last seen"),
}
"""Whether a grant to see outgoing payments is at hand; in words, and in few."""

_ADDRESS_LEAST = 12
_GAPS = 4
_WIDE = 110
_USUAL_FRESHNESS = len("● live · updated 3 s ago · next in 2 s")
_USUAL_SHORT = len("● live · 3 s ago · next in 2 s")


class HeaderLine(Line):
    """opdash, the wallet, its address and asset, the scope, and the freshness."""


def header_spans(
    profile: Profile,
    wallet: WalletAddress | None,
    right: Sequence[Span],
    width: int,
    *,
    scope_key: bool = True,
    view: tuple[str, str] | None = None,
) -> list[Span]:
    """Compose the header; on a narrow screen the scope gets shorter, then the address.

    Args:
        profile: Whose payments are shown.
        wallet: What is known of its wallet address.
        right: The freshness.
        width: Cells of the line.
        scope_key: Whether the key that changes the scope works on this screen; what the scope is
            has another place there on a narrow one.
        view: What is shown in place of the profile's scope, in words and in few.
    """
    name = Span(safe_text(profile.title, limit=32), "strong")
    address = fmt.short_address(profile.wallet_address if wallet is None else wallet.id)
    asset = [] if wallet is None else [Span(fmt.asset_code(wallet.asset))]
    words, short = view or (SCOPE_WORDS[profile.scope], SHORT_SCOPE_WORDS[profile.scope])
    scope = scope_spans(words) if scope_key else [Span(words, "muted")]
    narrow = [] if scope_key else [Span(short, "muted")]
    brand = Span(" opdash", "accent")
    end = steady(right, width)
    left = join([[brand], [name], asset], "  ")
    for shown_scope, least in (
        (scope, len(address)),
        (narrow, _ADDRESS_LEAST),
        (narrow, 0),
        ([], _ADDRESS_LEAST),
    ):
        middle = [*join([shown_scope, end], "   "), Span(" ")]
        room = width - width_of(middle) - width_of(left)
        if room >= least + _GAPS:
            shown = cut([Span(address, "muted")], room - _GAPS) if least else []
            return spread(join([[brand], [name], shown, asset], "  "), middle, width)
    return spread(left, [*end, Span(" ")], width)


def scope_spans(words: str) -> list[Span]:
    """Return a scope in words behind the key that changes it; a click does so, too."""
    key = key_of("scope", Place.PAYMENTS)
    return [Span(key, "key", "screen.scope"), Span(f" {words}", "muted", "screen.scope")]


def steady(right: Sequence[Span], width: int) -> list[Span]:
    """Pad the freshness, so that what stands before it does not move as the seconds pass."""
    usual = _USUAL_FRESHNESS if width >= _WIDE else _USUAL_SHORT
    return [*right, Span(" " * max(usual - width_of(right), 0))]
