"""Runs in a real browser: Chromium, without a screen."""
