"""New items worth a look: what the sources put forward for each customer.

Reads  a batch, its sources' scores and signals.
Gives  pairs not bought before, each with the source in whose list it stands highest.
Never  more than a cap per customer; an item outside ``allowed``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.ranking import rank_within_group
from ..kernels.segments import within
from .candidates import Batch
from .signals import AGAINST, KINDS
from .sources import CODE, REASON

Array = NDArray[Any]
POOL = 64  # new items a customer, unless longer lists are asked for
EACH = 32  # of one source


class Proposals(NamedTuple):
    """r pairs, sorted by customer and item."""

    customer: Array  # int64 (r,), position in the batch
    item: Array  # int64 (r,), extended code
    source: Array  # int8 (r,), index into SOURCES


def propose(batch: Batch, allowed: Array | None = None, least: int = 0) -> Proposals:
    """The best places of all sources' lists, popular items filling up.

    ``allowed`` (codes.n,) restricts the items. At least ``least`` items a customer, or all
    that there are.
    """
    n = max(POOL, least)
    lists = [_popular(batch, allowed, n), *_interests(batch, allowed)]
    for name, scores in batch.scores.items():
        mask = None if allowed is None else allowed[: batch.codes.n_known]
        customer, item, value = scores.best(EACH, batch.shoppers, mask)
        offsets = np.searchsorted(customer, np.arange(batch.shoppers.n + 1))
        place = rank_within_group(offsets, value, item)
        lists.append((customer, item, place, np.full(len(item), CODE[REASON[name]])))
    customer, item, place, source = (np.concatenate(part) for part in zip(*lists, strict=True))
    key = customer * batch.codes.n + item
    order = np.lexsort((source, place, key))
    first = np.append(True, key[order][1:] != key[order][:-1])[: len(order)]
    chosen = order[first]
    offsets = np.searchsorted(customer[chosen], np.arange(batch.shoppers.n + 1))
    ties = batch.codes.by_id[item[chosen]]
    chosen = chosen[rank_within_group(offsets, -place[chosen], ties) <= n]
    return Proposals(customer[chosen], item[chosen], source[chosen].astype(np.int8))


def _popular(batch: Batch, allowed: Array | None, n: int) -> tuple[Array, Array, Array, Array]:
    """The n most popular items that each customer never bought."""
    order = batch.tables.popular.order
    order = order if allowed is None else order[allowed[order]]
    place = np.full(batch.codes.n, len(order))
    place[order] = np.arange(len(order))
    part = batch.shoppers
    owned = place[part.item]
    owned = owned[np.lexsort((owned, part.customer))]
    # Of the items owned, the j-th by popularity (from 0) has place - j items before it
    # that are not owned; if those are fewer than n, the list reaches past it.
    wanted = n + np.diff(part.gone_offsets)  # what came back may be among them
    passed = owned - within(part.offsets) < wanted[part.customer]
    reach = wanted + np.bincount(part.customer[passed], minlength=part.n)
    reach = np.minimum(reach, len(order))
    offsets = np.concatenate(([0], np.cumsum(reach)))
    customer, rank = np.repeat(np.arange(part.n), reach), within(offsets)
    item = order[rank]
    keep = batch.own_place(customer, item) < 0
    source = np.where(batch.is_newcomer, CODE["newcomer"], CODE["popular"])
    return customer[keep], item[keep], rank[keep] + 1, source[customer[keep]]


def _interests(batch: Batch, allowed: Array | None) -> list[tuple[Array, Array, Array, Array]]:
    """Items wished for, or looked at and put in a cart, and not bought since."""
    flags = batch.signals.flags
    customer, item = batch.signals.customer, batch.signals.item
    new = batch.own_place(customer, item) < 0
    if allowed is not None:
        new &= allowed[item]
    wished = new & flags[:, KINDS.index("wish")]
    seen = new & flags[:, ~AGAINST].any(axis=1) & ~wished
    found = []
    for mask, name, place in ((wished, "wished", 0), (seen, "viewed", 1)):
        n = int(mask.sum())
        found.append((customer[mask], item[mask], np.full(n, place), np.full(n, CODE[name])))
    return found
