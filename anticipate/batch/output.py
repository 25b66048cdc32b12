"""Results to a file, whole or not at all.

Reads  a table, or one in parts.
Gives  CSV, Parquet or JSON by the file's ending, or CSV on the standard output.
Never  half a file: written beside, then put in place; more of a table's text in memory than
       that of a part.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from .._checks import check_writable_parent
from ..exceptions import MissingExtraError, OutputError, ParameterError

PART = 50_000  # rows written at once


def check_output(path: str | None, option: str = "--out") -> None:
    """Refuse a file that cannot be written before the long work starts."""
    if path is None:
        return
    target = check_writable_parent(path)
    if target.suffix.lower() not in _WRITERS:
        raise ParameterError(f"{option}: {target.name} must end in one of {sorted(_WRITERS)}.")


def write_table(table: pd.DataFrame, path: str | None) -> None:
    """To the file named, or as CSV to the standard output."""
    write_parts(parts_of(table), path)


def write_parts(parts: Iterable[pd.DataFrame], path: str | None) -> None:
    """The same of a table that comes in parts: one or more, of the same columns and types."""
    if path is None:
        for number, part in enumerate(parts):
            part.to_csv(sys.stdout, index=False, header=number == 0)
        return
    target = Path(path)
    write_whole(target, lambda beside: _WRITERS[target.suffix.lower()](parts, beside))


def parts_of(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The table in parts of ``PART`` rows; an empty one is one part."""
    for start in range(0, max(len(table), 1), PART):
        yield table.iloc[start : start + PART]


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


def _csv(parts: Iterable[pd.DataFrame], file: Path) -> None:
    for number, part in enumerate(parts):
        part.to_csv(file, index=False, header=number == 0, mode="a")


def _json(parts: Iterable[pd.DataFrame], file: Path) -> None:
    """One array, as pandas would write it of the whole table."""
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write("[")
        between = "\n"
        for part in parts:
            text = part.to_json(orient="records", date_format="iso", force_ascii=False, indent=1)
            if len(part):
                out.write(between + text.removeprefix("[\n").removesuffix("\n]"))
                between = ",\n"
        out.write("\n]" if between != "\n" else "\n\n]")


def _parquet(parts: Iterable[pd.DataFrame], file: Path) -> None:
    """A row group for each part; the first one says the types."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            "writing Parquet needs pyarrow: pip install 'anticipate-needs[parquet]'."
        ) from None
    writer = None
    try:
        for part in parts:
            schema = _schema(part) if writer is None else writer.schema
            writer = writer or pq.ParquetWriter(file, schema, compression="snappy")
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
    finally:
        if writer is not None:
            writer.close()


def _schema(part: pd.DataFrame) -> Any:
    """Types of the columns; where a part says nothing, a later one may hold words."""
    import pyarrow as pa

    fields = pa.Schema.from_pandas(part, preserve_index=False)
    for place, field in enumerate(fields):
        if pa.types.is_null(field.type):
            fields = fields.set(place, field.with_type(pa.string()))
    return fields


_WRITERS: dict[str, Callable[[Iterable[pd.DataFrame], Path], None]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}
