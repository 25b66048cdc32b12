"""A partition back into memory, as the log that its rows alone would make.

Reads  the files of ``spill``.
Gives  an Arrow table; an ``InteractionLog``.
Never  ids of two kinds in one column; a customer of another partition.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .. import columns as c
from ..exceptions import IdTypeError
from ..log import InteractionLog
from ..log.build import Mapping, build_log
from ..log.clock import to_timestamps
from ..readers import read_attributes
from .hashing import hash_bucket
from .judged import DIGITS, IDS
from .spill import Shuffle

_ARROW = {"int64": pa.int64(), "uint64": pa.uint64(), "text": pa.string()}


def settled_kinds(found: list[dict[str, list[str]]]) -> dict[str, str]:
    """The kind of each id column over all files: "int64", "uint64" or "text".

    Raises
    ------
    IdTypeError
        If a column is text in one file and whole numbers in another.
    """
    kinds = {}
    for name in IDS.values():
        met = {kind for one in found for kind in one.get(name, [])}
        if "text" in met and met - {"text", DIGITS}:
            raise IdTypeError(
                f"{name}: text in one file and whole numbers in another. Convert one of them."
            )
        numbers = "uint64" if "uint64" in met else "int64"
        kinds[name] = "text" if "text" in met or not met else numbers
    return kinds


def read_partition(
    files: list[tuple[Path, int]], number: int, n: int, kinds: dict[str, str]
) -> pa.Table:
    """Rows of one partition, in the order of the files."""
    tables = []
    for file, n_blocks in files:
        if n_blocks == 0:
            continue
        with pa.ipc.open_file(pa.memory_map(str(file))) as blocks:
            batches = [blocks.get_batch(block * n + number) for block in range(n_blocks)]
            tables.append(_alike(pa.Table.from_batches(batches), kinds))
    return pa.concat_tables(tables) if tables else pa.table({})


def _alike(table: pa.Table, kinds: dict[str, str]) -> pa.Table:
    for name, kind in kinds.items():
        if name not in table.column_names or table[name].type == _ARROW[kind]:
            continue
        try:
            same = table[name].cast(_ARROW[kind])
        except pa.ArrowInvalid:
            raise IdTypeError(
                f"{name}: some ids do not fit into 64 bits; make them text."
            ) from None
        table = table.set_column(table.column_names.index(name), name, same)
    return table


def log_of_table(table: pa.Table, how: Shuffle, number: int) -> InteractionLog:
    """The log of a partition's rows, with the attributes of its ids."""
    given = how.mapping
    names: dict[str, str | None] = {
        name: name if name in table.column_names else None for name in c.LOG_COLUMNS
    }
    names |= {name: name for name in (c.CUSTOMER, c.ITEM, c.TIMESTAMP)}
    mapping = Mapping(
        names, given.timezone or "UTC", given.default_event, given.extra_events, "error",
        given.closed_until, _attributes(given.items, c.ITEM, how, number),
        _attributes(given.customers, c.CUSTOMER, how, number), "quarantine",
    )  # fmt: skip
    return InteractionLog(**build_log(_columns(table, given), mapping))


def _columns(table: pa.Table, given: Mapping) -> dict[str, Any]:
    if not table.num_columns:
        empty = np.empty(0, dtype=object)
        return {c.CUSTOMER: empty, c.ITEM: empty,
                c.TIMESTAMP: pd.Series(to_timestamps(np.empty(0, np.int64)))}  # fmt: skip
    return {name: _column(table[name], name, given) for name in table.column_names}


def _column(column: pa.ChunkedArray, name: str, given: Mapping) -> Any:
    if name in (c.TIMESTAMP, c.KNOWN_AT):
        return pd.Series(to_timestamps(column.to_numpy()))
    if name == c.EVENT:
        words = pd.Index([*c.EVENTS, *given.extra_events])
        return pd.Series(pd.Categorical.from_codes(column.to_numpy(), words))
    if column.null_count and pa.types.is_integer(column.type):
        holes = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
        return column.to_pandas(types_mapper=holes.get)
    return column.to_numpy()


def _attributes(found: Any, key: str, how: Shuffle, number: int) -> Any:
    """The attributes; of what rows are divided by, only those of this partition."""
    if found is None:
        return None
    table = read_attributes(found, key, **how.csv) if isinstance(found, (str, Path)) else found
    if key != {"customer": c.CUSTOMER, "item": c.ITEM}[how.key]:
        return table
    ids = pd.DataFrame(table)[key].to_numpy()
    return pd.DataFrame(table)[hash_bucket(ids, how.n_partitions, how.seed) == number]
