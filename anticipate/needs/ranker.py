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

from .._checks import check_option, check_positive
from ..columns import PURCHASE
from ..exceptions import MinimumDataWarning
from ..log import History, check_history
from .expected import expected_rating
from .explain import explain
from .filters import Wanted
from .intact import of_length
from .learnable import learnable
from .recommended import recommended
from .shoppers import HORIZON, NEXT_BASKET
from .source import Clock
from .stored import Fitted, settings_of
from .topics import n_without_topic, topic_history
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
        Seeds samples of large logs and of training rows, the trees, the start of the factors.
    n_jobs : int or None, default=None
        Processes for describing slices in ``fit`` and many customers in ``recommend``; -1 =
        all cores. The answer is the same bits.

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
    depend on the others in the batch. ``fit`` holds about a million training rows at most and
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
        n_jobs: int | None = None,
    ) -> None:
        self.target = target
        self.horizon_days = horizon_days
        self.target_event = target_event
        self.random_state = random_state
        self.n_jobs = n_jobs

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
        known, seed = self._learnable(history), check_random_state(self.random_state)
        learned = learn(known, clock, seed, self.n_jobs)
        seed = check_random_state(self.random_state)  # as an update draws
        self._keep(Fitted.of(known, learned, clock, seed), history.cutoff_us)
        if self.target_event != PURCHASE:
            self.report_["without_topic"] = n_without_topic(history, self.target_event)
        if learned.missing:
            warnings.warn(learned.missing, MinimumDataWarning, stacklevel=2)
        return self

    def update(self, history: History) -> Self:
        """Count again up to a later cutoff; the weights stay as fitted.

        Popularity, repeats and what the sources know become those of ``history``;
        ``report_["update"]`` says how the lists made for the last cutoff (of ``fit`` or ``update``)
        fared in the window after it (``expected`` and ``observed`` purchases among them) and, with
        ``refit_due`` and ``why``, whether the weights should be fitted again. A history that
        ends before ``cutoff_`` raises CutoffError: the weights know what came after.
        """
        check_is_fitted(self, "fitted_")
        known, seed = self._learnable(history), check_random_state(self.random_state)
        learned, before = self.fitted_.learned, self.report_
        since = self.report_.get("fitted_at", self.cutoff_.value // 1000)
        checked = check_weights(self.fitted_, known, self.cutoff_.value // 1000, since)
        later = Fitted.of(known, learned, self.fitted_.tables.clock, seed)
        self._keep(later, history.cutoff_us)
        self.report_ = before | self.report_ | {"update": checked, "fitted_at": since}
        return self

    def recommend(
        self,
        history: History,
        *,
        customers: Iterable[Any] | None = None,
        n: int = 10,
        exclude_bought: bool = False,
        allowed: Iterable[Any] | None = None,
        blocked: Iterable[Any] | None = None,
        in_stock: Iterable[Any] | None = None,
        max_price: float | None = None,
        one_per: Literal["category", "work_id"] | None = None,
        diversity: float = 0.0,
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
        allowed, blocked, in_stock : iterable of item ids or None
            Only these; none of these; only these. Unknown ids do nothing.
        max_price : float or None
            Only items that cost no more (> 0): by ``price`` of the history's items, else the
            mean price paid in the history. An item of unknown price is left out.
        one_per : {"category", "work_id"} or None
            The best item of each; an item without one stands for itself.
        diversity : float, default=0.0
            In [0, 1): how much likeness to the items before it counts against an item
            (:mod:`anticipate.needs.diversity`). Among the best 64; scores stay, ranks follow
            the new order.

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
        wanted = Wanted(
            exclude_bought=exclude_bought, allowed=allowed, blocked=blocked, in_stock=in_stock,
            max_price=max_price, one_per=one_per, diversity=diversity,
        )  # fmt: skip
        needs, topics = self.needs_of(history), self.target_event != PURCHASE
        return recommended(
            self.fitted_, needs, customers, n, wanted, topics=topics, n_jobs=self.n_jobs
        )

    def explain(self, history: History, recommended: pd.DataFrame) -> pd.DataFrame:
        """Why: a sentence and the customer's own events behind each row of ``recommend``.

        A reason that cites events is given only where the item would score less without them;
        else the next one speaks, down to what is popular, which cites none.

        Parameters
        ----------
        history : History
            The one given to ``recommend``. Rows that cannot be about it raise ParameterError.
        recommended : DataFrame
            Its answer, or some rows of it, in any order; about items, not topics.

        Returns
        -------
        DataFrame
            The same rows with ``reason_code``, ``reason`` (English) and ``evidence``: a tuple
            of dicts ``date`` (ISO, UTC), ``item_id`` and ``event``.
        """
        check_is_fitted(self, "fitted_")
        return explain(self.fitted_, history, recommended, self.target_event, self.window_days_)

    def expected_rating(self, history: History, pairs: pd.DataFrame) -> pd.Series[float]:
        """The rating to expect from each customer for each item.

        Parameters
        ----------
        history : History
            With their ratings so far (none of who objects to profiling); a pair rated keeps it.
        pairs : DataFrame
            Columns ``customer_id`` and ``item_id``; any rows, unknown ids too.

        Returns
        -------
        Series
            ``expected_rating`` on the ratings' own scale, indexed as ``pairs``; NaN where the
            model saw no rating at all.
        """
        check_is_fitted(self, "fitted_")
        return expected_rating(self.fitted_, history, pairs)

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
        check_history(history)
        if self.target_event == PURCHASE:
            return history
        return topic_history(history, self.target_event)

    def to_arrays(self) -> dict[str, Array]:
        """Everything fitted, as plain arrays (ids keep their type)."""
        check_is_fitted(self, "fitted_")
        learned = self.fitted_.learned._replace(report=self.report_)
        cutoff = {"cutoff": np.array([self.cutoff_.value // 1000])}
        return self.fitted_._replace(learned=learned).to_arrays(settings_of(self)) | cutoff

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The ranker of ``to_arrays``, the same bits; what does not fit raises ParameterError."""
        fitted, settings = Fitted.from_arrays(arrays)
        model = cls(**settings)
        model._keep(fitted, int(of_length(arrays, "cutoff", 1)[0]))
        return model

    def _clock(self) -> Clock:
        check_option("target", self.target, (HORIZON, NEXT_BASKET))
        return Clock.of(self.target, check_positive("horizon_days", self.horizon_days))

    def _keep(self, fitted: Fitted, cutoff: int) -> None:
        self.fitted_ = fitted
        self.report_ = fitted.report
        self.cutoff_ = pd.Timestamp(cutoff, unit="us", tz="UTC")

    def _learnable(self, history: History) -> History:
        return learnable(self.needs_of(history), self.target_event, history.n_events)
