"""The line that says, for as long as the demo runs, that no money is real."""

from __future__ import annotations

from opdash.tui.widgets.line import Line, Span, width_of

_DEMO_WORDS = (
    " · a made-up server on this machine, throw-away keys, a simulated payer",
    " · a made-up server and a simulated payer",
    "",
)


class DemoBanner(Line):
    """Says that no money is real; there for as long as the demo runs."""

    def on_resize(self) -> None:
        """Say it, in as many words as fit."""
        banner = Span(" DEMO – no real money", "strong")
        for words in _DEMO_WORDS:
            if width_of([banner, Span(words)]) < self.size.width:
                break
        self.show([banner, Span(words)])
