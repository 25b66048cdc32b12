"""Where things stand in a bundle's folder, and how they are named.

Reads  the file ``CURRENT``.
Gives  names, patterns, the pointer to the generation in use, and the one error of a bundle.
Never  a symbolic link: a bundle stands on its own.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from ..exceptions import BundleError

FORMAT_VERSION = 3
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
GENERATION = re.compile(r"gen-[0-9a-f]{16}")
WORK = re.compile(r"\.anticipate-tmp-[0-9a-f]{16}")
# Lower case and no device name, so that a bundle copies to any file system.
ARRAY_NAME = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9][a-z0-9_.-]{0,99}")
MODEL_PREFIX = "model_"  # arrays whose content is read whole even by verify="structure"

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


def read_small(file: Path, limit: int) -> bytes:
    """Content of a regular file of at most ``limit`` bytes."""
    size = regular_size(file)
    if size > limit:
        raise damaged(file, f"has {size} bytes; at most {limit} are possible")
    try:
        return file.read_bytes()
    except OSError as error:
        raise damaged(file, f"cannot be read ({error.strerror})") from error


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
