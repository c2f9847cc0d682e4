"""Measures what the project promises: ``python -m tests.bench [NAME…] [--json]``.

The exit code is 0 when every promise holds, 1 when one does not, 2 for an unknown name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from tests.bench import (
    decoding,
    exporting,
    folding,
    frames,
    granting,
    idling,
    inspecting,
    killing,
    planning,
    reconciling,
    reviewing,
    searching,
    signing,
    stalling,
    starting,
    stating,
    syncing,
    walking,
)
from tests.bench.figures import Figure, Result

FIGURES: tuple[Figure, ...] = (
    *signing.FIGURES,
    *decoding.FIGURES,
    *walking.FIGURES,
    *syncing.FIGURES,
    *stalling.FIGURES,
    *killing.FIGURES,
    *planning.FIGURES,
    *granting.FIGURES,
    *searching.FIGURES,
    *folding.FIGURES,
    *reconciling.FIGURES,
    *reviewing.FIGURES,
    *exporting.FIGURES,
    *stating.FIGURES,
    *starting.FIGURES,
    *frames.FIGURES,
    *idling.FIGURES,
    *inspecting.FIGURES,
)
"""All figures there are, in the order in which they are printed."""


def main(arguments: Sequence[str] | None = None, figures: Sequence[Figure] = FIGURES) -> int:
    """Measure the figures that are named, or all, and print them."""
    names = [figure.name for figure in figures]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in names]
    if unknown:
        parser.error(f"there is no figure {unknown[0]}; there are {', '.join(names)}")
    chosen = [figure for figure in figures if not asked.names or figure.name in asked.names]
    results = []
    if not asked.json:
        _say(f"{'figure':<20}{'value':>10}  {'bar':<8}{'ok':<5}unit")
    for figure in chosen:
        result = Result(figure, figure.measure())
        results.append(result)
        _say(json.dumps(result.as_json(), ensure_ascii=False) if asked.json else _row(result))
    return 0 if all(result.ok for result in results) else 1


def _row(result: Result) -> str:
    figure = result.figure
    bar = f"{figure.side.value} {figure.bar:g}"
    ok = "yes" if result.ok else "NO"
    return f"{figure.name:<20}{result.value:>10.2f}  {bar:<8}{ok:<5}{figure.unit}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
