"""What a bundle holds, under the names the scorer works with.

Reads  a manifest and plain arrays, from a bundle or from memory.
Gives  ids, attributes, model tables and the events of any customers.
Never  copies an array of customers or items: views of the mapped files, shared by workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exceptions import BundleError
from ..kernels.events import ROW_COLUMNS, Events
from ..kernels.fit import FitItems, FitTables, SlipModel
from ..kernels.habits import LastHabits
from ..kernels.holdings import Holdings
from ..kernels.ids import ids_at, lookup, lookup_many
from ..kernels.next_gap import GapTable
from ..kernels.return_past import Kinds
from ..kernels.return_reasons import KeptPairs
from ..kernels.return_risk import CompactModel, ItemReturns, RiskModel, compact_model
from ..kernels.rules import Tables
from ..kernels.verdicts import Speaking
from .lazy_events import LazyEvents, of_one
from .once import once
from .overlay import Words, index_size

Array = NDArray[Any]
PROFILING, MARKETING = 1, 2  # bits of customer_flags: what the customer objects to
STORED_COLUMNS = tuple(name for name in ROW_COLUMNS if name not in ("customer", "known_at"))
INDEXES = ("customers", "items", "orders", "channels", "reasons")


class GuardTables(NamedTuple):
    """Of warnings; rows by item, the last for items never seen."""

    tables: Tables
    speaking: Speaking  # all silent in shadow
    repeat_share: Array


class ReturnTables(NamedTuple):
    """Of returns; ``items`` has a last row for items never seen."""

    items: ItemReturns
    kinds: Kinds
    pairs: KeptPairs
    models: dict[str, CompactModel]  # "cart" for those who object to profiling, else "customer"
    cost_return: float
    cost_annoyance: float
    least_lift: float
    threshold: float  # inf: silent


class FitGuardTables(NamedTuple):
    """Of better fits and pieces, and what a warning costs."""

    tables: FitTables
    cost_slip: float
    cost_misfit: float
    cost_annoyance: float


class Store:
    """Arrays by purpose. ``group("timer")`` are those named ``timer__*`` or ``model_timer__*``."""

    def __init__(self, manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        self.manifest = MappingProxyType(dict(manifest))
        self._groups = _grouped(arrays)
        try:
            self.cutoff = int(manifest["cutoff_us"])
            self.timezone = str(manifest["timezone"])
            self.horizon_days = float(manifest["horizon_days"])
            self.event_names = tuple(manifest["event_names"])
            self.offsets = self.group("events")["offsets"]
            self.customers, self.items = self.group("customers"), self.group("items")
            self.flags = self.group("customer")["flags"]
        except KeyError as missing:
            raise BundleError(f"the bundle lacks {missing}; save it again.") from None
        self.event_codes = {name: code for code, name in enumerate(self.event_names)}
        self.n_customers, self.n_items = index_size(self.customers), index_size(self.items)
        n = int(self.offsets[-1])
        events = self.group("events")
        self.columns = {name: _column(events[name], n) for name in STORED_COLUMNS}
        self._undone_at = _column(events["undone_at"], n)

    def group(self, name: str) -> dict[str, Array]:
        """Arrays of one purpose, by their short names; empty where there are none."""
        return self._groups.get(name, {})

    @once
    def gaps(self) -> GapTable:
        """When items are bought again."""
        return GapTable.from_mapping(self.group("timer"))

    @once
    def guard(self) -> GuardTables | None:
        """What is known of unwanted purchases, and what a warning costs; None without."""
        arrays = self.group("guard")
        if "speaking" not in arrays:
            return None
        speaking = Speaking.from_array(arrays["speaking"])
        if bool(arrays["shadow"][0]):
            speaking = speaking._replace(thresholds=np.full_like(speaking.thresholds, np.inf))
        return GuardTables(Tables.from_mapping(arrays), speaking, arrays["repeat_share"])

    @once
    def return_guard(self) -> ReturnTables | None:
        """What is known of returns; None in bundles without."""
        arrays = self.group("return_guard")
        if not arrays:
            return None
        models = {
            level: compact_model(
                RiskModel(*(arrays[f"{level}.{name}"] for name in RiskModel._fields))
            )
            for level in ("cart", "customer")
        }
        return ReturnTables(
            ItemReturns(*(arrays[name] for name in ItemReturns._fields)),
            Kinds(*(arrays[name] for name in Kinds._fields)),
            KeptPairs(*(arrays[f"pairs.{name}"] for name in KeptPairs._fields)),
            models,
            *arrays["settings"].tolist()[1:],
        )

    @once
    def fit_guard(self) -> FitGuardTables | None:
        """What is known of better fits and usual pieces; None in bundles without."""
        arrays = self.group("fit_guard")
        if not arrays:
            return None
        slip = SlipModel(*(arrays[f"slip.{name}"] for name in SlipModel._fields))
        tables = FitTables(FitItems.from_mapping(arrays), slip)
        return FitGuardTables(tables, *arrays["settings"].tolist()[1:])

    @once
    def holdings(self) -> Holdings:
        """What each customer has bought of each item."""
        stored = self.group("holdings")
        return Holdings(*(stored[name] for name in Holdings._fields))

    @property
    def holdings_log_odds(self) -> Array:
        """Of each pair: log-odds, at the cutoff, that it is bought within the horizon."""
        return self.group("holdings")["log_odds"]

    def overlays(self) -> Words:
        """Vocabularies for one request, each open to ids the bundle does not know."""
        return Words({name: self.group(name) for name in INDEXES})

    @property
    def has_text_ids(self) -> bool:
        return "ids" not in self.customers

    def all_customers(self) -> Array:
        return ids_at(self.customers, np.arange(self.n_customers))

    def customer_codes(self, ids: Any) -> Array:
        """Codes of many ids, -1 for unknown ones."""
        if self.n_customers == 0:
            return np.full(len(ids), -1, dtype=np.int64)
        if len(ids) == 1:
            return np.array([lookup(self.customers, ids[0])])
        return lookup_many(self.customers, ids)

    def events_of(self, codes: Array) -> Events:
        """Stored events of the customers asked for, numbered 0..m-1 in the order asked."""
        if len(codes) == 1:
            start, end = span(self.offsets, int(codes[0]))
            return of_one(end - start, lambda name: self.columns[name][start:end])
        rows, offsets = spans(self.offsets, codes)
        customer = np.repeat(np.arange(len(codes), dtype=np.int32), np.diff(offsets))
        return LazyEvents(offsets, customer, lambda name: self.columns[name][rows])

    def undone_of(self, codes: Array) -> Array:
        """When each of those events was undone (``owned.undone_times``), row by row."""
        if len(codes) == 1:
            start, end = span(self.offsets, int(codes[0]))
            return self._undone_at[start:end]
        return np.asarray(self._undone_at[spans(self.offsets, codes)[0]])

    def habits_of(self, codes: Array) -> LastHabits:
        """How these customers' carts looked up to the bundle's cutoff, (m,)."""
        stored = self.group("habits")
        known = codes >= 0
        safe = np.where(known, codes, 0) if self.n_customers else None
        return LastHabits(*(
            np.zeros(len(codes), dtype=np.int64) if safe is None else stored[name][safe] * known
            for name in LastHabits._fields
        ))  # fmt: skip


def span(offsets: Array, code: int) -> tuple[int, int]:
    """Where the rows of one customer stand; nowhere for an unknown one, -1."""
    return (0, 0) if code < 0 else (offsets.item(code), offsets.item(code + 1))


def spans(offsets: Array, codes: Array) -> tuple[Array, Array]:
    """Positions of the rows of these customers, one after another, and offsets (m + 1,)."""
    if len(offsets) == 1:
        return np.empty(0, dtype=np.int64), np.zeros(len(codes) + 1, dtype=np.int64)
    known = codes >= 0
    safe = np.where(known, codes, 0)
    starts = offsets[safe]
    counts = np.where(known, offsets[safe + 1] - starts, 0)
    ends = np.concatenate(([0], np.cumsum(counts)))
    return np.arange(int(ends[-1])) + np.repeat(starts - ends[:-1], counts), ends


def _grouped(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    groups: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        group, _, short = name.removeprefix("model_").partition("__")
        groups.setdefault(group, {})[short] = np.asarray(array)
    return groups


def _column(values: Array, n: int) -> Array:
    """A stored column; one that never varies is stored as a single value."""
    return np.broadcast_to(values, (n,)) if len(values) == 1 and n != 1 else values
