"""One piece of a file, sorted by partition, in a file of its own.

Reads  a piece of the events.
Gives  ``<number>.arrow`` (for each block of rows one record batch a partition) and, last,
       ``<number>.json``, which says that it is whole.
Never  a half-written file under a final name; the order of the rows inside a partition is
       that of the piece.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..exceptions import IdTypeError, OutputError, ReadError
from ..log.build import Mapping
from ..readers import is_csv
from .hashing import hash_bucket
from .judged import Judged, judge
from .sources import Piece, tables_of


class Shuffle(NamedTuple):
    """How rows are read and divided."""

    mapping: Mapping
    columns: list[str]
    text: list[str]
    csv: dict[str, Any]
    key: str  # "customer" or "item"
    n_partitions: int
    seed: int


def spill(folder: Path, number: int, piece: Piece, how: Shuffle) -> dict[str, Any]:
    """Write a piece, unless a run before has; the piece's account."""
    done = folder / f"{number:05d}.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return found
    account: dict[str, Any] = {"blocks": 0, "rows": 0, "bad": Counter(), "first_bad": None,
               "notes": Counter(), "kinds": {}, "last_us": None,
               "counts": np.zeros(how.n_partitions, dtype=np.int64)}  # fmt: skip
    try:
        whole(folder / f"{number:05d}.arrow", lambda file: _write(file, piece, how, account))
    except ReadError as error:
        if how.mapping.on_bad_rows != "quarantine":
            raise
        account = {"damaged": str(error)}
    text = json.dumps(account | {"file": piece.file}, default=lambda array: array.tolist())
    whole(done, lambda file: _write_text(file, text))
    return dict(json.loads(text))


def whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a file beside the target, then put it in its place.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left of it.
    """
    beside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        write(beside)
        os.replace(beside, target)
    except OSError as error:
        raise OutputError(
            f"cannot write {target.name}: {error.strerror or type(error).__name__}. Make room in "
            "the work folder and run again: finished parts are kept."
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def _write(file: Path, piece: Piece, how: Shuffle, account: dict[str, Any]) -> None:
    writer = None
    try:
        for table in tables_of(piece, how.columns, how.text, how.csv):
            judged = judge(table, how.mapping, csv=is_csv(piece.file))
            _count(account, judged, piece)
            if writer is None:
                schema = judged.table.schema
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                writer = pa.ipc.new_file(file, schema, options=options)
            for batch in _divided(judged, how, account):
                writer.write_batch(_cast(batch, schema))
            account["blocks"] += 1
    finally:
        if writer is not None:
            writer.close()
        else:
            file.touch()


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    try:
        return batch.cast(schema)
    except pa.ArrowInvalid:
        raise IdTypeError(
            "ids below 2**63 and above it stand in one file; make such columns text."
        ) from None


def _divided(judged: Judged, how: Shuffle, account: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    codes, ids = judged.codes[how.key], judged.ids[how.key]
    # The last place is that of rows without an item: -1.
    place = np.append(hash_bucket(ids, how.n_partitions, how.seed), 0) if len(ids) else [0]
    bucket = np.asarray(place, dtype=np.uint16)[codes]
    order = np.argsort(bucket, kind="stable")
    ends = np.searchsorted(bucket[order], np.arange(how.n_partitions + 1)).tolist()
    account["counts"] += np.diff(ends)
    table = judged.table.take(pa.array(order)).combine_chunks()
    empty = pa.RecordBatch.from_pylist([], schema=table.schema)
    for start, end in pairwise(ends):
        yield next(iter(table.slice(start, end - start).to_batches()), empty)


def _count(account: dict[str, Any], judged: Judged, piece: Piece) -> None:
    if judged.first_bad is not None and account["first_bad"] is None:
        account["first_bad"] = piece.start + account["rows"] + judged.first_bad
    account["rows"] += judged.n_rows
    account["bad"].update(judged.bad)
    account["notes"].update(judged.notes)
    for name, kind in judged.kinds.items():
        account["kinds"][name] = sorted({*account["kinds"].get(name, []), kind} - {"none"})
    if judged.table.num_rows:
        last = int(judged.table["timestamp"].to_numpy().max())
        account["last_us"] = max(last, account["last_us"] or last)
