"""Next needs: what each customer will buy, with a probability and where it comes from.

Reads  a History.
Gives  ``NextNeedRanker``: ranked items per customer.
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
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._checks import check_count, check_option, check_positive
from ..columns import CUSTOMER, ITEM, PURCHASE
from ..exceptions import EmptyHistoryError, FilteredOutWarning, MinimumDataWarning
from ..log import History
from ..log.ids import check_ids, lookup_codes
from ..log.objections import objectors
from .answers import answer, to_frame
from .ratings import Rated
from .shoppers import HORIZON, NEXT_BASKET
from .source import Clock
from .stored import Fitted
from .topics import n_without_topic, topic_history, with_topics
from .training import learn
from .update import check_weights

Array = NDArray[Any]


class NextNeedRanker(BaseEstimator):  # type: ignore[misc]
    """Ranks items by the probability that a customer buys them next.

    Sources propose: own purchases, what follows and what goes with them, people alike and what
    those bought next, factors, categories, what is popular, wished for or looked at. Those
    that help are kept; a blend per kind (own items, new items) turns what is known of a
    candidate into a probability. Both are chosen and fitted on earlier slices of the history.
    Low ratings, returns and "not interested" count against an item and those like it, wishes
    and high ratings for it. Customers without purchases get what is popular at the moment,
    among those who share their attributes where there are any.

    Parameters
    ----------
    target : {"horizon", "next_basket"}, default="horizon"
        Bought in ``[cutoff, cutoff + horizon_days)``, or in the customer's next basket.
    horizon_days : float, default=30
        Days (> 0); ignored for the next basket.
    target_event : str, default="purchase"
        Another kind of event with a reason, such as ``"contact"`` or ``"complaint"``, ranks
        the topics of the next one: answers have ``topic`` in place of ``item_id``.
    random_state : int, RandomState or None, default=None
        Seeds the samples of large logs; small ones draw nothing.

    Attributes
    ----------
    report_ : dict
        Slices used, sources kept and what leaving each out costs, kinds of blend tried and
        chosen with their NDCG@10 and log-loss on the newest slice, calibration there, what
        signals add, errors of expected ratings, what was missing; ``update`` after an update.
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

    fitted_: Fitted
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
            If no purchase (or target event with a topic) lies before the cutoff.

        Warns
        -----
        MinimumDataWarning
            If too little was bought in closed windows; scores are then plain purchase rates.
        """
        clock = self._clock()
        known, seed = self._allowed(history), check_random_state(self.random_state)
        learned = learn(known, clock, seed)
        self._keep(Fitted.of(known, learned, clock, seed), history.cutoff_us)
        if self.target_event != PURCHASE:
            self.report_["without_topic"] = n_without_topic(history, self.target_event)
        if learned.missing:
            warnings.warn(learned.missing, MinimumDataWarning, stacklevel=2)
        return self

    def update(self, history: History) -> Self:
        """Count again up to a later cutoff; the weights stay as fitted.

        Popularity, repeats and what the sources know become those of ``history``;
        ``report_["update"]`` says how the lists made for the cutoff of the last fit fared in
        the window after it (``expected`` and ``observed`` purchases among them) and, with
        ``refit_due`` and ``why``, whether the weights should be fitted again. Takes a small
        part of the time of ``fit``.
        """
        check_is_fitted(self, "fitted_")
        known, seed = self._allowed(history), check_random_state(self.random_state)
        learned = self.fitted_.learned
        since = self.report_.get("fitted_at", self.cutoff_.value // 1000)
        checked = check_weights(self.fitted_, known, since)
        clock = self.fitted_.tables.clock
        self._keep(Fitted.of(known, learned, clock, seed), history.cutoff_us)
        self.report_ = self.report_ | {"update": checked, "fitted_at": since}
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
        check_is_fitted(self, "fitted_")
        count = check_count("n", n)
        history = self.needs_of(history)
        asked = None if customers is None else check_ids(customers, history.customer_ids, CUSTOMER)
        some = history if asked is None else history.select(asked)
        everyone = self.fitted_.batch(some)
        ids = everyone.codes.ids
        mask = None if allowed is None else np.isin(ids, check_ids(allowed, ids, ITEM))
        found = answer(
            everyone, self.fitted_.learned, n=count, own=not exclude_bought, allowed=mask
        )
        if some.n_customers and not len(found.item) and (exclude_bought or mask is not None):
            message = "the filters left no item to recommend; widen allowed or exclude_bought."
            warnings.warn(message, FilteredOutWarning, stacklevel=2)
        order = np.arange(some.n_customers)
        if asked is not None:
            order = pd.unique(lookup_codes(asked, some.customer_ids))
        table = to_frame(found, everyone, order)
        return table if self.target_event == PURCHASE else with_topics(table)

    def expected_rating(self, history: History, pairs: pd.DataFrame) -> pd.Series[float]:
        """The rating to expect from each customer for each item.

        Parameters
        ----------
        history : History
            With the customers' own ratings so far; a pair rated already keeps its rating.
        pairs : DataFrame
            Columns ``customer_id`` and ``item_id``; any rows, unknown ids too.

        Returns
        -------
        Series
            ``expected_rating`` on the ratings' own scale, indexed as ``pairs``; NaN where the
            model saw no rating at all.
        """
        check_is_fitted(self, "fitted_")
        ids = check_ids(pairs[CUSTOMER], history.customer_ids, CUSTOMER)
        some = history.select(np.unique(ids))
        everyone = self.fitted_.batch(some)
        place = lookup_codes(
            check_ids(pairs[ITEM], everyone.codes.ids, ITEM), everyone.codes.sorted_ids
        )
        item = np.append(everyone.codes.of_rank, everyone.codes.n)[place]
        customer = lookup_codes(ids, some.customer_ids)
        rated = Rated.of(some, everyone.codes)
        expected = self.fitted_.ratings.expected(rated, customer, item)
        return pd.Series(expected, index=pairs.index, name="expected_rating")

    @property
    def item_ids_(self) -> Array:
        """Items (or topics) known to the model, sorted."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.tables.item_ids

    @property
    def window_days_(self) -> float:
        """Over which recent buyers are counted; NaN where the clock counts baskets."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.tables.clock.period if self.target == HORIZON else float("nan")

    def needs_of(self, history: History) -> History:
        """The history as this ranker reads it: topics stand for items where those are ranked."""
        if self.target_event == PURCHASE:
            return history
        return topic_history(history, self.target_event)

    def to_arrays(self) -> dict[str, Array]:
        """Everything fitted, as plain arrays (ids keep their type)."""
        check_is_fitted(self, "fitted_")
        settings = {
            name: getattr(self, name) for name in ("target", "horizon_days", "target_event")
        }
        learned = self.fitted_.learned._replace(report=self.report_)
        cutoff = {"cutoff": np.array([self.cutoff_.value // 1000])}
        return self.fitted_._replace(learned=learned).to_arrays(settings) | cutoff

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The ranker that ``to_arrays`` was called on; scores are the same bits."""
        fitted, settings = Fitted.from_arrays(arrays)
        model = cls(**settings)
        model._keep(fitted, int(arrays["cutoff"][0]))
        return model

    def _clock(self) -> Clock:
        check_option("target", self.target, (HORIZON, NEXT_BASKET))
        return Clock.of(self.target, check_positive("horizon_days", self.horizon_days))

    def _keep(self, fitted: Fitted, cutoff: int) -> None:
        self.fitted_ = fitted
        self.report_ = dict(fitted.learned.report) | {"ratings": fitted.ratings.report}
        self.cutoff_ = pd.Timestamp(cutoff, unit="us", tz="UTC")

    def _allowed(self, history: History) -> History:
        """The needs of those who may be learned from; at least one."""
        needs = self.needs_of(history)
        objects = objectors(needs)
        known = needs.select(needs.customer_ids[~objects]) if objects.any() else needs
        if not known.n_purchases:
            raise EmptyHistoryError(
                f"{type(self).__name__}: no {self.target_event} before the cutoff; found "
                f"{history.n_events} events. Take a later cutoff or map the "
                f"{self.target_event} events."
            )
        return known
