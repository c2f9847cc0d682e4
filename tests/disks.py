"""Disks of their own that tests can fill up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of that size on a new directory, or skip the test where nobody may."""
    directory.mkdir()
    options = f"size={megabytes}m,mode=0700"
    mounting = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount on this machine")
    if mounted.returncode:
        pytest.skip("this user may mount nothing")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


@contextmanager
def filled_up(directory: Path) -> Iterator[None]:
    """Leave no room on a disk for the body."""
    ballast = directory / "ballast"
    with pytest.raises(OSError, match="No space left"):
        _write_without_end(ballast)
    yield
    ballast.unlink()


def _write_without_end(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
