"""Customers named on a command line: in a file, or one by one.

Reads  words of the command line; CSV, Parquet, or text with an id a line.
Gives  ids in the type of a bundle's.
Never  an id, or what may be one, in an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..exceptions import ColumnError, ParameterError, ReadError
from ..readers import SUFFIXES, is_csv, read_table, whole_ids
from .arguments import parse_ids

OPTION = "--customers"
_LINES = ".txt"


def read_ids(words: list[str], column: str, *, is_text: bool) -> list[Any]:
    """Ids of a single file, or the words themselves; whole numbers unless ``is_text``."""
    first = Path(words[0])
    if not words[0].lower().endswith((*SUFFIXES, _LINES)):
        return parse_ids(words, _like(is_text), OPTION)
    if len(words) > 1:
        raise ParameterError(f"{OPTION}: a file stands beside other words; give it alone.")
    if not first.is_file():
        raise ReadError(f"{OPTION}: no file {first.name!r} there; check the path.")
    if words[0].lower().endswith(_LINES):
        ids: list[Any] = parse_ids(_lines_of(first), _like(is_text), OPTION)
    else:
        ids = _column_of(first, column, is_text)
    if not ids:
        raise ParameterError(f"{OPTION}: {first.name} names nobody.")
    return ids


def _like(is_text: bool) -> list[Any]:
    """An id of the bundle's type, for ``parse_ids``."""
    return [""] if is_text else [0]


def _lines_of(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"{file.name} cannot be read as UTF-8 text ({type(error).__name__}); save it so."
        ) from None
    return [line.strip() for line in lines if line.strip()]


def _column_of(file: Path, column: str, is_text: bool) -> list[Any]:
    table = read_table(file, text=[column])
    if column not in table:  # names of columns may be ids, where a header is missing
        raise ColumnError(
            f"{file.name}: none of its {len(table.columns)} columns is named {column!r}. Name the "
            "one with the ids so, or say which with --customer-id."
        )
    if is_csv(file) and not is_text:
        table = whole_ids(table, [column])
    return list(table[column])
