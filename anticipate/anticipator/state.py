"""What the scorer needs of a fitted whole: a manifest and plain arrays.

Reads  the fitted parts and the history whose customers are to be served.
Gives  the content of a bundle; and the fitted parts back from it.
Never  an id as a code: vocabularies travel with the arrays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import columns as c
from ..bundle import pack_strings
from ..churn import ChurnModel
from ..exceptions import AnticipateError, BundleError
from ..guards import DuplicateGuard, FitGuard, ReturnGuard
from ..kernels.churn import AGEING_DAYS, parameters_to_array
from ..kernels.events import Events, constant, is_constant
from ..kernels.habits import last_habits
from ..kernels.holdings import find_holdings, own_from
from ..kernels.ids import build_id_index
from ..kernels.next_gap import GapTable
from ..kernels.owned import undone_times
from ..kernels.returns import NEVER
from ..log import History
from ..log.clock import days_to_microseconds
from ..log.objections import objectors
from ..log.vocabulary import recode, union_ids
from ..needs import NextNeedRanker
from ..serving.dates import law_of, log_odds_within
from ..serving.store import MARKETING, PROFILING, STORED_COLUMNS
from ..timing import PurchaseTimer
from .brief_state import brief_arrays
from .needs_state import needs_arrays, needs_manifest

if TYPE_CHECKING:
    from .model import Anticipator

Array = NDArray[Any]
Arrays = dict[str, Array]
PAIRS = 1 << 20  # of a customer and an item, gone through at once
PARTS: dict[str, tuple[str, Any]] = {  # name -> attribute of the whole, class
    "needs": ("needs_", NextNeedRanker),
    "timing": ("timing_", PurchaseTimer),
    "churn": ("churn_", ChurnModel),
    "guard": ("guard_", DuplicateGuard),
    "returns": ("return_guard_", ReturnGuard),
    "fit": ("fit_guard_", FitGuard),
}


def make_state(
    model: Anticipator, history: History, *, with_models: bool = False
) -> tuple[dict[str, Any], Arrays]:
    """Manifest and arrays; with the fitted parts where they are to be loaded again."""
    items = union_ids(history.item_ids, model.needs_.item_ids_)
    timer = model.timing_.item_table(items)
    arrays = {
        **_vocabularies(history, items),
        **_events(history, items),
        **_holdings(history, items, GapTable.from_mapping(timer), float(model.horizon_days)),
        **_customers(history),
        **_items(history, items),
        **_prefixed("model_timer", timer),
        **_guards(model, history, items),
        **_churn(model.churn_, history),
        **needs_arrays(model.needs_, history, items),
    }
    if with_models:
        arrays |= brief_arrays(model.churn_, model.timing_, history)
        for name, (attribute, _) in PARTS.items():
            part = getattr(model, attribute)
            if part is not None:
                arrays |= _prefixed(f"model_part_{name}", storable(part.to_arrays()))
    return _manifest(model, history, n_items=len(items)), arrays


def load_models(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The fitted parts of a bundle by attribute; None for one that an older bundle lacks.

    Raises
    ------
    BundleError
        If a part was saved in an older form that this version cannot read, or its arrays do not
        fit together.
    """
    parts: dict[str, Any] = {}
    for name, (attribute, part) in PARTS.items():
        try:
            own = restored(_with_prefix(arrays, f"model_part_{name}"))
            parts[attribute] = part.from_arrays(own) if own else None
        except KeyError as missing:
            raise BundleError(
                f"the bundle's part {name!r} lacks {missing}: an older version saved it. Fit and "
                "save it again with this version of the library."
            ) from None
        except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
            what = str(error) if isinstance(error, AnticipateError) else type(error).__name__
            raise BundleError(
                f"bundle files model_part_{name}__*.npy do not fit together ({what}). Copy the "
                "bundle again from where it was made, or fit and save it again."
            ) from error
    return parts


def storable(arrays: Mapping[str, Array]) -> Arrays:
    """Text ids as packed bytes: a bundle holds no objects."""
    out: Arrays = {}
    for name, array in arrays.items():
        if array.dtype == object:
            out[f"{name}..offsets"], out[f"{name}..text"] = pack_strings(array.tolist())
        else:
            out[name] = array
    return out


def restored(arrays: Mapping[str, Array]) -> Arrays:
    """Inverse of ``storable``."""
    from ..bundle import unpack_strings

    out: Arrays = {}
    for name, array in arrays.items():
        if name.endswith("..text"):
            base = name.removesuffix("..text")
            texts = unpack_strings(arrays[f"{base}..offsets"], array)
            out[base] = np.array([*texts, None], dtype=object)[:-1]  # objects, never fixed width
        elif not name.endswith("..offsets"):
            out[name] = array
    return out


