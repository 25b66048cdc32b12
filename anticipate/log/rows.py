"""From the caller's columns to checked arrays: every row is used, or rejected with a reason.

Reads  a table and the names of its columns.
Gives  arrays of the good rows in the order they came, and the positions of the bad ones.
Never  drops a row in silence: good + rejected = rows read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import columns as c
from .._checks import check_columns, check_option
from ..exceptions import BadRowsError, ColumnError, ParameterError
from ..kernels.events import constant, is_constant
from .clock import Times, read_times
from .flags import read_flags
from .frames import as_numbers, column, column_names, n_rows
from .ids import encode_ids

Array = NDArray[Any]
_NO_TIME, _UNKNOWN_EVENT = "a missing or impossible time", "an unknown event"
_NEGATIVE = "a negative quantity"
_HINTS = {
    _NO_TIME: "Times are datetimes or ISO 8601 text; pd.to_datetime reads other forms.",
    _UNKNOWN_EVENT: f"Events are {', '.join(c.EVENTS)}; name others in extra_events.",
    _NEGATIVE: "negative_quantity='return' or 'cancel' says what one means.",
}


@dataclass
class RawRows:
    """Row-aligned arrays of everything read; codes are ranks in the vocabularies."""

    arrays: dict[str, Array]
    vocabularies: dict[str, Array]  # customer, item, order, event_id, channel, reason
    event_names: tuple[str, ...]
    bad: dict[str, Array] = field(default_factory=dict)  # reason -> mask (n,)
    notes: dict[str, int] = field(default_factory=dict)  # what had to be decided, counted
    aware: bool = False


def read_rows(frame: Any, names: dict[str, str | None], **options: Any) -> RawRows:
    """Read and judge every row. ``names`` maps contract names to the caller's columns."""
    _check_names(frame, names)
    n = n_rows(frame)
    given = {ours: column(frame, theirs) for ours, theirs in names.items() if theirs is not None}
    raw = RawRows({}, {}, _event_names(options["extra_events"]))
    _read_ids(raw, given, n)
    _read_times(raw, given, options["timezone"])
    _read_numbers(raw, given, n)
    _read_event(raw, given, n, options["default_event"])
    _read_gift(raw, given, n)
    _settle_negative_quantity(raw, options["negative_quantity"])
    _judge(raw)
    return raw


def reject(raw: RawRows, on_bad_rows: str) -> Array:
    """Verdict on each row (int8): 0 good, k the k-th reason of ``raw.bad``."""
    check_option("on_bad_rows", on_bad_rows, ("raise", "quarantine"))
    verdict = np.zeros(len(raw.arrays["customer"]), dtype=np.int8)
    for number, mask in enumerate(raw.bad.values(), start=1):
        verdict[mask & (verdict == 0)] = number
    if raw.bad and on_bad_rows == "raise" and verdict.any():
        raise BadRowsError(_describe(raw, verdict > 0))
    return verdict


def _describe(raw: RawRows, bad: Array) -> str:
    parts = [
        f"{int(mask.sum())} with {reason} (rows {_first_rows(mask)})"
        for reason, mask in raw.bad.items()
        if mask.any()
    ]
    hints = [hint for reason, hint in _HINTS.items() if reason in raw.bad]
    return " ".join(
        [
            f"events: {int(bad.sum())} of {len(bad)} rows cannot be used: {'; '.join(parts)}.",
            *hints,
            "Mend them, or set them aside with on_bad_rows='quarantine'.",
        ]
    )


def _first_rows(mask: Array) -> str:
    rows = np.flatnonzero(mask[:])[:3].tolist()
    more = ", …" if int(mask.sum()) > 3 else ""
    return ", ".join(map(str, rows)) + more


def _check_names(frame: Any, names: dict[str, str | None]) -> None:
    wanted = [theirs for theirs in names.values() if theirs is not None]
    if not all(isinstance(name, str) for name in wanted):
        raise ParameterError("events: columns are named by text, e.g. customer_id='0'.")
    hint = "Name yours: InteractionLog.from_frame(table, timestamp='ts')."
    check_columns("events", wanted, column_names(frame), hint=hint)
    if names.get("price") is not None and names.get("amount") is not None:
        raise ColumnError("events: give price (per piece) or amount (line total), not both.")


