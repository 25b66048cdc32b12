"""Learning expected ratings: which items are rated alike, and how much to shrink what.

Reads  ratings of one history; to choose settings, all but the latest tenth of them.
Gives  fitted ``Ratings``, and errors beside those of plain means.
Never  a dense table of items by items: blocks of rows, of which the best entries stay; a
       rating judged by a model that saw it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from ..kernels.needs import find_keys, keep_best, sum_by
from ..kernels.segments import segment_sum, within
from .profiles import csr_of, keys_of, nothing, rows_of
from .ratings import JUDGED, Rated, Ratings, fit_baseline

Array = NDArray[Any]
N_SIMILAR = 30
BASELINES = sorted(  # pseudo-ratings of items and customers, most cautious first
    product((500.0, 120.0, 30.0, 8.0, 2.0), (250.0, 50.0, 12.0, 3.0)), key=lambda two: -prod(two)
)
NEIGHBOURS = (np.nan, 100.0, 20.0)  # pseudo co-raters; none at all
CAUTIOUS = (120.0, 50.0)  # settings where too few ratings can be held out to choose by
ENOUGH = 50  # held-out ratings
HELD_OUT = 0.1
CHOICE_ROWS = 300_000  # settings are chosen on about so many ratings of whole customers
WORK = 400_000_000  # pairs of ratings by the same customer that are looked at, at most
WIDTHS = (500, 200, 100, 50)  # latest ratings of a customer that count as neighbours
PRODUCT_ROWS = 4_000_000  # entries of the product held at a time


def learn_ratings(rated: Rated, n_items: int) -> Ratings:
    """Fit all ratings with settings that did well on the latest ones.

    Parameters
    ----------
    rated : Rated
        Of one history, with the model's own codes.
    n_items : int
        Items the model knows.

    Returns
    -------
    Ratings
        ``report`` has the root mean squared error on the held-out ratings, beside those of the
        mean, the item's mean, and user and item means. Without ratings, an empty one.

    Notes
    -----
    Held out is the latest tenth of each customer's ratings (at least the last, where there are
    two), of these the latest, up to a tenth of all; no customer loses all ratings by it. Of
    several hundred thousand ratings a part of the customers is enough to choose settings by.
    """
    step = max(rated.n // CHOICE_ROWS, 1)
    sample = rated if step == 1 else rated.take(np.arange(0, len(rated.offsets) - 1, step))
    held = latest(sample)
    before, after = sample.keep(~held), sample.keep(held)
    if after.n < ENOUGH:
        baseline, neighbours, judged = CAUTIOUS, np.nan, np.full(5, np.nan)
    else:
        baseline, neighbours, judged = _choose(before, after, n_items)
    fitted = fit_baseline(rated, n_items, *baseline)
    return _with_neighbours(fitted, rated, neighbours)._replace(judged=judged)


def latest(rated: Rated) -> Array:
    """Mask of the ratings to hold out (r,): see ``learn_ratings``. Ties by item code."""
    order = np.lexsort((rated.item, rated.time, rated.customer))
    count = np.diff(rated.offsets)
    held_of = np.where(count > 1, np.ceil(count * HELD_OUT), 0)
    place = within(rated.offsets)
    last = order[place >= np.repeat(count - held_of, count)]
    recent = last[np.lexsort((last, -rated.time[last]))]
    held = np.zeros(rated.n, dtype=bool)
    held[recent[: int(np.ceil(rated.n * HELD_OUT))]] = True
    return held


def rating_errors(model: Ratings, train: Rated, before: Rated, after: Rated) -> dict[str, float]:
    """Root mean squared errors on ratings that came later.

    Parameters
    ----------
    model : Ratings
        Learned from ``train``.
    train, before, after : Rated
        What was learned from; the judged customers' earlier ratings; the ratings to judge by,
        of the same customers as ``before``. All with the model's codes.

    Returns
    -------
    dict
        ``rmse`` of the model, ``rmse_mean`` (of all ratings), ``rmse_item_mean``,
        ``rmse_user_and_item_means`` (mean + both deviations, not shrunken), ``n_judged``.
    """
    fresh = after.keep(np.isnan(before.at(after.customer, after.item)))
    n, mean = model.n_items, float(np.mean(train.value))
    by_item = _deviations(np.minimum(train.item, n), train.value - mean, n + 1)
    by_customer = _deviations(before.customer, before.value - mean, len(before.offsets) - 1)
    of_item = mean + by_item[np.minimum(fresh.item, n)]
    both = np.clip(of_item + by_customer[fresh.customer], *model.scale[1:])
    ours = model.expected(before, fresh.customer, fresh.item)
    guesses = {"": ours, "_mean": mean, "_item_mean": of_item, "_user_and_item_means": both}
    return {"n_judged": float(fresh.n)} | {
        f"rmse{name}": _rmse(guess - fresh.value) for name, guess in guesses.items()
    }


def similar_by_rating(rated: Rated, left: Array, n_items: int, shrinkage: float) -> csr_matrix:
    """The items most alike in what the baseline leaves of their ratings (n_items + 1, n_items).

    s_ij = n_ij / (n_ij + shrinkage) * sum(e_i e_j) / sqrt(sum(e_i^2) sum(e_j^2)), n_ij the
    customers who rated both. The last sums go over all who rated an item, so few co-raters make
    a small s; only positive ones are kept. Of a customer, the latest ratings alone.
    """
    rows = np.flatnonzero((rated.item < n_items) & _recent(rated))
    shape = (len(rated.offsets) - 1, n_items)
    held = csr_of(rated.customer[rows], rated.item[rows], left[rows], shape)
    by_item = held.T.tocsr()
    by_item.sort_indices()
    length = np.sqrt(segment_sum(by_item.data**2, by_item.indptr.astype(np.int64)))
    parts = [_best(part, length, shrinkage) for part in _products(by_item, held)]
    return csr_matrix(vstack([*parts, nothing(1, n_items)], format="csr"))


def _choose(before: Rated, after: Rated, n_items: int) -> tuple[tuple[float, float], float, Array]:
    """Settings of the baseline, then of the neighbours, and the errors of both together."""
    models = [fit_baseline(before, n_items, *setting) for setting in BASELINES]
    baseline = _most_cautious(models, before, after)
    tried = [_with_neighbours(models[baseline], before, shrinkage) for shrinkage in NEIGHBOURS]
    chosen = _most_cautious(tried, before, after)
    errors = rating_errors(tried[chosen], before, before, after)
    return BASELINES[baseline], NEIGHBOURS[chosen], np.array([errors[name] for name in JUDGED])


def _most_cautious(models: list[Ratings], before: Rated, after: Rated) -> int:
    """The first model within one standard error of the best one.

    The error is that of the difference in squared loss, rating by rating: with few ratings
    nothing bold is chosen by luck (Hastie et al., The Elements of Statistical Learning, 7.10).
    """
    guesses = (model.expected(before, after.customer, after.item) for model in models)
    losses = [(guess - after.value) ** 2 for guess in guesses]
    best = losses[int(np.argmin([loss.mean() for loss in losses]))]
    gaps = [loss - best for loss in losses]
    near = [gap.mean() <= gap.std() / np.sqrt(len(gap)) for gap in gaps]
    return near.index(True)


def _with_neighbours(model: Ratings, rated: Rated, shrinkage: float) -> Ratings:
    if np.isnan(shrinkage):
        return model
    similar = similar_by_rating(rated, model.fold_in(rated)[1], model.n_items, shrinkage)
    settings = np.append(model.shrinkage[:2], shrinkage)
    return model._replace(similar=similar, shrinkage=settings)


def _recent(rated: Rated) -> Array:
    """Mask of each customer's latest ratings, as many as the work allows (r,)."""
    count = np.diff(rated.offsets)
    fits = (width for width in WIDTHS if (np.minimum(count, width) ** 2).sum() <= WORK)
    width = next(fits, WIDTHS[-1])
    order = np.lexsort((rated.item, rated.time, rated.customer))
    mask = np.zeros(rated.n, dtype=bool)
    mask[order[within(rated.offsets) >= np.repeat(count - width, count)]] = True
    return mask


