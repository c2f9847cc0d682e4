"""opdash's two looks: one accent colour each, and quiet colours for the states."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="opdash-dark",
    dark=True,
    primary="#58b3c7",
    secondary="#58b3c7",
    accent="#58b3c7",
    foreground="#d5dade",
    background="#101417",
    surface="#161b1f",
    panel="#1d2328",
    success="#86b97d",
    warning="#d8a657",
    error="#e0786f",
    variables={
        "good": "#86b97d",
        "attention": "#d8a657",
        "bad": "#e0786f",
        "muted": "#838d95",
        "line": "#2c343a",
        "line-strong": "#4b565e",
        "cursor-row": "#1f3139",
        "cursor-row-blurred": "#1d2328",
        "banner": "#d8a657",
        "on-banner": "#101417",
        "scrollbar": "#2c343a",
        "scrollbar-hover": "#46525a",
        "scrollbar-active": "#58b3c7",
        "scrollbar-background": "#101417",
        "scrollbar-background-hover": "#101417",
        "scrollbar-background-active": "#101417",
        "block-cursor-blurred-background": "#1d2328",
        "input-selection-background": "#58b3c7 35%",
    },
)

LIGHT = Theme(
    name="opdash-light",
    dark=False,
    primary="#0a6a85",
    secondary="#0a6a85",
    accent="#0a6a85",
    foreground="#22282c",
    background="#fbfaf7",
    surface="#f3f2ee",
    panel="#eae9e4",
    success="#2c7440",
    warning="#8a5a00",
    error="#ae3329",
    variables={
        "good": "#2c7440",
        "attention": "#8a5a00",
        "bad": "#ae3329",
        "muted": "#62696e",
        "line": "#d3d2cb",
        "line-strong": "#a3a29a",
        "cursor-row": "#d7e8ec",
        "cursor-row-blurred": "#eae9e4",
        "banner": "#8a5a00",
        "on-banner": "#ffffff",
        "scrollbar": "#d3d2cb",
        "scrollbar-hover": "#b1b0a8",
        "scrollbar-active": "#0a6a85",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "block-cursor-blurred-background": "#eae9e4",
        "input-selection-background": "#0a6a85 30%",
    },
)

THEMES = (DARK, LIGHT)
"""Both, the default first."""


def theme_named(name: str) -> Theme:
    """Return the theme that a setting means: ``light`` or ``opdash-light``; else the dark one."""
    return LIGHT if name.removeprefix("opdash-") == "light" else DARK


def other_theme(name: str) -> Theme:
    """Return the theme that the toggle leads to."""
    return DARK if theme_named(name) is LIGHT else LIGHT
