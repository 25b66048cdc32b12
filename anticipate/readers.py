"""Files in: CSV and Parquet, one, a folder of them, or a glob.

Reads  the named columns of the files.
Gives  an ``InteractionLog``.
Never  a guessed encoding, an id that lost its leading zeros, half a file.
"""

from __future__ import annotations

import glob
import gzip
import lzma
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import columns as c
from .exceptions import AnticipateError, ColumnError, MissingExtraError, ReadError

if TYPE_CHECKING:
    from .log import InteractionLog

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")
_PARQUET = (".parquet", ".pq")
_ID_OPTIONS = ("customer_id", "item_id", "order_id", "event_id")
_WHOLE = r"0|-?[1-9][0-9]{0,19}"
_DAMAGED = (
    pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, EOFError, OSError,
    LookupError, lzma.LZMAError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
# What pyarrow raises where the bytes are in order and the metadata, or text in them, is not.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def read_log(path: str | Path, log_type: type[InteractionLog], **options: Any) -> InteractionLog:
    """Read files and build the log; options as ``InteractionLog.from_frame`` and for CSV
    ``sep``, ``decimal``, ``encoding``. ``items`` and ``customers`` may be paths. ``text_ids``
    names ids ("customer_id", ...) that are text even where all of a CSV's are digits.
    """
    text_ids = {options.get(name, name) for name in options.pop("text_ids", ())}
    csv = {name: options.pop(name) for name in ("sep", "decimal", "encoding") if name in options}
    wanted, ids = columns_wanted(options), id_columns(options)
    files = find_files(path)
    tables = [read_table(f, columns=wanted, text=ids, **csv) for f in files]
    # Ids that mean the same must come out alike, whichever file they stand in.
    columns = {name: [(table, name, is_csv(f)) for table, f in zip(tables, files, strict=True)]
               for name in ids}  # fmt: skip
    for option, key in (("items", c.ITEM), ("customers", c.CUSTOMER)):
        file = options.get(option)
        if isinstance(file, (str, Path)):
            options[option] = table = read_keyed(file, key, **csv)
            columns[options.get(key, key)].append((table, key, is_csv(file)))
    for name, same in columns.items():
        if name not in text_ids:
            _make_whole(same)
    table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
    return log_type.from_frame(table, **options)


def is_csv(path: str | Path) -> bool:
    return not str(path).lower().endswith(_PARQUET)


def find_files(path: str | Path) -> list[Path]:
    """The files a path, folder or glob names, in sorted order."""
    text = str(path)
    target = Path(text)
    if target.is_file():
        found = [target]
    elif target.is_dir():
        found = sorted(p for p in target.iterdir() if p.name.lower().endswith(SUFFIXES))
    else:
        found = sorted(Path(p) for p in glob.glob(text, recursive=True) if Path(p).is_file())
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
    return _read_csv(file, columns, text, csv) if is_csv(file) else _read_parquet(file, columns)


def read_attributes(path: str | Path, key: str, **csv: Any) -> pd.DataFrame:
    """A table of item or customer attributes, keyed by ``key``."""
    return whole_ids(read_keyed(path, key, **csv), [key])


def read_keyed(path: str | Path, key: str, **csv: Any) -> pd.DataFrame:
    """The same, its ids as they are written."""
    table = read_table(path, text=[key], **csv)
    if is_csv(path) and key not in table:
        raise _no_header(Path(path), list(map(str, table.columns)), [key])
    return table


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
    """A CSV's text ids as integers where every one is written as one: 7, but not 007 or 7.0."""
    table = table.copy()
    for name in names:
        _make_whole([(table, name, True)])
    return table


def _make_whole(columns: list[tuple[pd.DataFrame, str, bool]]) -> None:
    """Make integers of the text columns (table, name, from CSV), in place: all of them or none.

    Text in Parquet was text where it came from, so it stays text, and CSV beside it too.
    """
    found = [(table, name, csv) for table, name, csv in columns if name in table]
    texts = [one for one in found if pd.api.types.is_string_dtype(one[0][one[1]].dropna())]
    known = [table[name].dropna() for table, name, _ in texts]
    if not all(csv for *_, csv in texts) or not sum(map(len, known)):
        return
    if not all(column.str.fullmatch(_WHOLE).all() for column in known):
        return
    largest = max(int(column.str.len().max()) for column in known if len(column))
    for table, name, _ in texts:
        # 18 digits always fit an int64; of longer ones the ids decide whether they do.
        table[name] = table[name].astype("Int64") if largest <= 18 else _large(table[name])


def _large(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.map(int, na_action="ignore").astype(object)


def _read_csv(
    file: Path, columns: list[str] | None, text: Sequence[str], csv: dict[str, Any]
) -> pd.DataFrame:
    options: dict[str, Any] = {"sep": ",", "decimal": ".", "encoding": "utf-8"} | csv
    if ".tsv" in file.suffixes and "sep" not in csv:
        options["sep"] = "\t"
    # Without index_col=False pandas takes a surplus field for a row name and shifts the rest;
    # with usecols it drops surplus fields: both would put values under wrong names.
    options |= {"index_col": False, "low_memory": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            header = pd.read_csv(file, header=None, nrows=1, dtype=str, **options)
            names = [] if header.empty else header.iloc[0].dropna().tolist()
            _check_header(file, names, columns)
            table = pd.read_csv(file, dtype=dict.fromkeys(text, str), **options)
    except UnicodeDecodeError:
        raise ReadError(
            f"{file.name} is not {options['encoding']}{_undecodable(file, options['encoding'])}; "
            "name its encoding, e.g. encoding='latin-1'."
        ) from None
    except AnticipateError:
        raise
    except _DAMAGED as error:
        raise ReadError(f"{file.name} cannot be read as CSV: {_why(error)}.") from None
    return table if columns is None else table[columns]


def _check_header(file: Path, names: list[str], wanted: list[str] | None) -> None:
    wanted = wanted or []
    missing = sorted(set(wanted) - set(names))
    if not missing and (twice := [name for name in wanted if names.count(name) > 1]):
        raise ColumnError(f"{file.name}: the columns {twice} stand twice; rename them.")
    if len(missing) == len(wanted) > 0 and any(_is_number(name) for name in names):
        raise ReadError(
            f"{file.name}: the first line holds numbers, not the names of columns; add a header."
        )
    if missing and len(missing) == len(wanted):
        raise _no_header(file, names, missing)
    if missing:
        raise ColumnError(f"{file.name}: no column {missing}; found {sorted(names)}.")


def _no_header(file: Path, names: list[str], missing: list[str]) -> ColumnError:
    """Without repeating the first line: where there is no header, it is a customer's."""
    told = f"{file.name}: no column {missing} among its {len(names)}. "
    if len(names) == 1 and any(name in names[0] for name in missing):
        return ColumnError(told + "Its first line holds the names in one: say sep=';', or what is.")
    return ColumnError(told + "Say how yours are named, or give the file a header.")


def _is_number(text: str) -> bool:
    return bool(pd.notna(pd.to_numeric(text, errors="coerce")))


def _undecodable(file: Path, encoding: str) -> str:
    """The line at fault, where lines can be told apart before they are decoded."""
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "ascii"):
        return ""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return f" in line {number}"
    return ""


def _why(error: BaseException) -> str:
    """What is wrong with a file, without its content."""
    if isinstance(error, pd.errors.EmptyDataError):
        return "it is empty"
    if isinstance(error, pd.errors.ParserWarning):
        return "its rows have more fields than its header"
    if isinstance(error, pd.errors.ParserError):
        return str(error).removeprefix("Error tokenizing data. C error: ").strip(" .\n")
    damaged = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile)
    if isinstance(error, damaged):
        return "it is damaged or cut off"
    if isinstance(error, LookupError):
        return "no such encoding"
    return type(error).__name__


def _read_parquet(file: Path, columns: list[str] | None) -> pd.DataFrame:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            "reading Parquet needs pyarrow: pip install 'anticipate-needs[parquet]'."
        ) from None
    # As floats, whole numbers beside nulls would lose their last digits.
    exact = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    try:
        found = pq.read_schema(file).names
        use = None if columns is None else [name for name in columns if name in found]
        table = pq.read_table(file, columns=use)
        holes = any(column.null_count for column in table.columns)
        frame: pd.DataFrame = table.to_pandas(types_mapper=exact.get if holes else None)
    except (pa.ArrowException, OSError, *_NONSENSE) as error:
        raise ReadError(
            f"{file.name} cannot be read as Parquet ({type(error).__name__}): it is damaged or "
            "cut off. Write it again."
        ) from None
    if columns is not None and len(use or []) < len(columns):
        missing = sorted(set(columns) - set(found))
        raise ColumnError(f"{file.name}: no column {missing}; found {sorted(found)}.")
    return frame
