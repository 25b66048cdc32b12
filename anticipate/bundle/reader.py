"""Open a bundle: verify first, then map its arrays into memory.

Reads  a bundle's folder; nothing in it is trusted.
Gives  the manifest and read-only arrays that workers share through the page cache.
Never  writes, follows links, unpickles, or returns part of a bundle.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..exceptions import BundleError, ParameterError
from .layout import (
    ARRAY_NAME,
    FORMAT_VERSION,
    MANIFEST,
    MODEL_PREFIX,
    PART_PREFIX,
    Pointer,
    damaged,
    opened,
    read_pointer,
    read_small,
    regular_size,
)
from .npy import view

Array = NDArray[Any]
Manifest = dict[str, Any]
Result = TypeVar("Result")
Fault = tuple[str, str]  # the array ("manifest" for the manifest), and what is wrong with it
Check = Callable[[Manifest, Mapping[str, Array], bool], Iterable[Fault]]

MANIFEST_LIMIT = 8 * 2**20  # bytes; real ones are a hundred times smaller
MANIFEST_DEPTH = 32
_THREADS = 2  # hashing lets go of Python's lock; more would take what other workers need
_LARGE = 1 << 18  # bytes; handing a smaller file to a thread takes longer than reading it
_UPGRADE = "Upgrade anticipate."
_SAVE_AGAIN = (
    "Fit and save it again with this version ('anticipate train ... --out FOLDER'), or read it "
    "with the version that saved it."
)
_FORGED = (
    "Its hashes are right, so it was written like this: do not use it unless you know who wrote "
    "it; save the bundle again."
)


def open_bundle(
    path: str | Path,
    *,
    verify: Literal["full", "structure"] = "full",
    sha256: str | None = None,
    parts: bool = True,
    check: Check | None = None,
) -> tuple[Manifest, dict[str, Array]]:
    """Manifest and arrays of the bundle at ``path``.

    Parameters
    ----------
    path : str or Path
        The folder given to :func:`write_bundle`.
    verify : {"full", "structure"}, default="full"
        ``"full"`` reads every byte against its SHA-256. ``"structure"`` checks the manifest's
        hash, the list of files, sizes and headers, and the content of arrays named
        ``model_*`` only: for workers, after a full check.
    sha256 : str, optional
        The manifest's hash that is expected, 64 hex digits (the second word of ``CURRENT``).
        Hashes beside the data find damage; only one kept elsewhere finds forgery.
    parts : bool, default=True
        False leaves out arrays named ``model_part_*``, which training alone reads. ``"full"``
        still verifies them; of them ``"structure"`` then looks at sizes only.
    check : callable, optional
        ``(manifest, arrays, full) -> faults``: what must hold of contents, which this module
        knows nothing of. Each fault names an array (or ``"manifest"``) and what is wrong.

    Returns
    -------
    manifest : dict
        What the caller saved, and ``format_version``, ``libraries``, ``files``.
    arrays : dict of ndarray
        Read-only, memory-mapped, in the order of their names.

    Raises
    ------
    BundleError
        Naming the file that is missing, changed, truncated, unknown, from a newer version or
        at fault for ``check``.
    ParameterError
        If ``verify`` is another word.

    Notes
    -----
    ``"full"`` costs SHA-256 over all bytes on two threads and half as much again for contents,
    ``"structure"`` .1 ms per file and the hash of models. A save in another process is seen whole
    or not at all.
    """
    if verify not in ("full", "structure"):
        raise ParameterError(f"verify={verify!r}: use 'full' or 'structure'.")

    def open_generation(folder: Path, pointer: Pointer) -> tuple[Manifest, dict[str, Array]]:
        full = verify == "full"
        return read_generation(folder, pointer, full=full, sha256=sha256, parts=parts, check=check)

    return of_current(Path(path), open_generation)


def bundle_info(path: str | Path) -> Manifest:
    """The manifest of the bundle at ``path``, its hash checked; arrays are not opened.

    Raises
    ------
    BundleError
        If ``CURRENT`` or the manifest is missing, changed or from a newer version.
    """
    return of_current(Path(path), read_manifest)


def of_current(root: Path, read: Callable[[Path, Pointer], Result]) -> Result:
    """Read the current generation; start over if a save replaced it meanwhile."""
    while True:
        pointer = read_pointer(root)
        try:
            return read(root / pointer.generation, pointer)
        except BundleError:
            if read_pointer(root) == pointer:
                raise


def read_generation(
    folder: Path,
    pointer: Pointer,
    *,
    full: bool,
    sha256: str | None = None,
    parts: bool = True,
    check: Check | None = None,
) -> tuple[Manifest, dict[str, Array]]:
    """Verify and map one generation; see :func:`open_bundle`."""
    if sha256 is not None and sha256.lower() != pointer.sha256:
        raise damaged(
            folder / MANIFEST,
            f"has SHA-256 {pointer.sha256}, expected was {sha256}",
            "Do not use it unless you know who changed it; copy the expected bundle again.",
        )
    manifest = read_manifest(folder, pointer)
    files = _declared_files(folder, manifest)
    _refuse_unknown(folder, files)
    wanted = {name: not name.startswith(PART_PREFIX) or parts for name in files}

    def read(name: str) -> Array | None:
        file, declared = folder / f"{name}.npy", files[name]
        _check_size(file, declared)
        if not full and not wanted[name]:
            return None
        return _map_array(file, declared, full or name.startswith(MODEL_PREFIX))

    pool = ThreadPoolExecutor(_THREADS)
    try:
        begun = {n: pool.submit(read, n) for n, one in files.items() if one["size"] >= _LARGE}
        found = ((n, begun[n].result() if n in begun else read(n)) for n in files)
        arrays = {name: array for name, array in found if array is not None}
    finally:  # after a damaged file the others need not be read
        pool.shutdown(cancel_futures=True)
    for name, problem in check(manifest, arrays, full) if check else ():
        file = MANIFEST if name == "manifest" else f"{name}.npy"
        raise damaged(folder / file, problem, _FORGED)
    return manifest, {name: array for name, array in arrays.items() if wanted[name]}


def read_manifest(folder: Path, pointer: Pointer) -> Manifest:
    file = folder / MANIFEST
    if folder.is_symlink():
        raise damaged(folder, "is a link; links are refused")
    raw = read_small(file, MANIFEST_LIMIT)
    if hashlib.sha256(raw).hexdigest() != pointer.sha256:
        raise damaged(file, "has another SHA-256 than CURRENT says; it was changed")
    try:
        manifest = json.loads(raw, object_pairs_hook=_once, parse_constant=_refuse)
        version = manifest["format_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(file, "is not the manifest of a bundle") from error
    if not _is_flat(manifest):
        raise damaged(file, f"is nested deeper than {MANIFEST_DEPTH} levels")
    if type(version) is not int:
        raise damaged(file, "is not the manifest of a bundle")
    if version != FORMAT_VERSION:
        raise damaged(
            file,
            f"has format version {version}{_saved_by(manifest)}, this library reads "
            f"{FORMAT_VERSION}",
            _UPGRADE if version > FORMAT_VERSION else _SAVE_AGAIN,
        )
    _declared_files(folder, manifest)
    return dict(manifest)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once: two readers must not see two manifests."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _is_flat(tree: Any) -> bool:
    """Whether it can be gone through without running out of calls."""
    level = [tree]
    for _ in range(MANIFEST_DEPTH):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for many in inner for one in many if isinstance(one, (dict, list))]
        if not level:
            return True
    return False


def _saved_by(manifest: Manifest) -> str:
    """The version of this library that wrote it, if it says so."""
    libraries = manifest.get("libraries")
    version = libraries.get("anticipate") if isinstance(libraries, dict) else None
    is_one = isinstance(version, str) and re.fullmatch(r"[0-9a-z.+]{1,40}", version)
    return f", saved by anticipate {version}" if is_one else ""


def _declared_files(folder: Path, manifest: Manifest) -> dict[str, dict[str, Any]]:
    """``files`` of the manifest, every entry of the right types."""
    try:
        files = {name: _declared(entry) for name, entry in manifest["files"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(folder / MANIFEST, "declares its files in an unknown way") from error
    if not all(ARRAY_NAME.fullmatch(name) for name in files):
        raise damaged(folder / MANIFEST, "declares a file name that is never written")
    return files


def _declared(entry: Any) -> dict[str, Any]:
    sha256, size, dtype, shape = (entry[name] for name in ("sha256", "size", "dtype", "shape"))
    words = type(sha256) is str and type(dtype) is str and type(shape) is list
    if not words or not all(type(number) is int for number in (size, *shape)):
        raise TypeError("an entry of another type than is written")
    return {"sha256": sha256, "size": size, "dtype": dtype, "shape": tuple(shape)}


def _refuse_unknown(folder: Path, files: dict[str, Any]) -> None:
    expected = {MANIFEST, *(f"{name}.npy" for name in files)}
    try:
        unknown = sorted({entry.name for entry in folder.iterdir()} - expected)
    except OSError as error:
        raise damaged(folder, f"cannot be listed ({error.strerror})") from error
    if unknown:
        raise damaged(
            folder / unknown[0],
            f"does not belong to the bundle ({len(unknown)} such files)",
            "Remove it, or copy the bundle again from where it was made.",
        )


def _check_size(file: Path, declared: dict[str, Any]) -> None:
    size = regular_size(file)
    if size != declared["size"]:
        raise damaged(file, f"has {size} bytes, the manifest says {declared['size']}")


def _map_array(file: Path, declared: dict[str, Any], read_all: bool) -> Array:
    """One file's array; read through a buffer to be hashed, so that no page of it is held."""
    try:
        with opened(file) as handle:
            if read_all and _hash_of(handle) != declared["sha256"]:
                raise ValueError("its content was changed: another SHA-256 than in the manifest")
            data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        return np.asarray(view(data, declared["dtype"], declared["shape"]))
    except (ValueError, OverflowError) as error:
        if isinstance(error, BundleError):
            raise
        raise damaged(file, str(error)) from error


def _hash_of(handle: BufferedReader) -> str:
    return hashlib.file_digest(handle, "sha256").hexdigest()
