"""How one sandbox is to be run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
"""The sandbox serves this machine only."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What can be chosen at the start.

    Attributes:
        port: The TCP port on loopback; 0 takes a free one.
        payments: How many payments of the opdash client the main wallet address starts with;
            None for the small realistic set.
        seed: Everything made up (names, amounts, metadata, ids) follows from it.
        payer: Whether open payments get paid without anybody asking.
        auto_consent: Whether interactive grants are approved without anybody asking.
        free_lists: Whether ``list-all`` is given without the account holder's consent.
        continue_wait: Seconds that a client has to wait before it continues a grant.
        date_offset: Seconds by which the ``Date`` header differs from the sandbox's clock.
        key_file: Where the opdash client's private key is kept; made there if absent. None makes
            a new key at every start.
        data: A directory that keeps the server's data from one start to the next; None keeps
            nothing.
        latency: Milliseconds by which each answer is held back.
        until_stdin_closes: Whether to end when standard input ends, that is with the parent.
    """

    port: int = 0
    payments: int | None = None
    seed: int = 1
    payer: bool = False
    auto_consent: bool = False
    free_lists: bool = False
    continue_wait: int = 5
    date_offset: int = 0
    key_file: Path | None = None
    data: Path | None = None
    latency: int = 0
    until_stdin_closes: bool = False
