"""Where things stand in a bundle's folder, and how they are named.

Reads  the file ``CURRENT``.
Gives  names, patterns, the pointer to the generation in use, and the one error of a bundle.
Never  a symbolic link: a bundle stands on its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from ..exceptions import BundleError

FORMAT_VERSION = 4
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
GENERATION = re.compile(r"gen-[0-9a-f]{16}")
WORK = re.compile(r"\.anticipate-tmp-[0-9a-f]{16}")
# Lower case and no device name, so that a bundle copies to any file system.
ARRAY_NAME = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9][a-z0-9_.-]{0,99}")
MODEL_PREFIX = "model_"  # arrays whose content is read whole even by verify="structure"
PART_PREFIX = "model_part_"  # of them, what training is taken up again with; no scorer reads it

_POINTER = re.compile(r"(gen-([0-9a-f]{16})) (\2[0-9a-f]{48})\n")
_REMEDY = "Copy the bundle again from where it was made, or save it again."


class Pointer(NamedTuple):
    """What ``CURRENT`` says: the generation in use and the SHA-256 of its manifest."""

    generation: str
    sha256: str

    def text(self) -> str:
        return f"{self.generation} {self.sha256}\n"


def pointer_to(sha256: str) -> Pointer:
    """The generation's name comes from its manifest: same input, same name."""
    return Pointer(f"gen-{sha256[:16]}", sha256)


def damaged(file: Path, problem: str, remedy: str = _REMEDY) -> BundleError:
    """The error for a file of a bundle: which, what is wrong, what to do."""
    return BundleError(f"bundle file {file}: {problem}. {remedy}")


def regular_size(file: Path) -> int:
    """Size in bytes of a regular file that is no link.

    Raises
    ------
    BundleError
        If it is missing, a link, a folder or a device.
    """
    try:
        info = file.lstat()
    except OSError as error:
        raise damaged(file, f"cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(info.st_mode):
        raise damaged(file, "is not a regular file; links are refused")
    return info.st_size


@contextlib.contextmanager
def opened(file: Path) -> Iterator[BufferedReader]:
    """A regular file to read; whatever fails meanwhile names it.

    Raises
    ------
    BundleError
        If it is none, was put in place of another one meanwhile, or cannot be read.
    """
    regular_size(file)  # before opening: a pipe would wait for a writer
    try:
        with open(file, "rb", opener=_open_no_link) as handle:
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise damaged(file, "is not a regular file; links are refused")
            yield handle
    except OSError as error:
        raise damaged(file, f"cannot be read ({error.strerror})") from error


def _open_no_link(path: str, flags: int) -> int:
    """A link that came after the look at the file is not followed, a pipe not waited for."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def read_small(file: Path, limit: int) -> bytes:
    """Content of a regular file of at most ``limit`` bytes."""
    with opened(file) as handle:
        content = handle.read(limit + 1)
    if len(content) > limit:
        raise damaged(file, f"has {regular_size(file)} bytes; at most {limit} are possible")
    return content


def read_pointer(root: Path) -> Pointer:
    """What ``CURRENT`` of a bundle says.

    Raises
    ------
    BundleError
        If there is no bundle at ``root``, or ``CURRENT`` was changed.
    """
    file = root / CURRENT
    if not os.path.lexists(file):
        raise damaged(file, "there is no bundle here", "Name the folder that was saved to.")
    found = _POINTER.fullmatch(read_small(file, 200).decode("latin-1"))
    if found is None:
        raise damaged(file, "does not name a generation and its SHA-256")
    return Pointer(found[1], found[3])