def _manifest(model: Anticipator, history: History, *, n_items: int) -> dict[str, Any]:
    from ..log.clock import to_microseconds

    return {
        "parameters": {
            "horizon_days": float(model.horizon_days),
            "churn_horizon_days": float(model.churn_horizon_days),
            "benefits": None if model.benefits is None else dict(model.benefits),
            "random_state": model.random_state,
        },
        "benefits": None if model.benefits is None else dict(model.benefits),
        "cutoff": str(history.cutoff),
        "cutoff_us": int(history.cutoff_us),
        "trained_until_us": to_microseconds(model.cutoff_, "UTC"),
        "timezone": history.timezone,
        "horizon_days": float(model.horizon_days),
        "churn_horizon_days": float(model.churn_horizon_days),
        "event_names": list(history.vocabulary.event_names),
        **needs_manifest(model.needs_),
        "features": _feature_names(model),  # all float64
        "n_customers": history.n_customers,
        "n_items": n_items,
        "n_events": history.n_events,
        "report": _jsonable(model.report_),
    }


def _feature_names(model: Anticipator) -> dict[str, list[str]]:
    """What the learned parts look at, in order."""
    learned = model.needs_.fitted_.learned
    return {
        "needs_own": list(learned.own.names),
        "needs_new": list(learned.new.names),
        "churn": list(model.churn_.describer_.features),
    }


def _jsonable(report: dict[str, Any]) -> Any:
    """The report as JSON can hold it: what is not a number there is null."""
    return json.loads(json.dumps(report, default=_plain), parse_constant=lambda _: None)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def _prefixed(prefix: str, arrays: Mapping[str, Array]) -> Arrays:
    return {f"{prefix}__{name}": np.asarray(array) for name, array in arrays.items()}


def _with_prefix(arrays: Mapping[str, Array], prefix: str) -> Arrays:
    start = f"{prefix}__"
    return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}


def _vocabularies(history: History, items: Array) -> Arrays:
    words = history.vocabulary
    indexes = {
        "customers": history.customer_ids,
        "items": items,
        "orders": words.orders,
        "channels": words.channels,
        "reasons": words.reasons,
    }
    out: Arrays = {}
    for name, ids in indexes.items():
        out |= _prefixed(name, build_id_index(ids))
    return out


def _events(history: History, items: Array) -> Arrays:
    """All events, columns that never vary as a single value."""
    events: Events = recode(history.events, history.vocabulary, history.customer_ids, items)
    columns = {name: getattr(events, name) for name in STORED_COLUMNS}
    undone = undone_times(history.events, history.returns)
    columns["undone_at"] = undone if (undone < NEVER).any() else constant(NEVER, np.int64, events.n)
    short = {n: col[:1] if is_constant(col) and len(col) else col for n, col in columns.items()}
    return _prefixed("events", {"offsets": events.offsets, **short}) | _prefixed(
        "habits", last_habits(events)._asdict()
    )


def _holdings(history: History, items: Array, gaps: GapTable, horizon_days: float) -> Arrays:
    """What each customer bought of each item, and the odds of the next time as of the cutoff."""
    events = recode(history.events, history.vocabulary, history.customer_ids, items)
    held = find_holdings(events, undone_times(history.events, history.returns))
    customer = np.repeat(np.arange(events.n_customers), np.diff(held.offsets))
    log_odds = np.empty(len(held.item))
    for first in range(0, len(customer), PAIRS):  # in parts: formulas need ten times the space
        rows = slice(first, first + PAIRS)
        start, place = events.offsets[customer[rows]], np.arange(len(customer))[rows]
        own = own_from(held, place, start, events.timestamp)
        at, law = np.full(len(place), history.cutoff_us), law_of(gaps, held.item[rows], own)
        log_odds[rows] = log_odds_within(law, own.last, at, horizon_days)
    return _prefixed("holdings", {**held._asdict(), "log_odds": log_odds})


def _customers(history: History) -> Arrays:
    flags = np.zeros(history.n_customers, dtype=np.uint8)
    for bit, use in ((PROFILING, c.PROFILING), (MARKETING, c.MARKETING)):
        flags[objectors(history, use)] |= bit
    return {"customer__flags": flags}


def _items(history: History, items: Array) -> Arrays:
    if c.NAME not in history.items.columns:
        return {}
    names = history.items[c.NAME].reindex(items).fillna("").astype(str)
    offsets, text = pack_strings(names.tolist())
    return {"item_names__offsets": offsets, "item_names__bytes": text}


def _guards(model: Anticipator, history: History, items: Array) -> Arrays:
    """Each guard's table of items, and what its warnings cost."""
    known = history.items.reindex(items) if len(history.items.columns) else None
    arrays: Arrays = {}
    for group, attribute, kept in (
        ("guard", "guard_", ("speaking", "shadow")),
        ("return_guard", "return_guard_", ("settings", "cart.", "customer.")),  # none of staff's
        ("fit_guard", "fit_guard_", ("settings", "slip.")),
    ):
        guard = getattr(model, attribute, None)
        if guard is not None:
            fitted = {n: a for n, a in guard.to_arrays().items() if n.startswith(kept)}
            arrays |= _prefixed(f"model_{group}", guard.item_table(items, items=known) | fitted)
    return arrays


def _churn(model: ChurnModel, history: History) -> Arrays:
    ageing = days_to_microseconds(AGEING_DAYS)
    later = replace(history, cutoffs=history.cutoffs + ageing, cutoff_us=history.cutoff_us + ageing)
    return {
        "model_churn__parameters": parameters_to_array(model.parameters_),
        "churn__offset": model.predict_offsets(history),
        "churn__offset_later": model.predict_offsets(later),  # if nothing happens until then
    }


__all__ = ["load_models", "make_state"]
