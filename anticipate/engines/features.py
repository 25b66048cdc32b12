"""Features of logs of any size: partition by partition, to Parquet.

Reads  partitions.
Gives  a Parquet file a partition, its rows as ``FeatureBuilder`` makes them.
Never  a feature of its own; a half-written file.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from joblib import Parallel, delayed

from .._checks import check_option, check_writable_folder
from ..exceptions import ParameterError
from ..features import FeatureBuilder
from .partitions import Partitions
from .spill import whole

_LOG = logging.getLogger("anticipate")
_KEY = {"customer": "customer", "pair": "customer", "item": "item"}


def streamed_features(
    parts: Partitions,
    cutoff: Any,
    folder: str | Path,
    *,
    level: str = "customer",
    features: Sequence[str] | None = None,
    n_jobs: int | None = None,
) -> list[Path]:
    """Features as of ``cutoff``, one Parquet file a partition; the files' names.

    Parameters
    ----------
    parts : Partitions
        Divided by customer for levels "customer" and "pair", by item for level "item".
    level : {"customer", "pair", "item"}
    features : sequence of str, optional
        As ``FeatureBuilder``.

    Returns
    -------
    list of Path
        ``part-00000.parquet`` ...; together they hold the rows of the table in memory, each
        the same bit for bit.

    Raises
    ------
    ParameterError
        If the partitions are divided by something else.
    """
    check_option("level", level, tuple(_KEY))
    if parts.how.key != _KEY[level]:
        raise ParameterError(
            f"level {level!r} needs partitions by {_KEY[level]}_id; these are by "
            f"{parts.how.key}_id: partition_events(..., key='{_KEY[level]}_id')."
        )
    target = check_writable_folder(folder)
    target.mkdir(parents=True, exist_ok=True)
    builder = FeatureBuilder(level, features)
    jobs = Parallel(n_jobs=n_jobs or 1, return_as="generator")
    if level == "pair":  # gaps of an item are those of all customers
        builder.finish(jobs(delayed(_partial)(parts, n, cutoff, builder) for n in range(parts.n)))
    else:
        builder.finish([])
    work = (delayed(_write)(parts, n, cutoff, builder, target) for n in range(parts.n))
    done = []
    for file in jobs(work):
        done.append(file)
        _LOG.info("features", extra={"step": (len(done), parts.n)})
    return done


def _partial(parts: Partitions, number: int, cutoff: Any, builder: FeatureBuilder) -> Any:
    return builder.partial(parts.history(number, cutoff))


def _write(
    parts: Partitions, number: int, cutoff: Any, builder: FeatureBuilder, target: Path
) -> Path:
    history = parts.history(number, cutoff)
    table = builder.transform(history).reset_index()
    file = target / f"part-{number:05d}.parquet"
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    whole(file, lambda beside: pq.write_table(arrow, beside))
    return file
