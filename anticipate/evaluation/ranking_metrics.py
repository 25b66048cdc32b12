"""Numbers for ranked lists, one per customer; their mean is the published metric.

Reads  ``MatchedLists``: lists laid over what was bought.
Gives  float64 arrays of shape (n_customers,), NaN where a metric does not apply to a customer.
Never  averages: a group's number is the mean over its customers (NaN left out).
Source Li et al., A Next Basket Recommendation Reality Check, ACM TOIS 41(4), 2023, sec. 4.3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ..exceptions import ParameterError
from .matching import MatchedLists

Floats = npt.NDArray[np.float64]


def recall_at_k(lists: MatchedLists, k: int = 10) -> Floats:
    """Share of the bought items that stand among the first k.

    Parameters
    ----------
    lists : MatchedLists
        Lists laid over the truth.
    k : int, default=10
        Places looked at (1 <= k <= ``lists.width``).

    Returns
    -------
    ndarray of shape (n,)
        ``hits / n_targets``, in [0, 1].

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1, 1], "item_id": ["x", "y"], "rank": [1, 2]})
    >>> bought = pd.DataFrame({"customer_id": [1, 1], "item_id": ["y", "z"]})
    >>> recall_at_k(match_lists(lists, bought), k=10).tolist()
    [0.5]
    """
    return _n_hits(lists, k) / lists.n_targets


def capped_recall_at_k(lists: MatchedLists, k: int = 10) -> Floats:
    """Hits divided by the most a list of k could have hit, ``min(k, n_targets)``.

    Parameters
    ----------
    lists : MatchedLists
        Lists laid over the truth.
    k : int, default=10
        Places looked at.

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1]; 1 is reachable for every customer.

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1], "item_id": ["y"], "rank": [1]})
    >>> bought = pd.DataFrame({"customer_id": [1, 1], "item_id": ["y", "z"]})
    >>> capped_recall_at_k(match_lists(lists, bought), k=1).tolist()
    [1.0]
    """
    return _n_hits(lists, k) / np.minimum(lists.n_targets, k)


def hit_at_k(lists: MatchedLists, k: int = 10) -> Floats:
    """Whether any of the first k was bought; its mean is PHR@k (share of customers with a hit).

    Parameters
    ----------
    lists : MatchedLists
        Lists laid over the truth.
    k : int, default=10
        Places looked at.

    Returns
    -------
    ndarray of shape (n,)
        0 or 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1, 2], "item_id": ["x", "y"], "rank": [1, 1]})
    >>> bought = pd.DataFrame({"customer_id": [1, 2], "item_id": ["x", "x"]})
    >>> hit_at_k(match_lists(lists, bought), k=3).tolist()
    [1.0, 0.0]
    """
    return (_n_hits(lists, k) > 0).astype(np.float64)


def ndcg_at_k(lists: MatchedLists, k: int = 10, *, ideal: Literal["all", "cut"] = "all") -> Floats:
    """Discounted gain of the first k over the ideal one.

    Parameters
    ----------
    lists : MatchedLists
        Lists laid over the truth.
    k : int, default=10
        Places looked at.
    ideal : {"all", "cut"}, default="all"
        The ideal list holds all targets (the reality check), or at most k of them (ReCANet).
        ``"all"`` is the smaller number of the two.

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1].

    Raises
    ------
    ParameterError
        If ``ideal`` is neither.

    Examples
    --------
    One of two targets, on the second of two places: ``(1/log2(3)) / (1 + 1/log2(3))``.

    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1, 1], "item_id": ["x", "y"], "rank": [1, 2]})
    >>> bought = pd.DataFrame({"customer_id": [1, 1], "item_id": ["y", "z"]})
    >>> ndcg_at_k(match_lists(lists, bought), k=2).round(4).tolist()
    [0.3869]
    """
    if ideal not in ("all", "cut"):
        raise ParameterError(f'ideal: {ideal!r} is unknown; give "all" or "cut".')
    hits = _first(lists.hits, lists, k)
    n_ideal = lists.n_targets if ideal == "all" else np.minimum(lists.n_targets, k)
    longest = max(int(n_ideal.max(initial=1)), hits.shape[1])
    discount = 1.0 / np.log2(np.arange(2, longest + 2))  # place r (from 1) gains 1/log2(r + 1)
    gain = np.where(hits, discount[: hits.shape[1]], 0.0).sum(axis=1)
    return np.asarray(gain / np.cumsum(discount)[n_ideal - 1])


def repeat_recall_at_k(lists: MatchedLists, k: int = 10) -> Floats:
    """Share of the *repeat* targets (already in the history) among the first k.

    Parameters
    ----------
    lists : MatchedLists
        Lists laid over the truth, matched with ``history_pairs``.
    k : int, default=10
        Places looked at.

    Returns
    -------
    ndarray of shape (n,)
        NaN for customers without a repeat target.

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1], "item_id": ["x"], "rank": [1]})
    >>> bought = pd.DataFrame({"customer_id": [1, 1, 2], "item_id": ["x", "z", "z"]})
    >>> before = pd.DataFrame({"customer_id": [1], "item_id": ["x"]})
    >>> repeat_recall_at_k(match_lists(lists, bought, history_pairs=before)).tolist()
    [1.0, nan]
    """
    return _share(_n_hits(lists, k, only=lists.repeats), lists.n_repeat_targets)


def new_recall_at_k(lists: MatchedLists, k: int = 10) -> Floats:
    """Share of the *new* targets (not yet in the history) among the first k.

    Parameters
    ----------
    lists : MatchedLists
        Lists laid over the truth, matched with ``history_pairs``.
    k : int, default=10
        Places looked at.

    Returns
    -------
    ndarray of shape (n,)
        NaN for customers without a new target.

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1], "item_id": ["x"], "rank": [1]})
    >>> bought = pd.DataFrame({"customer_id": [1, 1], "item_id": ["x", "z"]})
    >>> before = pd.DataFrame({"customer_id": [1], "item_id": ["x"]})
    >>> new_recall_at_k(match_lists(lists, bought, history_pairs=before)).tolist()
    [0.0]
    """
    return _share(_n_hits(lists, k, only=~lists.repeats), lists.n_new_targets)


def repeat_share_at_k(lists: MatchedLists, k: int = 10) -> Floats:
    """Share of the first k items that the customer bought before.

    Parameters
    ----------
    lists : MatchedLists
        Lists matched with ``history_pairs``.
    k : int, default=10
        Places looked at.

    Returns
    -------
    ndarray of shape (n,)
        NaN for customers with an empty list.

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate.evaluation import match_lists
    >>> lists = pd.DataFrame({"customer_id": [1, 1], "item_id": ["x", "y"], "rank": [1, 2]})
    >>> bought = pd.DataFrame({"customer_id": [1], "item_id": ["z"]})
    >>> before = pd.DataFrame({"customer_id": [1], "item_id": ["x"]})
    >>> repeat_share_at_k(match_lists(lists, bought, history_pairs=before)).tolist()
    [0.5]
    """
    shown = _first(lists.filled, lists, k).sum(axis=1)
    return _share(_first(lists.repeats & lists.filled, lists, k).sum(axis=1), shown)


def _first(grid: npt.NDArray[np.bool_], lists: MatchedLists, k: int) -> npt.NDArray[np.bool_]:
    if not 1 <= k <= lists.width:
        raise ParameterError(f"k: {k} is outside 1..{lists.width}, the places that were matched.")
    return grid[:, :k]


def _n_hits(
    lists: MatchedLists, k: int, *, only: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.int64]:
    counted = lists.hits if only is None else lists.hits & only
    return np.asarray(_first(counted, lists, k).sum(axis=1), dtype=np.int64)


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    """part / whole, NaN where the whole is nothing."""
    share = np.full(part.shape, np.nan)
    return np.divide(part, whole, out=share, where=whole > 0)
