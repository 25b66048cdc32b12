"""The folder of a bundle on the disk: lock, force to the disk, sweep.

Reads  names in the folder.
Gives  written files, and a folder free of leftovers.
Never  deletes a file or folder that is not named like ours, nor follows a link.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..exceptions import OutputError
from .layout import CURRENT, GENERATION, MANIFEST, WORK, Pointer

if sys.platform != "win32":
    import fcntl

STAGED, REPLACED = "generation", "replaced"  # folders inside the temporary one
_LOCK = ".anticipate-lock"  # Windows only; elsewhere the folder itself is locked


@contextlib.contextmanager
def only_writer(root: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process ends, however it ends.

    Raises
    ------
    OutputError
        If another process, or another thread of this one, is saving there.
    """
    try:
        handle = _lock(root)
    except (BlockingIOError, FileExistsError) as error:
        raise OutputError(
            f"bundle {root}: another process is saving there. Wait for it; then save again."
        ) from error
    try:
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":

    def _lock(root: Path) -> int:
        return os.open(root / _LOCK, os.O_CREAT | os.O_EXCL | os.O_TEMPORARY)

    def sync_folder(folder: Path) -> None:
        """Nothing: folders cannot be opened there."""

else:

    def _lock(root: Path) -> int:
        handle = os.open(root, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise
        except OSError:  # a file system without locks: go on, as without a second writer
            return handle
        return handle

    def sync_folder(folder: Path) -> None:
        """Force a folder's entries to the disk."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_file(file: Path, content: Iterable[Any]) -> tuple[str, int]:
    """Write pieces of bytes, force them to the disk; SHA-256 and size of what was written."""
    digest, size = hashlib.sha256(), 0
    with file.open("xb") as handle:
        for piece in content:
            handle.write(piece)
            digest.update(piece)
            size += len(piece)
        handle.flush()
        os.fsync(handle.fileno())
    return digest.hexdigest(), size


def sweep(root: Path, current: Pointer | None) -> None:
    """Remove crashed saves, and generations out of use if the one in use is known.

    What cannot be removed waits for the next sweep.
    """
    for entry in root.iterdir():
        if entry.is_symlink() or not entry.is_dir():
            continue
        if WORK.fullmatch(entry.name):
            remove_work(entry)
        elif current and GENERATION.fullmatch(entry.name) and entry.name != current.generation:
            remove_generation(entry)


def remove_generation(folder: Path) -> None:
    """Delete the kinds of files a generation has; a foreign one keeps its folder alive.

    Errors are ignored: Windows keeps files that a reader still maps.
    """
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if entry.name == MANIFEST or entry.suffix == ".npy":
                entry.unlink()
        folder.rmdir()


def remove_work(work: Path) -> None:
    """Delete the temporary folder of one save."""
    remove_generation(work / STAGED)
    remove_generation(work / REPLACED)
    with contextlib.suppress(OSError):
        (work / CURRENT).unlink(missing_ok=True)
        work.rmdir()
