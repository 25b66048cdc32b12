"""What may be recommended: only these items, in stock, cheap enough, one of each, varied.

Reads  the caller's filters, item attributes and prices of the history, ranked candidates.
Gives  ``Filters``: checked masks over items; ``filtered_answer``: the best candidates that
       pass them, as many as were asked for wherever so many are left among own items and
       those the model knows.
Never  an item that was filtered out; another customer's list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from .._checks import check_option, check_positive, check_probability
from ..columns import CATEGORY, ITEM, WORK
from ..exceptions import ParameterError
from ..kernels.needs import to_probability
from ..kernels.order import group_order
from ..kernels.ranking import top_k_offsets, top_k_per_group
from ..kernels.segments import run_starts, within
from ..log import History
from ..log.ids import check_ids, is_among
from .answers import answer
from .candidates import Batch, batches
from .diversity import Likeness, numbered, varied
from .facts import item_facts
from .facts_of_answers import Answers
from .learned import Learned
from .proposals import POOL
from .shoppers import Codes

Array = NDArray[Any]
ONE_PER = (CATEGORY, WORK)
GROUP_POOL = 256  # candidates among which the best of each group is sought


class Wanted(TypedDict, total=False):
    """The caller's filters, as ``NextNeedRanker.recommend`` takes them."""

    exclude_bought: bool
    allowed: Iterable[Any] | None
    blocked: Iterable[Any] | None
    in_stock: Iterable[Any] | None
    max_price: float | None
    one_per: str | None
    diversity: float


@dataclass(frozen=True)
class Filters:
    """Checked filters over n item codes."""

    exclude_bought: bool
    masks: dict[str, Array]  # bool (n,) by the filter's name: what it leaves
    group: Array | None  # int64 (n,): at most one item of each
    likeness: Likeness | None  # where lists are to be varied
    diversity: float

    @classmethod
    def of(cls, wanted: Wanted, history: History, everyone: Batch) -> Self:
        """Check them.

        Raises
        ------
        IdTypeError
            If items are not ids of the log's type.
        ParameterError
            If a number is out of its range or a column is missing.
        """
        codes = everyone.codes
        masks = {}
        for name, given in _lists(wanted).items():
            among = is_among(codes.ids, check_ids(given, codes.ids, f"{name} ({ITEM})"))
            masks[name] = ~among if name == "blocked" else among
        price, one_per = wanted.get("max_price"), wanted.get("one_per")
        if price is not None:
            limit = check_positive("max_price", price)
            masks["max_price"] = _by_code(item_facts(history).price, history, codes) <= limit
        group = None if one_per is None else _groups(history, codes, one_per)
        diversity = check_probability("diversity", wanted.get("diversity", 0.0))
        if diversity == 1:
            raise ParameterError("diversity must be below 1: likeness alone is no order; got 1.")
        likeness = Likeness.of(history, codes, everyone.tables.alike) if diversity else None
        bought = bool(wanted.get("exclude_bought", False))
        return cls(bought, masks, group, likeness, diversity)

    @property
    def mask(self) -> Array | None:
        """What all of them leave (n,); None = everything."""
        return np.logical_and.reduce(list(self.masks.values())) if self.masks else None

    @property
    def can_empty(self) -> bool:
        """Whether they could leave a customer without any item."""
        return self.exclude_bought or bool(self.masks)

    def told(self, everyone: Batch) -> str:
        """How many items each filter leaves, in one sentence."""
        codes = everyone.codes
        left = {name: int(mask.sum()) for name, mask in self.masks.items()}
        if self.exclude_bought:
            had_by = np.bincount(_had(everyone)[1], minlength=codes.n)
            left["exclude_bought"] = int(np.count_nonzero(had_by < everyone.shoppers.n))
        each = ", ".join(f"{name} leaves {count}" for name, count in left.items())
        both = "" if self.mask is None or len(left) < 2 else f", all masks {int(self.mask.sum())}"
        return (
            f"the filters left no item to recommend: of {codes.n} items ({codes.n_known} known "
            f"to the model) {each}{both}. Widen one of them."
        )


def _lists(wanted: Wanted) -> dict[str, Iterable[Any]]:
    """The lists of items that were given."""
    every = {
        "allowed": wanted.get("allowed"),
        "blocked": wanted.get("blocked"),
        "in_stock": wanted.get("in_stock"),
    }
    return {name: given for name, given in every.items() if given is not None}


def check_for_topics(wanted: Wanted) -> None:
    """Topics have neither price nor stock nor category."""
    given = [name for name in ("in_stock", "max_price", "one_per") if wanted.get(name) is not None]
    if given:
        raise ParameterError(
            f"{given[0]} is about items, and this ranker ranks topics; use allowed or blocked."
        )


def filtered_answer(
    everyone: Batch, learned: Learned, filters: Filters, n: int, *, n_jobs: int | None = None
) -> Answers:
    """The n best candidates of each customer that pass; ``diversity`` sets their order.

    ``n_jobs`` processes where filters are masks only; the others go batch by batch.
    """
    own, mask = not filters.exclude_bought, filters.mask
    if filters.group is None and filters.likeness is None:
        return answer(everyone, learned, n=n, own=own, allowed=mask, n_jobs=n_jobs)
    parts = batches(everyone, np.arange(everyone.shoppers.n))
    # Some hundred candidates a customer: kept for a batch only.
    found = [_arranged(batch, learned, filters, n) for batch, _ in parts]
    return Answers.joined(found or [_arranged(everyone, learned, filters, n)])