def _event_names(extra: Any) -> tuple[str, ...]:
    if isinstance(extra, str) or not isinstance(extra, Iterable):
        raise ParameterError(f"extra_events must be a list of names; got a {type(extra).__name__}.")
    extra = tuple(extra)
    clash = [name for name in extra if name in c.EVENT_CODES or not isinstance(name, str)]
    if clash or len(set(extra)) < len(extra):
        raise ParameterError(f"extra_events must be new, distinct names; got {list(extra)}.")
    if len(c.EVENTS) + len(extra) > np.iinfo(np.int8).max:
        raise ParameterError(f"extra_events: {len(extra)} are too many; summarise them.")
    return c.EVENTS + extra


def _read_ids(raw: RawRows, given: dict[str, pd.Series[Any]], n: int) -> None:
    types: dict[str, Any] = {
        "customer": np.int32,
        "item": np.int32,
        "order": np.int32,
        "event_id": np.int32,
    }
    types |= {"channel": np.int16, "reason": np.int32}
    ours = {"customer": c.CUSTOMER, "item": c.ITEM, "order": c.ORDER, "event_id": c.EVENT_ID}
    ours |= {"channel": c.CHANNEL, "reason": c.REASON}
    for key, name in ours.items():
        if name in given:
            codes, raw.vocabularies[key] = encode_ids(given[name], name)
            if len(raw.vocabularies[key]) > np.iinfo(types[key]).max:
                raise ColumnError(f"{name}: {len(raw.vocabularies[key])} values are too many.")
            raw.arrays[key] = codes.astype(types[key], copy=False)
        else:
            raw.arrays[key] = constant(c.MISSING, types[key], n)
            raw.vocabularies[key] = np.empty(0, dtype=object)


def _read_times(raw: RawRows, given: dict[str, pd.Series[Any]], timezone: str | None) -> None:
    times = read_times(given[c.TIMESTAMP], timezone, c.TIMESTAMP)
    raw.aware = times.aware
    raw.arrays["timestamp"] = times.microseconds
    _note_times(raw, times)
    if c.KNOWN_AT not in given:
        raw.arrays["known_at"] = times.microseconds
        return
    known = read_times(given[c.KNOWN_AT], timezone or ("UTC" if times.aware else None), c.KNOWN_AT)
    _note_times(raw, known)
    missing = known.microseconds == c.NO_TIME
    lost = missing & given[c.KNOWN_AT].notna().to_numpy(dtype=bool)
    if lost.any():
        raw.bad["an impossible known_at"] = lost
    # Nothing is known before it happened.
    later = np.maximum(known.microseconds, times.microseconds)
    raw.arrays["known_at"] = np.where(missing, times.microseconds, later)


def _note_times(raw: RawRows, times: Times) -> None:
    counts = {
        "ambiguous_local_times": times.n_ambiguous,
        "nonexistent_local_times": times.n_nonexistent,
    }
    for name, count in counts.items():
        raw.notes[name] = raw.notes.get(name, 0) + count


def _number(series: pd.Series[Any], name: str) -> Array:
    """float64, NaN where missing or no number; -0.0 as 0.0, so that equal rows are equal."""
    if series.dtype.kind in "mMc" or isinstance(series.dtype, pd.PeriodDtype):
        raise ColumnError(f"{name}: values of type {series.dtype} are no numbers.")
    if series.dtype == np.float64:
        values = series.to_numpy()
        return values + 0.0 if np.any((values == 0) & np.signbit(values)) else values
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
    return as_numbers(series) + 0.0


def _read_numbers(raw: RawRows, given: dict[str, pd.Series[Any]], n: int) -> None:
    for name in (c.QUANTITY, c.PRICE, c.AMOUNT, c.VALUE):
        if name not in given:
            continue
        values = _number(given[name], name)
        if not isinstance(given[name].dtype, np.dtype) or given[name].dtype.kind not in "iuf":
            lost = np.isnan(values) & given[name].notna().to_numpy(dtype=bool)
            raw.bad |= {f"a {name} that is not a number": lost} if lost.any() else {}
        raw.arrays[name] = values
    _fill_numbers(raw, n)


def _fill_numbers(raw: RawRows, n: int) -> None:
    arrays = raw.arrays
    quantity = arrays.get(c.QUANTITY)
    if quantity is None:
        arrays[c.QUANTITY] = constant(1.0, np.float64, n)
    elif np.isnan(quantity).any():
        arrays[c.QUANTITY] = np.where(np.isnan(quantity), 1.0, quantity)
    if c.AMOUNT in arrays:
        arrays[c.PRICE] = _per_piece(arrays.pop(c.AMOUNT), arrays[c.QUANTITY])
    for name in (c.PRICE, c.VALUE):
        arrays.setdefault(name, constant(np.nan, np.float64, n))


