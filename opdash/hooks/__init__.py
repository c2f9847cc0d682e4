"""Handing events to other people's programs and web hooks, each at least once and in order."""
