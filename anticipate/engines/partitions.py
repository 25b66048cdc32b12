"""The first pass: event files into customer-disjoint partitions, each a log of its own.

Reads  Parquet or CSV files of any number and size.
Gives  ``Partitions``: the log and the history of each.
Never  more memory than asked for; a part done twice after a kill; a file that is left out
       in silence.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from .. import columns as c
from .._checks import check_option, check_writable_folder
from ..exceptions import BadRowsError, ParameterError, ReadError
from ..log import History, InteractionLog
from ..log.build import Mapping
from ..log.clock import to_microseconds
from ..readers import columns_wanted, find_files, id_columns
from .memory import BYTES_AN_EVENT, check_largest, n_bytes
from .reading import log_of_table, read_partition, settled_kinds
from .sources import Piece, pieces_of
from .spill import Shuffle, spill

_LOG = logging.getLogger("anticipate")
_CSV = ("sep", "decimal", "encoding")
_KEYS = {c.CUSTOMER: "customer", c.ITEM: "item"}
_DEFAULTS = {"default_event": c.PURCHASE, "extra_events": (), "negative_quantity": "error",
             "on_bad_rows": "raise"}  # fmt: skip
_MOST = 4096  # partitions


class Partitions:
    """Events divided by a hash of the customer (or item); made by ``partition_events``.

    Attributes
    ----------
    n : int
        Partitions; some may be empty.
    report : dict
        Rows read, rows set aside by reason, files set aside, what had to be decided.
    last_us : int
        The latest event of all, microseconds UTC.
    """

    def __init__(self, folder: Path, how: Shuffle, accounts: list[dict[str, Any]]) -> None:
        damaged = {one["file"] for one in accounts if "damaged" in one}
        self.folder, self.how, self.n = folder, how, how.n_partitions
        self._used = [
            (folder / f"{number:05d}.arrow", one["blocks"])
            for number, one in enumerate(accounts)
            if one["file"] not in damaged
        ]
        good = [one for one in accounts if one["file"] not in damaged]
        self.kinds = settled_kinds([one["kinds"] for one in good])
        self.counts = np.sum([one["counts"] for one in good] or [[0] * self.n], axis=0)
        self.last_us = max((one["last_us"] for one in good if one["last_us"] is not None),
                           default=0)  # fmt: skip
        self.report = _report(good, sorted(damaged))

    def log(self, number: int) -> InteractionLog:
        """The log of one partition: as in memory, of its customers alone."""
        table = read_partition(self._used, number, self.n, self.kinds)
        return log_of_table(table, self.how, number)

    def history(self, number: int, cutoff: Any) -> History:
        """``log(number).as_of(cutoff)``; an end is that of all partitions, so nothing warns."""
        timezone = self.how.mapping.timezone or "UTC"
        return self.log(number).before(to_microseconds(cutoff, timezone))


def partition_events(
    files: str | Path | Iterable[str | Path],
    folder: str | Path,
    *,
    key: str = c.CUSTOMER,
    memory: str | float = "4GB",
    n_partitions: int | None = None,
    n_jobs: int | None = None,
    random_state: int = 0,
    **options: Any,
) -> Partitions:
    """Divide event files into partitions that no customer shares.

    Parameters
    ----------
    files : path, folder, glob, or several
    folder : path
        For the partitions: about as large as the files. A run that was killed goes on from
        there; other files or settings get a folder of their own inside.
    key : {"customer_id", "item_id"}
        By what rows are divided; by item for features of items.
    memory : text such as "4GB", or bytes
        What all workers together may use.
    n_partitions : int, optional
        By default as many as ``memory`` asks for.
    **options
        As ``InteractionLog.read``. With ``on_bad_rows="quarantine"`` a damaged file is set
        aside and named in ``report``.

    Raises
    ------
    ReadError, BadRowsError, IdTypeError, OutputError
        A damaged file or bad rows, with the file's name.
    ParameterError
        If a partition does not fit into ``memory``.

    Notes
    -----
    An ``event_id`` that stands with two customers counts once for each of them; in memory it
    counts once in all.
    """
    check_option("key", key, tuple(_KEYS))
    jobs, limit = n_jobs or 1, n_bytes(memory)
    found = _found(files)
    pieces, damaged = _pieces(found, options.get("on_bad_rows"))
    if n_partitions is None:
        rows = sum(piece.n_rows for piece in pieces)
        n_partitions = min(max(1, math.ceil(2 * rows * BYTES_AN_EVENT * jobs / limit)), _MOST)
    how = _shuffle(options, _KEYS[key], n_partitions, random_state)
    own = check_writable_folder(folder) / f"{key}-{_fingerprint(found, how)}"
    own.mkdir(parents=True, exist_ok=True)
    work = (delayed(spill)(own, number, piece, how) for number, piece in enumerate(pieces))
    accounts = []
    for one in Parallel(n_jobs=jobs, return_as="generator")(work):
        accounts.append(one)
        _LOG.info("partition", extra={"step": (len(accounts), len(pieces))})
    for left in own.glob("*.tmp"):  # of runs that were killed
        left.unlink(missing_ok=True)
    _check_rows(accounts, how.mapping.on_bad_rows)
    parts = Partitions(own, how, accounts + damaged)
    check_largest(int(parts.counts.max()), limit)
    return parts


def _found(files: str | Path | Iterable[str | Path]) -> list[Path]:
    asked = [files] if isinstance(files, (str, Path)) else list(files)
    return sorted({file for one in asked for file in find_files(one)})


def _pieces(files: list[Path], on_bad_rows: str | None) -> tuple[list[Piece], list[dict[str, Any]]]:
    pieces: list[Piece] = []
    damaged = []
    for file in files:
        try:
            pieces += pieces_of(file)
        except ReadError as error:
            if on_bad_rows != "quarantine":
                raise
            damaged.append({"damaged": str(error), "file": str(file)})
    return pieces, damaged


def _shuffle(options: dict[str, Any], key: str, n_partitions: int, seed: int) -> Shuffle:
    given = _DEFAULTS | options
    csv = {name: given.pop(name) for name in _CSV if given.get(name) is not None}
    names = {name: given.pop(name, None) for name in (*c.LOG_COLUMNS, c.AMOUNT)}
    names |= {name: names[name] or name for name in (c.CUSTOMER, c.ITEM, c.TIMESTAMP)}
    known = ("timezone", "closed_until", "items", "customers", *_DEFAULTS)
    if unknown := sorted(set(given) - {*known, *_CSV}):
        raise ParameterError(f"partition_events: unknown options {unknown}.")
    said: dict[str, Any] = {name: given.get(name) for name in known}
    mapping = Mapping(names=names, **said)
    own = {name: theirs for name, theirs in names.items() if theirs is not None}
    return Shuffle(mapping, columns_wanted(own), id_columns(own), csv, key, n_partitions, seed)


def _fingerprint(files: list[Path], how: Shuffle) -> str:
    """Of the files as they are, and of everything that decides what a part holds."""
    stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    mapping = vars(how.mapping) | {"items": None, "customers": None, "closed_until": None}
    said = json.dumps([stats, how._replace(mapping=None), mapping], default=str)  # type: ignore[arg-type]
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _check_rows(accounts: list[dict[str, Any]], on_bad_rows: str) -> None:
    bad = _sum(accounts, "bad")
    if not bad or on_bad_rows == "quarantine":
        return
    first = next(one for one in accounts if one.get("first_bad") is not None)
    parts = "; ".join(f"{n} with {reason}" for reason, n in sorted(bad.items()))
    raise BadRowsError(
        f"events: {sum(bad.values())} rows cannot be used: {parts} (the first: "
        f"{Path(first['file']).name}, row {first['first_bad']}). Mend them, or set them aside "
        "with on_bad_rows='quarantine'."
    )


def _report(accounts: list[dict[str, Any]], damaged: list[str]) -> dict[str, Any]:
    return {
        "rows_read": sum(one["rows"] for one in accounts),
        "rejected": dict(sorted(_sum(accounts, "bad").items())),
        "files_set_aside": [Path(file).name for file in damaged],
        **_sum(accounts, "notes"),
    }


def _sum(accounts: list[dict[str, Any]], name: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in accounts:
        total.update(one.get(name, {}))
    return total
