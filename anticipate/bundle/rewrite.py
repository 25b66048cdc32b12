"""Put another generation in the place of a bundle's, and leave nothing of the old one.

Reads  the bundle, every byte of it, while nobody else can save there.
Gives  a new generation as the caller makes it; the only one left.
Never  an in-between: killed at any moment, the old bundle or the new one is whole, and the
       same call again ends what was begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..exceptions import OutputError
from .disk import only_writer, sweep, sync_folder
from .layout import GENERATION, MANIFEST, WORK, read_pointer
from .pieces import Array, Pieces, storable
from .reader import Check, Manifest, read_generation
from .writer import document_of, save_generation

Changed = tuple[Mapping[str, Any], Mapping[str, Array | Pieces]]
_FILLED_IN = ("files", "format_version", "libraries")


def rewrite_bundle(
    path: str | Path,
    change: Callable[[Manifest, dict[str, Array]], Changed | None],
    check: Check | None = None,
) -> Path:
    """Save what ``change`` makes of a bundle, and remove what was there before.

    Parameters
    ----------
    path : str or Path
        The bundle's folder.
    change : callable
        ``(manifest, arrays) -> (manifest, arrays)``, of the manifest without what saving fills
        in. Long arrays may be given as :class:`Pieces`. None: nothing is saved, but older
        generations and leftovers go all the same.
    check : callable, optional
        As of ``open_bundle``.

    Returns
    -------
    Path
        ``path``. Processes that have the old generation mapped keep reading it until they open
        the bundle again.

    Raises
    ------
    BundleError
        If the bundle is damaged; nothing was touched.
    OutputError
        If another process is saving there or the disk is full: the bundle is unchanged. Or if an
        older generation cannot be removed: the new one is in use, and calling again goes on.
    """
    root = Path(path)
    read_pointer(root)  # no bundle there is told before a lock is asked for
    try:
        with only_writer(root):
            _replace(root, change, check)
            sync_folder(root)  # the old one goes only when the disk has the new pointer
            sweep(root, read_pointer(root))
            sync_folder(root)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"bundle {root}: not changed, or not to the end ({error.strerror or error}); it is "
            "whole either way. Check its permissions and the free space; then try again."
        ) from error
    _refuse_leftovers(root)
    return root


def _replace(
    root: Path,
    change: Callable[[Manifest, dict[str, Array]], Changed | None],
    check: Check | None,
) -> None:
    """One generation more, if there is a change; on return none of the old one is mapped here."""
    pointer = read_pointer(root)
    manifest, arrays = read_generation(root / pointer.generation, pointer, full=True, check=check)
    for name in _FILLED_IN:
        manifest.pop(name, None)
    changed = change(manifest, arrays)
    if changed is not None:
        stored = {name: storable(name, values) for name, values in changed[1].items()}
        save_generation(root, document_of(changed[0]), stored)


def _refuse_leftovers(root: Path) -> None:
    """What was to go must be gone: Windows keeps files that a reader still maps."""
    current = read_pointer(root).generation
    left = [
        entry.name
        for entry in root.iterdir()
        if (GENERATION.fullmatch(entry.name) or WORK.fullmatch(entry.name))
        and entry.name != current
        and not entry.is_symlink()
        and any(f.name == MANIFEST or f.suffix == ".npy" for f in entry.rglob("*"))
    ]
    if left:
        raise OutputError(
            f"bundle {root}: the new generation is in use, but {len(left)} older ones could not be "
            f"removed, {left[0]} first. Stop the processes that read them; then try again."
        )
