"""Files in: CSV and Parquet, one, a folder of them, or a glob.

Reads  the named columns of the files.
Gives  an ``InteractionLog``.
Never  a guessed encoding, an id that lost its leading zeros, half a file.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import columns as c
from .exceptions import ColumnError, MissingExtraError, ReadError

if TYPE_CHECKING:
    from .log import InteractionLog

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".pq")
_ID_OPTIONS = ("customer_id", "item_id", "order_id", "event_id")
_WHOLE = r"-?(?:0|[1-9][0-9]{0,17})"


def read_log(path: str | Path, log_type: type[InteractionLog], **options: Any) -> InteractionLog:
    """Read files and build the log; options as ``InteractionLog.from_frame`` and for CSV
    ``sep``, ``decimal``, ``encoding``. ``items`` and ``customers`` may be paths.
    """
    csv = {name: options.pop(name) for name in ("sep", "decimal", "encoding") if name in options}
    for name, key in (("items", c.ITEM), ("customers", c.CUSTOMER)):
        if isinstance(options.get(name), (str, Path)):
            options[name] = read_attributes(options[name], key, **csv)
    wanted, ids = columns_wanted(options), id_columns(options)
    parts = [read_table(f, columns=wanted, text=ids, **csv) for f in find_files(path)]
    table = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    return log_type.from_frame(whole_ids(table, ids), **options)


def find_files(path: str | Path) -> list[Path]:
    """The files a path, folder or glob names, in sorted order."""
    text = str(path)
    target = Path(text)
    if target.is_dir():
        found = sorted(p for p in target.iterdir() if p.name.lower().endswith(SUFFIXES))
    elif glob.has_magic(text):
        found = sorted(Path(p) for p in glob.glob(text, recursive=True))
    else:
        found = [target] if target.exists() else []
    if not found:
        raise ReadError(f"no CSV or Parquet file at {text!r}; check the path.")
    return found


def read_table(
    path: str | Path,
    *,
    columns: list[str] | None = None,
    text: Sequence[str] = (),
    **csv: Any,
) -> pd.DataFrame:
    """One file as a table: only ``columns`` where given; ``text`` columns of CSV stay text.

    ``csv``: sep, decimal, encoding.

    Raises
    ------
    ReadError
        If the file cannot be read, with its name and what to do.
    """
    file = Path(path)
    if not file.exists():
        raise ReadError(f"no file at {str(path)!r}; check the path.")
    if file.name.lower().endswith((".parquet", ".pq")):
        return _read_parquet(file, columns)
    return _read_csv(file, columns, text, csv)


def read_attributes(path: str | Path, key: str, **csv: Any) -> pd.DataFrame:
    """A table of item or customer attributes, keyed by ``key``."""
    return whole_ids(read_table(path, text=[key], **csv), [key])


def columns_wanted(options: dict[str, Any]) -> list[str]:
    """The caller's column names among the options."""
    required = (c.CUSTOMER, c.ITEM, c.TIMESTAMP)
    names = [options.get(name, name) for name in required]
    names += [options.get(name) for name in (*c.LOG_COLUMNS, c.AMOUNT) if name not in required]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def id_columns(options: dict[str, Any]) -> list[str]:
    defaults = {"customer_id": c.CUSTOMER, "item_id": c.ITEM}
    return [n for n in (options.get(o, defaults.get(o)) for o in _ID_OPTIONS) if n is not None]


def whole_ids(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Text id columns as integers where every id is written as one: 7, but not 007 or 7.0."""
    changed = {}
    for name in names:
        column = table.get(name)
        if column is None or not pd.api.types.is_string_dtype(column.dtype):
            continue
        known = column.dropna()
        if len(known) and known.str.fullmatch(_WHOLE).all():
            changed[name] = column.astype("Int64")
    return table.assign(**changed)


def _read_csv(
    file: Path, columns: list[str] | None, text: Sequence[str], csv: dict[str, Any]
) -> pd.DataFrame:
    options: dict[str, Any] = {"sep": ",", "decimal": ".", "encoding": "utf-8"} | csv
    if file.suffix == ".tsv" and "sep" not in csv:
        options["sep"] = "\t"
    use = None if columns is None else (lambda name: name in columns)
    try:
        return pd.read_csv(file, usecols=use, dtype=dict.fromkeys(text, str), **options)
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{file.name} is not {options['encoding']} at byte {error.start}; name its encoding, "
            "e.g. encoding='latin-1'."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, LookupError, OSError) as error:
        raise ReadError(f"{file.name} cannot be read as CSV ({type(error).__name__}).") from None


def _read_parquet(file: Path, columns: list[str] | None) -> pd.DataFrame:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            "reading Parquet needs pyarrow: pip install 'anticipate-needs[parquet]'."
        ) from None
    try:
        found = pq.read_schema(file).names
        use = None if columns is None else [name for name in columns if name in found]
        table = pq.read_table(file, columns=use)
    except (pa.ArrowInvalid, OSError) as error:
        raise ReadError(
            f"{file.name} cannot be read as Parquet ({type(error).__name__}): it is damaged or "
            "cut off. Write it again."
        ) from None
    if columns is not None and len(use or []) < len(columns):
        missing = sorted(set(columns) - set(found))
        raise ColumnError(f"{file.name}: no column {missing}; found {sorted(found)}.")
    return table.to_pandas()
