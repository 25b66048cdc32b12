"""Event files in pieces that fit into memory.

Reads  Parquet by row groups, CSV file by file.
Gives  pandas tables of at most so many rows.
Never  a file whose name an error does not say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..exceptions import ColumnError, ReadError
from ..readers import is_csv, read_table

CHUNK_ROWS = 1 << 20
_CSV_BYTES_A_ROW = 30  # of a short line


class Piece(NamedTuple):
    """Row groups ``first`` to ``last`` - 1 of a Parquet file; a CSV file is one piece."""

    file: str
    first: int
    last: int
    start: int  # number of its first row in the file
    n_rows: int  # of CSV an estimate


def pieces_of(path: Path) -> list[Piece]:
    """Pieces of a file of about ``CHUNK_ROWS`` rows; no row group is divided.

    Raises
    ------
    ReadError
        If the file is no Parquet, or damaged.
    """
    if is_csv(path):
        return [Piece(str(path), 0, 1, 0, path.stat().st_size // _CSV_BYTES_A_ROW)]
    try:
        found = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    pieces, first, start, rows = [], 0, 0, 0
    for group in range(found.num_row_groups):
        rows += found.row_group(group).num_rows
        if rows >= CHUNK_ROWS or group == found.num_row_groups - 1:
            pieces.append(Piece(str(path), first, group + 1, start, rows))
            first, start, rows = group + 1, start + rows, 0
    return pieces


def tables_of(
    piece: Piece, columns: list[str], text: list[str], csv: dict[str, Any]
) -> Iterator[pd.DataFrame]:
    """The piece's rows, at most ``CHUNK_ROWS`` at once."""
    path = Path(piece.file)
    if is_csv(path):
        table = read_table(path, columns=columns, text=text, **csv)
        for start in range(0, len(table), CHUNK_ROWS):
            yield table.iloc[start : start + CHUNK_ROWS].reset_index(drop=True)
        return
    try:
        with pq.ParquetFile(path) as file:
            missing = sorted(set(columns) - set(file.schema_arrow.names))
            if missing:
                raise ColumnError(
                    f"{path.name}: no column {missing}; found {sorted(file.schema_arrow.names)}."
                )
            groups = list(range(piece.first, piece.last))
            for batch in file.iter_batches(CHUNK_ROWS, row_groups=groups, columns=columns):
                yield _as_pandas(batch)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _as_pandas(batch: pa.RecordBatch) -> pd.DataFrame:
    # As floats, whole numbers beside nulls would lose their last digits.
    exact = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    holes = any(column.null_count for column in batch.columns)
    return batch.to_pandas(types_mapper=exact.get if holes else None)


def _damaged(path: Path, error: BaseException) -> ReadError:
    return ReadError(
        f"{path.name} cannot be read as Parquet ({type(error).__name__}): it is damaged or cut "
        "off. Write it again, or set such files aside with on_bad_rows='quarantine'."
    )
