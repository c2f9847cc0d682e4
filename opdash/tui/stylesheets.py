"""Where the style sheets lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path, PurePath

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "styles", _PACKAGE.parent / "styles")


def sheets(*names: str) -> list[str | PurePath]:
    """Return the paths of style sheets, for a screen's or the app's ``CSS_PATH``.

    Args:
        names: Base names without ``.tcss``, in the order in which they apply.

    Raises:
        FileNotFoundError: A sheet is missing, which only a broken installation can cause.
    """
    return [_find(name) for name in names]


def _find(name: str) -> Path:
    for place in _PLACES:
        path = place / f"{name}.tcss"
        if path.is_file():
            return path
    raise FileNotFoundError(f"opdash's style sheet {name}.tcss is missing; install opdash again.")
