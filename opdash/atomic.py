"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600, overwrite: bool = True) -> None:
    """Write a file so that a reader sees the old content or the new, and never a part.

    The bytes go to a temporary file beside the target, reach the disk, and take the target's
    name in one step. A symbolic link is followed, so that a linked configuration stays linked.
    Missing directories are made, readable by their owner only.

    Args:
        path: The file to write.
        data: All of its content.
        mode: Its permission bits, set before the first byte is written.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        FileExistsError: The file is there and must not be replaced; it is untouched.
        OSError: The disk is full, the directory cannot be written, and the like; the old file
            is untouched and no temporary file is left.
    """
    with writing_atomic(path, mode=mode, overwrite=overwrite) as file:
        file.write(data)


@contextlib.contextmanager
def writing_atomic(path: Path, *, mode: int = 0o600, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Yield a file to write to; it takes its name when the body has ended without an exception.

    Otherwise nothing of it is left. All else is as with `write_atomic`.
    """
    target = path.resolve()
    make_private_directory(target.parent)
    temporary = target.with_name(f".{target.name[:48]}.{os.urandom(6).hex()}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(target)
        else:
            target.hardlink_to(temporary)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
    _sync_directory(target.parent)


def make_private_directory(path: Path) -> None:
    """Make a directory and its missing parents, mode 0700; one that exists is left as it is.

    Raises:
        OSError: It cannot be made, or something else has its name.
    """
    if path.is_dir():
        return
    make_private_directory(path.parent)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError as error:
        if not path.is_dir():  # another process may have been quicker
            reason = os.strerror(errno.ENOTDIR)
            raise NotADirectoryError(errno.ENOTDIR, reason, str(path)) from error


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
