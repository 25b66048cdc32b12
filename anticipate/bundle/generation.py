"""One generation of a bundle: the one in use, or an older one by its folder.

Reads  a bundle's folder, or that of a generation in it.
Gives  its hash, manifest and mapped arrays.
Never  a generation whose manifest is not the one it is named after.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .layout import CURRENT, MANIFEST, Pointer, damaged, pointer_to, read_small
from .reader import (
    MANIFEST_LIMIT,
    Array,
    Check,
    Manifest,
    Result,
    of_current,
    read_generation,
    read_manifest,
)


class Generation(NamedTuple):
    """Of arrays, contents are not read but those of models."""

    sha256: str  # of the manifest
    manifest: Manifest
    arrays: dict[str, Array]


def open_generation(path: str | Path, *, check: Check | None = None) -> Generation:
    """What a scorer reads of ``bundle`` or ``bundle/gen-…`` alike, verified by structure.

    Raises
    ------
    BundleError
        If it is neither, or damaged.
    """

    def read(folder: Path, pointer: Pointer) -> Generation:
        found = read_generation(folder, pointer, full=False, parts=False, check=check)
        return Generation(pointer.sha256, *found)

    return _at(Path(path), read)


def generation_info(path: str | Path) -> tuple[str, Manifest]:
    """The manifest's hash and the manifest of either; arrays are not opened."""
    return _at(Path(path), lambda folder, pointer: (pointer.sha256, read_manifest(folder, pointer)))


def _at(root: Path, read: Callable[[Path, Pointer], Result]) -> Result:
    if os.path.lexists(root / CURRENT) or not os.path.lexists(root / MANIFEST):
        return of_current(root, read)
    pointer = pointer_to(hashlib.sha256(read_small(root / MANIFEST, MANIFEST_LIMIT)).hexdigest())
    if root.absolute().name != pointer.generation:
        raise damaged(root / MANIFEST, "has another SHA-256 than its folder is named after")
    return read(root, pointer)
