"""The Open Payments protocol as a small library: no disk, no settings, no screen."""