def _per_piece(amount: Array, pieces: Array) -> Array:
    """Price per piece: unknown for no pieces; infinite, so rejected, where the amount is."""
    price = np.where(np.isinf(amount), np.inf, np.nan)
    with np.errstate(over="ignore"):  # an infinite price is rejected too
        return np.divide(amount, pieces, out=price, where=(pieces != 0) & np.isfinite(amount))


def _read_event(raw: RawRows, given: dict[str, pd.Series[Any]], n: int, default: str) -> None:
    check_option("default_event", default, raw.event_names)
    codes = {name: code for code, name in enumerate(raw.event_names)}
    if c.EVENT not in given:
        raw.arrays["event"] = constant(codes[default], np.int8, n)
        return
    try:
        found, uniques = pd.factorize(given[c.EVENT], use_na_sentinel=True)
    except TypeError:
        raise ColumnError(f"event: values of type {given[c.EVENT].dtype} are no names.") from None
    table = np.array([codes.get(name, -1) for name in uniques] + [codes[default]], dtype=np.int8)
    raw.arrays["event"] = table[found]  # -1, a missing event, takes the last entry: the default
    unknown = raw.arrays["event"] < 0
    if unknown.any():
        raw.bad[_UNKNOWN_EVENT] = unknown


def _read_gift(raw: RawRows, given: dict[str, pd.Series[Any]], n: int) -> None:
    if c.GIFT not in given:
        raw.arrays["gift"] = constant(False, np.bool_, n)
        return
    raw.arrays["gift"], lost = read_flags(given[c.GIFT])
    if lost.any():
        raw.bad["a gift that is neither true nor false"] = lost


def _settle_negative_quantity(raw: RawRows, rule: str) -> None:
    check_option("negative_quantity", rule, ("error", "return", "cancel"))
    arrays = raw.arrays
    negative = arrays["quantity"] < 0
    raw.notes["negative_quantity_rows"] = 0
    if rule == "error" or not negative.any():
        return
    target = np.int8(c.EVENT_CODES[rule])
    bought = negative & (arrays["event"] == c.EVENT_CODES[c.PURCHASE])
    arrays["event"] = np.where(bought, target, arrays["event"]).astype(np.int8)
    arrays["quantity"] = np.where(negative, -arrays["quantity"], arrays["quantity"])
    raw.notes["negative_quantity_rows"] = int(bought.sum())


def _judge(raw: RawRows) -> None:
    arrays = raw.arrays
    bought = arrays["event"] == c.EVENT_CODES[c.PURCHASE]
    verdicts = {
        "no customer": _below(arrays["customer"], 0),
        _NO_TIME: _below(arrays["timestamp"], c.NO_TIME + 1),
        "no item": _no_item(raw, _below(arrays["item"], 0)),
        "an infinite number": _infinite(arrays),
        _NEGATIVE: _below(arrays["quantity"], 0),
        "a zero quantity": bought & (arrays["quantity"] == 0),
        "a negative price": bought & _below(arrays["price"], 0),
    }
    raw.bad |= {reason: mask for reason, mask in verdicts.items() if mask.any()}


def _below(values: Array, bound: int) -> Array:
    """Mask of the values below a bound; one that takes no memory where none is."""
    if not len(values) or not np.fmin.reduce(values) < bound:
        return constant(False, np.bool_, len(values))
    return np.asarray(values < bound)


def _no_item(raw: RawRows, missing: Array) -> Array:
    """Where an item is missing that the event needs."""
    if not missing.any():
        return missing
    event = raw.arrays["event"]
    needs_item = np.array([name not in c.ITEM_OPTIONAL for name in raw.event_names])
    needs_item[len(c.EVENTS) :] = False
    return missing & needs_item[event] & (event >= 0)


def _infinite(arrays: dict[str, Array]) -> Array:
    infinite = np.zeros(len(arrays["customer"]), dtype=bool)
    for name in (c.QUANTITY, c.PRICE, c.VALUE):
        if not is_constant(arrays[name]):  # those are ours, and finite or missing
            infinite |= np.isinf(arrays[name])
    return infinite