def _arranged(batch: Batch, learned: Learned, filters: Filters, n: int) -> Answers:
    pool = max(n, POOL)  # the same for all short lists: they are heads of one another
    if filters.group is None:
        own, mask = not filters.exclude_bought, filters.mask
        found = answer(batch, learned, n=pool, own=own, allowed=mask)
    else:
        found = _one_of_each(batch, learned, filters, filters.group, pool)
    if filters.likeness is None:
        rows = top_k_per_group(found.offsets, -np.arange(len(found.item)), found.item, n)
        return taken(found, rows, top_k_offsets(found.offsets, n))
    score = to_probability(found.log_odds)
    rows = varied(found.offsets, found.item, score, filters.likeness, filters.diversity, n)
    return taken(found, rows, top_k_offsets(found.offsets, n))


def taken(found: Answers, rows: Array, offsets: Array) -> Answers:
    """Some rows of answers, customers in order."""
    return Answers(offsets, *(column[rows] for column in list(found)[1:]))


def _one_of_each(batch: Batch, learned: Learned, filters: Filters, group: Array, n: int) -> Answers:
    """The best of each group, of the n best groups: no long list of one group hides another.

    Sought among the most probable candidates and the most popular item of every group. Who is
    offered only what they do not have may have that one, and is asked about the next ones
    until there are n groups, or nothing is left of the others.
    """
    own = not filters.exclude_bought
    mask = np.ones(batch.codes.n, dtype=bool) if filters.mask is None else filters.mask
    place = _place_in_group(batch, group, mask)
    found = answer(batch, learned, n=max(GROUP_POOL, 4 * n), own=own, allowed=mask)
    heads = answer(batch, learned, n=n, own=own, allowed=place == 0)
    found = _best_of_groups(batch, [found, heads], group)
    wanted = min(n, len(np.unique(group[mask])))
    for depth in range(1, 1 if own else _most_had(batch, group) + 1):
        short = np.flatnonzero(np.diff(found.offsets) < wanted)
        if not len(short):
            break
        more = answer(batch.take(short), learned, n=n, own=own, allowed=place == depth)
        found = _best_of_groups(batch, [found, _spread_out(more, short, batch.shoppers.n)], group)
    return found


def _spread_out(found: Answers, customers: Array, n: int) -> Answers:
    """Answers of some of n customers as answers of all, empty for the others."""
    counts = np.zeros(n, dtype=np.int64)
    counts[customers] = np.diff(found.offsets)
    return found._replace(offsets=np.concatenate(([0], np.cumsum(counts))))


def _best_of_groups(batch: Batch, parts: list[Answers], group: Array) -> Answers:
    """The best candidate of each customer and group, best first, ties by item id."""
    customer = np.concatenate(
        [np.repeat(np.arange(batch.shoppers.n), np.diff(part.offsets)) for part in parts]
    )
    together = Answers.joined(parts)
    ties = batch.codes.by_id[together.item]
    key = customer * _n_groups(group) + group[together.item]
    order = np.lexsort((ties, -together.log_odds, key))
    first = order[run_starts(key[order])]
    first = first[np.lexsort((ties[first], -together.log_odds[first], customer[first]))]
    offsets = np.searchsorted(customer[first], np.arange(batch.shoppers.n + 1))
    return taken(together, first, offsets)


def _place_in_group(batch: Batch, group: Array, mask: Array) -> Array:
    """By popularity among what the filters leave, from 0 (n,); -1 for items left out."""
    order = batch.tables.popular.order
    order = order[mask[order]]
    by_group = group_order(group[order])
    starts = np.append(run_starts(group[order][by_group]), len(order))
    place = np.full(batch.codes.n, -1)
    place[order[by_group]] = within(starts)
    return place


def _most_had(batch: Batch, group: Array) -> int:
    """Of one group by one customer."""
    customer, item = _had(batch)
    key = customer * _n_groups(group) + group[item]
    return int(np.unique(key, return_counts=True)[1].max(initial=0))


def _n_groups(group: Array) -> np.int64:
    return np.int64(group.max(initial=0)) + 1


def _had(batch: Batch) -> tuple[Array, Array]:
    """Customers and items bought, those that came back included."""
    part = batch.shoppers
    gone = np.repeat(np.arange(part.n), np.diff(part.gone_offsets))
    return np.append(part.customer, gone), np.append(part.item, part.gone)


def _by_code(values: Array, history: History, codes: Codes) -> Array:
    """Numbers of the history's items by code; NaN for others (n,)."""
    out = np.full(codes.n, np.nan)
    out[codes.of_history[: history.n_items]] = values
    return out


def _groups(history: History, codes: Codes, one_per: str) -> Array:
    """Items with equal values share a number; one without a value stands for itself."""
    check_option("one_per", one_per, ONE_PER)
    if one_per not in history.items.columns:
        raise ParameterError(
            f"one_per={one_per!r}: the log's items have no column {one_per!r}; found "
            f"{sorted(map(str, history.items.columns))}. Give it in InteractionLog(items=...)."
        )
    number = numbered(history, codes, one_per)
    alone = number.max(initial=-1) + 1 + np.arange(codes.n)
    return np.where(number < 0, alone, number)
