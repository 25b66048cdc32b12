"""Next needs: what each customer will buy, with a probability and where it comes from.

Reads  a History.
Gives  ``NextNeedRanker``: ranked items per customer, and the arrays a bundle stores.
Never  an event at or after the history's cutoff; another customer's events at scoring time.
Source Li et al., "A Next Basket Recommendation Reality Check", ACM TOIS 41(4), 2023: own
       repeats carry most of what can be predicted, so they come first and the rest fills up.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._checks import check_count, check_option, check_positive
from ..columns import CUSTOMER, ITEM, PURCHASE
from ..exceptions import EmptyHistoryError, FilteredOutWarning, MinimumDataWarning, ParameterError
from ..log import History
from ..log.ids import check_ids, lookup_codes
from ..log.objections import objectors
from .answers import answer, to_codes, to_frame
from .candidates import Batch
from .carts import baskets_of, cart_increments, partners
from .shoppers import HORIZON, NEXT_BASKET, Codes, Shoppers, shoppers_of
from .signals import Signals
from .stored import restored, stored
from .tables import Clock, Tables
from .training import Learned, learn

Array = NDArray[Any]
N_CART = 16  # partners kept per item for carts


class NextNeedRanker(BaseEstimator):  # type: ignore[misc]
    """Ranks items by the probability that a customer buys them next.

    Sources propose: own purchases, items bought by the same people, people alike, what is
    popular, what was wished for or looked at. A blend per kind (own items, new items) turns
    what is known of a candidate into a probability; it is chosen and fitted on earlier slices
    of the history. Low ratings, returns and "not interested" count against an item, wishes for
    it. Customers without purchases get what is popular at the moment.

    Parameters
    ----------
    target : {"horizon", "next_basket"}, default="horizon"
        Bought in ``[cutoff, cutoff + horizon_days)``, or in the customer's next basket.
    horizon_days : float, default=30
        Days (> 0); ignored for the next basket.
    target_event : {"purchase"}, default="purchase"
    random_state : int, RandomState or None, default=None
        Seeds the samples of large logs; small ones draw nothing.

    Attributes
    ----------
    report_ : dict
        Slices used, kinds tried and chosen with their NDCG@10 and log-loss on the newest slice,
        gain by source, calibration there, what signals add, what was missing.
    cutoff_ : Timestamp (UTC)
        Of the history it was fitted on.

    Notes
    -----
    Lists of different ``n`` up to 64 are heads of one another. Scores of a customer do not
    depend on the others in the batch. ``fit`` holds a few hundred thousand training rows and
    ``recommend`` a batch of 512 customers at a time.

    Examples
    --------
    >>> from anticipate import load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> ranker = NextNeedRanker(random_state=0).fit(history)
    >>> ranker.recommend(history, customers=["C042"], n=2).columns.tolist()
    ['customer_id', 'item_id', 'score', 'rank', 'source']
    """

    tables_: Tables
    learned_: Learned
    cart_: csr_matrix
    report_: dict[str, Any]
    cutoff_: pd.Timestamp

    def __init__(
        self,
        target: Literal["horizon", "next_basket"] = "horizon",
        horizon_days: float = 30,
        target_event: str = PURCHASE,
        *,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.target = target
        self.horizon_days = horizon_days
        self.target_event = target_event
        self.random_state = random_state

    def fit(self, history: History, y: None = None) -> Self:
        """Learn from a history; labels come from its own closed windows.

        Raises
        ------
        EmptyHistoryError
            If no purchase lies before the cutoff.

        Warns
        -----
        MinimumDataWarning
            If too little was bought in closed windows; scores are then plain purchase rates.
        """
        clock = self._check()
        objects = objectors(history)
        known = history.select(history.customer_ids[~objects]) if objects.any() else history
        if not known.n_purchases:
            raise EmptyHistoryError(
                f"{type(self).__name__}: no purchase before the cutoff; found "
                f"{history.n_events} events. Take a later cutoff or map the purchase events."
            )
        seed = check_random_state(self.random_state)
        learned = learn(known, clock, seed)
        tables, shoppers = Tables.learn(known, clock, seed, without=learned.dropped)
        cart = cart_increments(baskets_of(shoppers), N_CART)
        self._keep(tables, learned, cart, history.cutoff_us)
        if learned.missing:
            warnings.warn(learned.missing, MinimumDataWarning, stacklevel=2)
        return self

    def recommend(
        self,
        history: History,
        *,
        customers: Iterable[Any] | None = None,
        n: int = 10,
        exclude_bought: bool = False,
        allowed: Iterable[Any] | None = None,
    ) -> pd.DataFrame:
        """The n most probable items of each customer.

        Parameters
        ----------
        history : History
            What is known of the customers; need not be the one of ``fit``.
        customers : iterable of ids or None
            Whose needs, in the order wanted; None = all of the history. Unknown ids are
            answered like newcomers.
        n : int, default=10
            Most rows per customer (>= 1).
        exclude_bought : bool, default=False
            Only items that the customer does not have.
        allowed : iterable of item ids or None
            Only these items.

        Returns
        -------
        DataFrame
            ``customer_id, item_id, score`` (probability), ``rank`` (from 1), ``source``;
            fewer than n rows where nothing is left.

        Warns
        -----
        FilteredOutWarning
            If the filters left nothing for anybody.
        """
        check_is_fitted(self, "tables_")
        count = check_count("n", n)
        asked = None if customers is None else check_ids(customers, history.customer_ids, CUSTOMER)
        some = history if asked is None else history.select(asked)
        everyone = self._describe(some)
        ids = everyone.codes.ids
        mask = None if allowed is None else np.isin(ids, check_ids(allowed, ids, ITEM))
        found = answer(everyone, self.learned_, n=count, own=not exclude_bought, allowed=mask)
        if some.n_customers and not len(found.item) and (exclude_bought or mask is not None):
            message = "the filters left no item to recommend; widen allowed or exclude_bought."
            warnings.warn(message, FilteredOutWarning, stacklevel=2)
        order = np.arange(some.n_customers)
        if asked is not None:
            order = pd.unique(lookup_codes(asked, some.customer_ids))
        return to_frame(found, everyone, order)

    def candidates(self, history: History, n: int = 32) -> dict[str, Array]:
        """The n best candidates of every customer as arrays, with the facts behind each.

        Parameters
        ----------
        history : History
        n : int, default=32
            Most candidates per customer.

        Returns
        -------
        dict of ndarray
            ``offsets`` (n_customers + 1,), customers as in ``history.customer_ids``; then per
            candidate, best first: ``item`` and ``because`` (codes of ``item_ids``; -1 none),
            ``log_odds``, ``source`` (index into ``anticipate.needs.SOURCES``), ``n_purchases``,
            ``gap_days``, ``days_since_last``, ``alike_share``, ``n_buyers``, ``wished_days``
            (NaN where there is nothing to say). ``window_days`` (1,): over which ``n_buyers``
            counts. ``item_ids``: the history's vocabulary, and items only the model knows.
        """
        check_is_fitted(self, "tables_")
        everyone = self._describe(history)
        found = answer(everyone, self.learned_, n=check_count("n", n))
        return to_codes(found, everyone.codes, self._window_days)

    def newcomer_needs(self, n: int = 32) -> dict[str, Array]:
        """What a customer of whom nothing is known needs, as :meth:`candidates` tells it."""
        check_is_fitted(self, "tables_")
        ids = self.tables_.item_ids
        codes = Codes.of(ids, ids)
        known = self.tables_.neighbours.ids  # any id will do: an empty profile is like nobody's
        alone = known[:1] if len(known) else np.zeros(1, dtype=np.int64)
        nobody = Batch(self.tables_, codes, Shoppers.nobody(len(ids)), Signals.none(), alone)
        found = answer(nobody, self.learned_, n=check_count("n", n))
        return to_codes(found, codes, self._window_days)

    def item_neighbours(self, item_ids: Any, k: int = 8) -> dict[str, Array]:
        """What goes with an item in a cart, for a vocabulary of items.

        Parameters
        ----------
        item_ids : ndarray of shape (n_items,)
            Sorted ids.
        k : int, default=8
            Most partners per item (at most 16 are known).

        Returns
        -------
        dict of ndarray
            ``offsets`` (n_items + 1,), ``item`` (positions in ``item_ids``, most telling
            first), ``weight`` (> 0: what the item in the cart adds to the other's log-odds).
        """
        check_is_fitted(self, "tables_")
        return partners(
            self.cart_, self.tables_.item_ids, np.asarray(item_ids), check_count("k", k)
        )

    @property
    def item_ids_(self) -> Array:
        """Items known to the model, sorted."""
        check_is_fitted(self, "tables_")
        return self.tables_.item_ids

    def newcomer_log_odds(self, item_ids: Array) -> Array:
        """Log-odds that a newcomer buys each of these items, (n_items + 1,); last row: others."""
        check_is_fitted(self, "tables_")
        code = np.append(lookup_codes(item_ids, self.tables_.item_ids), -1)
        return self.tables_.popular.log_odds[code] + self.learned_.newcomer_shift

    def to_arrays(self) -> dict[str, Array]:
        """Everything fitted, as plain arrays (ids keep their type)."""
        check_is_fitted(self, "tables_")
        settings = {
            name: getattr(self, name) for name in ("target", "horizon_days", "target_event")
        }
        cutoff = {"cutoff": np.array([self.cutoff_.value // 1000])}
        return stored(self.tables_, self.learned_, self.cart_, settings) | cutoff

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The ranker that ``to_arrays`` was called on; scores are the same bits."""
        tables, learned, cart, settings = restored(arrays)
        model = cls(**settings)
        model._keep(tables, learned, cart, int(arrays["cutoff"][0]))
        return model

    def _check(self) -> Clock:
        check_option("target", self.target, (HORIZON, NEXT_BASKET))
        if self.target_event != PURCHASE:
            raise ParameterError(
                f"target_event={self.target_event!r} is not available yet; only 'purchase' is."
            )
        return Clock.of(self.target, check_positive("horizon_days", self.horizon_days))

    def _keep(self, tables: Tables, learned: Learned, cart: csr_matrix, cutoff: int) -> None:
        self.tables_, self.learned_, self.cart_ = tables, learned, cart
        self.report_ = learned.report
        self.cutoff_ = pd.Timestamp(cutoff, unit="us", tz="UTC")

    @property
    def _window_days(self) -> float:
        """Over which buyers are counted; NaN where the clock counts baskets."""
        return self.tables_.clock.period if self.target == HORIZON else float("nan")

    def _describe(self, history: History) -> Batch:
        """All customers of a history; who objects to profiling is a newcomer."""
        objects = objectors(history)
        ids = check_ids(history.customer_ids, self.tables_.neighbours.ids, CUSTOMER)
        known = history.select(ids[~objects]).select(ids) if objects.any() else history
        codes = Codes.of(self.tables_.item_ids, known.item_ids)
        shoppers = shoppers_of(known, codes, self.target)
        signals = Signals.of(known, codes, self.tables_.middle)
        return Batch(self.tables_, codes, shoppers, signals, ids)
