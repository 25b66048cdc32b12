"""Results to a file, whole or not at all.

Reads  a table or text.
Gives  CSV, Parquet or JSON by the file's ending, or CSV on the standard output.
Never  half a file: written beside, then put in place.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from .._checks import check_writable_parent
from ..exceptions import MissingExtraError, OutputError, ParameterError


def check_output(path: str | None) -> None:
    """Refuse a file that cannot be written before the long work starts."""
    if path is None:
        return
    target = check_writable_parent(path)
    if target.suffix.lower() not in _WRITERS:
        raise ParameterError(f"--out: {target.name} must end in one of {sorted(_WRITERS)}.")


def write_table(table: pd.DataFrame, path: str | None) -> None:
    """To the file named, or as CSV to the standard output."""
    if path is None:
        table.to_csv(sys.stdout, index=False)
        return
    target = Path(path)
    write_whole(target, lambda beside: _WRITERS[target.suffix.lower()](table, beside))


def write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a file beside the target, then put it in the target's place."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
    except OSError as error:
        raise OutputError(f"cannot write {target.name}: {error.strerror}.") from None
    beside = Path(name)
    try:
        write(beside)
        _set_usual_mode(beside)
        os.replace(beside, target)
    except OSError as error:
        raise OutputError(f"cannot write {target.name}: {error.strerror or error}.") from None
    finally:
        beside.unlink(missing_ok=True)


def _set_usual_mode(file: Path) -> None:
    """mkstemp makes private files; a result may be read by whom the umask allows."""
    mask = os.umask(0)
    os.umask(mask)
    file.chmod(0o666 & ~mask)


def _csv(table: pd.DataFrame, file: Path) -> None:
    table.to_csv(file, index=False)


def _json(table: pd.DataFrame, file: Path) -> None:
    table.to_json(file, orient="records", date_format="iso", force_ascii=False, indent=1)


def _parquet(table: pd.DataFrame, file: Path) -> None:
    try:
        table.to_parquet(file, index=False)
    except ImportError:
        raise MissingExtraError(
            "writing Parquet needs pyarrow: pip install 'anticipate-needs[parquet]'."
        ) from None


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}
