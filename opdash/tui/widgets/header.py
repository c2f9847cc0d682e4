"""The first line of a screen: whose payments these are, and how fresh."""

from __future__ import annotations

from collections.abc import Sequence

from opdash.ledger.records import Scope
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.settings import Profile
from opdash.tui import format as fmt
from opdash.tui.widgets.line import Line, Span, cut, join, spread, width_of

SCOPE_WORDS = {Scope.OWN: "created by opdash only", Scope.EVERYTHING: "everything"}
"""What each scope shows, in words."""

_ADDRESS_LEAST = 12
_DEMO_WORDS = (
    " · a made-up server on this machine, throw-away keys, a simulated payer",
    " · a made-up server and a simulated payer",
    "",
)


class HeaderLine(Line):
    """opdash, the wallet, its address and asset, the scope, and the freshness."""


class DemoBanner(Line):
    """Says that no money is real; there for as long as the demo runs."""

    def on_resize(self) -> None:
        """Say it, in as many words as fit."""
        banner = Span(" DEMO – no real money", "strong")
        for words in _DEMO_WORDS:
            if width_of([banner, Span(words)]) < self.size.width:
                break
        self.show([banner, Span(words)])


def header_spans(
    profile: Profile, wallet: WalletAddress | None, right: Sequence[Span], width: int
) -> list[Span]:
    """Compose the header; on a narrow screen first the scope goes, then parts of the address.

    Args:
        profile: Whose payments are shown.
        wallet: What is known of its wallet address.
        right: The freshness.
        width: Cells of the line.
    """
    name = safe_text(profile.title, limit=32)
    address = fmt.short_address(profile.wallet_address if wallet is None else wallet.id)
    asset = [] if wallet is None else [Span(fmt.asset_code(wallet.asset))]
    scope = [Span(SCOPE_WORDS[profile.scope], "muted")]
    brand = [Span(" opdash", "accent")]
    end = [*right, Span(" ")]
    for middle in (scope, []):
        room = width - width_of(end) - 2
        fixed = width_of(join([brand, [Span(name)], asset, middle], "  "))
        address_room = room - fixed - 2
        if address_room >= (len(address) if middle else _ADDRESS_LEAST):
            shown = cut([Span(address, "muted")], address_room)
            left = join([brand, [Span(name, "strong")], shown, asset], "  ")
            return spread(left, [*join([middle, end], "   ")], width)
    return spread(join([brand, [Span(name, "strong")], asset], "  "), end, width)


def scope_fits(width: int) -> bool:
    """Return whether the header has room for the scope in words, in nearly all cases."""
    return width >= 116
