"""Whole files or none.

Reads  text.
Gives  a file that is complete at its name, or an error and nothing at all.
Never  a half-written report: the text goes to a neighbour that is renamed at the end.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .._checks import check_writable_parent
from ..exceptions import OutputError


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write UTF-8 text with plain newlines, at once.

    Parameters
    ----------
    path : path-like
        The file; an existing one is replaced. Its folder must exist.
    text : str
        The whole content.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written; nothing is left behind.

    Examples
    --------
    >>> folder = tempfile.mkdtemp()
    >>> write_text(Path(folder) / "note.txt", "done").read_text()
    'done'
    """
    target = check_writable_parent(path if isinstance(path, str) else Path(path))
    try:
        _replace(target, text.encode("utf-8"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise OutputError(
            f"cannot write {target.name} into {target.parent}: {why}. Give a folder you may "
            "write into."
        ) from error
    return target


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(content)
        _set_usual_mode(name)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _set_usual_mode(name: str) -> None:
    """mkstemp makes private files; a report may be read by whom the umask allows."""
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(name, 0o666 & ~mask)