def _products(by_item: csr_matrix, held: csr_matrix) -> Iterator[tuple[int, csr_matrix, Array]]:
    """Rows of items by items, a block at a time: first row, sums of e_i e_j, co-raters."""
    both = _ones(held)
    # Entries that a row can have at most: the ratings of all who rated the item.
    most = _ones(by_item) @ np.diff(held.indptr).astype(np.int64)
    block = np.cumsum(most) // PRODUCT_ROWS
    edges = np.append(np.flatnonzero(np.diff(block, prepend=-1)), len(block))
    for start, end in pairwise(edges.tolist()):
        rows = by_item[start:end]
        sums, counts = (rows @ held).tocsr(), (_ones(rows) @ both).tocsr()
        sums.sort_indices()
        counts.sort_indices()
        # A sum of exactly 0 may have no entry, so the two are not aligned by themselves.
        yield start, sums, counts.data[find_keys(keys_of(counts), keys_of(sums))]


def _best(part: tuple[int, csr_matrix, Array], length: Array, shrinkage: float) -> csr_matrix:
    """The most similar items of a block of items."""
    start, sums, co_raters = part
    row, other = rows_of(sums) + start, sums.indices
    scale = length[row] * length[other] * (co_raters + shrinkage)
    alike = np.divide(sums.data * co_raters, scale, out=np.zeros(len(row)), where=scale > 0)
    alike[row == other] = 0.0
    alike = np.maximum(alike, 0.0)
    kept = keep_best(sums.indptr.astype(np.int64), alike, other, N_SIMILAR)
    kept = kept[alike[kept] > 0]
    values = alike[kept].astype(np.float32)
    return csr_of(row[kept] - start, other[kept], values, sums.shape)


def _ones(matrix: csr_matrix) -> csr_matrix:
    counts = np.ones(matrix.nnz, dtype=np.int32)
    return csr_matrix((counts, matrix.indices, matrix.indptr), shape=matrix.shape)


def _deviations(code: Array, value: Array, n: int) -> Array:
    """Mean of each code's values, 0 where it has none (n,)."""
    return sum_by(code, value, n) / np.maximum(np.bincount(code, minlength=n), 1)


def _rmse(error: Array) -> float:
    return float(np.sqrt(np.mean(error**2))) if len(error) else float("nan")
