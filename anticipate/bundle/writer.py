"""Save a bundle so that a crash, a full disk or a second writer cannot break the old one.

Reads  a manifest and arrays.
Gives  a new generation; the folder's ``CURRENT`` then names it.
Never  a clock or a random byte in what is stored; never deletes what it did not write.

Temporary folder, fsync of files and folder, rename, flip of ``CURRENT`` with ``os.replace``.
Leftovers of crashed saves and generations out of use are swept by the next save.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..exceptions import BundleError, OutputError, ParameterError
from .disk import (
    REPLACED,
    STAGED,
    only_writer,
    remove_generation,
    remove_work,
    sweep,
    sync_folder,
    write_file,
)
from .layout import (
    CURRENT,
    FORMAT_VERSION,
    GENERATION,
    MANIFEST,
    Pointer,
    pointer_to,
    read_pointer,
)
from .pieces import Array, Pieces, content, storable
from .reader import read_generation

_OWN_KEYS = {"files", "format_version", "libraries"}
_LIBRARIES = ("implicit", "numpy", "pandas", "scikit-learn", "scipy")


def write_bundle(
    path: str | Path, manifest: Mapping[str, Any], arrays: Mapping[str, Array | Pieces]
) -> Path:
    """Save a manifest and arrays as the bundle at ``path``.

    Parameters
    ----------
    path : str or Path
        A folder, made if missing. Files in it that are not a bundle's are left alone.
    manifest : mapping
        Anything JSON can hold; finite numbers only. ``files``, ``format_version`` and
        ``libraries`` are added here.
    arrays : mapping of str to ndarray or Pieces
        Numbers, booleans or datetime64 of any shape; names in lower case. Content of
        arrays named ``model_*`` is verified at every opening.

    Returns
    -------
    Path
        ``path``. Same input and library versions, same bytes.

    Raises
    ------
    ParameterError
        If a name, a dtype or the manifest cannot be stored; nothing was touched.
    OutputError
        If the folder cannot be written, the disk is full, another process is saving there,
        or ``CURRENT`` is somebody else's file. The bundle that stood there is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> from anticipate.bundle import open_bundle
    >>> folder = write_bundle(tempfile.mkdtemp(), {"cutoff": "2025-03-01"}, {"gap": np.ones(3)})
    >>> open_bundle(folder)[1]["gap"].tolist()
    [1.0, 1.0, 1.0]
    """
    root = Path(path)
    stored = {name: storable(name, array) for name, array in arrays.items()}
    document = document_of(manifest)
    existed = os.path.lexists(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(root)
        with only_writer(root):
            sweep(root, _current_or_none(root))
            save_generation(root, document, stored)
    except OSError as error:
        if not existed:
            with contextlib.suppress(OSError):
                root.rmdir()
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"bundle {root}: not saved ({error.strerror or error}). What stood there before is "
            "unchanged. Check the path, its permissions and the free space; then save again."
        ) from error
    return root


def document_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's manifest through JSON, with versions added."""
    taken = _OWN_KEYS & manifest.keys()
    if taken:
        raise ParameterError(f"manifest: {sorted(taken)} are filled in here; name yours otherwise.")
    try:
        plain = json.loads(json.dumps(dict(manifest), allow_nan=False, default=_plain_scalar))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"manifest: not finite JSON ({error}). Give plain values.") from error
    return {**plain, "format_version": FORMAT_VERSION, "libraries": _library_versions()}


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON type")


def _library_versions() -> dict[str, str]:
    # Imported here: 30 ms that a service, which only reads bundles, should not pay.
    from importlib import metadata

    versions = {"anticipate": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _current_or_none(root: Path) -> Pointer | None:
    try:
        return read_pointer(root)
    except BundleError:
        return None


def _refuse_foreign(root: Path) -> None:
    """A ``CURRENT`` we did not write is not overwritten; a damaged one of ours is."""
    if not os.path.lexists(root / CURRENT) or _current_or_none(root) is not None:
        return
    if not any(GENERATION.fullmatch(entry.name) for entry in root.iterdir()):
        raise OutputError(
            f"bundle {root}: its file {CURRENT} is not a bundle's. Save to another folder, or "
            "move that file away."
        )


def save_generation(
    root: Path, document: dict[str, Any], stored: Mapping[str, Array | Pieces]
) -> None:
    """Write a generation beside the others and make it the current one; the caller has the lock."""
    work = root / f".anticipate-tmp-{os.urandom(8).hex()}"
    try:
        work.mkdir()
        pointer = _stage(work, document, stored)
        _publish(root, work, pointer)
    finally:
        remove_work(work)


def _stage(work: Path, document: dict[str, Any], stored: Mapping[str, Array | Pieces]) -> Pointer:
    """Write the whole generation and its pointer into the temporary folder, to the disk."""
    folder = work / STAGED
    folder.mkdir()
    files = {name: _write_array(folder / f"{name}.npy", stored[name]) for name in stored}
    text = json.dumps({**document, "files": files}, indent=1, sort_keys=True, allow_nan=False)
    raw = text.encode("ascii") + b"\n"
    write_file(folder / MANIFEST, [raw])
    sync_folder(folder)
    pointer = pointer_to(hashlib.sha256(raw).hexdigest())
    write_file(work / CURRENT, [pointer.text().encode("ascii")])
    return pointer


def _write_array(file: Path, values: Array | Pieces) -> dict[str, Any]:
    sha256, size = write_file(file, content(values))
    shape = list(values.shape)
    return {"sha256": sha256, "size": size, "dtype": values.dtype.str, "shape": shape}


def _publish(root: Path, work: Path, pointer: Pointer) -> None:
    """Put the staged generation in its place, then make it the current one."""
    target = root / pointer.generation
    if target.exists() and not _is_intact(target, pointer):
        target.rename(work / REPLACED)
    is_new = not target.exists()
    if is_new:
        (work / STAGED).rename(target)
    try:
        sync_folder(root)
        (work / CURRENT).replace(root / CURRENT)
    except OSError:
        if is_new:
            remove_generation(target)
        raise
    with contextlib.suppress(OSError):  # either way CURRENT names a whole generation
        sync_folder(root)


def _is_intact(folder: Path, pointer: Pointer) -> bool:
    try:
        read_generation(folder, pointer, full=True)
    except BundleError:
        return False
    return True
